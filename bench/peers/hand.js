// A guard as a careful person writes it by hand, with WebCrypto and every trick that the guard uses:
// everything that lasts made once, verified tokens and what follows from them remembered, the store
// asked by GET in the path form, its reply read as text and parsed only if it is news, one timer for both
// waits, and the headers of a token's last request used again.

import { refusal, refused } from "./common.js";
import { Limits, limitsOf } from "./limits.js";
import { Tokens, sent, untimely } from "./tokens.js";

/** @type {ReturnType<typeof prepare> | undefined} */
let app;

/** @param {Record<string, string>} env */
function prepare(env) {
  const headers = new Headers({ authorization: `Bearer ${env.UPSTASH_REDIS_REST_TOKEN}` });
  const ask = { method: "GET", headers, cache: /** @type {const} */ ("no-store") };
  const check = `${env.UPSTASH_REDIS_REST_URL}/evalsha/${env.SCRIPT}/1/`;
  return { tokens: new Tokens(env), ask, check, limits: limitsOf(env), origin: env.ORIGIN_URL ?? "" };
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
    /** @type {Limits | undefined} */
    const limits = app.limits && new Limits(app.limits);
    try {
      const asked = fetch(`${app.check}${key}/${now}/${claims.sid}`, app.ask).then(async (reply) => {
        const text = await reply.text();
        if (reply.status !== 200) throw new Error(text);
        return text;
      });
      const text = await (limits?.store(asked) ?? asked);
      if (text !== genuine.reply) {
        genuine.session = JSON.parse(JSON.parse(text).result);
        genuine.reply = text;
      }
    } catch {
      return refused("store_unavailable", 503);
    }
    const why = refusal(genuine.session, claims, Date.now());
    if (why !== undefined) return refused(why);
    const { url, method, body } = request;
    const headers = genuine.onward.headers(url, request.headers, identity);
    const there = app.origin + url.slice(url.indexOf("/", 8));
    if (app.limits === undefined) return fetch(there, { method, headers, body, redirect: "manual" });
    const answer = fetch(there, { method, headers, body, redirect: "manual", cf: app.limits.cf });
    return limits?.origin(answer) ?? answer;
  },
};
