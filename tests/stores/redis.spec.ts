// Redis as the store: its scripts and keys, replicas, and restarts.

import { createClient } from "redis";
import { expect, inject, test } from "vitest";
import { answerOf, bearer, startGuard, type LoggedIn, type Vars } from "../harness/guard.ts";
import { HttpBrowser } from "../harness/http_browser.ts";
import { startOidcProvider } from "../harness/oidc_provider.ts";
import { redisVars, startRedis } from "../harness/redis.ts";
import { logoutUrl, signInAt, startSignIn } from "../harness/sign_in.ts";

test("with READ_CONSISTENCY = nearest the nearest replica answers the check", async () => {
  await using guard = await startGuard({ ...redisVars(inject("restUrl")), READ_CONSISTENCY: "nearest" });
  const [first, second] = [await guard.login("ada"), await guard.login("ada")];
  const visit = async ({ access_token }: LoggedIn) => (await answerOf(guard.fetch("/", bearer(access_token)))).status;
  expect([await visit(first), await visit(second)]).toEqual([401, 200]);
});

test("with READ_CONSISTENCY = nearest the primary still learns that a refreshed token's successor is used", async () => {
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

test("scripts that Redis has lost are sent again, for every command", async () => {
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

test("a record of another session is an outage, even if the same check was made before", async () => {
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

test("Redis holds no token: a provider's ID token is encrypted, opens for its own session alone, and serves for the logout", async () => {
  await using redis = await startRedis();
  await using idp = await startOidcProvider();
  await using guard = await startSignIn([{ provider: idp }], { vars: { ...redisVars(redis.restUrl), REDIS_KEYSPACE: "ks:" } });
  const client = await createClient({ url: redis.redisUrl }).connect();
  const signedIn = async (name: string) => {
    const before = await client.keys("ks:note:*");
    const browser = new HttpBrowser();
    await signInAt(browser, `${guard.url}/`, name);
    const added = (await client.keys("ks:note:*")).filter((key) => !before.includes(key));
    const notes = await Promise.all(added.map(async (key) => ({ key, text: (await client.get(key)) ?? "" })));
    // The other entries say that the ID token was used, and whose session the provider's is.
    const { key = "", text = "" } = notes.find((note) => note.text.length > 300) ?? {};
    expect(text, JSON.stringify(notes)).toMatch(/^[\w-]+$/);
    return { browser, key, text };
  };
  const [ada, ben, eve] = [await signedIn("ada"), await signedIn("ben"), await signedIn("eve")];
  for (const key of await client.keys("*")) {
    const type = await client.type(key);
    const held = type === "string" ? await client.get(key) : type === "hash" ? await client.hGetAll(key) : "";
    expect(JSON.stringify(held), key).not.toContain("eyJ");
  }
  await client.set(ben.key, ada.text);
  await client.set(eve.key, "an ID token");
  expect(JSON.parse(Buffer.from((await logoutUrl(ada.browser, guard)).hint.split(".")[1] ?? "", "base64url").toString())).toMatchObject({ sub: "ada" });
  for (const { browser } of [ben, eve]) expect(await logoutUrl(browser, guard)).toMatchObject({ status: 200, hint: "" });
  client.destroy();
});

/** Waits until the index has so many sessions: it is written after the answer. */
const indexed = (client: { zCard(key: string): Promise<number> }, keyspace: string, sessions: number) =>
  expect.poll(() => client.zCard(`${keyspace}{index}:deadlines`)).toBe(sessions);

test("a check of an unknown session writes nothing", async () => {
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
