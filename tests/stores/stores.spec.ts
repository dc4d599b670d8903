// The stores' own concerns: outages, lost scripts, what is kept and for how long.

import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeJwt } from "jose";
import { createClient } from "redis";
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from "vitest";
import { answerOf, bearer, loginInit, mint, startGuard, type Guard, type LoggedIn, type Vars } from "../harness/guard.ts";
import { makeKey } from "../harness/signing_keys.ts";
import { startIssuer, type Issuer } from "../harness/identity_provider.ts";
import { REST_TOKEN, startRedis, type RedisAndBridge } from "../harness/redis.ts";
import { openSocket } from "../harness/websocket.ts";

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
  const { href } = new URL("../../src/stores/client.js", import.meta.url);
  const { askObject } = (await import(href)) as { askObject(...args: unknown[]): Promise<unknown> };
  const ask = (apply: () => Promise<string>) => askObject({ getByName: () => ({ apply }) }, "user:ada", "{}", true, 50);
  const [timedOut, unreachable] = [-1, -2];
  expect(await ask(() => new Promise(() => undefined))).toEqual({ status: timedOut, body: "" });
  expect(await ask(() => Promise.reject(new Error("overloaded")))).toEqual({ status: unreachable, body: "Error: overloaded" });
  expect(await ask(() => { throw new Error("gone"); })).toEqual({ status: unreachable, body: "Error: gone" });
  expect(await ask(() => Promise.resolve("{}"))).toEqual({ status: 200, body: "{}" });
});

test.each([
  ["overloaded", { overloaded: true, retryable: true }, true, 1],
  ["reset, and the command must not come twice", { durableObjectReset: true, retryable: true }, false, 1],
  ["reset", { durableObjectReset: true }, true, 2],
  ["out of reach for a moment", { retryable: true }, true, 2],
  ["broken by its own code", { remote: true }, true, 1],
])("a Durable Object that is %s is asked as often as that helps", async (_, kind, isRepeatable, times) => {
  const { href } = new URL("../../src/stores/client.js", import.meta.url);
  const { askObject } = (await import(href)) as { askObject(...args: unknown[]): Promise<unknown> };
  let [stubs, asked] = [0, 0];
  const apply = () => {
    asked += 1;
    return Promise.reject(Object.assign(new Error("gone"), kind));
  };
  const getByName = () => {
    stubs += 1;
    return { apply };
  };
  expect(await askObject({ getByName }, "user:ada", "{}", isRepeatable, 1_000)).toEqual({ status: -2, body: "Error: gone" });
  expect([asked, stubs]).toEqual([times, times]);
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

test("the nearest replica's primary learns all the same that a refreshed token's successor is used", async () => {
  const vars = { ...redisVars(inject("restUrl")), READ_CONSISTENCY: "nearest" };
  await using guard = await startGuard(vars, { clock: true });
  const { access_token: old } = await guard.login("ada");
  const at = (token: string, clock: number): RequestInit => ({ headers: { ...bearer(token).headers, "x-clock": `${clock}` } });
  const visit = async (token: string, clock: number) => (await guard.fetch("/", at(token, clock))).status;
  const { access_token: next } = (await (await guard.fetch("/_auth/refresh", { method: "POST", ...at(old, 0) })).json()) as LoggedIn;
  expect(await visit(old, 60_000), "nobody has used the other").toBe(200);
  expect(await visit(next, 60_000)).toBe(200);
  await expect.poll(() => visit(old, 60_000)).toBe(401);
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

describe("a Redis that is full and evicts nothing", () => {
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
  ])("ends sessions all the same: %s is answered by %i, and its listeners are told", async (_, status, end) => {
    const entry = await guard.login("full");
    await using socket = await openSocket(`${guard.url}/_auth/events`, bearer(entry.access_token).headers as Record<string, string>);
    await setFull(true);
    const answer = await answerOf(guard.fetch(...end(entry)));
    expect(answer, JSON.stringify(answer)).toMatchObject({ status });
    expect(await visit(entry)).toBe(401);
    expect(await socket.closed).toMatchObject({ code: 4001, reason: "session_revoked" });
  });

  test("ends sessions at the issuer's word, which is told that it could not be noted", async () => {
    const login = await guard.fetch("/_auth/login", { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ id_token: issuer.idToken({ sub: "issued" }) }) });
    const entry = (await login.json()) as LoggedIn;
    await setFull(true);
    const init = { method: "POST", body: new URLSearchParams({ logout_token: issuer.logoutToken({ sub: "issued" }) }) };
    expect((await guard.fetch("/_auth/backchannel-logout", init)).status).toBe(503);
    expect(await visit(entry)).toBe(401);
    await setFull(false);
    expect((await guard.fetch("/_auth/backchannel-logout", init)).status).toBe(200);
  });

  test("ends the session of which an old token was used", async () => {
    const entry = await guard.login("reused");
    await guard.fetch("/_auth/refresh", { method: "POST", ...bearer(entry.access_token) });
    const old = await mint({ sub: "reused", sid: entry.session.sid, jti: "of-old", iat: Math.floor(Date.now() / 1000) - 60 });
    await setFull(true);
    expect((await guard.fetch("/", bearer(old))).status).toBe(401);
    expect(await visit(entry)).toBe(401);
  });

  test("begins no session, and ends nobody's for one", async () => {
    const [one, other] = [await guard.login("enters"), await guard.login("enters")];
    await setFull(true);
    const answer = await answerOf(guard.fetch("/_auth/login", loginInit({ username: "enters" })));
    expect(answer).toMatchObject({ status: 503, headers: { "retry-after": "5" }, body: { code: "store_unavailable" } });
    expect([await visit(one), await visit(other)]).toEqual([200, 200]);
    await setFull(false);
    expect((await guard.login("enters")).ended.map(({ sid }) => sid)).toEqual([one.session.sid]);
  });

  test("shuts out nobody who is logged in, but for their idle timeout", async () => {
    const entry = await guard.login("idles");
    await setFull(true);
    const end = Date.parse(String(entry.session["expires_at"]));
    while (Date.now() < end - 500) expect(await visit(entry)).toBe(200);
    await expect.poll(() => visit(entry), { timeout: 10_000 }).toBe(401);
  });
});

test("a record of another session is no answer, also where the same was asked before", async () => {
  const vars: Vars = { ...redisVars(inject("restUrl")), SESSION_LIMIT: "0" };
  await using guard = await startGuard(vars);
  const [one, other] = [await guard.login("ada"), await guard.login("ada")];
  const visit = async ({ access_token }: LoggedIn) => (await guard.fetch("/", bearer(access_token))).status;
  for (let time = 0; time < 3; time += 1) expect(await visit(one)).toBe(200);
  const client = await createClient({ url: inject("redisUrl") }).connect();
  const key = `${String(vars["REDIS_KEYSPACE"])}YWRh`;
  await client.hSet(key, one.session.sid, (await client.hGet(key, other.session.sid)) ?? "");
  client.destroy();
  for (let time = 0; time < 3; time += 1) expect([await visit(one), await visit(other)]).toEqual([503, 200]);
  expect(await answerOf(guard.fetch("/_auth/session", bearer(one.access_token)))).toMatchObject({ status: 503 });
});

test.each<[string, number, Record<string, string>, string | Buffer]>([
  ["a page of a gateway's", 502, { "content-type": "text/html" }, "<html>Bad Gateway</html>"],
  ["a throttle", 429, {}, '{"error":"ERR max daily request limit exceeded"}'],
  ["nothing", 200, {}, ""],
  ["half a reply", 200, {}, '{"result":nul'],
  ["a reply that says it is compressed, and is not", 200, { "content-encoding": "gzip" }, '{"result":null}'],
  ["a reply cut off", 200, { "content-length": "100" }, '{"result":null}'],
  ["a redirect", 302, {}, '{"result":null}'],
  ["a redirect that keeps the method", 307, {}, ""],
  ["an error with success", 200, {}, '{"error":"LOADING Redis is loading the dataset in memory"}'],
  ["an answer to something else", 200, {}, '{"result":"OK"}'],
  ["a lost script, again and again", 400, {}, '{"error":"NOSCRIPT No matching script."}'],
])("an endpoint that answers with %s is away, and its token goes nowhere else", async (_, status, headers, body) => {
  const elsewhere: unknown[] = [];
  const other = createServer((request, response) => {
    elsewhere.push(request.headers);
    response.end('{"result":null}');
  });
  const calls: string[] = [];
  const endpoint = createServer((request, response) => {
    calls.push(request.url ?? "");
    response.writeHead(status, { ...(status > 300 && status < 400 ? { location: urlOf(other) } : {}), ...headers }).end(body);
  });
  for (const server of [other, endpoint]) await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  try {
    await using guard = await startGuard({ ...redisVars(urlOf(endpoint)), STORE_TIMEOUT: "2 seconds" });
    for (const [path, init] of [["/", bearer(await mint({}))], ["/_auth/login", loginInit({ username: "ada" })], ["/_auth/health", {}]] as [string, RequestInit][]) {
      const answer = await answerOf(guard.fetch(path, init));
      // Redis may answer a ping with any text.
      const isPong = path === "/_auth/health" && body === '{"result":"OK"}';
      expect(answer, `${path}: ${JSON.stringify(answer)}`).toMatchObject(isPong ? { status: 200 } : { status: 503, body: { code: "store_unavailable" } });
    }
    expect(guard.origin.received).toEqual([]);
    expect(elsewhere).toEqual([]);
    // A script that is lost is sent whole, once.
    if (String(body).includes("NOSCRIPT")) expect(calls.filter((url) => url !== "/").length).toBe(1);
  } finally {
    for (const server of [other, endpoint]) {
      server.closeAllConnections();
      server.close();
    }
  }
});

const urlOf = (server: Server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

test("health asks the store at most once a second, however many ask", async () => {
  let [pings, hangs] = [0, false];
  const endpoint = createServer((_, response) => {
    pings += 1;
    if (!hangs) response.end('{"result":"PONG"}');
  });
  await new Promise<void>((listening) => endpoint.listen(0, "127.0.0.1", listening));
  try {
    await using guard = await startGuard({ ...redisVars(urlOf(endpoint)), STORE_TIMEOUT: "3 seconds" });
    const ask = async () => (await guard.fetch("/_auth/health")).status;
    const start = Date.now();
    const crowd = await Promise.all(Array.from({ length: 100 }, ask));
    for (let time = 0; time < 100; time += 1) crowd.push(await ask());
    expect(new Set(crowd)).toEqual(new Set([200]));
    expect(pings).toBeLessThanOrEqual(1 + Math.ceil((Date.now() - start) / 1000));
    hangs = true;
    await expect.poll(ask, { timeout: 10_000 }).toBe(503);
  } finally {
    endpoint.closeAllConnections();
    endpoint.close();
  }
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

  describe("that is reset", () => {
    let guard: Guard;
    beforeAll(async () => {
      guard = await startGuard({}, { faultyObjects: true });
    });
    afterAll(() => guard[Symbol.asyncDispose]());

    const refresh = (token: string): [string, RequestInit] => ["/_auth/refresh", { method: "POST", ...bearer(token) }];
    const patch = (token: string): [string, RequestInit] => [
      "/_auth/session",
      { method: "PATCH", headers: { ...bearer(token).headers, "content-type": "application/merge-patch+json" }, body: '{"a":1}' },
    ];
    const logout = (token: string): [string, RequestInit] => ["/_auth/logout", { method: "POST", ...bearer(token) }];

    test.each<["before" | "after", string, string, number, (token: string) => [string, RequestInit]]>([
      ["before", "check", "a request", 200, (token) => ["/", bearer(token)]],
      ["after", "check", "a request", 200, (token) => ["/", bearer(token)]],
      ["before", "list", "the list of sessions", 200, (token) => ["/_auth/sessions", bearer(token)]],
      ["before", "end", "a logout", 204, logout],
      ["after", "end", "a logout", 204, logout],
      ["before", "refresh", "a refresh", 200, refresh],
      ["after", "refresh", "a refresh", 200, refresh],
      ["before", "set_data", "a change of the data", 200, patch],
      ["after", "set_data", "a change of the data", 200, patch],
    ])("%s it answers to %s is asked anew, and %s gets its %i", async (when, command, name, status, send) => {
      const { access_token } = await guard.login(`${name} ${when}`);
      await guard.fault(command, when);
      const answer = await answerOf(guard.fetch(...send(access_token)));
      expect(answer, JSON.stringify(answer)).toMatchObject({ status });
      if (command === "end") expect(await code(guard, { access_token } as LoggedIn)).toBe("session_revoked");
    });

    test("is asked anew for every request that it held up, by the short way as well", async () => {
      const { access_token } = await guard.login("often");
      for (let round = 0; round < 5; round += 1) {
        await guard.fault("check", "before");
        expect(await code(guard, { access_token } as LoggedIn)).toBe(200);
      }
    });

    test("twice at once is an outage, and lets nobody in", async () => {
      const { access_token } = await guard.login("twice");
      guard.origin.received.length = 0;
      await guard.fault("check", "before", 2);
      expect(await answerOf(guard.fetch("/", bearer(access_token)))).toMatchObject({ status: 503, body: { code: "store_unavailable" } });
      expect(guard.origin.received).toEqual([]);
      expect(await code(guard, { access_token } as LoggedIn)).toBe(200);
    });

    test.each(["before", "after"] as const)("%s it answers to a login is not asked blindly: the login fails, and leaves no session behind", async (when) => {
      guard.origin.approvals.set(`login ${when}`, { sub: `login ${when}`, session_limit: 1, session_limit_policy: "deny" });
      await guard.fault("open", when);
      const login = async () => (await answerOf(guard.fetch("/_auth/login", loginInit({ username: `login ${when}` })))).status;
      expect(await login()).toBe(503);
      await expect.poll(login, { timeout: 10_000 }).toBe(200);
      expect(await login()).toBe(409);
    });
  });
});
