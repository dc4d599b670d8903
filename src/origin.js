// The origin, and how it is asked.

import { env } from "cloudflare:workers";
import { moment } from "./report.js";

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
 * Sends a request to the origin: streams both bodies, follows no redirect.
 * @param {Passage} passage
 * @param {string} url
 * @param {Headers} headers
 * @param {AbortSignal} [signal]
 * @returns {Promise<Response>}
 */
export function send(passage, url, headers, signal) {
  const { request, method } = passage;
  const { body } = request;
  passage.sent = moment();
  // A bound Worker learns of the client what the guard knows; there is no cache before it.
  const cf = worker ? (request.cf ?? {}) : NO_CACHE;
  // `fetch` takes a body of GET and HEAD only from a request that came in with one.
  const isOdd = body !== null && (method === "GET" || method === "HEAD");
  /** @type {RequestInit} */
  const init = isOdd ? { headers, redirect: "manual", cf } : { method, headers, body, redirect: "manual", cf };
  if (signal) init.signal = signal;
  const ask = () => origin.fetch(isOdd ? new Request(url, request) : url, init);
  return inTime(passage, ask, isUpload(headers, body) ? undefined : patience);
}

/**
 * Waits for an answer, and drops one that comes too late. An abort signal would do that, too, but the
 * runtime then leads every body through it.
 * @param {Passage} passage
 * @param {() => Promise<Response>} ask
 * @param {number | undefined} millis `undefined`: as long as it takes
 * @returns {Promise<Response>} rejected with an `OriginFailure`
 */
function inTime(passage, ask, millis) {
  return new Promise((resolve, reject) => {
    /** @param {boolean} timedOut @param {unknown} cause */
    const fail = (timedOut, cause) => {
      clearTimeout(timer);
      passage.answered = moment();
      reject(new OriginFailure(timedOut, cause));
    };
    const timer = millis === undefined ? null : setTimeout(() => fail(true, "no answer in time"), millis);
    /** @param {Response} answer */
    const come = (answer) => {
      clearTimeout(timer);
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
