// `session-guard block SUB` and `unblock SUB`.

import { Command } from "commander";
import { usageError } from "../errors.js";
import { asksGuard, Guard, inPath } from "../guard.js";
import { counted, shown } from "../text.js";

/** @typedef {import("../terminal.js").Terminal} Terminal */

/** @param {Terminal} terminal */
export const block = (terminal) =>
  asksGuard(new Command("block"))
    .description("end a user's sessions, and let none begin")
    .argument("<sub>", "the user")
    .option("--reason <text>", "why; admins and the log are told, the user is not")
    .option("--for <span>", "how long: 30d, 12h; without an end, until you unblock")
    .option("--until <moment>", "until when: 2026-12-01T00:00:00Z")
    .addHelpText("after", `
A second block replaces the first. \`session-guard rights SUB\` shows whether a user is blocked.

Examples:
  session-guard block spammer --reason 'sends spam, ticket 4711' --for 30d
  session-guard unblock spammer
`)
    .action(async (sub, options) => {
      if (options.for !== undefined && options.until !== undefined) throw usageError("Give --for or --until, not both.");
      const guard = await Guard.of(options, terminal);
      const { reason, until } = options;
      const state = await guard.call("PUT", `admin/users/${inPath(sub)}/block`, { ...(reason !== undefined && { reason }), ...(until !== undefined && { until }), ...(options.for !== undefined && { for: options.for }) });
      if (options.json) return terminal.printJson(state);
      const ended = state.ended === 0 ? "no session was live" : `${counted(state.ended, "session")} ended`;
      terminal.print(`${shown(sub)} is blocked ${state.until === undefined ? "until you unblock" : `until ${state.until}`}; ${ended}.`);
    });

/** @param {Terminal} terminal */
export const unblock = (terminal) =>
  asksGuard(new Command("unblock"))
    .description("let a blocked user in again")
    .argument("<sub>", "the user")
    .addHelpText("after", `
Sessions that were ended stay ended: the user signs in again.

Examples:
  session-guard unblock spammer
`)
    .action(async (sub, options) => {
      const guard = await Guard.of(options, terminal);
      const path = `admin/users/${inPath(sub)}/block`;
      const { blocked } = await guard.call("GET", path);
      await guard.call("DELETE", path);
      if (options.json) return terminal.printJson({ blocked: false });
      terminal.print(blocked ? `${shown(sub)} can sign in again.` : `${shown(sub)} was not blocked.`);
    });
