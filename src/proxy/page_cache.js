// Keeps pages that were made for a session out of the browser's caches, so that "back" after a logout shows none of
// them. JavaScript, because it runs on each response and looks at no more than headers that are read already.

import { isRefusal } from "./access_log.js";
import { MAX_STATUS } from "./origin_commands.js";

/** @typedef {import("./request_context.js").RequestContext} RequestContext */

/**
 * Chromium keeps pages with `no-store` in its back/forward cache, until a cookie has changed since they were loaded.
 * It counts a cookie that the page's own response sets twice as changed. The last line deletes the cookie.
 */
const COOKIE_CHANGES = ["1; ", "2; ", "; Max-Age=0; "].map((text) => `__Host-session-guard-page=${text}Path=/; HttpOnly; Secure; SameSite=Lax`);

/**
 * The response for the client, with `no-store` if it is a page that was made for a session.
 * @param {RequestContext} context
 * @param {Response} response
 */
export function preventPageCaching(context, response) {
  const { status } = response;
  if (context.session === "" || !isNavigation(context) || status === 101 || status > MAX_STATUS || isRefusal(response)) return response;
  const page = new Response(response.body, response);
  const { headers } = page;
  headers.set("cache-control", "no-store");
  for (const line of COOKIE_CHANGES) headers.append("set-cookie", line);
  return page;
}

/**
 * Is a person opening a page? The same as `is_navigation` in the core.
 * @param {RequestContext} context
 */
function isNavigation({ names, values }) {
  const mode = names.indexOf("sec-fetch-mode");
  if (mode !== -1) return values[mode] === "navigate";
  return (values[names.indexOf("accept")] ?? "").includes("text/html");
}
