// The origin, and how it is asked.

import { env } from "cloudflare:workers";
import { moment } from "./access_log.js";
import { Timer } from "./timer.js";
import { isAtOnce, metered } from "./upload.js";

/** @typedef {import("./request_context.js").RequestContext} RequestContext */

/**
 * Cloudflare's cache knows nothing of users: it would give one what the origin made for another. This is what
 * the runtime makes of `cache: "no-store"`, by which nothing is read from the cache, nor kept in it; but
 * that also has the origin told `Cache-Control: no-cache` and `Pragma: no-cache`, which the client did not say.
 */
const NO_STORE = { cacheTtl: -1, cacheLevel: "bypass" };

/** @typedef {{ fetch: typeof fetch }} Origin */

/** The Worker that is the origin, if one is bound. */
const worker = /** @type {{ ORIGIN?: Origin }} */ (env).ORIGIN;

/**
 * Where requests to the origin go.
 * @type {Origin}
 */
export const origin = worker ?? globalThis;

/** What stands before the target in the origin's URLs; `undefined`: what stands in the request's. @type {string | undefined} */
let site;

/** Milliseconds until the first byte of an answer, since the origin has got all of the request. */
let patience = 0;

/**
 * Says where the origin is, and how long it may take.
 * @param {string | undefined} url
 * @param {number} timeout
 */
export function setUp(url, timeout) {
  site = url;
  patience = timeout;
}

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
 * Where a request goes.
 * @param {string} url where it came to
 * @param {number} start where the target begins in that
 * @param {string | undefined} target what stands there, if something else goes on
 */
export function urlFor(url, start, target) {
  if (site === undefined && target === undefined) return url;
  return (site ?? url.slice(0, start)) + (target ?? url.slice(start));
}

/**
 * How a request goes to the origin: with its body, and no redirect is followed.
 * @param {RequestContext} passage
 * @param {Headers} headers
 * @returns {RequestInit}
 */
export function initFor({ request, method, isCacheable }, headers) {
  const { body } = request;
  // A bound Worker learns of the client what the guard knows; there is no cache before it.
  const cf = worker ? (request.cf ?? {}) : isCacheable ? {} : NO_STORE;
  return isOdd(method, body) ? { headers, cf, ...AS_IT_COMES } : { method, headers, body, cf, ...AS_IT_COMES };
}

/** Redirects are the client's to follow, and compressed bodies its to read. @type {RequestInit} */
const AS_IT_COMES = { redirect: "manual", encodeResponseBody: "manual" };

/**
 * Is what `initFor` makes good for another request, too?
 * @param {RequestContext} passage
 */
export function canRepeat({ request }) {
  return request.body === null && worker === undefined;
}

/**
 * `fetch` takes a body of GET and HEAD only from a request that came in with one.
 * @param {string} method
 * @param {ReadableStream | null} body
 */
function isOdd(method, body) {
  return body !== null && (method === "GET" || method === "HEAD");
}

/**
 * Sends a request to the origin.
 * @param {RequestContext} passage
 * @param {string} url
 * @param {RequestInit} init
 * @param {AbortSignal} [signal]
 * @returns {Promise<Response>}
 */
export function send(passage, url, init, signal) {
  const { request, method, headers } = passage;
  const { body } = request;
  passage.sent = moment();
  // What is asked ahead is waited for beside the store.
  const timer = signal ? new Timer() : passage.timer;
  if (isOdd(method, body)) return inTime(passage, timer, () => origin.fetch(new Request(url, request), init));
  if (body !== null && !isAtOnce(headers)) return upload(passage, url, init, body);
  return inTime(passage, timer, () => origin.fetch(url, signal ? { ...init, signal } : init));
}

/**
 * The same with a body that comes in by and by: the time for the answer begins anew with each piece.
 * @param {RequestContext} passage
 * @param {string} url
 * @param {RequestInit} init
 * @param {ReadableStream} body
 */
function upload(passage, url, init, body) {
  const { timer, headers } = passage;
  let isOver = false;
  // The answer may come before the body's end, and something else be waited for then.
  const { readable, signal, stop } = metered(body, headers.get("content-length"), () => isOver || timer.prolong());
  const answer = inTime(passage, timer, () => origin.fetch(url, { ...init, body: readable, signal }), stop);
  const end = () => (isOver = true);
  answer.then(end, end);
  return answer;
}

/**
 * Waits for an answer, and drops one that comes too late. An abort signal would do that, too, but the
 * runtime then leads every body through it.
 * @param {RequestContext} passage
 * @param {Timer} timer
 * @param {() => Promise<Response>} ask
 * @param {() => void} [stop] called if it comes too late
 * @returns {Promise<Response>} rejected with an `OriginFailure`
 */
function inTime(passage, timer, ask, stop) {
  return new Promise((resolve, reject) => {
    /** @param {boolean} timedOut @param {unknown} cause */
    const fail = (timedOut, cause) => {
      timer.end();
      passage.answered = moment();
      reject(new OriginFailure(timedOut, cause));
    };
    timer.wait(patience, () => {
      fail(true, "no answer in time");
      stop?.();
    });
    /** @param {Response} answer */
    const come = (answer) => {
      timer.end();
      passage.answered = moment();
      resolve(answer);
    };
    try {
      ask().then(come, (error) => fail(false, error));
    } catch (error) {
      fail(false, error);
    }
  });
}
