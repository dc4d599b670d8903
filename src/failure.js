// The answer if the origin or the guard itself has failed: see `instance.js`. JavaScript, because Rust may be what failed.

import * as guard from "../build/bindings/guard.js";
import { setRefusalCode } from "./proxy/access_log.js";
import { OriginFailure } from "./proxy/origin.js";

/**
 * @param {unknown} error
 * @returns {Response}
 */
export function failure(error) {
  if (error instanceof OriginFailure) return guard.originFailure(error.timedOut, error.message);
  const code = "internal_error";
  console.error(JSON.stringify({ level: "error", code, cause: String(error) }));
  const type = `urn:session-guard:problem:${code}`;
  const detail = "The guard's log says more.";
  const problem = { type, title: "The guard has failed", status: 500, detail, code };
  const headers = { "content-type": "application/problem+json", "cache-control": "no-store" };
  const response = new Response(JSON.stringify(problem), { status: 500, headers });
  setRefusalCode(response, code);
  return response;
}
