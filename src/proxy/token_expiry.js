// Tells clients with a bearer token when it expires. JavaScript, because only here can a response be copied without
// decoding its body.

import { isRefusal } from "./access_log.js";
import { MAX_STATUS, withHeaders } from "./origin_commands.js";

/**
 * The answer, and for how many seconds the request's token is still good.
 * @param {number} expiresAt in milliseconds since the Unix epoch
 * @param {Response} response
 * @returns {Response}
 */
export function tellExpiry(expiresAt, response) {
  if (isRefusal(response) || response.status > MAX_STATUS) return response;
  const headers = new Headers(response.headers);
  headers.set("x-guard-token-expires-in", `${Math.max(0, Math.floor((expiresAt - Date.now()) / 1000))}`);
  return withHeaders(response, headers);
}
