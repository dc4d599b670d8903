// `session-guard users`: who is signed in.

import { Command } from "commander";
import { asksGuard, Guard } from "../guard.js";
import { counted, table } from "../text.js";

/** @typedef {{ sub: string, sessions: number, admin: boolean }} User */

/** @param {import("../terminal.js").Terminal} terminal */
export const users = (terminal) =>
  asksGuard(new Command("users"))
    .description("list who is signed in")
    .option("--prefix <text>", "only users whose `sub` begins with this text")
    .addHelpText("after", `
Examples:
  session-guard users
  session-guard users --prefix 'google|'
  session-guard users --json | jq -r '.users[].sub'
`)
    .action(async (options) => {
      const guard = await Guard.of(options, terminal);
      const all = await everybody(guard, options.prefix ?? "", terminal);
      if (options.json) return terminal.printJson({ users: all });
      if (all.length > 0) terminal.print(table(["USER", "SESSIONS", "ADMIN"], all.map(({ sub, sessions, admin }) => [sub, `${sessions}`, admin ? "yes" : ""]), terminal.width));
      const sessions = all.reduce((sum, user) => sum + user.sessions, 0);
      terminal.note(all.length === 0 ? "Nobody is signed in." : `${counted(all.length, "user")}, ${counted(sessions, "session")}`);
    });

/** @param {Guard} guard @param {string} prefix @param {import("../terminal.js").Terminal} terminal */
async function everybody(guard, prefix, terminal) {
  /** @type {User[]} */
  const all = [];
  /** @type {string | undefined} */
  let cursor;
  do {
    const page = await guard.call("GET", `admin/users?limit=40${cursor === undefined ? "" : `&cursor=${encodeURIComponent(cursor)}`}`);
    all.push(...page.users.filter((/** @type {User} */ { sub }) => sub.startsWith(prefix)));
    ({ cursor } = page);
    if (cursor !== undefined) terminal.progress(`${counted(all.length, "user")} so far`);
  } while (cursor !== undefined);
  terminal.progress("");
  return all;
}
