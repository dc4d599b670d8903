// Forwards a request to the origin. JavaScript, because headers and streams are the runtime's own objects, and
// the origin's response is waited for.

import { CachedDecision } from "./cached_decision.js";
import { cacheDecision } from "./decision_cache.js";
import { headersFor } from "./forwarded_headers.js";
import { initFor, send, urlFor } from "./origin.js";
import { sendOverlapped } from "./overlapped_request.js";

/** @typedef {import("./request_context.js").RequestContext} RequestContext */
/** @typedef {import("./verdict.js").Forward} Forward */

/**
 * Forwards a request, and caches the verdict if it can recur.
 * @param {RequestContext} context
 * @param {Forward} verdict
 * @returns {Promise<Response>}
 */
export function forward(context, verdict) {
  const { tokenContext, start, target, logFields, isCacheable } = verdict;
  const { planToCache } = context;
  if (logFields !== undefined) context.logFields = logFields;
  if (tokenContext !== undefined) context.session = tokenContext.session;
  context.isCacheable = isCacheable;
  const overlapped = context.overlapped?.take();
  if (overlapped !== undefined && planToCache === undefined) return overlapped;
  const url = urlFor(context.url, start, target);
  const headers = headersFor(context, verdict);
  // Without an identity, the session was refused, and the next request is decided about anew. A reply that Rust
  // did not keep is read anew each time.
  if (planToCache !== undefined && tokenContext !== undefined && context.renewal === undefined && context.storeReply === tokenContext.lastReply) {
    cacheDecision(context, tokenContext, new CachedDecision(context, tokenContext, planToCache, verdict, url, headers));
  }
  return overlapped ?? send(context, url, initFor(context, headers));
}

/**
 * Forwards a request in parallel with its session check.
 * @param {RequestContext} context
 * @param {Forward} verdict
 */
export function forwardOverlapped(context, verdict) {
  const url = urlFor(context.url, verdict.start, verdict.target);
  sendOverlapped(context, url, () => initFor(context, headersFor(context, verdict)));
}
