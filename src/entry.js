// The Worker's entry. JavaScript, because the runtime calls a module's default export and its exported classes. A
// request with a cached decision needs no call into Rust; Rust decides about all others.

import * as guard from "../build/bindings/guard.js";
import { report, setRefusalCode } from "./proxy/access_log.js";
import { carryOut, forwardCached } from "./proxy/carry_out.js";
import { addCorsHeaders } from "./proxy/cors.js";
import { findCachedDecision } from "./proxy/decision_cache.js";
import { OriginFailure } from "./proxy/origin.js";
import { hasCommand } from "./proxy/origin_commands.js";
import { preventPageCaching } from "./proxy/page_cache.js";
import { renewCookie } from "./proxy/renewal.js";
import { RequestContext } from "./proxy/request_context.js";
import { tellExpiry } from "./proxy/token_expiry.js";
import { withSiteUrls } from "./proxy/url_rewrite.js";

export { UserSessions } from "./stores/durable_object/object.js";

guard.replaceOnPanic();

export default {
  /**
   * Answers one request.
   * @param {Request} request
   * @param {unknown} env
   * @returns {Promise<Response>}
   */
  async fetch(request, env) {
    const context = new RequestContext(request);
    let response;
    try {
      const { method, url, authorization, cookie, startedAt } = context;
      const cached = findCachedDecision(context);
      response = await (cached ? forwardCached(context, cached) : carryOut(context, guard.handle(context, method, url, authorization, cookie, startedAt, env)));
      response = preventPageCaching(context, response);
      response = withSiteUrls(response, url);
      if (hasCommand(response)) response = await guard.obeyOrigin(context, response);
      if (context.tokenExpiresAt > 0) response = tellExpiry(context.tokenExpiresAt, response);
      if (context.renewal !== undefined) response = await renewCookie(context.renewal, response);
    } catch (error) {
      response = failure(error);
    }
    addCorsHeaders(context, response);
    return report(context, response);
  },
};

/**
 * The response if the origin or the guard itself has failed: see `instance.js`.
 * @param {unknown} error
 * @returns {Response}
 */
function failure(error) {
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
