// A guard as a careful person writes it by hand, with WebCrypto and every trick that the guard uses:
// everything that lasts made once, verified tokens and what follows from them remembered, the store
// asked by GET in the path form, its reply read as text, nothing copied twice.

import { inTime, onward, refusal, refused } from "./common.js";
import { Tokens, sent, untimely } from "./tokens.js";

/** @type {ReturnType<typeof prepare> | undefined} */
let app;

/** @param {Record<string, string>} env */
function prepare(env) {
  const headers = new Headers({ authorization: `Bearer ${env.UPSTASH_REDIS_REST_TOKEN}` });
  const ask = { method: "GET", headers, cache: /** @type {const} */ ("no-store") };
  const check = `${env.UPSTASH_REDIS_REST_URL}/evalsha/${env.SCRIPT}/1/`;
  // What the guard does by default, too: it waits for neither for ever, and keeps Cloudflare's cache out.
  const limits = env.LIMITS ? { store: 1_000, origin: 30_000, cf: { cacheTtlByStatus: { "100-599": -1 } } } : undefined;
  return { tokens: new Tokens(env), ask, check, limits, origin: env.ORIGIN_URL ?? "" };
}

export default {
  /**
   * @param {Request} request
   * @param {Record<string, string>} env
   */
  async fetch(request, env) {
    app ??= prepare(env);
    const token = sent(request.headers);
    if (token === undefined) return refused("token_missing");
    const genuine = app.tokens.recall(token) ?? (await app.tokens.verify(token));
    if (genuine === undefined) return refused("token_invalid");
    const now = Date.now();
    const { claims, key, identity } = genuine;
    const early = untimely(claims, now / 1000);
    if (early !== undefined) return refused(early);
    let session;
    try {
      const asked = fetch(`${app.check}${key}/${now}/${claims.sid}`, app.ask);
      const reply = await (app.limits ? inTime(asked, app.limits.store) : asked);
      const { result } = JSON.parse(await reply.text());
      if (reply.status !== 200 || result === undefined) return refused("store_unavailable", 503);
      session = JSON.parse(result);
    } catch {
      return refused("store_unavailable", 503);
    }
    const why = refusal(session, claims, now);
    if (why !== undefined) return refused(why);
    const { url, method, body } = request;
    const headers = onward(url, request.headers, identity);
    const there = app.origin + url.slice(url.indexOf("/", 8));
    if (app.limits === undefined) return fetch(there, { method, headers, body, redirect: "manual" });
    const { cf, origin } = app.limits;
    return inTime(fetch(there, { method, headers, body, redirect: "manual", cf }), origin);
  },
};
