// The I/O of a guarded request. A promise awaited here costs a fraction of one awaited from
// Rust; whatever is decided, is decided there.

import { env } from "cloudflare:workers";
import { isLasting, tie } from "./relay.js";
import { known, moment } from "./report.js";

/**
 * A request that waits for the store's reply.
 * @typedef {{
 *   judge(request: Request, status: number, body: string): Outcome | Promise<Outcome>,
 *   constructor: { watch(session: string): Promise<Response | string> },
 * }} Pending
 */

/**
 * A response that ends the request, or a plan to forward it: the URL, the milliseconds until the
 * first byte, what the log says, the session (empty if nobody can listen for its end), then a line
 * for each header, `Name: value` to set it and `Name` to delete it.
 * @typedef {Response | string} Outcome
 */

/**
 * Cloudflare's cache knows nothing of users: it would give one what the origin made for another.
 */
const NO_CACHE = { cacheTtlByStatus: { "100-599": -1 } };

/** @typedef {{ fetch: typeof fetch }} Origin */

/** The Worker that is the origin, if one is bound. */
const worker = /** @type {{ ORIGIN?: Origin }} */ (env).ORIGIN;

/**
 * Where requests to the origin go.
 * @type {Origin}
 */
export const origin = worker ?? globalThis;

/** Which line of a plan is the session. */
const SESSION = 3;

/** Bodies above this size, or of none that is known, may take their time. */
const UPLOAD = 1024 * 1024;

/** The origin failed before it answered. */
export class OriginFailure extends Error {
  /** @param {boolean} timedOut @param {unknown} cause */
  constructor(timedOut, cause) {
    super(cause instanceof Error ? cause.message : String(cause));
    this.name = "OriginFailure";
    this.timedOut = timedOut;
  }
}

/**
 * Waits for the store's reply, and ends the request or forwards it.
 * @param {Request} request
 * @param {Promise<import("./store.js").Reply>} question
 * @param {Pending} pending
 * @param {string | undefined} early a plan to begin with at once; the answer is held back until the
 *   reply lets the request pass
 * @returns {Promise<Response>}
 */
export async function checkAndForward(request, question, pending, early) {
  const times = known(request);
  times.asked = moment();
  // A body can be sent but once.
  const ahead = early === undefined || request.body !== null ? undefined : new Ahead(request, early);
  try {
    const reply = await question;
    times.told = moment();
    const verdict = pending.judge(request, reply.status, reply.body);
    const outcome = verdict instanceof Promise ? await verdict : verdict;
    if (typeof outcome !== "string") return outcome;
    const plan = outcome.split("\n");
    const answer = await (ahead?.take() ?? forward(request, plan));
    const session = plan[SESSION] ?? "";
    if (!isLasting(answer) || session === "") return answer;
    return tie(answer, () => pending.constructor.watch(session));
  } finally {
    ahead?.drop();
  }
}

/** The origin's answer to a request that may not pass after all. */
class Ahead {
  #abort = new AbortController();
  /** @type {Promise<Response> | undefined} */
  #answer;

  /** @param {Request} request @param {string} plan */
  constructor(request, plan) {
    this.#answer = forward(request, plan.split("\n"), this.#abort.signal);
    // A failure is told by `take`, if it matters.
    this.#answer.catch(() => {});
  }

  /** The answer, which is the client's from now on. */
  take() {
    const answer = this.#answer;
    this.#answer = undefined;
    return answer;
  }

  /** Ends the request, and lets the origin know that nobody reads its answer, unless it was taken. */
  drop() {
    const answer = this.#answer;
    if (answer === undefined) return;
    this.#abort.abort();
    answer.then(({ body }) => body?.cancel()).catch(() => {});
  }
}

/**
 * Forwards a request that is for everybody.
 * @param {Request} request
 * @param {string} plan see `Outcome`
 * @returns {Promise<Response>}
 */
export function forwardAnonymously(request, plan) {
  return forward(request, plan.split("\n"));
}

/**
 * What Rust needs to say which headers go on: the values of `Connection` and `Upgrade`, then the
 * names of all, a line each.
 * @param {Request} request
 * @returns {string}
 */
export function sentHeaders({ headers }) {
  return [headers.get("connection"), headers.get("upgrade"), ...headers.keys()].join("\n");
}

/**
 * Tells the origin how the client came here. What the client itself said of that is in `changes`.
 * @param {Request} request
 * @param {Headers} headers
 */
function tellClient(request, headers) {
  const [scheme = "", , host = ""] = request.url.split("/", 3);
  const address = request.headers.get("cf-connecting-ip");
  if (address !== null) headers.set("x-forwarded-for", address);
  headers.set("x-forwarded-proto", scheme.slice(0, -1));
  headers.set("x-forwarded-host", host);
}

/**
 * Sends a request to the origin: streams both bodies, follows no redirect.
 * @param {Request} request
 * @param {string[]} plan the lines of a plan: see `Outcome`
 * @param {AbortSignal} [signal]
 * @returns {Promise<Response>}
 */
async function forward(request, plan, signal) {
  const [url = "", timeout, said = "", , ...changes] = plan;
  const times = known(request);
  times.said = said;
  times.sent = moment();
  const headers = new Headers(request.headers);
  for (const line of changes) {
    const colon = line.indexOf(": ");
    if (colon < 0) headers.delete(line);
    else headers.set(line.slice(0, colon), line.slice(colon + 2));
  }
  tellClient(request, headers);
  const { method, body } = request;
  // A bound Worker learns of the client what the guard knows; there is no cache before it.
  const cf = worker ? (request.cf ?? {}) : NO_CACHE;
  /** @type {RequestInit} */
  const init = { headers, redirect: "manual", cf };
  if (signal) init.signal = signal;
  // `fetch` takes a body of GET and HEAD only from a request that came in with one.
  const isOdd = body !== null && (method === "GET" || method === "HEAD");
  try {
    const answer = isOdd ? origin.fetch(new Request(url, request), init) : origin.fetch(url, { ...init, method, body });
    return await (isUpload(headers, body) ? answer : inTime(answer, Number(timeout)));
  } catch (error) {
    throw error instanceof OriginFailure ? error : new OriginFailure(false, error);
  } finally {
    times.answered = moment();
  }
}

/**
 * Waits for an answer, and drops one that comes too late. An abort signal would do that, too, but the
 * runtime then leads every body through it.
 * @param {Promise<Response>} answer
 * @param {number} millis
 * @returns {Promise<Response>}
 */
function inTime(answer, millis) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new OriginFailure(true, "no answer in time")), millis);
    const stop = () => clearTimeout(timer);
    answer.then((it) => (stop(), resolve(it)), (error) => (stop(), reject(error)));
  });
}

/**
 * Does the body come in so slowly that the time to the first byte of an answer says nothing?
 * @param {Headers} headers
 * @param {ReadableStream | null} body
 */
function isUpload(headers, body) {
  return body !== null && !(Number(headers.get("content-length") ?? NaN) <= UPLOAD);
}
