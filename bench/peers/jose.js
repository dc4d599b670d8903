// jose and @upstash/redis, combined as in their documentation. Long-lived objects are made once.

import { Redis } from "@upstash/redis/cloudflare";
import { importJWK, jwtVerify } from "jose";
import { identity, originHeaders, refusal, refused } from "./common.js";

/** @type {ReturnType<typeof prepare> | undefined} */
let app;

/** @param {any} env */
function prepare(env) {
  const [jwk] = JSON.parse(env.SIGNING_KEYS).keys.filter((/** @type {any} */ key) => key.alg === "HS256");
  const options = { issuer: env.ISSUER, audience: env.AUDIENCE, typ: "at+jwt", algorithms: ["HS256"], clockTolerance: 5, requiredClaims: ["sub", "sid", "jti", "iat", "exp"] };
  return { key: importJWK(jwk, "HS256"), options, redis: Redis.fromEnv(env) };
}

export default {
  /**
   * @param {Request} request
   * @param {any} env
   */
  async fetch(request, env) {
    app ??= prepare(env);
    const [scheme, token] = (request.headers.get("authorization") ?? "").split(" ");
    if (scheme?.toLowerCase() !== "bearer" || token === undefined) return refused("token_missing");
    /** @type {any} */
    let claims;
    try {
      ({ payload: claims } = await jwtVerify(token, await app.key, app.options));
    } catch (error) {
      return refused(/** @type {any} */ (error).code === "ERR_JWT_EXPIRED" ? "token_expired" : "token_invalid");
    }
    const session = await app.redis.hget(`guard:${btoa(claims.sub).replaceAll("=", "")}`, claims.sid);
    const reason = refusal(session, claims, Date.now());
    if (reason !== undefined) return refused(reason);
    const { pathname, search } = new URL(request.url);
    const headers = originHeaders(request.url, request.headers, identity(claims));
    return fetch(new Request(env.ORIGIN_URL + pathname + search, request), { headers, redirect: "manual" });
  },
};
