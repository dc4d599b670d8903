// What the Workers runtime calls. Everything is passed on to the Rust code.

import * as guard from "../build/bindings/guard.js";
import { share } from "./proxy/cors.js";
import { follow } from "./proxy/forward.js";
import { OriginFailure } from "./proxy/origin.js";
import { unkept } from "./proxy/page_cache.js";
import { withSiteAddress } from "./proxy/url_rewrite.js";
import { RequestContext } from "./proxy/request_context.js";
import { recall } from "./proxy/decision_cache.js";
import { noteCode, report } from "./proxy/access_log.js";

export { UserSessions } from "./stores/durable_object/class.js";

guard.replaceOnPanic();

export default {
  /**
   * Answers one request.
   * @param {Request} request
   * @param {unknown} env
   * @returns {Promise<Response>}
   */
  async fetch(request, env) {
    const passage = new RequestContext(request);
    let answer;
    try {
      const { method, url, authorization, cookie, began } = passage;
      const precedent = recall(passage);
      answer = await (precedent ? follow(passage, precedent) : guard.fetch(passage, method, url, authorization, cookie, began, env));
      answer = unkept(passage, answer);
      answer = withSiteAddress(answer, url);
      const { headers } = answer;
      const tells = headers.has("x-guard-login") || headers.has("x-guard-logout") || headers.has("x-guard-session-data");
      if (tells) answer = await guard.originSaid(passage, answer);
    } catch (error) {
      answer = failed(error);
    }
    share(passage, answer);
    return report(passage, answer);
  },
};

/**
 * The answer when something was thrown: the origin's failure, or a fault of the guard itself (see
 * `instance.js`). Either way the request ends.
 * @param {unknown} error
 * @returns {Response}
 */
function failed(error) {
  if (error instanceof OriginFailure) return guard.originFailed(error.timedOut, error.message);
  console.error(JSON.stringify({ level: "error", code: "internal_error", cause: String(error) }));
  const code = "internal_error";
  const type = `urn:session-guard:problem:${code}`;
  const detail = "The guard's log says more.";
  const problem = { type, title: "The guard has failed", status: 500, detail, code };
  const headers = { "content-type": "application/problem+json", "cache-control": "no-store" };
  const answer = new Response(JSON.stringify(problem), { status: 500, headers });
  noteCode(answer, code);
  return answer;
}
