// The I/O of a guarded request. A promise awaited here costs a fraction of one awaited from
// Rust; whatever is decided, is decided there.

import { env } from "cloudflare:workers";
import { isLasting, tie } from "./relay.js";

/** @typedef {import("./passage.js").Passage} Passage */
/** @typedef {import("./bearer.js").Bearer} Bearer */

/**
 * A request that waits for the store's reply. Its verdict is the answer: a refusal, or what `forward`
 * came to.
 * @typedef {{
 *   judge(passage: Passage, status: number, body: string, names: string, now: number): Response | Promise<Response>,
 *   constructor: { watch(session: string): Promise<Response | string> },
 * }} Pending
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

/** @param {string} text */
export function linesOf(text) {
  return text === "" ? [] : text.split("\n");
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
 * Waits for the store's reply, and ends the request or forwards it.
 * @param {Passage} passage
 * @param {Promise<import("./store.js").Reply>} question
 * @param {Pending} pending
 * @returns {Promise<Response>}
 */
export async function checkAndForward(passage, question, pending) {
  passage.asked = Date.now();
  const names = passage.sentHeaders();
  try {
    const { status, body } = await question;
    passage.told = Date.now();
    const answer = await pending.judge(passage, status, body, names, passage.told);
    const { session } = passage;
    if (session === "" || !isLasting(answer)) return answer;
    return tie(answer, () => pending.constructor.watch(session));
  } finally {
    passage.ahead?.drop();
  }
}

/** The origin's answer to a request that may not pass after all. */
export class Ahead {
  #abort = new AbortController();
  /** @type {Promise<Response> | undefined} */
  #answer;

  /** @param {(signal: AbortSignal) => Promise<Response>} send */
  constructor(send) {
    this.#answer = send(this.#abort.signal);
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
 * Sends a request to the origin.
 * @param {Passage} passage
 * @param {Bearer | undefined} bearer whose identity goes with it
 * @param {number} start where the target begins in the request's URL
 * @param {string | undefined} target what stands there, if something else goes on
 * @param {string[]} removed names of headers that do not go on
 * @param {string[] | undefined} set headers that are set: name, value, name, value
 * @param {string | undefined} said what was decided
 * @returns {Promise<Response>}
 */
export function forward(passage, bearer, start, target, removed, set, said) {
  if (said !== undefined) passage.said = said;
  if (bearer !== undefined) passage.session = bearer.session;
  const held = passage.ahead?.take();
  return held ?? send(passage, urlOf(passage.url, start, target), headersFor(passage, bearer, start, removed, set));
}

/**
 * Sends a request of which it is not known yet whether it may pass: see `Ahead`.
 * @type {(...way: Parameters<typeof forward>) => void}
 */
export function forwardAhead(passage, bearer, start, target, removed, set) {
  // A body can be sent but once.
  if (passage.request.body !== null) return;
  const headers = headersFor(passage, bearer, start, removed, set);
  passage.ahead = new Ahead((signal) => send(passage, urlOf(passage.url, start, target), headers, signal));
}

/**
 * @param {string} url the request's
 * @param {number} start
 * @param {string | undefined} target
 */
function urlOf(url, start, target) {
  if (site === undefined && target === undefined) return url;
  return (site ?? url.slice(0, start)) + (target ?? url.slice(start));
}

/**
 * The headers that go on.
 * @param {Passage} passage
 * @param {Bearer | undefined} bearer
 * @param {number} start
 * @param {string[]} removed
 * @param {string[] | undefined} set
 */
function headersFor({ url, headers: sent }, bearer, start, removed, set) {
  const headers = new Headers(sent);
  for (const name of removed) headers.delete(name);
  if (bearer !== undefined) setAll(headers, bearer.identity);
  if (set !== undefined) setAll(headers, set);
  // How the client came here. What it said of that itself is in `removed`.
  const address = sent.get("cf-connecting-ip");
  if (address !== null) headers.set("x-forwarded-for", address);
  const colon = url.indexOf(":");
  headers.set("x-forwarded-proto", url.slice(0, colon));
  headers.set("x-forwarded-host", url.slice(colon + 3, start));
  return headers;
}

/** @param {Headers} headers @param {string[]} all name, value, name, value */
function setAll(headers, all) {
  for (let at = 1; at < all.length; at += 2) headers.set(/** @type {string} */ (all[at - 1]), /** @type {string} */ (all[at]));
}

/**
 * Streams both bodies, follows no redirect.
 * @param {Passage} passage
 * @param {string} url
 * @param {Headers} headers
 * @param {AbortSignal} [signal]
 * @returns {Promise<Response>}
 */
function send(passage, url, headers, signal) {
  const { request, method } = passage;
  const { body } = request;
  passage.sent = Date.now();
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
      passage.answered = Date.now();
      reject(new OriginFailure(timedOut, cause));
    };
    const timer = millis === undefined ? null : setTimeout(() => fail(true, "no answer in time"), millis);
    /** @param {Response} answer */
    const come = (answer) => {
      clearTimeout(timer);
      passage.answered = Date.now();
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
