// Requests to the origin, and their timeout. JavaScript, because each request waits here, and a promise awaited
// from Rust costs more than the rest of the request.

import { env } from "cloudflare:workers";
import { timestamp } from "./access_log.js";
import { Timer } from "./timer.js";
import { arrivesWithHead, meteredBody } from "./upload.js";

/** @typedef {import("./request_context.js").RequestContext} RequestContext */

/**
 * Keeps requests out of Cloudflare's cache, which would give one user's response to another. The runtime turns
 * `cache: "no-store"` into this too, but then also sends `Cache-Control: no-cache` and `Pragma: no-cache` to the
 * origin, which the client did not send.
 */
const NO_STORE = { cacheTtl: -1, cacheLevel: "bypass" };

/** Redirects are the client's to follow, and compressed bodies pass as they are. @type {RequestInit} */
const PASS_THROUGH = { redirect: "manual", encodeResponseBody: "manual" };

/** @typedef {{ fetch: typeof fetch }} Origin */

/** The Worker that is the origin, if one is bound. */
const worker = /** @type {{ ORIGIN?: Origin }} */ (env).ORIGIN;

/**
 * What sends requests to the origin.
 * @type {Origin}
 */
const origin = worker ?? globalThis;

/** Scheme and host of the origin; `undefined`: those of the request. @type {string | undefined} */
let site;

/** Milliseconds until the first byte of the response, after the whole request was sent. */
let timeoutMillis = 0;

/**
 * @param {string | undefined} url scheme and host of the origin; `undefined`: those of each request
 * @param {number} timeout milliseconds
 */
export function configureOrigin(url, timeout) {
  site = url;
  timeoutMillis = timeout;
}

/** The origin failed before it responded. */
export class OriginFailure extends Error {
  /** @param {boolean} timedOut @param {unknown} cause */
  constructor(timedOut, cause) {
    super(cause instanceof Error ? cause.message : String(cause));
    this.name = "OriginFailure";
    this.timedOut = timedOut;
  }
}

/**
 * The origin's URL for a request.
 * @param {string} url the request's
 * @param {number} start where the target begins in it
 * @param {string | undefined} target replaces the target, if it is defined
 */
export function urlFor(url, start, target) {
  if (site === undefined && target === undefined) return url;
  return (site ?? url.slice(0, start)) + (target ?? url.slice(start));
}

/**
 * The options of `fetch`, with the request's body.
 * @param {RequestContext} context
 * @param {Headers} headers
 * @returns {RequestInit}
 */
export function initFor({ request, method, isCacheable }, headers) {
  const { body } = request;
  // A bound Worker gets the client's `cf` object. No cache is between it and the guard.
  const cf = worker ? (request.cf ?? {}) : isCacheable ? {} : NO_STORE;
  return isGetWithBody(method, body) ? { headers, cf, ...PASS_THROUGH } : { method, headers, body, cf, ...PASS_THROUGH };
}

/**
 * Can another request use the same options?
 * @param {RequestContext} context
 */
export function isRepeatable({ request }) {
  return request.body === null && worker === undefined;
}

/**
 * `fetch` takes a body with GET and HEAD only from a `Request` that came in with one.
 * @param {string} method
 * @param {ReadableStream | null} body
 */
function isGetWithBody(method, body) {
  return body !== null && (method === "GET" || method === "HEAD");
}

/**
 * Sends a request to the origin.
 * @param {RequestContext} context
 * @param {string} url
 * @param {RequestInit} init
 * @param {AbortSignal} [signal] of an overlapped request
 * @returns {Promise<Response>} rejected with an `OriginFailure`
 */
export function send(context, url, init, signal) {
  const { request, method, headers } = context;
  const { body } = request;
  context.originAskedAt = timestamp();
  // The context's timer runs for the session check at the same time.
  const timer = signal ? new Timer() : context.timer;
  if (isGetWithBody(method, body)) return withTimeout(context, timer, () => origin.fetch(new Request(url, request), init));
  if (body !== null && !arrivesWithHead(headers)) return upload(context, url, init, body);
  return withTimeout(context, timer, () => origin.fetch(url, signal ? { ...init, signal } : init));
}

/**
 * Sends a request whose body takes time to arrive. Each piece of it starts the timeout again.
 * @param {RequestContext} context
 * @param {string} url
 * @param {RequestInit} init
 * @param {ReadableStream} body
 */
function upload(context, url, init, body) {
  const { timer, headers } = context;
  let isAnswered = false;
  // If the response comes first, the timer may be in use for something else.
  const { readable, signal, stop } = meteredBody(body, headers.get("content-length"), () => isAnswered || timer.restart());
  const response = withTimeout(context, timer, () => origin.fetch(url, { ...init, body: readable, signal }), stop);
  const end = () => (isAnswered = true);
  response.then(end, end);
  return response;
}

/**
 * Waits for a response until the timeout. An abort signal would do that, but the runtime then passes each body
 * through JavaScript.
 * @param {RequestContext} context
 * @param {Timer} timer
 * @param {() => Promise<Response>} fetchOrigin
 * @param {() => void} [onTimeout]
 * @returns {Promise<Response>} rejected with an `OriginFailure`
 */
function withTimeout(context, timer, fetchOrigin, onTimeout) {
  return new Promise((resolve, reject) => {
    const end = () => {
      timer.stop();
      context.originRepliedAt = timestamp();
    };
    /** @param {boolean} timedOut @param {unknown} cause */
    const fail = (timedOut, cause) => {
      end();
      reject(new OriginFailure(timedOut, cause));
    };
    timer.start(timeoutMillis, () => {
      fail(true, "no answer in time");
      onTimeout?.();
    });
    try {
      fetchOrigin().then((response) => {
        end();
        resolve(response);
      }, (error) => fail(false, error));
    } catch (error) {
      fail(false, error);
    }
  });
}
