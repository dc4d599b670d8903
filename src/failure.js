// The answer if the origin or the guard itself has failed: see `instance.js`. JavaScript, because Rust may be what failed.

import * as guard from "../build/bindings/guard.js";
import { setRefusalCode } from "./proxy/access_log.js";
import { OriginFailure } from "./proxy/origin.js";

/** @typedef {import("./proxy/request_context.js").RequestContext} RequestContext */

/**
 * @param {RequestContext} context
 * @param {unknown} env
 * @param {unknown} error
 * @returns {Promise<Response>}
 */
export async function failure(context, env, error) {
  if (error instanceof OriginFailure) return guard.originFailure(context, error.timedOut, error.message);
  // After a panic, a new instance is there in a moment.
  await Promise.resolve();
  try {
    return guard.internalError(context, String(error), /** @type {any} */ (env));
  } catch {
    return problem(error);
  }
}

/**
 * The same without Rust.
 * @param {unknown} error
 */
function problem(error) {
  const code = "internal_error";
  console.error(JSON.stringify({ level: "error", code, cause: String(error) }));
  const type = `urn:session-guard:problem:${code}`;
  const detail = "The guard's log says more.";
  const body = { type, title: "The guard has failed", status: 500, detail, code };
  const headers = { "content-type": "application/problem+json", "cache-control": "no-store" };
  const response = new Response(JSON.stringify(body), { status: 500, headers });
  setRefusalCode(response, code);
  return response;
}
