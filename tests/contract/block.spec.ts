// A blocked user: the sessions end, and none begins in whatever way until the block is lifted or over.

import { expect, test } from "vitest";
import { adminApi, KEY, sessionsOf } from "../harness/admin_api.ts";
import { answerOf, bearer, formInit, loginInit, useGuard, type LoggedIn } from "../harness/guard.ts";
import { useTrustedIssuer } from "../harness/trusted_issuer.ts";
import { openSocket } from "../harness/websocket.ts";

const ROUTES = JSON.stringify([{ path: "/sign-in", access: "public", login: true }]);
const { issuer } = useTrustedIssuer();
const guard = useGuard(() => ({ ADMIN_API_KEY: KEY, SESSION_LIMIT: "0", ROUTES, TRUSTED_ISSUERS: JSON.stringify([issuer.entry()]) }));
const { call, remove, createSession, visit, withScope } = adminApi(() => guard);

const path = (sub: string) => `users/${encodeURIComponent(sub)}/block`;
const block = (sub: string, body?: object | string, credential = KEY) =>
  call(path(sub), { method: "PUT", headers: { "content-type": "application/json" }, ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }) }, credential);

const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);

test("ends the sessions, with everything that is open, and admits none in any way until it is lifted", async () => {
  const sub = "idp|mallory";
  guard.origin.approvals.set("mallory", { sub: "mallory" });
  const login = await guard.login("mallory");
  await using socket = await openSocket(`${guard.url}/_auth/events`, bearer(login.access_token).headers as Record<string, string>);
  expect(await block("mallory", { reason: "spam, ticket 4711", for: "30 days" })).toMatchObject({
    status: 200,
    body: { blocked: true, blocked_at: time, until: time, reason: "spam, ticket 4711", ended: 1 },
  });
  await block(sub, { reason: "spam, ticket 4711" });
  expect(await socket.closed).toMatchObject({ code: 4001, reason: "session_revoked" });
  expect(await visit(login.access_token)).toBe("session_revoked");
  expect(await answerOf(guard.fetch("/_auth/refresh", { method: "POST", ...bearer(login.access_token) }))).toMatchObject({ status: 401 });

  const BLOCKED = { status: 403, body: { code: "user_blocked" } };
  const byOrigin = async (user: string) => {
    guard.origin.reply = { headers: { "x-guard-login": JSON.stringify({ sub: user }) }, body: "welcome" };
    const answer = await answerOf(guard.fetch("/sign-in", { method: "POST" }));
    guard.origin.reply = {};
    return answer;
  };
  const logins = {
    password: await answerOf(guard.fetch("/_auth/login", loginInit({ username: "mallory" }))),
    origin: await byOrigin("mallory"),
    "ID token": await answerOf(guard.fetch("/_auth/login", loginInit({ password: undefined, id_token: issuer.idToken({ sub: "mallory" }) }))),
  };
  for (const [way, answer] of Object.entries(logins)) {
    expect(answer, way).toMatchObject(BLOCKED);
    expect(answer.headers, way).not.toHaveProperty("set-cookie");
    expect(JSON.stringify(answer), way).not.toMatch(/4711|welcome/);
  }
  expect(await createSession("mallory")).toMatchObject(BLOCKED);
  const page = await answerOf(guard.fetch("/_auth/login", formInit({ username: "mallory" })));
  expect(page).toMatchObject({ status: 403, body: expect.stringContaining("your account is blocked.") as string });
  expect(page.body).not.toContain("4711");
  const strangers = ["mallory", "nobody"].map((username) => answerOf(guard.fetch("/_auth/login", loginInit({ username, password: "a guess" }))));
  expect(new Set((await Promise.all(strangers)).map(({ status, body }) => JSON.stringify([status, body]))).size, "who guesses learns nothing").toBe(1);
  await expect.poll(() => guard.log.filter((line) => line.includes("user_blocked") && line.includes("ticket 4711")).length).toBeGreaterThan(0);

  expect(await call(path("mallory"))).toMatchObject({ status: 200, body: { blocked: true, until: time, reason: "spam, ticket 4711" } });
  expect(await call(sessionsOf("mallory"))).toMatchObject({ body: { block: { blocked_at: time, reason: "spam, ticket 4711" }, sessions: [] } });
  for (const _ of ["lifted", "and once more"]) expect(await remove(path("mallory"))).toMatchObject({ status: 204 });
  expect((await call(path("mallory"))).body).toEqual({ blocked: false });
  expect((await call(sessionsOf("mallory"))).body).not.toHaveProperty("block");
  expect(await visit((await guard.login("mallory")).access_token)).toBe("passes");
  expect(await visit(login.access_token), "what was ended stays so").toBe("session_revoked");
});

test("is over by itself at its end, and a second one replaces the first", async () => {
  expect(await block("brief")).toMatchObject({ status: 200, body: { blocked: true, ended: 0 } });
  expect((await block("brief", { for: "2 seconds" })).body).not.toHaveProperty("reason");
  const login = () => answerOf(guard.fetch("/_auth/login", loginInit({ username: "brief" })));
  expect(await login()).toMatchObject({ status: 403 });
  await expect.poll(login, { timeout: 10_000 }).toMatchObject({ status: 200 });
  expect((await call(path("brief"))).body).toEqual({ blocked: false });
});

test("wins against logins that race it", async () => {
  const logins = Array.from({ length: 20 }, () => answerOf(guard.fetch("/_auth/login", loginInit({ username: "racer" }))));
  expect(await block("racer")).toMatchObject({ status: 200 });
  const answers = await Promise.all(logins);
  expect(answers.map(({ status }) => status).filter((status) => status !== 200 && status !== 403)).toEqual([]);
  const tokens = answers.filter(({ status }) => status === 200).map(({ body }) => (body as unknown as LoggedIn).access_token);
  expect(new Set(await Promise.all(tokens.map((token) => visit(token))))).toEqual(new Set(tokens.length > 0 ? ["session_revoked"] : []));
  expect((await call(sessionsOf("racer"))).body).toMatchObject({ sessions: [] });
});

test("needs the right to end admins' sessions, because an admin need not be logged in now, and is not for oneself", async () => {
  const [reader, helper, admin] = [await withScope("reader", "sessions:read"), await withScope("helper", "sessions:revoke"), await withScope("admin", "sessions:revoke-admins")];
  const MISSING = { status: 403, headers: { "www-authenticate": 'Bearer error="insufficient_scope", scope="sessions:revoke-admins"' } };
  for (const token of [reader, helper]) {
    expect(await block("victim", {}, token)).toMatchObject(MISSING);
    expect(await remove(path("victim"), token)).toMatchObject(MISSING);
  }
  expect((await call(path("victim"), {}, reader)).body).toEqual({ blocked: false });
  expect(await call(path("victim"), {}, admin)).toMatchObject({ status: 403 });
  expect(await block("admin", {}, admin)).toMatchObject({ status: 403, body: { code: "access_denied" } });
  expect(await visit(admin)).toBe("passes");
  expect(await block("victim", {}, admin)).toMatchObject({ status: 200 });
  expect(await block("admin")).toMatchObject({ status: 200, body: { ended: 1 } });
  expect(await remove(path("admin"), admin), "a blocked admin lifts no block").toMatchObject({ status: 401 });
});

test.each<[string, object | string]>([
  ["until: has passed already", { until: "2020-01-01T00:00:00Z" }],
  ["until: expected a moment like", { until: "tomorrow" }],
  ["until: say `until` or `for`, not both", { for: "1 day", until: "2099-01-01T00:00:00Z" }],
  ["reason: is longer than 256 bytes", { reason: "x".repeat(257) }],
  ["days: unknown member", { days: "3" }],
  ["expected a JSON object", "[]"],
])("is refused with what to change: %s", async (why, body) => {
  const answer = await block("unharmed", body);
  expect(answer).toMatchObject({ status: 400, body: { code: "bad_request" } });
  expect((answer.body as { detail: string }).detail).toContain(why);
  expect((await call(path("unharmed"))).body).toEqual({ blocked: false });
});
