// What other Workers of the account call over a service binding. JavaScript, because the runtime calls the methods of
// a class that extends its own.

import { WorkerEntrypoint } from "cloudflare:workers";
import * as guard from "../build/bindings/guard.js";
import { failure } from "./failure.js";
import { report } from "./proxy/access_log.js";
import { carryOut } from "./proxy/carry_out.js";
import { addCorsHeaders } from "./proxy/cors.js";
import { renewCookie } from "./proxy/renewal.js";
import { PROXY, RequestContext } from "./proxy/request_context.js";

/**
 * A request, or as much of it as is decided about.
 * @typedef {{ method: string, url: string, headers: HeadersInit, cf?: Request["cf"] }} DescribedRequest
 *
 * What is decided. If `ok`, `url` and `headers` are those of the request that may go on: without the guard's
 * credential, with the user's identity. `cookies` are `Set-Cookie` lines for the response. Otherwise, `status`, `headers`
 * and `body` are those of the response.
 * @typedef {{ ok: true, status: 200, url: string, headers: [string, string][], cookies: string[] }} Passes
 * @typedef {{ ok: false, status: number, headers: [string, string][], body: string }} Refused
 */

export class SessionGuard extends WorkerEntrypoint {
  /**
   * May a request pass?
   * @param {DescribedRequest} request
   * @returns {Promise<Passes | Refused>}
   */
  async verify({ method, url, headers, cf }) {
    const request = { method, url, headers: new Headers(headers), body: null, cf };
    const context = new RequestContext(/** @type {any} */ (request));
    context.recipient = PROXY;
    let response;
    try {
      const { authorization, cookie, startedAt } = context;
      const env = /** @type {any} */ (this.env);
      response = await carryOut(context, guard.verify(context, method, url, authorization, cookie, startedAt, env));
      if (context.renewal !== undefined) response = await renewCookie(context.renewal, response);
    } catch (error) {
      response = await failure(context, this.env, error);
    }
    addCorsHeaders(context, response);
    const { status, headers: told, body } = report(context, response);
    const { passed } = context;
    if (passed !== undefined && status === 200) return { ok: true, status, url: passed.url, headers: [...passed.headers], cookies: told.getSetCookie() };
    return { ok: false, status, headers: [...told], body: body === null ? "" : await new Response(body).text() };
  }
}
