// One request on its way through the guard. Each call into the request, and each text that crosses to Rust, costs
// time, so JavaScript reads it once and Rust asks for what it needs.

import { Timer } from "./timer.js";

/** The log fields of a request that ends before a decision, because the settings are wrong. */
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
    /** The headers' names, and the value of each. @type {string[]} */
    this.names = [];
    /** @type {string[]} */
    this.values = [];
    /** The length of URL, names and values together, in characters. */
    this.size = this.url.length;
    this.headers.forEach((value, name) => {
      this.names.push(name);
      this.values.push(value);
      this.size += name.length + value.length;
      if (name === "authorization") this.authorization = value;
      else if (name === "cookie") this.cookie = value;
    });
    /** For the store and the origin. */
    this.timer = new Timer();
    /** The decision and the user, for the log: members of a JSON object, without its braces. */
    this.logFields = UNDECIDED;
    /** The session whose end ends the response, as `watchSession` takes it; empty if there is none, or nothing is enforced. */
    this.session = "";
    /** Does an endpoint of the guard answer? */
    this.isOwnEndpoint = false;
    /** May Cloudflare's cache answer in place of the origin? */
    this.isCacheable = false;
    /** @type {import("./overlapped_request.js").OverlappedRequest | undefined} */
    this.overlapped = undefined;
    /** @type {import("../../build/bindings/guard.js").CachedPlan | undefined} what to cache if this request is forwarded */
    this.planToCache = undefined;
    /** @type {Promise<import("../../build/bindings/guard.js").RenewedCookie | undefined> | undefined} the cookie that the answer renews */
    this.renewal = undefined;
    /** When the token expires, if the answer says so, in milliseconds since the Unix epoch; 0 if not. */
    this.tokenExpiresAt = 0;
    /** @type {string | undefined} the store's reply */
    this.storeReply = undefined;
    // When each step began and ended, in milliseconds since the Unix epoch; 0 if it did not. The clock of Workers
    // advances only at I/O.
    this.startedAt = Date.now();
    this.storeAskedAt = 0;
    this.storeRepliedAt = 0;
    this.originAskedAt = 0;
    this.originRepliedAt = 0;
  }

  /**
   * The value of a header; `undefined` if it was not sent.
   * @param {string} name
   */
  header(name) {
    return this.headers.get(name) ?? undefined;
  }

  /**
   * Puts another plan in place of the one that was made before the store's reply: the session has other rights now.
   * The origin's response to a request that was sent by the earlier plan is dropped.
   * @param {import("../../build/bindings/guard.js").CachedPlan} plan
   */
  replacePlan(plan) {
    if (this.planToCache !== undefined) this.planToCache = plan;
    this.overlapped?.cancel();
    this.overlapped = undefined;
  }

  /** Does the request have a body? */
  hasBody() {
    return this.request.body !== null;
  }

  /** The values of `Connection` and `Upgrade`, then the names of all headers, a line each: what Rust filters headers by. */
  headerNames() {
    const { names, values } = this;
    const valueOf = (/** @type {string} */ name) => values[names.indexOf(name)] ?? "";
    return [valueOf("connection"), valueOf("upgrade"), ...names].join("\n");
  }
}
