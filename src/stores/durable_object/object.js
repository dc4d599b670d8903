// The class of the Durable Objects, as the runtime sees it. It is JavaScript because it must extend
// `DurableObject`, which a class from Rust cannot, and because it has to outlive a panic: it passes every call
// on to the object in Rust (`object.rs`), and makes a new one when that cannot go on. The answers to checks are
// cached here, because to enter wasm costs more than all else that an object does for a check that changes
// nothing.

import { DurableObject } from "cloudflare:workers";
import * as guard from "../../../build/bindings/guard.js";
import { unlessReplaced } from "../../instance.js";

/** @typedef {guard.UserSessions} RustObject */
/** @typedef {[answer: string, until: number]} CachedAnswer until when it is the answer, in milliseconds since the Unix epoch */

/** @extends {DurableObject<unknown>} */
export class UserSessions extends DurableObject {
  /** @type {RustObject | undefined} */
  #object;

  /**
   * The answers to checks since something was changed.
   * @type {Map<string, CachedAnswer>}
   */
  #answers = new Map();

  /**
   * Checks a session. Mostly it was checked before, and nothing has changed since.
   * @param {string} before the command up to the present moment
   * @param {number} now milliseconds since the Unix epoch
   * @param {string} after what follows the moment
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

  /** @type {(text: string, until: number) => Promise<string>} */
  keep(text, until) {
    return this.#call((object) => object.keep(text, until));
  }

  /** @type {(text: string, until: number) => boolean | Promise<boolean>} */
  keepNew(text, until) {
    return this.#call((object) => object.keepNew(text, until));
  }

  /** @type {(text: string) => string} */
  withdraw(text) {
    return this.#call((object) => object.withdraw(text));
  }

  /** @type {() => string | null} */
  recall() {
    return this.#call((object) => object.recall());
  }

  /** @type {(most: number, span: number, window: string) => string | Promise<string>} */
  count(most, span, window) {
    return this.#call((object) => object.count(most, span, window));
  }

  /** @type {(window: string) => string} */
  takeBack(window) {
    return this.#call((object) => object.takeBack(window));
  }

  /** @type {(query: string) => string} */
  index(query) {
    return this.#call((object) => object.index(query));
  }

  /** @type {(events: string) => void} */
  tell(events) {
    return this.#call((object) => object.tell(events));
  }

  /** @type {() => void | Promise<void>} */
  doubt() {
    return this.#call((object) => object.doubt());
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

  /** Nothing is expected from those who listen, and what they send is not copied into wasm. */
  webSocketMessage() {}

  /**
   * A WebSocket that hibernates does not answer a close by itself.
   * @param {WebSocket} socket
   */
  webSocketClose(socket) {
    socket.close();
  }

  /**
   * Calls the object in Rust. If that fails, its memory is not to be trusted, or belongs to an instance of the
   * Rust code that is no more (`instance.js`): a new one reads storage anew, and is called once more.
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
