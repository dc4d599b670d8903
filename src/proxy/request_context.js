// One request on its way through the guard. Each call into the request, and each text that crosses to Rust, costs
// time, so JavaScript reads it once and Rust asks for what it needs.

import { Timer } from "./timer.js";

/** The log fields of a request that ends before a decision, because the settings are wrong. */
const UNDECIDED = '"decision":"refuse"';

/** Who gets the answer, as `Recipient` in the core: whoever sent the request, or a proxy that asks for its client. */
export const [CLIENT, PROXY] = [0, 1];

/** Headers by which a proxy describes a request, and is known: no part of the request that it describes. */
const DESCRIPTION = ["x-guard-proxy-key", "x-guard-site-key", "x-guard-client-ip", "x-original-method", "x-original-url", "x-forwarded-method", "x-forwarded-proto", "x-forwarded-host", "x-forwarded-uri"];

export class RequestContext {
  /** @type {string | undefined} */
  authorization;
  /** @type {string | undefined} */
  cookie;

  /** @param {Request} request or what is known of one that others describe */
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
    /** @type {number} `CLIENT` or `PROXY`; greater if the proxy shows no redirects */
    this.recipient = CLIENT;
    /** What goes on of a request that a proxy has described, if it may pass. @type {{ url: string, headers: Headers } | undefined} */
    this.passed = undefined;
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

  /**
   * Takes the place of the request that a proxy has sent: from now on this is the one that it describes.
   * @param {string} method
   * @param {string} url
   * @param {boolean} upgrades
   * @param {number} recipient
   */
  describe(method, url, upgrades, recipient) {
    this.method = method;
    this.recipient = recipient;
    this.moveTo(url, undefined);
    if (upgrades && !this.headers.has("upgrade")) this.headers.set("upgrade", "websocket");
    // Where the proxy is says nothing of its client.
    const { request, headers } = this;
    const cf = request instanceof Request ? { colo: request.cf?.colo } : /** @type {Request} */ (request).cf;
    this.request = /** @type {any} */ ({ method, url, headers, body: null, cf });
  }

  /**
   * Says at which URL, and from which address, a proxy's client has sent the request that the proxy passes on.
   * @param {string} url
   * @param {string | undefined} clientIp
   */
  moveTo(url, clientIp) {
    this.url = url;
    this.headers = new Headers(this.headers);
    for (const name of DESCRIPTION) this.headers.delete(name);
    if (clientIp !== undefined) this.headers.set("cf-connecting-ip", clientIp);
  }

  /** Who has connected, by address and port, or empty for a process of this machine; `undefined` at Cloudflare. */
  peer() {
    const { clientIp, clientPid } = /** @type {Record<string, unknown>} */ (this.request.cf ?? {});
    return typeof clientIp === "string" ? clientIp : clientPid === undefined ? undefined : "";
  }

  /**
   * Says who has sent the request, as Cloudflare would: by the URL's scheme, and by a header.
   * @param {string} url
   * @param {string | undefined} clientIp
   * @param {boolean} keepsCloudflare are the `CF-` headers Cloudflare's?
   */
  sentBy(url, clientIp, keepsCloudflare) {
    const headers = new Headers(this.headers);
    if (!keepsCloudflare) for (const name of this.names) if (name.startsWith("cf-")) headers.delete(name);
    if (clientIp === undefined) headers.delete("cf-connecting-ip");
    else headers.set("cf-connecting-ip", clientIp);
    // The decision cache compares these.
    this.names = [...headers.keys()];
    this.values = [...headers.values()];
    this.size += url.length - this.url.length + (clientIp ?? "").length;
    this.url = url;
    this.headers = headers;
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
