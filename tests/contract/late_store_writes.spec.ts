// Writes that the store applies after STORE_TIMEOUT: the caller gets a 503, and everybody who has to know of the
// change is told all the same.

import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from "vitest";
import { answerOf, bearer, loginInit, startGuard, type Guard, type LoggedIn } from "../harness/guard.ts";
import { startIssuer, type Issuer } from "../harness/identity_provider.ts";
import { REST_TOKEN, startRedis, type RedisAndBridge } from "../harness/redis.ts";
import { openSocket } from "../harness/websocket.ts";
import { startReceiver, type Receiver } from "../harness/webhook_receiver.ts";

let redis: RedisAndBridge | undefined;
let receiver: Receiver;
let issuer: Issuer;
let guard: Guard;
beforeAll(async () => {
  redis = inject("store") === "redis" ? await startRedis() : undefined;
  receiver = await startReceiver();
  issuer = await startIssuer();
  const vars = { ...storeOf(), ...receiver.vars, STORE_TIMEOUT: "1 second", ADMIN_API_KEY: KEY, TRUSTED_ISSUERS: JSON.stringify([issuer.entry()]) };
  guard = await startGuard(vars, { faultyObjects: true });
  // Redis knows the scripts from now on; what it does not know it cannot carry out later.
  const { access_token } = await guard.login("first");
  for (const path of ["refresh", "logout"]) await guard.fetch(`/_auth/${path}`, { method: "POST", ...bearer(access_token) });
});
afterEach(() => goOn());
afterAll(async () => {
  await guard[Symbol.asyncDispose]();
  await receiver[Symbol.asyncDispose]();
  await issuer[Symbol.asyncDispose]();
  await redis?.[Symbol.asyncDispose]();
});

/** The store of this file's guards. */
const storeOf = () => (redis ? { UPSTASH_REDIS_REST_URL: redis.restUrl, UPSTASH_REDIS_REST_TOKEN: REST_TOKEN } : {});
const KEY = "an-admin-api-key-of-the-tests-of-forty-characters";

/** Has the store apply the next such command late. */
const stall = async (command: string) => (redis ? redis.pause() : guard.fault(command, "hold"));
const goOn = async () => (redis ? redis.resume() : guard.release());

/** Sends a request while the store hangs, and lets it go on when the request was answered. */
async function late(command: string, path: string, init: RequestInit) {
  await stall(command);
  try {
    return await answerOf(guard.fetch(path, init));
  } finally {
    await goOn();
  }
}

const AWAY = { status: 503, body: { code: "store_unavailable" } };
const headersOf = (token: string) => bearer(token).headers as Record<string, string>;
const listen = (token: string) => openSocket(`${guard.url}/_auth/events`, headersOf(token));
const visit = async (token: string) => (await guard.fetch("/", bearer(token))).status;
const logout = (token: string, scope = "local"): [string, RequestInit] => [`/_auth/logout?scope=${scope}`, { method: "POST", ...bearer(token) }];
/** What the webhook has heard of a session, each event once. */
const told = (sid: string) => {
  const all = receiver.attempts.filter(({ data }) => data.sid === sid);
  const once = new Map(all.map(({ id, type }) => [id, type]));
  return [...once.values()].toSorted();
};
/** Waits for what the guard does after its answers. */
const patiently = { timeout: 20_000, interval: 50 };

/** An event stream of the origin's, which never ends by itself. */
async function stream(token: string) {
  guard.origin.reply = { headers: { "content-type": "text/event-stream" }, stream: (response) => response.write("data: 1\n\n") };
  const { hostname, port } = new URL(guard.url);
  const request = httpRequest({ hostname, port, path: "/stream", headers: headersOf(token) }).end();
  const [answer] = (await once(request, "response")) as [IncomingMessage];
  guard.origin.reply = {};
  const closed = new Promise<void>((resolve) => answer.on("end", resolve).on("error", () => resolve()).on("close", resolve));
  answer.resume();
  return { closed };
}

describe("a logout that is answered with 503 and applied later", () => {
  test("is reported to listeners, streams and the webhook, although nobody repeats it", async () => {
    const { access_token, session } = await guard.login("leaves");
    await using socket = await listen(access_token);
    const streamed = await stream(access_token);
    expect(await late("end", ...logout(access_token))).toMatchObject(AWAY);
    await expect.poll(() => visit(access_token), patiently).toBe(401);
    expect(await socket.closed).toMatchObject({ code: 4001, reason: "session_revoked" });
    await streamed.closed;
    await expect.poll(() => told(session.sid), patiently).toEqual(["session.created", "session.revoked"]);
  });

  test("is one event with one id, however often it is repeated", async () => {
    const { access_token, session } = await guard.login("repeats");
    await using socket = await listen(access_token);
    expect(await late("end", ...logout(access_token))).toMatchObject(AWAY);
    await expect.poll(() => visit(access_token), patiently).toBe(401);
    for (let time = 0; time < 10; time += 1) expect((await guard.fetch(...logout(access_token))).status).toBe(204);
    expect(await socket.closed).toMatchObject({ code: 4001, reason: "session_revoked" });
    const ids = () => receiver.attempts.filter(({ type, data }) => type === "session.revoked" && data.sid === session.sid).map(({ id }) => id);
    await expect.poll(() => ids().length, patiently).toBeGreaterThan(0);
    // What is told later comes after this.
    const later = await guard.login("repeats");
    await expect.poll(() => told(later.session.sid), patiently).toEqual(["session.created"]);
    expect(new Set(ids()).size).toBe(1);
    expect(ids().length).toBeLessThan(4);
  });

  test("of all sessions is reported for each by a logout that finds its own session ended", async () => {
    await using many = await startGuard({ ...storeOf(), ...receiver.vars, STORE_TIMEOUT: "1 second", SESSION_LIMIT: "0", ADMIN_API_KEY: KEY }, { faultyObjects: true });
    const [one, other] = [await many.login("everywhere"), await many.login("everywhere")];
    await using socket = await openSocket(`${many.url}/_auth/events`, headersOf(other.access_token));
    await (redis ? redis.pause() : many.fault("end", "hold"));
    expect((await many.fetch("/_auth/admin/users/everywhere/sessions", { method: "DELETE", ...bearer(KEY) })).status).toBe(503);
    await (redis ? redis.resume() : many.release());
    await expect.poll(async () => (await many.fetch("/", bearer(one.access_token))).status, patiently).toBe(401);
    expect((await many.fetch(...logout(one.access_token, "global"))).status).toBe(204);
    expect(await socket.closed).toMatchObject({ code: 4001, reason: "session_revoked" });
    for (const { session } of [one, other]) await expect.poll(() => told(session.sid), patiently).toEqual(["session.created", "session.revoked"]);
  });

  test.each<[string, (session: LoggedIn) => [string, RequestInit]]>([
    ["an admin's", ({ session }) => [`/_auth/admin/users/leaves-by-admin/sessions/${session.sid}`, { method: "DELETE", ...bearer(KEY) }]],
    ["a service's", ({ access_token }) => ["/_auth/revoke", { method: "POST", body: new URLSearchParams({ token: access_token }), ...bearer(KEY) }]],
  ])("%s is reported as well", async (_, end) => {
    const entry = await guard.login("leaves-by-admin");
    await using socket = await listen(entry.access_token);
    expect(await late("end", ...end(entry))).toMatchObject(AWAY);
    expect(await socket.closed).toMatchObject({ code: 4001, reason: "session_revoked" });
    await expect.poll(() => told(entry.session.sid), patiently).toEqual(["session.created", "session.revoked"]);
  });

  test("is reported as well if the issuer sent it", async () => {
    const id_token = issuer.idToken({ sub: "issued" });
    const login = await answerOf(guard.fetch("/_auth/login", { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ id_token }) }));
    const { access_token, session } = login.body as unknown as LoggedIn;
    await using socket = await listen(access_token);
    const init = { method: "POST", body: new URLSearchParams({ logout_token: issuer.logoutToken({ sub: "issued" }) }) };
    expect(await late("end", "/_auth/backchannel-logout", init)).toMatchObject({ status: 503 });
    // With Redis, its note was late already; issuers send it again.
    expect([200, 400]).toContain((await guard.fetch("/_auth/backchannel-logout", init)).status);
    expect(await socket.closed).toMatchObject({ code: 4001, reason: "session_revoked" });
    await expect.poll(() => told(session.sid), patiently).toEqual(["session.created", "session.revoked"]);
  });
});

describe("a login that is answered with 503 and applied later", () => {
  test("is reported to the superseded session, and leaves no session that nobody holds", async () => {
    const { access_token, session } = await guard.login("enters");
    await using socket = await listen(access_token);
    const streamed = await stream(access_token);
    expect(await late("open", "/_auth/login", loginInit({ username: "enters" }))).toMatchObject(AWAY);
    expect(await socket.closed).toMatchObject({ code: 4001, reason: "session_superseded" });
    await streamed.closed;
    await expect.poll(() => told(session.sid), patiently).toEqual(["session.created", "session.superseded"]);
    const live = async () => (await answerOf(guard.fetch("/_auth/admin/users/enters/sessions", bearer(KEY)))).body as { sessions: unknown[] };
    await expect.poll(async () => (await live()).sessions, patiently).toEqual([]);
    await expect.poll(() => receiver.typesOf("enters").toSorted(), patiently).toEqual(["session.created", "session.created", "session.revoked", "session.superseded"]);
  });

  test("does not count against a session limit", async () => {
    guard.origin.approvals.set("denied", { sub: "denied", session_limit: 1, session_limit_policy: "deny" });
    expect(await late("open", "/_auth/login", loginInit({ username: "denied" }))).toMatchObject(AWAY);
    await expect.poll(async () => (await guard.fetch("/_auth/login", loginInit({ username: "denied" }))).status, patiently).toBe(200);
    const again = await answerOf(guard.fetch("/_auth/login", loginInit({ username: "denied" })));
    expect(again).toMatchObject({ status: 409, body: { code: "session_limit" } });
  });
});

test("a refresh that is answered with 503 and applied later is reported, and repeating it returns the token", async () => {
  const { access_token, session } = await guard.login("refreshes");
  const init = { method: "POST", ...bearer(access_token) };
  expect(await late("refresh", "/_auth/refresh", init)).toMatchObject(AWAY);
  await expect.poll(() => told(session.sid), patiently).toEqual(["session.created", "session.refreshed"]);
  const answer = await answerOf(guard.fetch("/_auth/refresh", init));
  expect(answer).toMatchObject({ status: 200, body: { session: { sid: session.sid } } });
  const { access_token: next } = answer.body as unknown as LoggedIn;
  expect([await visit(next), await visit(access_token)]).toEqual([200, 200]);
  expect(told(session.sid)).toEqual(["session.created", "session.refreshed"]);
});

test.runIf(inject("store") === "durable-object")("a logout that failed ends nothing, and nobody is told otherwise", async () => {
  const { access_token, session } = await guard.login("stays");
  await using socket = await listen(access_token);
  await guard.fault("end", "throw");
  expect(await answerOf(guard.fetch(...logout(access_token)))).toMatchObject(AWAY);
  expect(await visit(access_token)).toBe(200);
  // The object is asked about its listeners again and again meanwhile.
  for (let pings = 1; pings <= 3; pings += 1) {
    socket.socket.send("ping");
    await expect.poll(() => socket.heard.length, patiently).toBe(pings);
    await new Promise((passed) => setTimeout(passed, 700));
  }
  expect(told(session.sid)).toEqual(["session.created"]);
});
