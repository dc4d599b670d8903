// What the requests with one token have in common. It is made of the token once, because each text that
// crosses from Rust costs.

export class TokenContext {
  /**
   * @param {string} token the token itself
   * @param {string} place where the store is asked: the name of the user's Durable Object, or empty
   * @param {string} before the question to the store, up to the present moment
   * @param {string | undefined} after what follows the moment; `undefined` if the store is not told it
   * @param {string} session see `RequestContext.session`
   * @param {string} identity the headers that tell the origin who it is, `Name: value`, a line each
   */
  constructor(token, place, before, after, session, identity) {
    this.token = token;
    this.place = place;
    this.before = before;
    this.after = after;
    this.session = session;
    this.identity = headersOf(identity);
    /** @type {string | undefined} the store's last reply, if Rust remembers what it read there */
    this.reply = undefined;
    /** @type {string | undefined} the last `RequestContext.sentHeaders`, if Rust does */
    this.names = undefined;
  }

  /**
   * The question to the store.
   * @param {number} now milliseconds since the Unix epoch
   */
  question(now) {
    return this.after === undefined ? this.before : this.before + now + this.after;
  }
}

/**
 * Header lines as a list: name, value, name, value.
 * @param {string} lines
 * @returns {string[]}
 */
export function headersOf(lines) {
  return lines === "" ? [] : lines.split("\n").flatMap((line) => {
    const colon = line.indexOf(": ");
    return [line.slice(0, colon), line.slice(colon + 2)];
  });
}
