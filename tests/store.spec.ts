// The stores' own concerns: outages, lost scripts, what is kept and for how long.

import { createClient } from "redis";
import { expect, inject, test } from "vitest";
import { answerOf, bearer, startGuard, type Vars } from "./harness/guard.ts";
import { REST_TOKEN, startRedis } from "./harness/redis.ts";

const redisVars = (restUrl: string): Vars => ({
  SESSION_STORE: "redis",
  UPSTASH_REDIS_REST_URL: restUrl,
  UPSTASH_REDIS_REST_TOKEN: REST_TOKEN,
  REDIS_KEYSPACE: `store:${Math.random()}:`,
});

test("a store that is away lets nobody in, and says when to come back", async () => {
  await using guard = await startGuard(redisVars("http://127.0.0.1:9"));
  for (const answer of [
    await answerOf(guard.fetch("/auth/health")),
    await answerOf(guard.fetch("/auth/login", { method: "POST", headers: { "content-type": "application/json" }, body: '{"username":"ada","password":"correct horse"}' })),
  ]) {
    expect(answer).toMatchObject({
      status: 503,
      headers: { "retry-after": "5", "content-type": "application/problem+json" },
      body: { code: "store_unavailable" },
    });
  }
});

test("an outage is told from an unknown session, and is over when the store is back", async () => {
  await using redis = await startRedis();
  await using guard = await startGuard({ ...redisVars(redis.restUrl), STORE_TIMEOUT: "500ms" });
  const { access_token } = await guard.login("ada");
  const visit = async () => (await answerOf(guard.fetch("/", bearer(access_token)))).status;
  expect(await visit()).toBe(200);
  const client = await createClient({ url: redis.redisUrl }).connect();
  // A Redis that answers nobody for a while.
  await client.sendCommand(["CLIENT", "PAUSE", "1500", "ALL"]);
  expect(await visit()).toBe(503);
  guard.origin.received.length = 0;
  expect(await visit()).toBe(503);
  expect(guard.origin.received).toEqual([]);
  await expect.poll(visit, { timeout: 10_000 }).toBe(200);
  client.destroy();
});

test("allow-recent honours in an outage who was seen live, and nobody else", async () => {
  const redis = await startRedis();
  await using guard = await startGuard({ ...redisVars(redis.restUrl), STORE_FAILURE: "allow-recent: 1 minute" });
  const [seen, unseen] = [await guard.login("seen"), await guard.login("unseen")];
  const visit = async (token: string) => (await answerOf(guard.fetch("/", bearer(token)))).status;
  expect(await visit(seen.access_token)).toBe(200);
  await redis[Symbol.asyncDispose]();
  expect(await visit(seen.access_token)).toBe(200);
  expect(await visit(unseen.access_token)).toBe(503);
});

test("a wrong token of the store is an outage, and never reaches the log", async () => {
  const vars = { ...redisVars(inject("restUrl")), UPSTASH_REDIS_REST_TOKEN: "wrong-and-secret" };
  await using guard = await startGuard(vars);
  expect(await answerOf(guard.fetch("/auth/health"))).toMatchObject({ status: 503 });
  await expect.poll(() => guard.log.join("\n")).toContain("WRONGPASS");
  expect(guard.log.join("\n")).not.toContain("wrong-and-secret");
});

test("scripts that Redis has forgotten are sent again, for every command", async () => {
  await using redis = await startRedis();
  await using guard = await startGuard(redisVars(redis.restUrl));
  const client = await createClient({ url: redis.redisUrl }).connect();
  const { access_token } = await guard.login("ada");
  await client.scriptFlush();
  expect(await answerOf(guard.fetch("/", bearer(access_token)))).toMatchObject({ status: 200 });
  await client.scriptFlush();
  const logout = await guard.fetch("/auth/logout", { method: "POST", ...bearer(access_token) });
  expect(logout.status).toBe(204);
  expect(await answerOf(guard.fetch("/", bearer(access_token)))).toMatchObject({ status: 401 });
  client.destroy();
});

test("Redis holds one hash per user, which expires a minute after the last session", async () => {
  await using redis = await startRedis();
  await using guard = await startGuard({ ...redisVars(redis.restUrl), REDIS_KEYSPACE: "ks:", SESSION_TTL: "1 hour" });
  await guard.login("ada");
  await guard.login("ada");
  await guard.login("b:{o}b");
  const client = await createClient({ url: redis.redisUrl }).connect();
  const keys = (await client.keys("*")).sort();
  expect(keys).toEqual(["ks:YWRh", "ks:Yjp7b31i"]);
  expect(await client.hLen("ks:YWRh")).toBe(2);
  const left = await client.pTTL("ks:YWRh");
  expect(left).toBeGreaterThan(3_650_000);
  expect(left).toBeLessThanOrEqual(3_660_000);
  client.destroy();
});

test("a check of a session nobody began writes nothing", async () => {
  await using redis = await startRedis();
  await using guard = await startGuard({ ...redisVars(redis.restUrl), SESSION_IDLE_TIMEOUT: "1 hour" });
  const { access_token } = await guard.login("ada");
  const client = await createClient({ url: redis.redisUrl }).connect();
  await client.flushAll();
  for (let i = 0; i < 3; i += 1) {
    const answer = await answerOf(guard.fetch("/", bearer(access_token)));
    expect(answer).toMatchObject({ status: 401, body: { code: "session_unknown" } });
  }
  expect(await client.dbSize()).toBe(0);
  client.destroy();
});
