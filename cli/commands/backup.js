// `session-guard backup FILE`: saves what a guard keeps of every user.

import { realpathSync, statSync } from "node:fs";
import { Command } from "commander";
import { writeWhole } from "../backup/file.js";
import { LONG_CALL, pages } from "../backup/pages.js";
import { unknownError, usageError } from "../errors.js";
import { asksGuard, Guard } from "../guard.js";
import { typed } from "../key_file.js";
import { limitOption } from "../options.js";
import { counted } from "../text.js";

/** @typedef {import("../terminal.js").Terminal} Terminal */
/** @typedef {import("../guard.js").Where & { limit: number, force?: boolean, json?: boolean }} Options */
/** @typedef {{ users: number, sessions: number }} Saved */

/** @param {Terminal} terminal */
export const backup = (terminal) =>
  asksGuard(new Command("backup"))
    .description("save every user's sessions, rights and blocks to a file")
    .argument("<file>", "the file to write")
    .option("--force", "replace the file if it is there")
    .addOption(limitOption())
    .addHelpText("after", `
The file holds private data of your users, but no token: nobody can sign in with it. Only you can read it. It appears
once it is whole; if the command fails or is interrupted, nothing of it is left, and an old file stays as it was. Users
who sign in meanwhile may be missing.

Examples:
  session-guard backup sessions.jsonl
  session-guard backup "sessions-$(date +%F).jsonl" --url https://members.example.com --key-file admin-api-key
`)
    .action(async (file, options) => save(file, options, terminal));

/** @param {string} file @param {Options} options @param {Terminal} terminal */
async function save(file, options, terminal) {
  const old = statSync(file, { throwIfNoEntry: false });
  const isThere = old !== undefined;
  if (isThere && !old.isFile()) throw usageError(`${typed(file)} is no file that can be replaced. Name another.`);
  if (isThere && !options.force) throw usageError(`${typed(file)} is there already. Pass --force to replace it, or name another file.`);
  const guard = await Guard.of(options, terminal, LONG_CALL);
  // Of a link, what it leads to is replaced.
  const saved = await writeWhole(isThere ? realpathSync(file) : file, async (append) => {
    const saved = await saveAll(guard, options.limit, append, terminal);
    if (saved.users === 0 && isThere) throw unknownError(`${guard.origin} keeps nothing of any user, so ${typed(file)} stays as it was. Is this the guard's --url?`);
    return saved;
  });
  if (options.json) return terminal.printJson({ file, ...saved });
  terminal.print(`Saved ${counted(saved.users, "user")} with ${counted(saved.sessions, "session")}, live or ended.`);
}

/** @param {Guard} guard @param {number} limit @param {(lines: string[]) => Promise<void>} append @param {Terminal} terminal @returns {Promise<Saved>} */
async function saveAll(guard, limit, append, terminal) {
  /** @type {Set<string>} */
  const subs = new Set();
  let sessions = 0;
  for await (const { entries } of pages(limit, (query) => page(guard, query))) {
    // A user may be in both indexes of the store.
    const added = entries.filter(({ value: { sub } }) => !subs.has(sub) && subs.add(sub));
    await append(added.map(({ line }) => line));
    sessions += added.reduce((sum, { value }) => sum + (value.records?.sessions?.length ?? 0), 0);
    terminal.progress(`${counted(subs.size, "user")} saved so far`);
  }
  terminal.progress("");
  return { users: subs.size, sessions };
}

/** @param {Guard} guard @param {string} query */
async function page(guard, query) {
  const lines = await guard.callForLines("GET", `admin/export?${query}`);
  return { entries: lines.filter(({ value }) => value.sub !== undefined), cursor: lines.at(-1)?.value.cursor };
}
