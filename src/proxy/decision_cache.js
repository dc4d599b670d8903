// The decision cache: it maps a request's method, URL, credentials and header names to the decision about an
// earlier request that was the same. The session check runs every time, and Rust judges its reply. JavaScript,
// because a cache hit then passes no part of the request to Rust.

import { TwoGenerationCache } from "./two_generation_cache.js";

/** @typedef {import("./cached_decision.js").CachedDecision} CachedDecision */
/** @typedef {import("./request_context.js").RequestContext} RequestContext */
/** @typedef {import("./token_context.js").TokenContext} TokenContext */

/** The most bytes of all decisions, in each of two generations. */
const GENERATION_BYTES = 3 * 2 ** 20;

/** The most bytes of one token's decisions, so that no client can evict those of others. */
const TOKEN_BYTES = 64 * 2 ** 10;

/** The most decisions of one token. A lookup compares the request with each. */
const MAX_DECISIONS = 6;

/** Requests with more characters are not cached, nor looked up. */
const MAX_SIZE = 4000;

/** How many credentials of a token are kept that were seen once. */
const MAX_SEEN = 2;

/** Stands for bytes that are not UTF-8. Values that differ in such bytes alone look the same here. */
const REPLACEMENT = "\ufffd";

/** @typedef {{ authorization: string | undefined, cookie: string | undefined }} Credential */

/**
 * What is cached for a token, the newest first: credentials that were seen before, and decisions.
 * @typedef {{ seen: Credential[], decisions: CachedDecision[], bytes: number }} TokenEntry
 */

/** @type {TwoGenerationCache<TokenEntry>} */
const cache = new TwoGenerationCache(GENERATION_BYTES);

/** What precedes the token in `Cookie`. No header contains the initial value. */
let cookiePrefix = "\n";

/** @param {string} cookieName the cookie that may hold a token */
export function configureDecisionCache(cookieName) {
  cookiePrefix = `${cookieName}=`;
}

/**
 * The decision that applies to a request, if it still holds.
 * @param {RequestContext} context
 */
export function findCachedDecision(context) {
  if (context.size > MAX_SIZE) return undefined;
  const decisions = entryFor(context)?.decisions;
  const found = decisions?.find((cached) => cached.matches(context)) ?? decisions?.find((cached) => cached.extendsTo(context));
  return found?.plan.holds(context.startedAt) ? found : undefined;
}

/**
 * The entry of a request's token. What looks like a token here is only a key: Rust has decided which text is the
 * token when the decision was made.
 * @param {RequestContext} context
 */
function entryFor({ authorization, cookie }) {
  const entry = authorization && cache.get(authorization.slice(authorization.indexOf(" ") + 1).trim());
  if (entry || cookie === undefined) return entry || undefined;
  for (let at = cookie.indexOf(cookiePrefix); at >= 0; at = cookie.indexOf(cookiePrefix, at + 1)) {
    const end = cookie.indexOf(";", at);
    const entry = cache.get(cookie.slice(at + cookiePrefix.length, end < 0 ? undefined : end).trim());
    if (entry) return entry;
  }
  return undefined;
}

/**
 * Should the decision about a request be cached? Not the first time that its credential is seen: there may be no
 * second time. This call notes the credential.
 * @param {RequestContext} context
 * @param {TokenContext} tokenContext
 */
export function shouldCache({ authorization, cookie, size, names, values }, { token }) {
  if ((authorization ?? cookie) === undefined || size > MAX_SIZE) return false;
  const { seen, decisions } = cache.get(token) ?? { seen: [], decisions: [] };
  if (!seen.some((known) => known.authorization === authorization && known.cookie === cookie)) {
    cache.set(token, makeEntry(token, [{ authorization, cookie }, ...seen].slice(0, MAX_SEEN), decisions));
    return false;
  }
  // `Set-Cookie` lines cannot be joined into one value.
  return !names.includes("set-cookie") && !values.some((value) => value.includes(REPLACEMENT));
}

/**
 * Caches the decision about a request.
 * @param {RequestContext} context
 * @param {TokenContext} tokenContext
 * @param {CachedDecision} decision
 */
export function cacheDecision(context, { token }, decision) {
  const { seen, decisions } = cache.get(token) ?? { seen: [], decisions: [] };
  const others = decisions.filter((other) => !other.matches(context));
  cache.set(token, makeEntry(token, seen, [decision, ...others]));
}

/**
 * @param {string} token
 * @param {Credential[]} seen
 * @param {CachedDecision[]} all those beyond the limits are left out
 * @returns {TokenEntry}
 */
function makeEntry(token, seen, all) {
  let bytes = 500 + 2 * token.length + (all[0]?.tokenBytes ?? 0);
  for (const { authorization = "", cookie = "" } of seen) bytes += 100 + 2 * (authorization.length + cookie.length);
  const decisions = all.slice(0, MAX_DECISIONS).filter((decision) => {
    const fits = bytes + decision.bytes <= TOKEN_BYTES;
    if (fits) bytes += decision.bytes;
    return fits;
  });
  return { seen, decisions, bytes };
}

/** Empties the cache: after a panic, the plans belong to a Rust instance that is gone. */
export function clearDecisionCache() {
  cache.clear();
}
