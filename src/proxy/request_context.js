// One request on its way through the guard: what was read of it, once, because each look at a request
// costs, and what is known of how it went.

import { Timer } from "./timer.js";

/** What is said of a request that ends before anything was decided: the settings are wrong. */
const UNDECIDED = '"decision":"refuse"';

export class RequestContext {
  /** @type {string | undefined} */
  authorization;
  /** @type {string | undefined} */
  cookie;

  /** @param {Request} request */
  constructor(request) {
    this.request = request;
    this.method = request.method;
    this.url = request.url;
    this.headers = request.headers;
    /** The names of the headers, and the value of each. @type {string[]} */
    this.names = [];
    /** @type {string[]} */
    this.values = [];
    /** How much the request says: the length of all that, and of the URL. */
    this.chars = this.url.length;
    this.headers.forEach((value, name) => {
      this.names.push(name);
      this.values.push(value);
      this.chars += name.length + value.length;
      if (name === "authorization") this.authorization = value;
      else if (name === "cookie") this.cookie = value;
    });
    /** For store and origin. */
    this.timer = new Timer();
    /** What was decided: members of a JSON object, without its braces. */
    this.said = UNDECIDED;
    /** The session whose end ends the answer, as `PendingCheck.watch` takes it; empty if there is none, or it decides nothing. */
    this.session = "";
    /** Does the guard itself answer it? */
    this.isOwn = false;
    /** May Cloudflare's cache stand before the origin? */
    this.isCacheable = false;
    /** @type {import("./forward.js").Ahead | undefined} what the origin was asked before it was known whether it may be */
    this.ahead = undefined;
    /** @type {import("../../build/bindings/guard.js").CachedPlan | undefined} what is to be remembered for requests that say the same */
    this.precedent = undefined;
    /** @type {string | undefined} the store's reply, as Rust was told it */
    this.reply = undefined;
    // When things happened, in milliseconds since the Unix epoch; 0: they did not. The clock stands
    // still while code runs.
    this.began = Date.now();
    this.asked = 0;
    this.told = 0;
    this.sent = 0;
    this.answered = 0;
  }

  /**
   * The value of a header; `undefined` if it was not sent.
   * @param {string} name
   */
  header(name) {
    return this.headers.get(name) ?? undefined;
  }

  /** Does a body come with it? */
  hasBody() {
    return this.request.body !== null;
  }

  /**
   * What Rust needs to say which headers go on: the values of `Connection` and `Upgrade`, then the
   * names of all, a line each.
   */
  sentHeaders() {
    const { names, values } = this;
    const valueOf = (/** @type {string} */ name) => values[names.indexOf(name)] ?? "";
    return [valueOf("connection"), valueOf("upgrade"), ...names].join("\n");
  }
}
