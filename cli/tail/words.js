// The log's codes in words.

import { shown } from "../text.js";

/** @typedef {import("./entries.js").Entry} Entry */

/** What each code means, to follow a dash. */
export const WORDS = new Map(Object.entries({
  access_denied: "lacks a role or scope",
  auth_path_taken: "the origin has something below AUTH_PATH",
  bad_request: "the request cannot be read",
  credentials_invalid: "wrong password, or ID token not accepted",
  cross_site: "sent by another site",
  event_not_delivered: "the webhook's receiver did not take an event",
  exceededCpu: "took more CPU time than allowed",
  exceededMemory: "took more memory than allowed",
  https_required: "came over plain http",
  index_not_written: "the index of users is behind",
  insufficient_user_authentication: "needs a fresher or stronger login",
  internal_error: "the guard has failed",
  issuer_unavailable: "the provider's keys could not be fetched",
  key_invalid: "wrong or missing key",
  keys_not_fetched: "a provider's keys could not be fetched",
  login_not_allowed: "the origin may not log in on this path",
  metadata_not_fetched: "a provider's metadata could not be fetched",
  method_not_allowed: "no such method",
  misconfigured: "a setting is wrong",
  not_found: "no such endpoint",
  origin_unavailable: "the origin did not answer as it should",
  push_unavailable: "events need the Durable Object binding",
  refresh_at_provider: "the token is the provider's, and is refreshed there",
  refusal_counts_not_read: "the console could not read the last refusals",
  session_expired: "the session's time is over",
  session_limit: "too many sessions",
  session_revoked: "the session was ended",
  session_superseded: "a newer login took the session's place",
  session_unknown: "the store does not know the session",
  sign_in_denied: "the sign-in was cancelled",
  sign_in_expired: "the sign-in took too long",
  sign_in_loop: "signed in again and again, and the browser kept no cookie",
  sign_in_malformed: "the provider's answer cannot be read",
  sign_in_mixed_up: "the answer is of another provider",
  sign_in_not_allowed: "this account is kept out",
  sign_in_not_enough: "the login at the provider is too old or weak",
  sign_in_refused: "the provider refused the sign-in",
  sign_in_token_invalid: "the provider's ID token cannot be relied on",
  sign_in_unavailable: "the provider cannot be reached",
  sign_in_unknown: "the browser has not begun this sign-in",
  store_unavailable: "the session store did not answer",
  token_expired: "the token has expired",
  token_invalid: "the token is not valid",
  token_missing: "no token",
  too_many_attempts: "too many attempts to log in",
  uncaught_exception: "the Worker threw",
  upgrade_required: "events speak WebSocket only",
  uri_too_long: "the path is too long",
  user_blocked: "the user is blocked",
  "session.created": "a session began",
  "session.expired": "a session expired",
  "session.refreshed": "a session got a new token",
  "session.revoked": "a session was ended",
  "session.superseded": "a newer login took a session's place",
  "token.reused": "an old token was used, so its session was ended",
}));

/** What a request's decision is called. @type {Record<string, string>} */
const DECISIONS = { forward: "passed", refuse: "refused", would_refuse: "WOULD REFUSE", answer: "answered" };

/** @typedef {(colour: import("../terminal.js").Colour, text: string) => string} Paint */

/** One line about an entry. @param {Entry} entry @param {Paint} paint */
export function inWords(entry, paint) {
  const time = entry.time === undefined ? "" : `${paint("dim", timeOf(entry.time))} `;
  return time + (entry.kind === "request" ? ofRequest(entry, paint) : entry.kind === "event" ? ofEvent(entry) : ofFailure(entry, paint));
}

/** The time of day, with its date if that is not today, in UTC. @param {number} time */
function timeOf(time) {
  const [date = "", clock = ""] = new Date(time).toISOString().split("T");
  return date === new Date().toISOString().slice(0, 10) ? clock.slice(0, 8) : `${date} ${clock.slice(0, 8)}`;
}

/** @param {Entry} entry @param {Paint} paint */
function ofRequest({ line, code, path }, paint) {
  const { decision, method = "", route = "", status = "", user, colo, store_ms, origin_ms } = line;
  const refused = decision !== "forward" && code !== "";
  const verdict = (DECISIONS[decision] ?? shown(String(decision))).padEnd(8);
  const times = [["store", store_ms], ["origin", origin_ms]].filter(([, ms]) => typeof ms === "number").map(([name, ms]) => `${name} ${ms} ms`);
  const facts = [user === undefined ? "" : `user ${user}`, colo, ...times].filter((it) => typeof it === "string" && it !== "").map(shown);
  const why = code === "" ? "" : ` — ${WORDS.get(code) ?? "?"} (${shown(code)})`;
  const what = `${shown(String(method))} ${shown(path ?? String(route))} ${Number(status)}${why}`;
  return `${refused ? paint(Number(status) >= 500 ? "red" : "yellow", verdict) : verdict} ${what}${facts.length === 0 ? "" : paint("dim", `  ${facts.join(", ")}`)}`;
}

/** @param {Entry} entry */
function ofEvent({ code, line }) {
  const { sub, sid, device, by } = line["data"] ?? {};
  const facts = [["user", sub], ["session", sid], ["device", device], ["by", by]].filter(([, value]) => typeof value === "string").map(([name, value]) => `${name} ${shown(value)}`);
  return `event    ${WORDS.get(code) ?? shown(code)} (${shown(code)}): ${facts.join(", ")}`;
}

/** @param {Entry} entry @param {Paint} paint */
function ofFailure({ kind, code, line, path }, paint) {
  const verdict = kind === "failure" ? paint("red", "FAILURE ") : paint("yellow", "warning ");
  const where = path === undefined ? "" : ` at ${shown(path)}`;
  return `${verdict} ${WORDS.get(code) ?? "?"} (${shown(code)})${where}: ${shown(String(line["cause"] ?? ""))}`;
}
