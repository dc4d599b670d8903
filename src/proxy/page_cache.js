// What a browser shows again when its user goes back. A page that was made for a session is asked for
// anew each time, so that nobody sees one whose session is over.

import { isRefusal } from "./access_log.js";

/** @typedef {import("./request_context.js").RequestContext} RequestContext */

/**
 * Chromium keeps pages with `no-store`, too, until a cookie is changed after they were loaded. It takes
 * one that a page's own answer sets twice for such a change. The last line takes the cookie away again.
 */
const CHANGES = ["1; ", "2; ", "; Max-Age=0; "].map((text) => `__Host-session-guard-page=${text}Path=/; HttpOnly; Secure; SameSite=Lax`);

/** The highest status of which a script can make an answer. */
const MOST_STATUS = 599;

/**
 * The answer for the client: a page that was made for a session is not to be kept.
 * @param {RequestContext} passage
 * @param {Response} answer
 */
export function unkept(passage, answer) {
  const { status } = answer;
  if (passage.session === "" || !isPage(passage) || status === 101 || status > MOST_STATUS || isRefusal(answer)) return answer;
  const page = new Response(answer.body, answer);
  const { headers } = page;
  headers.set("cache-control", "no-store");
  for (const line of CHANGES) headers.append("set-cookie", line);
  return page;
}

/**
 * Is a person opening a page? As `is_navigation` in the core has it.
 * @param {RequestContext} passage
 */
function isPage({ names, values }) {
  const mode = names.indexOf("sec-fetch-mode");
  if (mode !== -1) return values[mode] === "navigate";
  return (values[names.indexOf("accept")] ?? "").includes("text/html");
}
