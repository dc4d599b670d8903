// `session-guard sessions SUB`: a user's live sessions.

import { Command } from "commander";
import { asksGuard, Guard, inPath } from "../guard.js";
import { counted, fromNow, shown, table } from "../text.js";

/**
 * @typedef {object} Session
 * @property {string} sid
 * @property {string} created_at
 * @property {string} last_seen_at
 * @property {string} expires_at
 * @property {string} device
 * @property {string} [place]
 * @property {string} [user_agent]
 * @property {Record<string, unknown>} [rights]
 */

/** @typedef {{ blocked_at: string, until?: string, reason?: string }} Block */

/** @typedef {{ sub: string, admin: boolean, sessions: Session[], rights?: Record<string, unknown>, block?: Block }} UserSessions */

/** @param {import("../terminal.js").Terminal} terminal */
export const sessions = (terminal) =>
  asksGuard(new Command("sessions"))
    .description("list a user's live sessions")
    .argument("<sub>", "the user, as the tokens' `sub` has it")
    .addHelpText("after", `
Examples:
  session-guard sessions ada
  session-guard sessions 'google|1087' --json
`)
    .action(async (sub, options) => {
      const guard = await Guard.of(options, terminal);
      /** @type {UserSessions} */
      const user = await guard.call("GET", `admin/users/${inPath(sub)}/sessions`);
      if (options.json) return terminal.printJson(user);
      if (user.sessions.length > 0) terminal.print(table(["SESSION", "DEVICE", "PLACE", "SIGNED IN", "LAST USE", "ENDS", "USER AGENT"], user.sessions.map(row), terminal.width));
      const is = [user.admin ? "an admin" : "", user.block === undefined ? "" : blockInWords(user.block), user.rights === undefined ? "" : "with rights that were set"].filter(Boolean).join(", ");
      terminal.note(`${shown(sub)} has ${user.sessions.length === 0 ? "no live session" : counted(user.sessions.length, "live session")}${is && `; ${is}`}.`);
    });

/** @param {Session} session */
const row = ({ sid, device, place = "", created_at, last_seen_at, expires_at, user_agent = "" }) => [
  sid, device, place, fromNow(created_at), fromNow(last_seen_at), fromNow(expires_at), user_agent,
];

/** @param {Block} block */
export const blockInWords = ({ until, reason }) =>
  `blocked ${until === undefined ? "until the block is lifted" : `until ${until}`}${reason === undefined ? "" : ` (${shown(reason)})`}`;
