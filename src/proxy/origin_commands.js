// Headers by which the origin's response logs users in and out. JavaScript, so that a response without them costs no
// wasm call, and because only here can a response be copied without decoding its body.

const [LOGIN, LOGOUT, DATA] = ["x-guard-login", "x-guard-logout", "x-guard-session-data"];

/** Headers for shared caches alone. */
const CDN_CACHE_CONTROL = ["cdn-cache-control", "cloudflare-cdn-cache-control", "surrogate-control"];

/**
 * Does a response hold a command for the guard?
 * @param {Response} response
 */
export function hasCommand({ headers }) {
  return headers.has(LOGIN) || headers.has(LOGOUT) || headers.has(DATA);
}

/**
 * The response without commands.
 * @param {Response} response
 * @returns {Response}
 */
export function withoutCommands(response) {
  return withHeaders(response, clientHeaders(response));
}

/**
 * The response without commands and with the guard's cookies. It belongs to one user, so no cache may keep it.
 * @param {Response} response
 * @param {string[]} cookies
 * @returns {Response}
 */
export function withCookies(response, cookies) {
  const headers = clientHeaders(response);
  headers.set("cache-control", "no-store");
  // These count more than `Cache-Control` for the caches that know them (RFC 9213).
  for (const name of CDN_CACHE_CONTROL) headers.delete(name);
  for (const cookie of cookies) headers.append("set-cookie", cookie);
  return withHeaders(response, headers);
}

/** @param {Response} response */
function clientHeaders(response) {
  const headers = new Headers(response.headers);
  for (const name of [LOGIN, LOGOUT, DATA]) headers.delete(name);
  return headers;
}

/** The highest status that a script can give a response. One with a higher status is passed on as it is. */
export const MAX_STATUS = 599;

/**
 * A response with other headers. The body stays as the origin has encoded it.
 * @param {Response} response
 * @param {Headers} headers
 */
export function withHeaders({ body, status, statusText, webSocket }, headers) {
  return new Response(body, { status, statusText, headers, webSocket, encodeBody: "manual" });
}
