// Hono with its JWT middleware and @upstash/redis, combined as in their documentation.

import { Redis } from "@upstash/redis/cloudflare";
import { Hono } from "hono";
import { jwt } from "hono/jwt";
import { identity, originHeaders, refusal, refused } from "./common.js";

/** @type {Hono<{ Bindings: any }>} */
const app = new Hono();

/** @type {import("hono").MiddlewareHandler | undefined} */
let verify;
/** @type {Redis | undefined} */
let redis;

app.use((c, next) => {
  verify ??= jwt({ secret: secretOf(c.env), alg: "HS256", verification: { iss: c.env.ISSUER, aud: c.env.AUDIENCE, typ: "at+jwt" } });
  return verify(c, next);
});

app.use(async (c, next) => {
  /** @type {any} */
  const claims = c.get("jwtPayload");
  redis ??= Redis.fromEnv(c.env);
  const session = await redis.hget(`guard:${btoa(claims.sub).replaceAll("=", "")}`, claims.sid);
  const reason = refusal(session, claims, Date.now());
  return reason === undefined ? next() : refused(reason);
});

app.all("*", (c) => {
  const { pathname, search } = new URL(c.req.url);
  const headers = originHeaders(c.req.raw.url, c.req.raw.headers, identity(c.get("jwtPayload")));
  return fetch(new Request(c.env.ORIGIN_URL + pathname + search, c.req.raw), { headers, redirect: "manual" });
});

/**
 * The bench's key is text, because the middleware requires it.
 * @param {any} env
 */
function secretOf(env) {
  const [{ k }] = JSON.parse(env.SIGNING_KEYS).keys.filter((/** @type {any} */ key) => key.alg === "HS256");
  return atob(k.replaceAll("-", "+").replaceAll("_", "/"));
}

export default app;
