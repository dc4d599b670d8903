// Adds a renewed cookie to the answer. JavaScript, because only here can a response be copied without decoding its body.

import { waitUntil } from "cloudflare:workers";
import { isRefusal } from "./access_log.js";
import { MAX_STATUS, withCookies } from "./origin_commands.js";

/** @typedef {import("./request_context.js").RequestContext} RequestContext */
/** @typedef {import("../../build/bindings/guard.js").RenewedCookie} RenewedCookie */

/** How long an answer waits for its cookie, in milliseconds. Without it, the next answer brings it. */
const PATIENCE = 1000;

/**
 * The answer with the renewed cookie, if that comes in time.
 * @param {Promise<RenewedCookie | undefined>} renewal
 * @param {Response} response
 * @returns {Promise<Response>}
 */
export async function renewCookie(renewal, response) {
  // What it has begun is reported, even if nobody waits for it any more.
  waitUntil(renewal);
  if (isRefusal(response) || response.status > MAX_STATUS) return response;
  try {
    const lines = await inTime(linesFor(renewal, response));
    return lines.length > 0 ? withCookies(response, lines) : response;
  } catch {
    // A panic has replaced the instance that renewed it.
    return response;
  }
}

/**
 * @param {Promise<RenewedCookie | undefined>} renewal
 * @param {Response} response
 * @returns {Promise<string[]>}
 */
async function linesFor(renewal, { headers }) {
  const renewed = await renewal;
  return renewed === undefined ? [] : renewed.lines(headers.getSetCookie(), Date.now());
}

/**
 * @param {Promise<string[]>} lines
 * @returns {Promise<string[]>} none after the time
 */
function inTime(lines) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, PATIENCE, []);
    lines.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
