// `session-guard restore FILE`: brings back what `session-guard backup` has saved.

import { Command } from "commander";
import { usersOf } from "../backup/file.js";
import { LONG_CALL, patiently } from "../backup/pages.js";
import { unknownError, usageError } from "../errors.js";
import { asksGuard, Guard } from "../guard.js";
import { typed } from "../key_file.js";
import { limitOption } from "../options.js";
import { confirmed } from "../questions.js";
import { counted } from "../text.js";

/** @typedef {import("../terminal.js").Terminal} Terminal */
/** @typedef {import("../backup/file.js").User} User */
/** @typedef {import("../guard.js").Where & { limit: number, dryRun?: boolean, yes?: boolean, json?: boolean }} Options */
/** @typedef {{ users: number, sessions: number }} Counts */

/** How many bytes a call sends at most. The guard takes 4 MiB. */
const MOST_BYTES = 4_000_000;

/** @param {Terminal} terminal */
export const restore = (terminal) =>
  asksGuard(new Command("restore"))
    .description("merge a backup into what the guard keeps")
    .argument("<file>", "what the command `backup` has written")
    .addOption(limitOption())
    .option("-n, --dry-run", "only check the file, and say what it has and what the guard has")
    .option("-y, --yes", "do not ask; required if there is no terminal")
    .addHelpText("after", `
The command reads the whole file before it sends anything, says what the guard has now, and asks. Sessions that the guard
knows to have ended stay ended, so the command may be repeated: do so if it was interrupted. A store that is empty cannot
know what has ended since the backup; docs/moving-stores.md#backups says what to do about that.

Examples:
  session-guard restore sessions.jsonl --dry-run
  session-guard restore sessions.jsonl --url https://members.example.com --yes
`)
    .action(async (file, options) => merge(file, options, terminal));

/** @param {string} file @param {Options} options @param {Terminal} terminal */
async function merge(file, options, terminal) {
  if (!options.yes && !options.dryRun && (!terminal.isInteractive || options.json)) throw usageError("This changes the sessions of many users. Look first with --dry-run, then say --yes.");
  terminal.progress(`Reading ${typed(file)}`);
  const counts = await count(file).finally(() => terminal.progress(""));
  const guard = await Guard.of(options, terminal, LONG_CALL);
  /** @type {Counts} */
  const before = await guard.call("GET", "admin/stats");
  if (options.dryRun || !(options.yes || (await isMeant(guard, counts, before, terminal)))) return tellPlan(counts, before, options, terminal);
  const restored = await restoreAll(guard, file, counts, options.limit, terminal);
  if (options.json) return terminal.printJson(restored);
  terminal.print(`Restored ${inWords(restored)}.`);
  if (before.sessions === 0) terminal.note("No session was live before, so those that have ended since the backup may be live again: see docs/moving-stores.md#backups.");
}

/** What a file has. Fails if it is not a backup from the first line to the last. @param {string} file */
async function count(file) {
  const counts = { users: 0, sessions: 0 };
  for await (const { sessions } of usersOf(file)) {
    counts.users += 1;
    counts.sessions += sessions;
  }
  if (counts.users === 0) throw usageError(`${typed(file)} has no user.`);
  return counts;
}

/** @param {Counts} counts */
const inWords = ({ users, sessions }) => `${counted(users, "user")} with ${counted(sessions, "session")}, live or ended`;

/** @param {Counts} before */
const liveInWords = ({ users, sessions }) => `${counted(users, "user")} with ${counted(sessions, "live session")}`;

/** Is it the right guard? A person knows by what this has. @param {Guard} guard @param {Counts} counts @param {Counts} before @param {Terminal} terminal */
async function isMeant(guard, counts, before, terminal) {
  terminal.note(`${guard.origin} has ${liveInWords(before)} now.`);
  return confirmed(`Restore ${inWords(counts)}?`, terminal);
}

/** @param {Counts} counts @param {Counts} before @param {Options} options @param {Terminal} terminal */
function tellPlan(counts, before, { json }, terminal) {
  if (json) return terminal.printJson({ would_restore: counts, has_now: before });
  terminal.note(`${inWords(counts)}, would be restored to a guard that has ${liveInWords(before)}. Nothing was restored.`);
}

/** @param {Guard} guard @param {string} file @param {Counts} counts @param {number} limit @param {Terminal} terminal */
async function restoreAll(guard, file, counts, limit, terminal) {
  const total = { users: 0, sessions: 0 };
  for await (const users of batches(usersOf(file), limit)) {
    const { users: more, sessions } = await patiently(() => guard.call("POST", "admin/import", users.map(({ line }) => line))).catch((error) => {
      terminal.note(`${counted(total.users, "user")} restored before this happened, at lines ${users[0]?.number} to ${users.at(-1)?.number} of ${typed(file)}; the guard counts from the first of these. Run the command again to go on.`);
      throw total.users > 0 && error instanceof Error ? unknownError(error.message) : error;
    });
    total.users += more;
    total.sessions += sessions;
    terminal.progress(`${counted(total.users, "user")} of ${counts.users.toLocaleString("en")} restored`);
  }
  terminal.progress("");
  return total;
}

/** Users that one call can take. @param {AsyncIterable<User>} users @param {number} limit @returns {AsyncGenerator<User[], void>} */
async function* batches(users, limit) {
  /** @type {User[]} */
  let batch = [];
  let bytes = 0;
  for await (const user of users) {
    const more = Buffer.byteLength(user.line) + 1;
    if (batch.length > 0 && (batch.length === limit || bytes + more > MOST_BYTES)) {
      yield batch;
      [batch, bytes] = [[], 0];
    }
    batch.push(user);
    bytes += more;
  }
  if (batch.length > 0) yield batch;
}
