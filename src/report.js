// How each request went: one line of the log, `Server-Timing`, and a data point for the Analytics
// Engine. Times are the Workers clock's, which stands still while code runs: what is not waited
// for takes 0 ms.

/**
 * What is known of a request: what was decided (members of a JSON object, without its braces), and
 * when things happened, in milliseconds since the Unix epoch.
 * @typedef {{ said: string, asked?: number, told?: number, sent?: number, answered?: number }} Known
 */

/** @type {WeakMap<Request, Known>} */
const requests = new WeakMap();

/** The codes of refusals. @type {WeakMap<Response, string>} */
const codes = new WeakMap();

/** @type {{ log: string, timing: boolean, analytics?: AnalyticsEngineDataset | undefined }} */
let how = { log: "all", timing: false };

/** Is anything reported at all? */
let isOn = true;

/** Stands for all requests where nothing is reported. @type {Known} */
const NOTHING = { said: "" };

/** Nothing was decided before the settings were found to be wrong. */
const UNDECIDED = '"decision":"refuse"';

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

/**
 * What is known of a request, to be added to.
 * @param {Request} request
 * @returns {Known}
 */
export function known(request) {
  if (!isOn) return NOTHING;
  let all = requests.get(request);
  if (all === undefined) requests.set(request, (all = { said: UNDECIDED }));
  return all;
}

/** The present moment in milliseconds since the Unix epoch, if it matters. */
export function moment() {
  return isOn ? Date.now() : 0;
}

/**
 * Notes what was decided.
 * @param {Request} request
 * @param {string} said
 */
export function note(request, said) {
  known(request).said = said;
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
 * Reports a request that is over.
 * @param {Request} request
 * @param {number} began milliseconds since the Unix epoch
 * @param {Response} answer
 * @returns {Response} the answer for the client
 */
export function report(request, began, answer) {
  if (!isOn) return answer;
  const { log, timing, analytics } = how;
  const all = known(request);
  const spans = spansOf(all, began);
  const code = codes.get(answer);
  const isRefusal = code !== undefined || all.said.startsWith(WOULD_REFUSE);
  if (analytics !== undefined || log === "all" || (log === "refusals" && isRefusal)) {
    const line = lineOf(request, all.said, spans, answer.status, code);
    if (log === "all" || (log === "refusals" && isRefusal)) console.log(line);
    analytics?.writeDataPoint(pointOf(JSON.parse(line)));
  }
  return timing ? timed(answer, spans) : answer;
}

/** @typedef {[name: string, millis: number][]} Spans */

/**
 * What took how long, of what was done at all.
 * @param {Known} all
 * @param {number} began
 * @returns {Spans}
 */
function spansOf({ asked, told, sent, answered }, began) {
  /** @type {Spans} */
  const spans = [];
  if (asked !== undefined) spans.push(["verify", asked - began]);
  if (asked !== undefined && told !== undefined) spans.push(["store", told - asked]);
  if (sent !== undefined && answered !== undefined) spans.push(["origin", answered - sent]);
  return spans;
}

/**
 * @param {Request} request
 * @param {string} said
 * @param {Spans} spans
 * @param {number} status
 * @param {string | undefined} code
 */
function lineOf(request, said, spans, status, code) {
  const { method, headers, cf } = request;
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
