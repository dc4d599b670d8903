// The class of the Durable Objects, as the runtime sees it. JavaScript, because it must extend `DurableObject`,
// which a class from Rust cannot, and because it must survive a panic: it passes every call on to the object in Rust
// (`object.rs`), and makes a new one after a failure. It caches the answers to checks, because a call into wasm
// costs more than the rest of a check that changes nothing.

import { DurableObject } from "cloudflare:workers";
import * as guard from "../../../build/bindings/guard.js";
import { unlessReplaced } from "../../instance.js";

/** @typedef {guard.UserSessions} RustObject */
/** @typedef {[answer: string, until: number]} CachedAnswer `until`: when the answer expires, in milliseconds since the Unix epoch */

/** @extends {DurableObject<unknown>} */
export class UserSessions extends DurableObject {
  /** @type {RustObject | undefined} */
  #object;

  /**
   * The answers to checks, cached until a command changes something.
   * @type {Map<string, CachedAnswer>}
   */
  #answers = new Map();

  /**
   * Checks a session. In the common case, the answer is cached.
   * @param {string} before the command up to the current time
   * @param {number} now milliseconds since the Unix epoch
   * @param {string} after the command after the current time
   * @returns {string | Promise<string>} its answer
   */
  check(before, now, after) {
    const cached = this.#answers.get(before);
    if (cached !== undefined && now < cached[1]) return cached[0];
    const command = before + now + after;
    const unchanged = /** @type {CachedAnswer | undefined} */ (this.#call((object) => object.unchanged(command)));
    if (unchanged === undefined) return this.apply(command);
    this.#answers.set(before, unchanged);
    return unchanged[0];
  }

  /**
   * Applies one command.
   * @param {string} command
   * @returns {string | Promise<string>} its answer
   */
  apply(command) {
    this.#answers.clear();
    return this.#call((object) => object.apply(command));
  }

  /**
   * Takes one step of a move between stores.
   * @param {string} step
   * @returns {string | Promise<string>} its result
   */
  transfer(step) {
    this.#answers.clear();
    return this.#call((object) => object.transfer(step));
  }

  /** @type {(text: string, until: number) => Promise<string>} */
  putEntry(text, until) {
    return this.#call((object) => object.putEntry(text, until));
  }

  /** @type {(text: string, until: number) => boolean | Promise<boolean>} */
  putEntryIfAbsent(text, until) {
    return this.#call((object) => object.putEntryIfAbsent(text, until));
  }

  /** @type {(text: string) => string} */
  deleteEntryIfEqual(text) {
    return this.#call((object) => object.deleteEntryIfEqual(text));
  }

  /** @type {() => string | null} */
  getEntry() {
    return this.#call((object) => object.getEntry());
  }

  /** @type {(most: number, span: number, window: string) => string | Promise<string>} */
  count(most, span, window) {
    return this.#call((object) => object.count(most, span, window));
  }

  /** @type {(window: string) => string} */
  refund(window) {
    return this.#call((object) => object.refund(window));
  }

  /** @type {(query: string) => string} */
  queryIndex(query) {
    return this.#call((object) => object.queryIndex(query));
  }

  /** @type {(events: string) => void} */
  notifyEnded(events) {
    return this.#call((object) => object.notifyEnded(events));
  }

  /** @type {() => void | Promise<void>} */
  recheckWatched() {
    return this.#call((object) => object.recheckWatched());
  }

  /**
   * @param {Request} request
   * @returns {Promise<Response>}
   */
  fetch(request) {
    return this.#call((object) => object.fetch(request));
  }

  alarm() {
    this.#answers.clear();
    return this.#call((object) => object.alarm());
  }

  /** Ignores messages of clients, without copying them into wasm. */
  webSocketMessage() {}

  /**
   * Completes the closing handshake, which a hibernating WebSocket does not do by itself.
   * @param {WebSocket} socket
   */
  webSocketClose(socket) {
    socket.close();
  }

  /**
   * Calls the object in Rust. If that fails, its memory cannot be trusted, or belongs to an old wasm instance
   * (`instance.js`): a new object reads storage again, and the call is retried once.
   * @template T
   * @param {(object: RustObject) => T} call
   * @returns {T}
   */
  #call(call) {
    const isNew = this.#object === undefined;
    try {
      this.#object ??= new guard.UserSessions(this.ctx, this.env);
      const answer = call(this.#object);
      return answer instanceof Promise ? /** @type {T} */ (unlessReplaced(answer)) : answer;
    } catch (error) {
      this.#object = undefined;
      if (isNew) throw error;
      return this.#call(call);
    }
  }
}
