// A guard written by hand with WebCrypto and all optimisations of the guard: long-lived objects are made once; verified
// tokens and what derives from them are cached; the store is queried by GET in the path form; its reply is parsed only if
// its text has changed; one timer serves both timeouts; and the headers of a token's last request are reused.

import { refusal, refused } from "./common.js";
import { Timeouts, timeoutsOf } from "./timeouts.js";
import { Tokens, presentedToken, timeError } from "./tokens.js";

/** @type {ReturnType<typeof prepare> | undefined} */
let app;

/** @param {Record<string, string>} env */
function prepare(env) {
  const headers = new Headers({ authorization: `Bearer ${env.UPSTASH_REDIS_REST_TOKEN}` });
  const checkInit = { method: "GET", headers, cache: /** @type {const} */ ("no-store") };
  const check = `${env.UPSTASH_REDIS_REST_URL}/evalsha/${env.SCRIPT}/1/`;
  return { tokens: new Tokens(env), checkInit, check, timeouts: timeoutsOf(env), origin: env.ORIGIN_URL ?? "" };
}

export default {
  /**
   * @param {Request} request
   * @param {Record<string, string>} env
   */
  async fetch(request, env) {
    app ??= prepare(env);
    const token = presentedToken(request.headers);
    if (token === undefined) return refused("token_missing");
    const verified = app.tokens.cached(token) ?? (await app.tokens.verify(token));
    if (verified === undefined) return refused("token_invalid");
    const now = Date.now();
    const { claims, key, identity } = verified;
    const outsideValidity = timeError(claims, now / 1000);
    if (outsideValidity !== undefined) return refused(outsideValidity);
    /** @type {Timeouts | undefined} */
    const timeouts = app.timeouts && new Timeouts(app.timeouts);
    try {
      const pending = fetch(`${app.check}${key}/${now}/${claims.sid}`, app.checkInit).then(async (reply) => {
        const text = await reply.text();
        if (reply.status !== 200) throw new Error(text);
        return text;
      });
      const text = await (timeouts?.store(pending) ?? pending);
      if (text !== verified.reply) {
        verified.session = JSON.parse(JSON.parse(text).result);
        verified.reply = text;
      }
    } catch {
      return refused("store_unavailable", 503);
    }
    const reason = refusal(verified.session, claims, Date.now());
    if (reason !== undefined) return refused(reason);
    const { url, method, body } = request;
    const headers = verified.originHeaders.headers(url, request.headers, identity);
    const target = app.origin + url.slice(url.indexOf("/", 8));
    if (app.timeouts === undefined) return fetch(target, { method, headers, body, redirect: "manual" });
    const response = fetch(target, { method, headers, body, redirect: "manual", cf: app.timeouts.cf });
    return timeouts?.origin(response) ?? response;
  },
};
