// The origin, and how it is asked.

import { env } from "cloudflare:workers";
import { moment } from "./report.js";
import { Timer } from "./timer.js";

/** @typedef {import("./passage.js").Passage} Passage */

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

/** Bodies above this size, or of none that is known, may take their time. */
const UPLOAD = 1024 * 1024;

/** What stands before the target in the origin's URLs; `undefined`: what stands in the request's. @type {string | undefined} */
let site;

/** Milliseconds until the first byte of an answer. */
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
 * @param {Passage} passage
 * @param {Headers} headers
 * @returns {RequestInit}
 */
export function initFor({ request, method }, headers) {
  const { body } = request;
  // A bound Worker learns of the client what the guard knows; there is no cache before it.
  const cf = worker ? (request.cf ?? {}) : NO_CACHE;
  return isOdd(method, body) ? { headers, redirect: "manual", cf } : { method, headers, body, redirect: "manual", cf };
}

/**
 * Is what `initFor` makes good for another request, too?
 * @param {Passage} passage
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
 * @param {Passage} passage
 * @param {string} url
 * @param {RequestInit} init
 * @param {AbortSignal} [signal]
 * @returns {Promise<Response>}
 */
export function send(passage, url, init, signal) {
  const { request, method } = passage;
  const { body } = request;
  passage.sent = moment();
  const ask = () => origin.fetch(isOdd(method, body) ? new Request(url, request) : url, signal ? { ...init, signal } : init);
  // What is asked ahead is waited for beside the store.
  const timer = signal ? new Timer() : passage.timer;
  return inTime(passage, timer, ask, isUpload(passage.headers, body) ? undefined : patience);
}

/**
 * Waits for an answer, and drops one that comes too late. An abort signal would do that, too, but the
 * runtime then leads every body through it.
 * @param {Passage} passage
 * @param {Timer} timer
 * @param {() => Promise<Response>} ask
 * @param {number | undefined} millis `undefined`: as long as it takes
 * @returns {Promise<Response>} rejected with an `OriginFailure`
 */
function inTime(passage, timer, ask, millis) {
  return new Promise((resolve, reject) => {
    /** @param {boolean} timedOut @param {unknown} cause */
    const fail = (timedOut, cause) => {
      timer.end();
      passage.answered = moment();
      reject(new OriginFailure(timedOut, cause));
    };
    if (millis === undefined) timer.end();
    else timer.wait(millis, () => fail(true, "no answer in time"));
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

/**
 * Does the body come in so slowly that the time to the first byte of an answer says nothing?
 * @param {Headers} headers
 * @param {ReadableStream | null} body
 */
function isUpload(headers, body) {
  return body !== null && !(Number(headers.get("content-length") ?? NaN) <= UPLOAD);
}
