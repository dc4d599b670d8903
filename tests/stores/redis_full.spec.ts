// A Redis whose memory is full: sessions still end, and none begins.

import { createClient } from "redis";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { answerOf, bearer, loginInit, mint, startGuard, type Guard, type LoggedIn } from "../harness/guard.ts";
import { startIssuer, type Issuer } from "../harness/identity_provider.ts";
import { redisVars, startRedis, type RedisAndBridge } from "../harness/redis.ts";
import { openSocket } from "../harness/websocket.ts";

describe("a Redis that is full and does not evict", () => {
  const START = { SESSION_IDLE_TIMEOUT: "2 seconds", SESSION_LIMIT: "2", ADMIN_API_KEY: "an-admin-api-key-of-forty-characters-and-more" };
  const key = { authorization: `Bearer ${START.ADMIN_API_KEY}` };
  let redis: RedisAndBridge;
  let guard: Guard;
  let issuer: Issuer;
  let client: Awaited<ReturnType<typeof connectTo>>;
  const connectTo = (url: string) => createClient({ url }).connect();
  const setFull = (isFull: boolean) => client.configSet("maxmemory", isFull ? "1" : "0");
  beforeAll(async () => {
    redis = await startRedis();
    issuer = await startIssuer();
    guard = await startGuard({ ...redisVars(redis.restUrl), ...START, TRUSTED_ISSUERS: JSON.stringify([issuer.entry()]) });
    client = await connectTo(redis.redisUrl);
  });
  afterEach(() => setFull(false));
  afterAll(async () => {
    client.destroy();
    await guard[Symbol.asyncDispose]();
    await issuer[Symbol.asyncDispose]();
    await redis[Symbol.asyncDispose]();
  });
  const visit = async ({ access_token }: LoggedIn) => (await guard.fetch("/", bearer(access_token))).status;

  test.each<[string, number, (entry: LoggedIn) => [string, RequestInit]]>([
    ["a logout", 204, ({ access_token }) => ["/_auth/logout", { method: "POST", ...bearer(access_token) }]],
    ["a logout from everywhere", 204, ({ access_token }) => ["/_auth/logout?scope=global", { method: "POST", ...bearer(access_token) }]],
    ["the end of one of the user's own", 204, ({ access_token, session }) => [`/_auth/sessions/${session.sid}`, { method: "DELETE", ...bearer(access_token) }]],
    ["the end of one by an admin", 200, ({ session }) => [`/_auth/admin/users/full/sessions/${session.sid}`, { method: "DELETE", headers: key }]],
    ["the end of all by an admin", 200, () => ["/_auth/admin/users/full/sessions", { method: "DELETE", headers: key }]],
    ["a revocation", 200, ({ access_token }) => ["/_auth/revoke", { method: "POST", headers: key, body: new URLSearchParams({ token: access_token }) }]],
  ])("still ends sessions: %s is answered with %i, and listeners are told", async (_, status, end) => {
    const entry = await guard.login("full");
    await using socket = await openSocket(`${guard.url}/_auth/events`, bearer(entry.access_token).headers as Record<string, string>);
    await setFull(true);
    const answer = await answerOf(guard.fetch(...end(entry)));
    expect(answer, JSON.stringify(answer)).toMatchObject({ status });
    expect(await visit(entry)).toBe(401);
    expect(await socket.closed).toMatchObject({ code: 4001, reason: "session_revoked" });
  });

  test("still ends sessions by back-channel logout, which is answered with 503 because it could not be stored", async () => {
    const login = await guard.fetch("/_auth/login", { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ id_token: issuer.idToken({ sub: "issued" }) }) });
    const entry = (await login.json()) as LoggedIn;
    await setFull(true);
    const init = { method: "POST", body: new URLSearchParams({ logout_token: issuer.logoutToken({ sub: "issued" }) }) };
    expect((await guard.fetch("/_auth/backchannel-logout", init)).status).toBe(503);
    expect(await visit(entry)).toBe(401);
    await setFull(false);
    expect((await guard.fetch("/_auth/backchannel-logout", init)).status).toBe(200);
  });

  test("still ends the session of a reused token", async () => {
    const entry = await guard.login("reused");
    await guard.fetch("/_auth/refresh", { method: "POST", ...bearer(entry.access_token) });
    const old = await mint({ sub: "reused", sid: entry.session.sid, jti: "of-old", iat: Math.floor(Date.now() / 1000) - 60 });
    await setFull(true);
    expect((await guard.fetch("/", bearer(old))).status).toBe(401);
    expect(await visit(entry)).toBe(401);
  });

  test("begins no session, and ends none for it", async () => {
    const [one, other] = [await guard.login("enters"), await guard.login("enters")];
    await setFull(true);
    const answer = await answerOf(guard.fetch("/_auth/login", loginInit({ username: "enters" })));
    expect(answer).toMatchObject({ status: 503, headers: { "retry-after": "5" }, body: { code: "store_unavailable" } });
    expect([await visit(one), await visit(other)]).toEqual([200, 200]);
    await setFull(false);
    expect((await guard.login("enters")).ended.map(({ sid }) => sid)).toEqual([one.session.sid]);
  });

  test("locks out nobody who is logged in, except by the idle timeout", async () => {
    const entry = await guard.login("idles");
    await setFull(true);
    const end = Date.parse(String(entry.session["expires_at"]));
    while (Date.now() < end - 500) expect(await visit(entry)).toBe(200);
    await expect.poll(() => visit(entry), { timeout: 10_000 }).toBe(401);
  });
});
