// The I/O of Cloudflare's rate-limit binding.

import { textWithin } from "../stores/client.js";

/**
 * Does the binding let this one through? The reply is `true` or `false`.
 * @param {RateLimit} limiter
 * @param {string} key
 * @param {number} timeout milliseconds until the reply
 * @returns {Promise<import("../stores/client.js").Reply>}
 */
export function askLimiter(limiter, key, timeout) {
  return textWithin(timeout, async () => String((await limiter.limit({ key })).success));
}
