// What all requests with one token, and the same rights of its session, share. Rust makes it once for each token,
// because each text that crosses from Rust to JavaScript costs time.

import { headersOf } from "./header_lines.js";

export class TokenContext {
  /**
   * @param {string} token the token itself
   * @param {string} objectName the name of the user's Durable Object; empty with another store
   * @param {string} before the check command, up to the time
   * @param {string | undefined} after the rest of the command; `undefined` if it has no time
   * @param {string} session see `RequestContext.session`
   * @param {string} identity the identity headers for the origin, a line each, `Name: value`
   */
  constructor(token, objectName, before, after, session, identity) {
    this.token = token;
    this.objectName = objectName;
    this.before = before;
    this.after = after;
    this.session = session;
    this.identity = headersOf(identity);
    /** @type {string | undefined} the store's last reply that Rust has read and kept */
    this.lastReply = undefined;
    /** @type {string | undefined} the last `RequestContext.headerNames` that Rust has read and kept */
    this.lastHeaderNames = undefined;
  }

  /**
   * Keeps the last reply that another context has kept.
   * @param {TokenContext} other
   */
  adoptReply(other) {
    this.lastReply = other.lastReply;
  }

  /**
   * The check command.
   * @param {number} now milliseconds since the Unix epoch
   */
  checkCommand(now) {
    return this.after === undefined ? this.before : this.before + now + this.after;
  }
}
