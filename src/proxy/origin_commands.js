// The origin's answer, as the client gets it after a login or a logout.

/** What is meant for the guard. */
const WISHES = ["x-guard-login", "x-guard-logout", "x-guard-session-data"];

/**
 * The headers of an answer that are meant for the client.
 * @param {Response} answer
 */
function own(answer) {
  const headers = new Headers(answer.headers);
  for (const name of WISHES) headers.delete(name);
  return headers;
}

/**
 * The same answer without what is meant for the guard. Its body stays as the origin has encoded it.
 * @param {Response} answer
 * @returns {Response}
 */
export function withoutWishes(answer) {
  const { body, status, statusText, webSocket } = answer;
  return new Response(body, { status, statusText, headers: own(answer), webSocket, encodeBody: "manual" });
}

/**
 * The same answer without what is meant for the guard, and with the guard's cookies. It is one
 * user's from now on: no cache may keep it.
 * @param {Response} answer
 * @param {string[]} cookies
 * @returns {Response}
 */
export function withCookies(answer, cookies) {
  const { body, status, statusText, webSocket } = answer;
  const headers = own(answer);
  headers.set("cache-control", "no-store");
  for (const cookie of cookies) headers.append("set-cookie", cookie);
  return new Response(body, { status, statusText, headers, webSocket, encodeBody: "manual" });
}

/**
 * Lets the origin know that nobody reads on.
 * @param {Response} answer
 */
export function dropBody(answer) {
  answer.body?.cancel();
}
