// Users move from one store to the other while the guard serves them; backups, and their restoration.

import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "redis";
import { afterEach, beforeEach, describe, expect, inject, test } from "vitest";
import { adminApi, KEY, sessionsOf } from "../harness/admin_api.ts";
import { call } from "../harness/cli.ts";
import { answerOf, bearer, loginInit, mint, startGuard, type Guard, type LoggedIn, type Vars } from "../harness/guard.ts";
import { freePort, redisVars, startRedis } from "../harness/redis.ts";

type Store = "durable-object" | "redis";
const other = (store: Store): Store => (store === "redis" ? "durable-object" : "redis");
const PATCH = { "content-type": "application/merge-patch+json" };

let folder: string;
let vars: Vars;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "session-guard-move-"));
  vars = { ...redisVars(inject("restUrl")), ADMIN_API_KEY: KEY, SESSION_LIMIT: "1" };
});
afterEach(() => rm(folder, { recursive: true }));

const start = (store: Store, more: Vars = {}) => startGuard({ ...vars, SESSION_STORE: store, ...more }, { persist: folder });
const during = (to: Store, more: Vars = {}) => start(to, { SESSION_STORE_BEFORE: other(to), ...more });
const visit = async (guard: Guard, { access_token }: LoggedIn) => {
  const { status, body } = await answerOf(guard.fetch("/", bearer(access_token)));
  return status === 200 ? "passes" : (body as { code: string }).code;
};
const logOut = (guard: Guard, { access_token }: LoggedIn) => guard.fetch("/_auth/logout", { method: "POST", ...bearer(access_token) });
const json = (value: unknown) => ({ body: JSON.stringify(value), headers: { "content-type": "application/json" } });
const ask = (guard: Guard, ...args: string[]) => call([...args, "--url", guard.url], { env: { ADMIN_API_KEY: KEY } });
/** Whatever the index of a guard has of users is written after the response. */
const indexed = (guard: Guard, users: number) => expect.poll(async () => (await adminApi(() => guard).call("stats")).body, { timeout: 10_000 }).toMatchObject({ users });

describe.each<[Store, Store]>([["durable-object", "redis"], ["redis", "durable-object"]])("from %s to %s", (from, to) => {
  test("nobody is logged out, nobody gets in again, and a blocked user stays out, before, during and after a move", async () => {
    const old = await start(from);
    const logins = await Promise.all(["ada", "ben", "cid", "dan", "eve", "fay"].map((name) => old.login(name)));
    const [ada, ben, cid, dan, eve, fay] = logins as [LoggedIn, LoggedIn, LoggedIn, LoggedIn, LoggedIn, LoggedIn];
    const api = adminApi(() => old);
    await logOut(old, ben);
    await api.call("users/dan/block", { method: "PUT", ...json({ reason: "stolen" }) });
    await api.call("users/eve", { method: "PATCH", headers: PATCH, body: '{"rights":{"roles":["reader"]}}' });
    await old.fetch("/_auth/session", { method: "PATCH", headers: { ...bearer(ada.access_token).headers, ...PATCH }, body: '{"a":1}' });
    await indexed(old, 4);
    await old[Symbol.asyncDispose]();

    const both = await during(to);
    expect(await Promise.all([ada, ben, cid, dan, eve].map((login) => visit(both, login)))).toEqual(["passes", "session_revoked", "passes", "session_revoked", "passes"]);
    expect((await answerOf(both.fetch("/_auth/session", bearer(ada.access_token)))).body).toMatchObject({ client_data: { a: 1 } });
    expect((await both.fetch("/_auth/login", loginInit({ username: "dan" }))).status, "the block").toBe(403);
    // One session each: that of the old store counts.
    const fayAgain = await both.login("fay");
    expect([await visit(both, fay), await visit(both, fayAgain)]).toEqual(["session_superseded", "passes"]);
    const { body } = await adminApi(() => both).call("users");
    expect((body as { users: { sub: string }[] }).users.map(({ sub }) => sub).sort()).toEqual(["ada", "cid", "eve", "fay"]);
    await logOut(both, cid);
    await both[Symbol.asyncDispose]();

    await using back = await during(from);
    expect(await Promise.all([ada, ben, cid, dan, eve, fayAgain].map((login) => visit(back, login))), "after a rollback").toEqual(["passes", "session_revoked", "session_revoked", "session_revoked", "passes", "passes"]);
  });

  test("`session-guard move` moves the rest, also those who are blocked; after that the old store is not needed", async () => {
    const old = await start(from, { SESSION_LIMIT: "0" });
    const logins = await Promise.all(Array.from({ length: 7 }, (_, i) => old.login(`user-${i % 5}`)));
    const [first] = logins as [LoggedIn];
    await old.login("dan");
    await adminApi(() => old).call("users/dan/block", { method: "PUT", ...json({}) });
    await indexed(old, 5);
    await old[Symbol.asyncDispose]();

    const both = await during(to, { SESSION_LIMIT: "0" });
    expect(await visit(both, first), "moves user-0 by itself").toBe("passes");
    expect((await ask(both, "move", "--limit", "2")).out).toMatch(/and moved 5 of them, with 6 sessions\./);
    expect((await ask(both, "move")).out).toMatch(/moved 0 of them/);
    await both[Symbol.asyncDispose]();

    await using after = await start(to, { SESSION_LIMIT: "0" });
    expect(await Promise.all(logins.map((login) => visit(after, login)))).toEqual(Array(7).fill("passes"));
    expect((await after.fetch("/_auth/login", loginInit({ username: "dan" }))).status).toBe(403);
    await indexed(after, 5);
  });

  test("a backup brings back who was logged in, and nobody who was logged out since", async () => {
    await using old = await start(from, { SESSION_LIMIT: "0" });
    const [ada, ben, cid] = await Promise.all(["ada", "ben", "cid"].map((name) => old.login(name))) as [LoggedIn, LoggedIn, LoggedIn];
    await logOut(old, ben);
    await indexed(old, 2);
    const file = join(folder, "backup.jsonl");
    expect((await ask(old, "backup", file)).out).toMatch(/^Saved 2 users with /);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readFile(file, "utf8")).toContain('"sub":"ada"');

    // Into a store that has lost all.
    await using empty = await start(to, { SESSION_LIMIT: "0", REDIS_KEYSPACE: `${String(vars["REDIS_KEYSPACE"])}2:` });
    expect(await visit(empty, ada)).toBe("session_unknown");
    for (let time = 0; time < 2; time += 1) expect((await ask(empty, "restore", file, "--yes")).out).toBe("Restored 2 users with 2 sessions, live or ended.\n");
    expect(await Promise.all([ada, ben, cid].map((login) => visit(empty, login)))).toEqual(["passes", "session_unknown", "passes"]);
    await indexed(empty, 2);

    // Into the store that goes on: what has ended stays so.
    await logOut(old, cid);
    await ask(old, "restore", file, "--yes");
    expect(await Promise.all([ada, ben, cid].map((login) => visit(old, login)))).toEqual(["passes", "session_revoked", "session_revoked"]);
  });
});

test("while the old store does not answer, sessions that have moved pass, and nobody else is taken for unknown", async () => {
  const old = await start("durable-object");
  const ada = await old.login("ada");
  await old[Symbol.asyncDispose]();
  await using both = await during("durable-object", { UPSTASH_REDIS_REST_URL: `http://127.0.0.1:${await freePort()}` });
  expect(await visit(both, ada)).toBe("passes");
  expect((await both.fetch("/", bearer(await mint({ sub: "ben" })))).status).toBe(503);
  expect((await both.fetch("/", bearer(await mint({ sub: "ada" })))).status).toBe(503);
  expect((await both.fetch("/_auth/login", loginInit({ username: "cid" }))).status).toBe(503);
  expect((await both.fetch("/_auth/health")).status).toBe(503);
  expect(await visit(both, ada)).toBe("passes");
});

test("a user with more records than a row of a Durable Object holds moves there and back, also if the move stops half-way", { timeout: 60_000 }, async () => {
  await using redis = await startRedis();
  const client = await createClient({ url: redis.redisUrl }).connect();
  const { SESSION_STORE: _, ...own } = { ...redisVars(redis.restUrl), SESSION_LIMIT: "0" };
  const robot = (number: number) => ({ sid: `robot-${`${number}`.padStart(16, "0")}`, jti: "j", created: Date.now() - 9000, seen: Date.now() - 9000, expires: Date.now() + 3_600_000, device: "other", data: JSON.stringify({ note: "\u00f6".repeat(10_000) }) });
  const line = JSON.stringify({ sub: "robot", records: { sessions: Array.from({ length: 180 }, (_, number) => robot(number)), denials: {}, user: {} } });
  expect(Buffer.byteLength(line)).toBeGreaterThan(3 << 20);
  const isLive = async (guard: Guard, number: number) => visit(guard, { access_token: await mint({ sub: "robot", sid: robot(number).sid, jti: "j" }) } as LoggedIn);
  const old = await start("durable-object", own);
  expect(await adminApi(() => old).call("import", { method: "POST", body: line })).toMatchObject({ status: 200, body: { sessions: 180 } });
  await old[Symbol.asyncDispose]();

  const stopped = await during("redis", own);
  await client.configSet("maxmemory", "1");
  expect(await isLive(stopped, 0)).toBe("store_unavailable");
  await client.configSet("maxmemory", "0");
  await stopped[Symbol.asyncDispose]();
  for (const to of ["redis", "durable-object"] as const) {
    await using both = await during(to, own);
    expect([await isLive(both, 0), await isLive(both, 179)], to).toEqual(["passes", "passes"]);
    const answer = await adminApi(() => both).call(sessionsOf("robot"));
    expect((answer.body as { sessions: object[] }).sessions.length, to).toBe(180);
  }
  client.destroy();
});

test.each<[Store, Store]>([["durable-object", "redis"], ["redis", "durable-object"]])("while Redis has no memory left, nobody moves from %s to %s and nobody is taken for unknown; then all do", async (from, to) => {
  await using redis = await startRedis();
  const client = await createClient({ url: redis.redisUrl }).connect();
  const { SESSION_STORE: _, ...own } = redisVars(redis.restUrl);
  const old = await start(from, own);
  const [ada, ben] = [await old.login("ada"), await old.login("ben")];
  await old[Symbol.asyncDispose]();
  await using both = await during(to, own);
  expect(await visit(both, ada), "moved before").toBe("passes");
  await client.configSet("maxmemory", "1");
  expect(await visit(both, ada)).toBe("passes");
  expect(await visit(both, ben)).toBe("store_unavailable");
  expect((await both.fetch("/_auth/login", loginInit({ username: "ben" }))).status).toBe(503);
  await client.configSet("maxmemory", "0");
  expect([await visit(both, ada), await visit(both, ben)]).toEqual(["passes", "passes"]);
  client.destroy();
});

test("a move, a backup and its restoration need the key, and say what is wrong", async () => {
  await using guard = await start("durable-object");
  const api = adminApi(() => guard);
  const token = await api.withScope("ada", "sessions:read sessions:revoke sessions:revoke-admins");
  for (const [method, path] of [["POST", "move"], ["GET", "export"], ["POST", "import"]] as const) {
    expect((await api.call(path, { method }, token)).status, path).toBe(403);
    expect((await api.call(path, { method: "DELETE" })).status, path).toBe(405);
  }
  expect(await api.call("move", { method: "POST" })).toMatchObject({ status: 400, body: { detail: expect.stringContaining("SESSION_STORE_BEFORE") as unknown } });
  expect(await api.call("import", { method: "POST", body: "{}" })).toMatchObject({ status: 400, body: { detail: "Line 1 is not one of a backup." } });
  const tooLong = await api.call("import", { method: "POST", body: "x".repeat((4 << 20) + 1) });
  expect(tooLong).toMatchObject({ status: 400, body: { detail: "The lines of a backup must be UTF-8, and at most 4 MiB together." } });
  expect((await api.call("export?cursor=x")).status).toBe(400);
  expect((await api.call(sessionsOf("ada"))).status).toBe(200);
});
