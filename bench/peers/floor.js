// The two fetches that guarding a request takes, in their cheapest form, with the header work that
// goes with them, and nothing checked. What is left of a guard's cost above this is the guard's own.

import { RESERVED, tellClient } from "./common.js";

/** @type {{ headers: Headers, cache: "no-store" } | undefined} */
let ask;
/** @type {string} */
let question;

export default {
  /**
   * @param {Request} request
   * @param {Record<string, string>} env
   */
  async fetch(request, env) {
    ask ??= { headers: new Headers({ authorization: `Bearer ${env.UPSTASH_REDIS_REST_TOKEN}` }), cache: "no-store" };
    question ??= `${env.UPSTASH_REDIS_REST_URL}/evalsha/${env.SCRIPT}/1/guard%3AbS0wMDAwMDAw/1790000000000/BwcHBwcHBwcHBwcHBwcHBw`;
    const reply = await fetch(question, ask);
    await reply.text();
    const { method, body, url } = request;
    const headers = new Headers(request.headers);
    headers.delete("authorization");
    if (env.SCAN) for (const name of headers.keys()) if (RESERVED.test(name)) headers.delete(name);
    headers.set("X-Auth-Request-User", "m-0000000");
    headers.set("X-Auth-Request-Session", "BwcHBwcHBwcHBwcHBwcHBw");
    headers.set("X-Auth-Request-Email", "m-0000000@rowing.example");
    headers.set("X-Auth-Request-Groups", "member,board");
    headers.set("X-Auth-Request-Claim-email", "m-0000000@rowing.example");
    headers.set("X-Auth-Request-Claim-roles", '["member","board"]');
    tellClient(url, request.headers, headers);
    return fetch(env.ORIGIN_URL + url.slice(url.indexOf("/", 8)), { method, headers, body, redirect: "manual" });
  },
};
