// `session-guard end`: ends a user's sessions, some of them, or many users' by what they have in common.

import { Command } from "commander";
import { unknownError, usageError } from "../errors.js";
import { asksGuard, Guard, inPath } from "../guard.js";
import { readLines } from "../input.js";
import { repeatable } from "../options.js";
import { confirmed } from "../questions.js";
import { counted, shown, table } from "../text.js";

/** @typedef {import("../terminal.js").Terminal} Terminal */
/** @typedef {{ users?: string[], issuers?: string[], devices?: string[], idle_longer_than?: string, created_before?: string, all?: true }} Criteria */
/** @typedef {{ sub: string, sids: string[] }} Affected */
/** @typedef {{ ended?: number, would_end?: number, users?: Affected[], spared: number, done: boolean, cursor?: string }} Page */
/** @typedef {{ sessions: number, spared: number, users: Affected[] }} Result */

/** @typedef {import("../guard.js").Where & { user?: string[], usersFrom?: string, issuer?: string[], device?: string[], idle?: string, createdBefore?: string, all?: true, dryRun?: boolean, yes?: boolean, json?: boolean }} Options */

/** @param {Terminal} terminal */
export const end = (terminal) =>
  asksGuard(new Command("end"))
    .description("end sessions: a user's, some of them, or many by what they have in common")
    .argument("[sub]", "whose sessions")
    .argument("[sid...]", "end only these of the user's sessions")
    .addOption(repeatable("--user <sub>", "sessions of this user"))
    .option("--users-from <file>", "sessions of these users, one a line; - is standard input")
    .addOption(repeatable("--issuer <url>", "sessions that this identity provider began"))
    .addOption(repeatable("--device <class>", "sessions of this class: mobile, tablet, desktop, agent, other"))
    .option("--idle <span>", "sessions that nobody has used for this long: 30d, 12h")
    .option("--created-before <moment>", "sessions that began before this moment: 2026-11-26, or 2026-11-26T12:05:00Z")
    .option("--all", "everybody's sessions")
    .option("-n, --dry-run", "only say what would end")
    .option("-y, --yes", "do not ask; required for many users if there is no terminal")
    .addHelpText("after", `
All the criteria that you give must hold. If this may end sessions of several users, the command first shows which, and
asks.

Examples:
  session-guard end ada
  session-guard end ada c2Vzc2lvbi1ndWFyZC0wMQ
  session-guard end --idle 30d --device mobile --dry-run
  session-guard end --created-before 2026-11-26T12:05:00Z --yes
  session-guard end --users-from leaked.txt --dry-run --json
`)
    .action(async (/** @type {string | undefined} */ sub, /** @type {string[]} */ sids, /** @type {Options} */ options) => {
      const criteria = await criteriaOf(sub, sids, options, terminal);
      const guard = await Guard.of(options, terminal);
      if (sub !== undefined && sids.length > 0) return endSome(guard, sub, sids, options, terminal);
      if (sub !== undefined || options.yes || options.dryRun) return tell(await endMany(guard, criteria, options.dryRun === true, terminal), options, terminal);
      const would = await endMany(guard, criteria, true, terminal);
      if (would.sessions === 0 || !(await confirmed(question(would), terminal))) return tell(would, { ...options, dryRun: true }, terminal);
      return tell(await endMany(guard, criteria, false, terminal), options, terminal);
    });

/** @param {string | undefined} sub @param {string[]} sids @param {Options} options @param {Terminal} terminal @returns {Promise<Criteria>} */
async function criteriaOf(sub, sids, options, terminal) {
  const listed = options.usersFrom === undefined ? [] : await readLines(options.usersFrom, terminal);
  if (options.usersFrom !== undefined && listed.length === 0) throw usageError(`${options.usersFrom} names no user.`);
  const users = [...new Set([...(sub === undefined ? [] : [sub]), ...(options.user ?? []), ...listed])];
  /** @type {Criteria} */
  const criteria = {
    ...(users.length > 0 && { users }),
    ...(options.issuer && { issuers: options.issuer }),
    ...(options.device && { devices: options.device }),
    ...(options.idle !== undefined && { idle_longer_than: options.idle }),
    ...(options.createdBefore !== undefined && { created_before: momentOf(options.createdBefore) }),
    ...(options.all && { all: /** @type {const} */ (true) }),
  };
  const count = Object.keys(criteria).length;
  if (sids.length > 0 && (count > 1 || users.length > 1)) throw usageError("Sessions that are named by their ids take no other criterion.");
  if (count === 0) throw usageError("Say whose sessions to end: a user, a criterion like --idle 30d, or --all.");
  if (options.all && count > 1) throw usageError("--all stands alone: with it, no criterion is looked at.");
  const asks = sub === undefined && !options.yes && !options.dryRun;
  if (asks && (!terminal.isInteractive || options.usersFrom === "-" || options.json)) throw usageError("This may end the sessions of many users. Look first with --dry-run, then say --yes.");
  return criteria;
}

/** A moment as the guard reads it; a date alone is its beginning in UTC. @param {string} text */
function momentOf(text) {
  return /^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00Z` : text;
}

/** The characters of users' names that one request has room for, of which the guard reads 64 KB. */
const MOST_NAMES = 10_000;

/** Criteria whose users one request can name, and which mean the same together. @param {Criteria} criteria @returns {Criteria[]} */
function inParts({ users, ...others }) {
  if (users === undefined) return [others];
  /** @type {string[][]} */
  const parts = [];
  let room = 0;
  for (const user of users) {
    if (room < user.length) room = parts.push([]) && MOST_NAMES;
    parts.at(-1)?.push(user);
    room -= user.length;
  }
  return parts.map((part) => ({ ...others, users: part }));
}

/** Ends what the criteria mean, or only says it. @param {Guard} guard @param {Criteria} criteria @param {boolean} dryRun @param {Terminal} terminal @returns {Promise<Result>} */
async function endMany(guard, criteria, dryRun, terminal) {
  /** @type {Result} */
  const result = { sessions: 0, spared: 0, users: [] };
  for (const part of inParts(criteria)) await endPages(guard, part, dryRun, result, terminal);
  terminal.progress("");
  return result;
}

/** The same for what one request can say, page by page. @param {Guard} guard @param {Criteria} criteria @param {boolean} dryRun @param {Result} result @param {Terminal} terminal */
async function endPages(guard, criteria, dryRun, result, terminal) {
  /** @type {string | undefined} */
  let cursor;
  for (;;) {
    /** @type {Page} */
    const page = await guard.call("POST", "admin/sessions/end", { ...criteria, ...(dryRun && { dry_run: true }), ...(cursor !== undefined && { cursor }) }).catch((error) => {
      if (result.sessions > 0 && !dryRun) terminal.note(`${counted(result.sessions, "session")} ended before this happened. Run the command again to go on.`);
      throw error;
    });
    result.sessions += page.ended ?? page.would_end ?? 0;
    result.spared += page.spared;
    result.users.push(...(page.users ?? []));
    if (page.done) return;
    if (page.cursor === undefined || page.cursor === cursor) throw unknownError("The guard did not say how to go on. Run the command again.");
    ({ cursor } = page);
    terminal.progress(`${counted(result.sessions, "session")} ${dryRun ? "found" : "ended"} so far`);
  }
}

/** @param {Result} result */
const question = ({ sessions, users }) => `End ${counted(sessions, "session")} of ${counted(users.length, "user")}?`;

/** @param {Result} result @param {{ dryRun?: boolean, json?: boolean }} options @param {Terminal} terminal */
function tell({ sessions, spared, users }, { dryRun, json }, terminal) {
  if (json) return terminal.printJson(dryRun ? { would_end: sessions, spared, users } : { ended: sessions, spared });
  if (dryRun && users.length > 0) terminal.print(table(["USER", "SESSIONS"], users.map(({ sub, sids }) => [sub, `${sids.length}`]), terminal.width));
  if (dryRun) terminal.note(sessions === 0 ? "No session would end." : `${counted(sessions, "session")} of ${counted(users.length, "user")} would end. Nothing has ended.`);
  else terminal.print(sessions === 0 ? "There was no session to end." : `${counted(sessions, "session")} ended.`);
  if (spared > 0) terminal.note(`${counted(spared, "admin")} left alone.`);
}

/** Ends these sessions of a user. @param {Guard} guard @param {string} sub @param {string[]} sids @param {Options} options @param {Terminal} terminal */
async function endSome(guard, sub, sids, { dryRun, json }, terminal) {
  const path = `admin/users/${inPath(sub)}/sessions`;
  /** @type {import("./sessions.js").UserSessions} */
  const user = await guard.call("GET", path);
  const live = sids.filter((sid) => user.sessions.some((session) => session.sid === sid));
  for (const sid of sids.filter((it) => !live.includes(it))) terminal.note(`${shown(sub)} has no live session ${shown(sid)}.`);
  if (!dryRun) for (const sid of live) await guard.call("DELETE", `${path}/${encodeURIComponent(sid)}`);
  tell({ sessions: live.length, spared: 0, users: live.length === 0 ? [] : [{ sub, sids: live }] }, { ...(dryRun && { dryRun }), ...(json && { json }) }, terminal);
}
