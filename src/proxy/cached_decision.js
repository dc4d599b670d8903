// A request that was forwarded, and what can be used again for later requests like it. JavaScript, because it
// compares and copies header values that Rust has not been given. Whether the decision still holds, and covers
// another path, Rust decides: see `decision_cache.rs`.

import { headersFor } from "./forwarded_headers.js";
import { isRepeatable, initFor, urlFor } from "./origin.js";
import { PAGE_HEADERS, rewritesOrigin } from "./url_rewrite.js";

/** @typedef {import("./request_context.js").RequestContext} RequestContext */
/** @typedef {import("./token_context.js").TokenContext} TokenContext */
/** @typedef {import("./verdict.js").Forward} Forward */
/** @typedef {import("../../build/bindings/guard.js").CachedPlan} CachedPlan */

/** Headers whose values must be the same, from the core's `COMPARED_HEADERS`. @type {string[]} */
let comparedHeaders = [];

/** `X-Forwarded-For` is made of this header's value. */
const ADDRESS = "cf-connecting-ip";

/** Two bytes a character. Among them is U+FFFD, which stands for each byte that is not UTF-8. */
const WIDE = /[^\u0000-\u00ff]/;

/** How many characters a request may have more than the cached one. */
const EXTRA_CHARS = 600;

/** @param {string[]} names headers whose values must be the same for a cached decision to apply */
export function configureComparedHeaders(names) {
  comparedHeaders = names;
}

export class CachedDecision {
  #verdict;
  #method;
  #url;
  #site;
  #originUrl;
  #names;
  #values;
  #maxSize;
  #headers;
  /** The last request's options, if another request can use them. @type {RequestInit | undefined} */
  #init;
  /** Headers that the guard removes or sets. */
  #changed;

  /**
   * @param {RequestContext} context
   * @param {TokenContext} tokenContext
   * @param {CachedPlan} plan
   * @param {Forward} verdict
   * @param {string} originUrl where the request went
   * @param {Headers} headers with which headers
   */
  constructor(context, tokenContext, plan, verdict, originUrl, headers) {
    this.#verdict = verdict;
    this.#method = context.method;
    this.#url = context.url;
    this.#site = context.url.slice(0, verdict.start);
    this.#originUrl = originUrl;
    this.#names = context.names;
    this.#values = context.values;
    this.#maxSize = context.size + EXTRA_CHARS;
    this.#headers = headers;
    const set = (verdict.set ?? []).filter((_, at) => at % 2 === 0);
    this.#changed = new Set([...verdict.removed, ...set].map((name) => name.toLowerCase()));
    this.plan = plan;
    this.tokenContext = tokenContext;
    this.overlaps = plan.overlaps;
    this.logFields = context.logFields;
    this.tokenExpiresAt = context.tokenExpiresAt;
    /** The store's reply, which the forwarded headers may contain data of. */
    this.storeReply = context.storeReply;
    this.bytes = bytesOf(context, plan);
    this.tokenBytes = plan.tokenBytes;
  }

  /**
   * Does the decision apply to a request?
   * @param {RequestContext} context
   */
  matches(context) {
    return context.url === this.#url && this.#hasSameHead(context);
  }

  /**
   * Does the decision apply to a request whose path or query differs?
   * @param {RequestContext} context
   */
  extendsTo(context) {
    const { method, url, startedAt } = context;
    return url.startsWith(this.#site) && this.#hasSameHead(context) && this.plan.extends(context, method, url, startedAt);
  }

  /** @param {RequestContext} context */
  #hasSameHead({ method, names, values, size }) {
    const known = this.#names;
    if (method !== this.#method || names.length !== known.length || size > this.#maxSize) return false;
    for (let at = 0; at < names.length; at += 1) {
      if (names[at] !== known[at]) return false;
      if (values[at] !== this.#values[at] && !mayDiffer(names[at], values[at])) return false;
    }
    return true;
  }

  /**
   * Where a request goes to which the decision applies.
   * @param {RequestContext} context
   */
  originUrlFor({ url }) {
    return url === this.#url ? this.#originUrl : urlFor(url, this.#verdict.start, undefined);
  }

  /**
   * The options of `fetch` for a request to which the decision applies. They are valid until the next call.
   * @param {RequestContext} context
   * @returns {RequestInit}
   */
  initFor(context) {
    this.#headers = this.#headersFor(context);
    if (!isRepeatable(context)) return initFor(context, this.#headers);
    if (this.#init?.headers !== this.#headers) this.#init = initFor(context, this.#headers);
    return this.#init;
  }

  /** @param {RequestContext} context */
  #headersFor(context) {
    const { names, values } = context;
    const known = this.#values;
    const headers = this.#headers;
    for (let at = 0; at < names.length; at += 1) {
      // Values that are the same are left alone: replacing long-lived objects burdens the garbage collector.
      if (values[at] === known[at]) continue;
      const name = names[at] ?? "";
      const value = values[at] ?? "";
      if (this.#changed.has(name)) continue;
      // A comma may stand for several header lines, which `set` would join.
      if (name === ADDRESS || value.includes(",") || (rewritesOrigin && PAGE_HEADERS.includes(name))) return this.#rebuiltHeaders(context);
      // `set` may throw, so `known` changes after it: both must always agree.
      headers.set(name, value);
      known[at] = value;
    }
    return headers;
  }

  /** @param {RequestContext} context */
  #rebuiltHeaders(context) {
    const headers = headersFor(context, this.#verdict);
    // A copy, because a decision that is cached for this request has the same array.
    this.#values = [...context.values];
    return headers;
  }
}

/**
 * May a header's value differ from the cached request's?
 * @param {string | undefined} name
 * @param {string | undefined} value
 */
function mayDiffer(name = "", value = "") {
  return !comparedHeaders.includes(name) && !WIDE.test(value);
}

/**
 * How many bytes a cached decision holds at most: texts here and in the headers, each header's overhead, and the
 * plan in Rust.
 * @param {RequestContext} context
 * @param {CachedPlan} plan
 */
function bytesOf({ size, url, names, values, logFields }, plan) {
  const width = values.some((value) => WIDE.test(value)) ? 2 : 1;
  return 2000 + 200 * names.length + 3 * width * (size + EXTRA_CHARS) + 3 * url.length + 2 * logFields.length + plan.bytes;
}
