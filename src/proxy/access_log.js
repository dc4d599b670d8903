// How each request is reported: a line of the log, `Server-Timing`, and a data point for Analytics Engine.
// JavaScript, because the times and the status are known here, and Rust has already made the other fields. The clock
// of Workers advances only at I/O, so a step without I/O takes 0 ms.

/** @typedef {import("./request_context.js").RequestContext} RequestContext */

/** The codes of the guard's refusals. @type {WeakMap<Response, string>} */
const codes = new WeakMap();

/** @type {{ log: string, timing: boolean, analytics?: AnalyticsEngineDataset | undefined }} */
let config = { log: "all", timing: false };

/** Is anything reported at all? */
let isOn = true;

/** The first log field of a refusal that monitor mode does not enforce. Its code is among the log fields. */
const WOULD_REFUSE = '"decision":"would_refuse"';

/**
 * @param {string} log `all`, `refusals` or `off`
 * @param {boolean} timing do responses carry `Server-Timing`?
 * @param {AnalyticsEngineDataset | undefined} analytics
 */
export function configureAccessLog(log, timing, analytics) {
  config = { log, timing, analytics };
  isOn = log !== "off" || timing || analytics !== undefined;
}

/** The time in milliseconds since the Unix epoch, if it is reported. */
export function timestamp() {
  return isOn ? Date.now() : 0;
}

/**
 * Marks a response as a refusal.
 * @param {Response} response
 * @param {string} code
 */
export function setRefusalCode(response, code) {
  codes.set(response, code);
}

/**
 * Is a response a refusal of the guard's?
 * @param {Response} response
 */
export function isRefusal(response) {
  return codes.has(response);
}

/**
 * Reports a request that is over.
 * @param {RequestContext} context
 * @param {Response} response
 * @returns {Response} the response for the client
 */
export function report(context, response) {
  if (!isOn) return response;
  const { log, timing, analytics } = config;
  const spans = spansOf(context);
  const code = codes.get(response);
  const refuses = code !== undefined || context.logFields.startsWith(WOULD_REFUSE);
  const isLogged = log === "all" || (log === "refusals" && refuses);
  if (analytics !== undefined || isLogged) {
    const line = lineOf(context, spans, response.status, code);
    if (isLogged) console.log(line);
    analytics?.writeDataPoint(pointOf(JSON.parse(line)));
  }
  return timing ? withServerTiming(response, spans) : response;
}

/** @typedef {[name: string, millis: number][]} Spans */

/**
 * How long each step took, of those that ran.
 * @param {RequestContext} context
 * @returns {Spans}
 */
function spansOf({ startedAt, storeAskedAt, storeRepliedAt, originAskedAt, originRepliedAt }) {
  /** @type {Spans} */
  const spans = [];
  if (storeAskedAt > 0) spans.push(["verify", storeAskedAt - startedAt]);
  if (storeRepliedAt > 0) spans.push(["store", storeRepliedAt - storeAskedAt]);
  if (originRepliedAt > 0) spans.push(["origin", originRepliedAt - originAskedAt]);
  return spans;
}

/**
 * @param {RequestContext} context
 * @param {Spans} spans
 * @param {number} status
 * @param {string | undefined} code
 */
function lineOf({ request, method, headers, logFields }, spans, status, code) {
  const { cf } = request;
  let line = `{"level":"info",${logFields}`;
  if (code !== undefined && !logFields.startsWith(WOULD_REFUSE)) line += `,"code":"${code}"`;
  line += `,"status":${status},"method":${JSON.stringify(method)}`;
  for (const [name, millis] of spans) line += `,"${name}_ms":${millis}`;
  if (typeof cf?.colo === "string") line += `,"colo":${JSON.stringify(cf.colo)}`;
  const ray = headers.get("cf-ray");
  if (ray !== null) line += `,"ray":${JSON.stringify(ray)}`;
  const trace = TRACE.exec(headers.get("traceparent") ?? "");
  if (trace) line += `,"trace":"${trace[1]}"`;
  return line + "}";
}

/** `traceparent` of W3C Trace Context, section 3.2. */
const TRACE = /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}(?:-|$)/;

/**
 * A data point. Its index is the code or the decision, so that sampling keeps what is rare.
 * @param {Record<string, string | number>} line
 */
function pointOf(line) {
  const names = ["decision", "code", "route", "method", "colo", "user", "session"];
  const blobs = names.map((name) => String(line[name] ?? ""));
  const doubles = ["status", "verify_ms", "store_ms", "origin_ms"].map((name) => Number(line[name] ?? 0));
  return { indexes: [blobs[1] || blobs[0] || ""], blobs, doubles };
}

/**
 * The response with `Server-Timing` (W3C Server Timing), beside the origin's own.
 * @param {Response} response
 * @param {Spans} spans
 */
function withServerTiming(response, spans) {
  if (response.status === 101 || spans.length === 0) return response;
  const copy = new Response(response.body, response);
  copy.headers.append("server-timing", spans.map(([name, millis]) => `guard-${name};dur=${millis}`).join(", "));
  return copy;
}
