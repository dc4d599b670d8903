// The I/O of a guarded request. A promise awaited here costs a fraction of one awaited from
// Rust; whatever is decided, is decided there.

import { send, urlFor } from "./origin.js";
import { isLasting, tie } from "./relay.js";
import { moment } from "./report.js";

/** @typedef {import("./passage.js").Passage} Passage */
/** @typedef {import("./bearer.js").Bearer} Bearer */

/**
 * A request that waits for the store's reply. Its verdict is the answer: a refusal, or what `forward`
 * came to. Body and names are left out where they are those that the bearer remembers.
 * @typedef {{
 *   judge(passage: Passage, status: number, body: string | undefined, names: string | undefined, now: number): Response | Promise<Response>,
 *   constructor: { watch(session: string): Promise<Response | string> },
 * }} Pending
 */

/**
 * Waits for the store's reply, and ends the request or forwards it.
 * @param {Passage} passage
 * @param {Bearer} bearer
 * @param {Promise<import("./store.js").Reply>} question
 * @param {Pending} pending
 * @returns {Promise<Response>}
 */
export async function checkAndForward(passage, bearer, question, pending) {
  passage.asked = moment();
  const names = passage.sentHeaders();
  try {
    const { status, body } = await question;
    const now = Date.now();
    passage.told = now;
    const news = status === 200 && body === bearer.reply ? undefined : String(body);
    const answer = await pending.judge(passage, status, news, names === bearer.names ? undefined : names, now);
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
  if (held !== undefined) return held;
  try {
    return send(passage, urlFor(passage.url, start, target), headersFor(passage, bearer, start, removed, set));
  } catch (error) {
    // What is thrown into Rust is a panic to it.
    return Promise.reject(error);
  }
}

/**
 * Sends a request of which it is not known yet whether it may pass: see `Ahead`.
 * @type {(...way: Parameters<typeof forward>) => void}
 */
export function forwardAhead(passage, bearer, start, target, removed, set) {
  // A body can be sent but once.
  if (passage.request.body !== null) return;
  try {
    const headers = headersFor(passage, bearer, start, removed, set);
    passage.ahead = new Ahead((signal) => send(passage, urlFor(passage.url, start, target), headers, signal));
  } catch {
    // `forward` will fail, too, and tell it.
  }
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
 * A list of the lines of a text.
 * @param {string} text
 */
export function linesOf(text) {
  return text === "" ? [] : text.split("\n");
}
