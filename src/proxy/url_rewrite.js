// Headers that name the address of an origin at `ORIGIN_URL`. JavaScript, so that a response that names no address
// costs no wasm call. What replaces an address is decided in Rust.

import { toOriginUrl, toSiteUrl } from "../../build/bindings/guard.js";

/**
 * Response headers that may hold the origin's address. The pattern has what precedes a URL, and the URL. It skips
 * other quoted texts of a `Link`.
 * @type {[string, RegExp][]}
 */
const URL_HEADERS = [
  ["location", /^()([^]*)$/],
  ["content-location", /^()([^]*)$/],
  ["link", /(<|\banchor\s*=\s*")([^>"]*)|"(?:[^"\\]|\\.)*"/gi],
  ["refresh", /^([^;,]*[;,]\s*(?:url\s*=\s*)?["']?)([^"'\s]*)/i],
];

/** Request headers that say which page a request comes from. */
export const PAGE_HEADERS = ["origin", "referer"];

/** Does the origin have an address of its own? */
let rewritesUrls = false;

/** Does the origin see the site's pages as its own (`REWRITE_ORIGIN`)? */
export let rewritesOrigin = false;

/** @param {boolean} urls @param {boolean} origin */
export function configureUrlRewrite(urls, origin) {
  rewritesUrls = urls;
  rewritesOrigin = origin;
}

/**
 * The response with the site's address in place of the origin's. It is copied only if it names that.
 * @param {Response} response
 * @param {string} url the request's
 * @returns {Response}
 */
export function withSiteUrls(response, url) {
  if (!rewritesUrls || response.webSocket) return response;
  let rewritten = response;
  for (const [name, urls] of URL_HEADERS) {
    const value = response.headers.get(name);
    // A relative URL names no host.
    if (value === null || !value.includes("//")) continue;
    const replaced = value.replace(urls, (all, before, found) => (found && before + (toSiteUrl(found, url) ?? found)) || all);
    if (replaced === value) continue;
    if (rewritten === response) rewritten = new Response(response.body, response);
    rewritten.headers.set(name, replaced);
  }
  return rewritten;
}

/**
 * Replaces the site's address with the origin's in `Origin` and `Referer`.
 * @param {Headers} headers of the request to the origin
 * @param {string} url the request's
 */
export function rewriteOrigin(headers, url) {
  for (const name of PAGE_HEADERS) {
    const value = headers.get(name);
    const replaced = value === null ? undefined : toOriginUrl(value, url);
    if (replaced !== undefined) headers.set(name, replaced);
  }
}
