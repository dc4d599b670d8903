// The stores' own concerns: outages, lost scripts, what is kept and for how long.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeJwt } from "jose";
import { createClient } from "redis";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { answerOf, bearer, loginInit, startGuard, type Guard, type LoggedIn, type Vars } from "./harness/guard.ts";
import { makeKey } from "./harness/jose.ts";
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
    await answerOf(guard.fetch("/_auth/health")),
    await answerOf(guard.fetch("/_auth/login", loginInit({ username: "ada" }))),
  ]) {
    expect(answer).toMatchObject({
      status: 503,
      headers: { "retry-after": "5", "content-type": "application/problem+json" },
      body: { code: "store_unavailable" },
    });
  }
});

test("an attempt to log in that cannot be counted does not reach the origin", async () => {
  await using guard = await startGuard({ ...redisVars("http://127.0.0.1:9"), LOGIN_RATE: undefined });
  const answer = await answerOf(guard.fetch("/_auth/login", loginInit({ username: "ada" })));
  expect(answer).toMatchObject({ status: 503, body: { code: "store_unavailable" } });
  expect(guard.origin.credentialChecks).toEqual([]);
});

test("a store that hangs is told from an unknown session, and is asked again when it is back", async () => {
  await using redis = await startRedis();
  await using guard = await startGuard({ ...redisVars(redis.restUrl), STORE_TIMEOUT: "1 second" });
  const { access_token } = await guard.login("ada");
  const visit = async () => (await answerOf(guard.fetch("/", bearer(access_token)))).status;
  expect(await visit()).toBe(200);
  guard.origin.received.length = 0;
  redis.pause();
  try {
    expect([await visit(), await visit()]).toEqual([503, 503]);
    expect(guard.origin.received).toEqual([]);
  } finally {
    redis.resume();
  }
  await expect.poll(visit, { timeout: 10_000 }).toBe(200);
});

test("a Durable Object that hangs, fails or is gone is told as such, and never as an answer", async () => {
  // By a path that the compiler does not follow: the module is typed for the Workers runtime.
  const { href } = new URL("../src/store.js", import.meta.url);
  const { askObject } = (await import(href)) as { askObject(...args: unknown[]): Promise<unknown> };
  const ask = (apply: () => Promise<string>) => askObject({ getByName: () => ({ apply }) }, "user:ada", "{}", 50);
  const [timedOut, unreachable] = [-1, -2];
  expect(await ask(() => new Promise(() => undefined))).toEqual({ status: timedOut, body: "" });
  expect(await ask(() => Promise.reject(new Error("overloaded")))).toEqual({ status: unreachable, body: "Error: overloaded" });
  expect(await ask(() => { throw new Error("gone"); })).toEqual({ status: unreachable, body: "Error: gone" });
  expect(await ask(() => Promise.resolve("{}"))).toEqual({ status: 200, body: "{}" });
});

test("allow-recent honours in an outage who was seen live, and nobody else", async () => {
  const redis = await startRedis();
  const SIGNING_KEYS = JSON.stringify({ keys: [makeKey("ES256").jwk] });
  await using guard = await startGuard({ ...redisVars(redis.restUrl), SIGNING_KEYS, STORE_FAILURE: "allow-recent: 1 minute" });
  const [seen, unseen] = [await guard.login("seen"), await guard.login("unseen")];
  const visit = async (token: string) => (await answerOf(guard.fetch("/", bearer(token)))).status;
  expect(await visit(seen.access_token)).toBe(200);
  await redis[Symbol.asyncDispose]();
  expect(await visit(seen.access_token)).toBe(200);
  expect(decodeJwt(String(guard.origin.received.at(-1)?.headers["x-auth-request-assertion"]))).toMatchObject({ sub: "seen" });
  expect(await visit(unseen.access_token)).toBe(503);
});

test("allow-recent honours nobody who has logged out, or was superseded, here", async () => {
  const redis = await startRedis();
  const vars = { ...redisVars(redis.restUrl), STORE_FAILURE: "allow-recent: 1 minute" };
  await using guard = await startGuard(vars);
  const [leaves, stays] = [await guard.login("leaves"), await guard.login("superseded")];
  const visit = async ({ access_token }: LoggedIn) => (await answerOf(guard.fetch("/", bearer(access_token)))).status;
  expect([await visit(leaves), await visit(stays)]).toEqual([200, 200]);
  await guard.fetch("/_auth/logout", { method: "POST", ...bearer(leaves.access_token) });
  await guard.login("superseded");
  await redis[Symbol.asyncDispose]();
  expect([await visit(leaves), await visit(stays)]).toEqual([503, 503]);
});

test("the nearest replica may answer a check, when that was chosen", async () => {
  await using guard = await startGuard({ ...redisVars(inject("restUrl")), READ_CONSISTENCY: "nearest" });
  const [first, second] = [await guard.login("ada"), await guard.login("ada")];
  const visit = async ({ access_token }: LoggedIn) => (await answerOf(guard.fetch("/", bearer(access_token)))).status;
  expect([await visit(first), await visit(second)]).toEqual([401, 200]);
});

test("a wrong token of the store is an outage, and never reaches the log", async () => {
  const vars = { ...redisVars(inject("restUrl")), UPSTASH_REDIS_REST_TOKEN: "wrong-and-secret" };
  await using guard = await startGuard(vars);
  expect(await answerOf(guard.fetch("/_auth/health"))).toMatchObject({ status: 503 });
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
  const logout = await guard.fetch("/_auth/logout", { method: "POST", ...bearer(access_token) });
  expect(logout.status).toBe(204);
  expect(await answerOf(guard.fetch("/", bearer(access_token)))).toMatchObject({ status: 401 });
  client.destroy();
});

test("no session is lost when Redis is killed and comes back, if it keeps an append-only file", async () => {
  await using redis = await startRedis({ keeps: true });
  await using guard = await startGuard({ ...redisVars(redis.restUrl), SESSION_LIMIT: "0" });
  const logins = await Promise.all(Array.from({ length: 20 }, (_, i) => guard.login(`user-${i % 5}`)));
  const [ended, ...live] = logins as [LoggedIn, ...LoggedIn[]];
  await guard.fetch("/_auth/logout", { method: "POST", ...bearer(ended.access_token) });
  const statuses = () => Promise.all(logins.map(async ({ access_token }) => (await guard.fetch("/", bearer(access_token))).status));
  // In mid-use: some are asked about while it is away, and refused, but not forgotten.
  const meanwhile = redis.restart().then(() => "back");
  const during = await Promise.all(live.map(async ({ access_token }) => (await guard.fetch("/", bearer(access_token))).status));
  for (const status of during) expect([200, 503]).toContain(status);
  expect(await meanwhile).toBe("back");
  await expect.poll(statuses, { timeout: 20_000 }).toEqual([401, ...live.map(() => 200)]);
});

test("Redis holds one hash per user, which expires a minute after the last session, and an index, which expires with it", async () => {
  await using redis = await startRedis();
  await using guard = await startGuard({ ...redisVars(redis.restUrl), REDIS_KEYSPACE: "ks:", SESSION_TTL: "1 hour" });
  await guard.login("ada");
  await guard.login("ada");
  await guard.login("b:{o}b");
  const client = await createClient({ url: redis.redisUrl }).connect();
  const index = ["ks:{index}:deadlines", "ks:{index}:order", "ks:{index}:users"];
  await indexed(client, "ks:", 2);
  expect((await client.keys("*")).sort()).toEqual(["ks:YWRh", "ks:Yjp7b31i", ...index]);
  expect(await client.hLen("ks:YWRh")).toBe(2);
  for (const key of index) {
    const left = await client.pTTL(key);
    expect([key, left > 3_590_000 && left <= 3_600_000]).toEqual([key, true]);
  }
  const left = await client.pTTL("ks:YWRh");
  expect(left).toBeGreaterThan(3_650_000);
  expect(left).toBeLessThanOrEqual(3_660_000);
  client.destroy();
});

/** Waits until the index has so many sessions: it is written after the answer. */
const indexed = (client: { zCard(key: string): Promise<number> }, keyspace: string, sessions: number) =>
  expect.poll(() => client.zCard(`${keyspace}{index}:deadlines`)).toBe(sessions);

test("a check of a session nobody began writes nothing", async () => {
  await using redis = await startRedis();
  await using guard = await startGuard({ ...redisVars(redis.restUrl), REDIS_KEYSPACE: "ks:", SESSION_IDLE_TIMEOUT: "1 hour" });
  const { access_token } = await guard.login("ada");
  const client = await createClient({ url: redis.redisUrl }).connect();
  await indexed(client, "ks:", 1);
  await client.flushAll();
  for (let i = 0; i < 3; i += 1) {
    const answer = await answerOf(guard.fetch("/", bearer(access_token)));
    expect(answer).toMatchObject({ status: 401, body: { code: "session_unknown" } });
  }
  expect(await client.dbSize()).toBe(0);
  client.destroy();
});

describe("a user's Durable Object", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "session-guard-objects-"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  const code = async (guard: Guard, { access_token }: LoggedIn) => {
    const { status, body } = await answerOf(guard.fetch("/", bearer(access_token)));
    return status === 200 ? 200 : (body as Record<string, unknown>)["code"];
  };

  test("keeps sessions and tombstones over a restart", async () => {
    const before = await startGuard({}, { persist: folder });
    const [superseded, live, revoked] = [await before.login("ada"), await before.login("ada"), await before.login("ben")];
    await before.fetch("/_auth/logout", { method: "POST", ...bearer(revoked.access_token) });
    await before[Symbol.asyncDispose]();
    await using after = await startGuard({}, { persist: folder });
    const codes = [await code(after, superseded), await code(after, live), await code(after, revoked)];
    expect(codes).toEqual(["session_superseded", 200, "session_revoked"]);
    expect((await after.login("ada")).ended.map(({ sid }) => sid)).toEqual([live.session.sid]);
  });

  test("forgets by its alarm what need not be kept, and leaves nothing behind", async () => {
    await using guard = await startGuard({}, { persist: folder });
    const objects = await guard.miniflare.getDurableObjectNamespace("USER_SESSIONS");
    const object = objects.get(objects.idFromName("user:forgotten")) as unknown as { apply(command: string): Promise<string> };
    const now = Date.now();
    // Records are kept for a minute past their deadline; this one has three seconds left.
    const session = { sid: "old", jti: "jti", created: 1, seen: 1, expires: now - 57_000, device: "other" };
    await object.apply(JSON.stringify({ open: { session, limit: null, end: [], now: now - 60_000 } }));
    const check = JSON.stringify({ check: { sid: "old", idle_timeout: null, now } });
    expect(JSON.parse(await object.apply(check))).toMatchObject({ found: { sid: "old" } });
    await expect.poll(async () => JSON.parse(await object.apply(check)), { timeout: 10_000 }).toEqual({ found: null });
  });
});
