// CORS headers on the guard's own responses. JavaScript, so that a request costs no wasm call when no origin is
// allowed. Which origin may read which response is decided in Rust.

import { setCorsHeaders } from "../../build/bindings/guard.js";
import { isRefusal } from "./access_log.js";

/** @typedef {import("./request_context.js").RequestContext} RequestContext */

/** Does `ALLOWED_ORIGINS` name any? */
let isOn = false;

/** @param {boolean} on does `ALLOWED_ORIGINS` name any? */
export function configureCors(on) {
  isOn = on;
}

/**
 * Adds CORS headers to a response of the guard's own. The origin sets its own.
 * @param {RequestContext} context
 * @param {Response} response
 */
export function addCorsHeaders(context, response) {
  if (isOn && response.status !== 101 && (context.isOwnEndpoint || isRefusal(response))) setCorsHeaders(context, response);
}
