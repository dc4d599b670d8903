// The Worker's entry. JavaScript, because the runtime calls a module's default export and its exported classes. A
// request with a cached decision needs no call into Rust; Rust decides about all others.

import * as guard from "../build/bindings/guard.js";
import { failure } from "./failure.js";
import { report } from "./proxy/access_log.js";
import { carryOut, forwardCached } from "./proxy/carry_out.js";
import { isToldByConnection } from "./proxy/client_address.js";
import { addCorsHeaders } from "./proxy/cors.js";
import { findCachedDecision } from "./proxy/decision_cache.js";
import { hasCommand } from "./proxy/origin_commands.js";
import { preventPageCaching } from "./proxy/page_cache.js";
import { renewCookie } from "./proxy/renewal.js";
import { RequestContext } from "./proxy/request_context.js";
import { tellExpiry } from "./proxy/token_expiry.js";
import { withSiteUrls } from "./proxy/url_rewrite.js";

export { SessionGuard } from "./session_guard.js";
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
      if (isToldByConnection(request)) guard.findSender(context, env);
      const { method, url, authorization, cookie, startedAt } = context;
      const cached = findCachedDecision(context);
      response = await (cached ? forwardCached(context, cached) : carryOut(context, guard.handle(context, method, url, authorization, cookie, startedAt, env)));
      response = preventPageCaching(context, response);
      response = withSiteUrls(response, url);
      if (hasCommand(response)) response = await guard.obeyOrigin(context, response);
      if (context.tokenExpiresAt > 0) response = tellExpiry(context.tokenExpiresAt, response);
      if (context.renewal !== undefined) response = await renewCookie(context.renewal, response);
    } catch (error) {
      response = await failure(context, env, error);
    }
    addCorsHeaders(context, response);
    return report(context, response);
  },
};
