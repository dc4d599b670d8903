// What the log of a guard has, from the forms in which it comes: `wrangler tail --format json`, Logpush, and the lines as
// they are.

/**
 * @typedef {object} Entry
 * @property {number | undefined} time in milliseconds since the epoch
 * @property {"request" | "event" | "failure" | "warning"} kind
 * @property {string} code a refusal's, a failure's, or an event's type; empty if there is none
 * @property {string | undefined} path of the request, without its query
 * @property {Record<string, any>} line as the guard wrote it
 */

/** The entries of an object that a log has. @param {Record<string, any>} object @returns {Entry[]} */
export function entriesOf(object) {
  if (typeof object["level"] === "string") return entry(object, momentOf(object["timestamp"]), undefined);
  const all = lowerCased(object);
  if (!Array.isArray(all["logs"])) return [];
  const request = lowerCased(lowerCased(all["event"])["request"]);
  const path = URL.parse(String(request["url"] ?? ""))?.pathname;
  const at = momentOf(all["eventtimestamp"] ?? all["eventtimestampms"]);
  const logged = all["logs"].flatMap((log) => ofLog(lowerCased(log), path, at));
  const exceptions = [all["exceptions"] ?? []].flat().map((it) => failure("uncaught_exception", `${lowerCased(it)["name"]}: ${lowerCased(it)["message"]}`, at, path));
  const outcome = all["outcome"];
  const isWell = outcome === undefined || ["ok", "canceled", "responseStreamDisconnected", "exception"].includes(outcome);
  return [...logged, ...exceptions, ...(isWell ? [] : [failure(String(outcome), "the platform ended the request", at, path)])];
}

/** @param {Record<string, any>} log @param {string | undefined} path @param {number | undefined} at */
function ofLog(log, path, at) {
  const messages = [log["message"] ?? []].flat();
  return messages.flatMap((message) => entry(parsed(message), momentOf(log["timestamp"] ?? log["timestampms"]) ?? at, path));
}

/** @param {unknown} message @returns {Record<string, any>} */
function parsed(message) {
  try {
    const value = typeof message === "string" ? JSON.parse(message) : message;
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
}

/** @param {Record<string, any>} line @param {number | undefined} time @param {string | undefined} path @returns {Entry[]} */
function entry(line, time, path) {
  const kind = kindOf(line);
  const code = kind === "event" ? line["type"] : line["code"];
  return kind === undefined ? [] : [{ time, kind, code: typeof code === "string" ? code : "", path, line }];
}

/** @param {Record<string, any>} line @returns {Entry["kind"] | undefined} */
function kindOf({ level, decision, type, code }) {
  if (typeof decision === "string") return "request";
  if (typeof code === "string" && level === "error") return "failure";
  if (typeof code === "string" && level === "warn") return "warning";
  return typeof type === "string" && /^(session|token)\./.test(type) ? "event" : undefined;
}

/** @param {string} code @param {string} cause @param {number | undefined} time @param {string | undefined} path @returns {Entry} */
const failure = (code, cause, time, path) => ({ time, kind: "failure", code, path, line: { level: "error", code, cause } });

/** Logpush writes the same names with capitals. @param {unknown} object @returns {Record<string, any>} */
const lowerCased = (object) => Object.fromEntries(Object.entries(object ?? {}).map(([name, value]) => [name.toLowerCase(), value]));

/** @param {unknown} moment */
function momentOf(moment) {
  const time = typeof moment === "number" || typeof moment === "string" ? new Date(moment).getTime() : NaN;
  return Number.isNaN(time) ? undefined : time;
}
