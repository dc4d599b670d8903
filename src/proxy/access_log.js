// How each request went: one line of the log, `Server-Timing`, and a data point for the Analytics
// Engine. Times are the Workers clock's, which stands still while code runs: what is not waited
// for takes 0 ms.

/** @typedef {import("./request_context.js").RequestContext} RequestContext */

/** The codes of refusals. @type {WeakMap<Response, string>} */
const codes = new WeakMap();

/** @type {{ log: string, timing: boolean, analytics?: AnalyticsEngineDataset | undefined }} */
let how = { log: "all", timing: false };

/** Is anything reported at all? */
let isOn = true;

/** How it begins when the code is that of a refusal which was only noted. */
const WOULD_REFUSE = '"decision":"would_refuse"';

/**
 * Says how requests are reported.
 * @param {string} log `all`, `refusals` or `off`
 * @param {boolean} timing do answers carry `Server-Timing`?
 * @param {AnalyticsEngineDataset | undefined} analytics
 */
export function setUp(log, timing, analytics) {
  how = { log, timing, analytics };
  isOn = log !== "off" || timing || analytics !== undefined;
}

/** The present moment in milliseconds since the Unix epoch, if anybody is told of it. */
export function moment() {
  return isOn ? Date.now() : 0;
}

/**
 * Notes the code of a refusal.
 * @param {Response} answer
 * @param {string} code
 */
export function noteCode(answer, code) {
  codes.set(answer, code);
}

/**
 * Is an answer a refusal of the guard's?
 * @param {Response} answer
 */
export function isRefusal(answer) {
  return codes.has(answer);
}

/**
 * Reports a request that is over.
 * @param {RequestContext} passage
 * @param {Response} answer
 * @returns {Response} the answer for the client
 */
export function report(passage, answer) {
  if (!isOn) return answer;
  const { log, timing, analytics } = how;
  const spans = spansOf(passage);
  const code = codes.get(answer);
  const refuses = code !== undefined || passage.said.startsWith(WOULD_REFUSE);
  if (analytics !== undefined || log === "all" || (log === "refusals" && refuses)) {
    const line = lineOf(passage, spans, answer.status, code);
    if (log === "all" || (log === "refusals" && refuses)) console.log(line);
    analytics?.writeDataPoint(pointOf(JSON.parse(line)));
  }
  return timing ? timed(answer, spans) : answer;
}

/** @typedef {[name: string, millis: number][]} Spans */

/**
 * What took how long, of what was done at all.
 * @param {RequestContext} passage
 * @returns {Spans}
 */
function spansOf({ began, asked, told, sent, answered }) {
  /** @type {Spans} */
  const spans = [];
  if (asked > 0) spans.push(["verify", asked - began]);
  if (told > 0) spans.push(["store", told - asked]);
  if (answered > 0) spans.push(["origin", answered - sent]);
  return spans;
}

/**
 * @param {RequestContext} passage
 * @param {Spans} spans
 * @param {number} status
 * @param {string | undefined} code
 */
function lineOf({ request, method, headers, said }, spans, status, code) {
  const { cf } = request;
  let line = `{"level":"info",${said}`;
  if (code !== undefined && !said.startsWith(WOULD_REFUSE)) line += `,"code":"${code}"`;
  line += `,"status":${status},"method":${JSON.stringify(method)}`;
  for (const [name, millis] of spans) line += `,"${name}_ms":${millis}`;
  if (typeof cf?.colo === "string") line += `,"colo":${JSON.stringify(cf.colo)}`;
  const ray = headers.get("cf-ray");
  if (ray !== null) line += `,"ray":${JSON.stringify(ray)}`;
  const trace = TRACE.exec(headers.get("traceparent") ?? "");
  if (trace) line += `,"trace":"${trace[1]}"`;
  return line + "}";
}

/** The `traceparent` of W3C Trace Context, section 3.2. */
const TRACE = /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}(?:-|$)/;

/**
 * A data point. Its index is what happened, so that what is rare is not sampled away by what is not.
 * @param {Record<string, string | number>} line
 */
function pointOf(line) {
  const names = ["decision", "code", "route", "method", "colo", "user", "session"];
  const blobs = names.map((name) => String(line[name] ?? ""));
  const doubles = ["status", "verify_ms", "store_ms", "origin_ms"].map((name) => Number(line[name] ?? 0));
  return { indexes: [blobs[1] || blobs[0] || ""], blobs, doubles };
}

/**
 * The same answer with `Server-Timing` (W3C Server Timing), beside what the origin says there.
 * @param {Response} answer
 * @param {Spans} spans
 */
function timed(answer, spans) {
  if (answer.status === 101 || spans.length === 0) return answer;
  const copy = new Response(answer.body, answer);
  copy.headers.append("server-timing", spans.map(([name, millis]) => `guard-${name};dur=${millis}`).join(", "));
  return copy;
}
