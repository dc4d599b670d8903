// `session-guard move`: moves the users who are left in the store before to the main store.

import { Command } from "commander";
import { LONG_CALL, pages } from "../backup/pages.js";
import { asksGuard, Guard } from "../guard.js";
import { limitOption } from "../options.js";
import { counted } from "../text.js";

/** @typedef {{ users: number, moved: number, sessions: number }} Moved */

/** @param {import("../terminal.js").Terminal} terminal */
export const move = (terminal) =>
  asksGuard(new Command("move"))
    .description("move all users who are left from SESSION_STORE_BEFORE to SESSION_STORE")
    .addOption(limitOption())
    .addHelpText("after", `
Users who come meanwhile are moved by the guard itself, and nobody is signed out. If the command is interrupted, run it
again. It is done when it moves none. docs/moving-stores.md has the steps before and after.

Examples:
  session-guard move
  session-guard move --limit 4
`)
    .action(async (options) => {
      const guard = await Guard.of(options, terminal, LONG_CALL);
      const { users, moved, sessions } = await moveAll(guard, options.limit, terminal);
      if (options.json) return terminal.printJson({ users, moved, sessions });
      terminal.print(`Looked at ${counted(users, "user")} and moved ${moved.toLocaleString("en")} of them, with ${counted(sessions, "session")}.`);
      if (moved > 0) terminal.note("Run it again, until it moves none.");
    });

/** @param {Guard} guard @param {number} limit @param {import("../terminal.js").Terminal} terminal */
async function moveAll(guard, limit, terminal) {
  const total = { users: 0, moved: 0, sessions: 0 };
  /** @type {(query: string) => Promise<Moved & { cursor?: string }>} */
  const page = (query) => guard.call("POST", `admin/move?${query}`);
  for await (const { users, moved, sessions } of pages(limit, page)) {
    total.users += users;
    total.moved += moved;
    total.sessions += sessions;
    terminal.progress(`${counted(total.users, "user")} looked at so far`);
  }
  terminal.progress("");
  return total;
}
