// The headers that go on to the origin.

import { rewriteOrigin, rewritesOrigin } from "./url_rewrite.js";

/** @typedef {import("./request_context.js").RequestContext} RequestContext */

/**
 * How a request changes on the way: the names of headers that do not go on, and those that are set, as
 * name, value, name, value; `bearer` is whose identity goes with it. The target begins at `start` in
 * the request's URL.
 * @typedef {{ bearer: import("./token_context.js").TokenContext | undefined, start: number, removed: string[], set: string[] | undefined }} Changes
 */

/**
 * The headers that go on.
 * @param {RequestContext} passage
 * @param {Changes} changes
 */
export function headersFor({ url, headers: sent }, { bearer, start, removed, set }) {
  const headers = new Headers(sent);
  for (const name of removed) headers.delete(name);
  if (bearer !== undefined) setAll(headers, bearer.identity);
  if (set !== undefined) setAll(headers, set);
  // How the client came here. What it said of that itself is in `removed`.
  const address = sent.get("cf-connecting-ip");
  if (address !== null) headers.set("x-forwarded-for", address);
  const colon = url.indexOf(":");
  headers.set("x-forwarded-proto", url.slice(0, colon));
  headers.set("x-forwarded-host", url.slice(colon + 3, start));
  if (rewritesOrigin) rewriteOrigin(headers, url);
  return headers;
}

/** @param {Headers} headers @param {string[]} all name, value, name, value */
function setAll(headers, all) {
  for (let at = 1; at < all.length; at += 2) headers.set(/** @type {string} */ (all[at - 1]), /** @type {string} */ (all[at]));
}
