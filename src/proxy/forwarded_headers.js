// The headers of the request to the origin. JavaScript, because `Headers` is the runtime's own object, and
// copying it there copies no header one by one. Which headers change is decided in Rust.

import { rewriteOrigin, rewritesOrigin } from "./url_rewrite.js";

/** @typedef {import("./request_context.js").RequestContext} RequestContext */
/** @typedef {import("./verdict.js").Forward} Forward */

/**
 * The headers of the request to the origin.
 * @param {RequestContext} context
 * @param {Forward} verdict
 */
export function headersFor({ url, headers: sent }, { tokenContext, start, removed, set }) {
  const headers = new Headers(sent);
  for (const name of removed) headers.delete(name);
  if (tokenContext !== undefined) setAll(headers, tokenContext.identity);
  if (set !== undefined) setAll(headers, set);
  // `removed` has the client's own `X-Forwarded-*`.
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
