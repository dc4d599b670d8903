// The I/O of a guarded request. A promise awaited here costs a fraction of one awaited from
// Rust; whatever is decided, is decided there.

import { waitUntil } from "cloudflare:workers";
import { PendingCheck } from "../../build/bindings/guard.js";
import { headersFor } from "./forwarded_headers.js";
import { initFor, send, urlFor } from "./origin.js";
import { CachedDecision, isRepeated, keep } from "./decision_cache.js";
import { ORDINARY, tie } from "./relay.js";
import { moment } from "./access_log.js";
import { checkSession } from "./session_check.js";

/** @typedef {import("./request_context.js").RequestContext} RequestContext */
/** @typedef {import("./token_context.js").TokenContext} TokenContext */
/** @typedef {import("./forwarded_headers.js").Changes} Changes */

/**
 * Waits for the store's reply, and ends the request or forwards it.
 * @param {RequestContext} passage
 * @param {TokenContext} bearer
 * @param {Promise<import("./session_check.js").Reply>} question
 * @param {PendingCheck} pending whose verdict is the answer: a refusal, or what `forward` came to
 * @returns {Promise<Response>}
 */
export async function checkAndForward(passage, bearer, question, pending) {
  passage.asked = moment();
  try {
    const reply = await question;
    const now = (passage.told = Date.now());
    if (isRepeated(passage, bearer)) passage.precedent = pending.precedent();
    return tied(passage, await judged(passage, bearer, pending, reply, now));
  } finally {
    passage.ahead?.drop();
  }
}

/**
 * The same for a request that says what an earlier one said. Rust has found that it still holds.
 * @param {RequestContext} passage
 * @param {CachedDecision} precedent
 * @returns {Promise<Response>}
 */
export async function follow(passage, precedent) {
  const { decision, changes } = precedent;
  const there = precedent.thereFor(passage);
  const bearer = /** @type {TokenContext} */ (changes.bearer);
  passage.asked = moment();
  const question = checkSession(passage, bearer, passage.began);
  if (precedent.isAhead) sendAhead(passage, there, () => precedent.initFor(passage));
  try {
    const reply = await question;
    const now = (passage.told = Date.now());
    const { status, body } = reply;
    const isSame = status === 200 && body === bearer.reply && body === precedent.reply;
    if (isSame && decision.passes(now)) {
      passage.said = precedent.said;
      passage.session = bearer.session;
      return tied(passage, await (passage.ahead?.take() ?? send(passage, there, precedent.initFor(passage))));
    }
    passage.precedent = decision;
    return tied(passage, await judged(passage, bearer, decision.pending(passage.began), reply, now));
  } finally {
    passage.ahead?.drop();
  }
}

/**
 * What Rust makes of the store's reply. Body and names are left out where they are those that the
 * bearer remembers.
 * @param {RequestContext} passage
 * @param {TokenContext} bearer
 * @param {PendingCheck} pending
 * @param {import("./session_check.js").Reply} reply
 * @param {number} now
 * @returns {Response | Promise<Response>}
 */
function judged(passage, bearer, pending, { status, body }, now) {
  const names = passage.sentHeaders();
  passage.reply = body;
  const news = status === 200 && body === bearer.reply ? undefined : String(body);
  return pending.judge(passage, status, news, names === bearer.names ? undefined : names, now);
}

/**
 * The origin's answer, tied to its session. One that was long in coming is not handed out before the session
 * was asked about once more.
 * @param {RequestContext} passage
 * @param {Response} answer
 * @returns {Response | Promise<Response>}
 */
function tied(passage, answer) {
  if (passage.session === "") return answer;
  return Date.now() - passage.told > ORDINARY ? recheck(passage, answer) : tie(answer, passage, watch, waitUntil);
}

/** @type {import("./relay.js").Watch} */
const watch = (session) => PendingCheck.watch(session);

/**
 * @param {RequestContext} passage
 * @param {Response} answer
 * @returns {Promise<Response>}
 */
async function recheck(passage, answer) {
  /** @type {Response | undefined} */
  const refusal = await PendingCheck.recheck(passage, passage.session);
  if (refusal === undefined) return tie(answer, passage, watch, waitUntil);
  drop(answer);
  return refusal;
}

/**
 * Lets the origin know that nobody wants its answer.
 * @param {Response} answer
 */
function drop({ body, webSocket }) {
  webSocket?.accept();
  webSocket?.close(1001);
  body?.cancel().catch(() => {});
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
    answer.then(drop, () => {});
  }
}

/**
 * Sends a request to the origin.
 * @param {RequestContext} passage
 * @param {TokenContext | undefined} bearer whose identity goes with it
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
  try {
    const { precedent } = passage;
    const held = passage.ahead?.take();
    if (held !== undefined && precedent === undefined) return held;
    const changes = { bearer, start, removed, set };
    const there = urlFor(passage.url, start, target);
    const headers = headersFor(passage, changes);
    // What goes on without an identity was refused, and is decided about anew. A reply that Rust does not
    // remember cannot come again.
    const canRecur = bearer !== undefined && passage.reply === bearer.reply;
    if (precedent !== undefined && canRecur) keep(passage, bearer, new CachedDecision(passage, precedent, changes, there, headers));
    return held ?? send(passage, there, initFor(passage, headers));
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
  sendAhead(passage, urlFor(passage.url, start, target), () => initFor(passage, headersFor(passage, { bearer, start, removed, set })));
}

/**
 * @param {RequestContext} passage
 * @param {string} there
 * @param {() => RequestInit} how
 */
function sendAhead(passage, there, how) {
  // A body can be sent but once.
  if (passage.request.body !== null) return;
  try {
    const init = how();
    passage.ahead = new Ahead((signal) => send(passage, there, init, signal));
  } catch {
    // `forward` will fail, too, and tell it.
  }
}

/**
 * A list of the lines of a text.
 * @param {string} text
 */
export function linesOf(text) {
  return text === "" ? [] : text.split("\n");
}
