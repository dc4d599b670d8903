// The admin API with its key: users and their sessions are listed, created, changed and ended.

import { execFile as execFileWith } from "node:child_process";
import { randomBytes } from "node:crypto";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { adminApi, eventually, KEY, sessionsOf, startGuardWithKey as start } from "../harness/admin_api.ts";
import { blocks, printed, scenes } from "../harness/docs.ts";
import { answerOf, bearer, startGuard, type Guard, type LoggedIn } from "../harness/guard.ts";

const execFile = promisify(execFileWith);
let guard: Guard;
beforeAll(async () => {
  guard = await start();
});
afterAll(() => guard[Symbol.asyncDispose]());

const { call, remove, createSession, visit, withScope, listUsers } = adminApi(() => guard);

describe("GET users", () => {
  test("lists each user with a live session once, whatever the page size", async () => {
    await using own = await start();
    const subs = ["ada", "ben", "a:b", "é\n", "{x}", "..", "\u0000", "𝒳".repeat(256), ...Array.from({ length: 8 }, (_, i) => `user-${i}`)];
    for (const [i, sub] of subs.entries()) {
      own.origin.approvals.set(`u${i}`, { sub });
      await own.login(`u${i}`);
    }
    await own.login("u0");
    const gone = await own.login("gone");
    await own.fetch("/_auth/logout", { method: "POST", ...bearer(gone.access_token) });
    const expected = subs.map((sub) => ({ sub, sessions: sub === "ada" ? 2 : 1, admin: false }));
    const bySub = (a: { sub: string }, b: { sub: string }) => (a.sub < b.sub ? -1 : 1);
    await eventually(async () => (await listUsers(40, own)).toSorted(bySub)).toEqual(expected.toSorted(bySub));
    const order = (await listUsers(40, own)).map(({ sub }) => sub);
    for (const limit of [1, 3, 16]) expect((await listUsers(limit, own)).map(({ sub }) => sub), `pages of ${limit}`).toEqual(order);
    expect(await call("stats", {}, KEY, own)).toMatchObject({ status: 200, body: { users: subs.length, sessions: subs.length + 1 } });
  });

  test("shows what the store says while the index lags, and the index catches up", async () => {
    await using brief = await start({ SESSION_IDLE_TIMEOUT: "1 second" });
    await brief.login("idles");
    const stats = async () => (await call("stats", {}, KEY, brief)).body;
    await eventually(stats).toEqual({ users: 1, sessions: 1 });
    await eventually(() => listUsers(40, brief)).toEqual([]);
    await eventually(stats).toEqual({ users: 0, sessions: 0 });
  });

  test("drops a user whose last session has expired", async () => {
    await using brief = await start();
    expect(await createSession("brief", { session_ttl: "5 seconds" }, KEY, brief)).toMatchObject({ status: 201 });
    const stats = async () => (await call("stats", {}, KEY, brief)).body;
    await eventually(stats).toEqual({ users: 1, sessions: 1 });
    await eventually(stats).toEqual({ users: 0, sessions: 0 });
  });

  test("drops a user whose last session was ended, however that happened", async () => {
    await using own = await start({ SESSION_LIMIT: "1" });
    const stats = async () => (await call("stats", {}, KEY, own)).body;
    const leave: ((login: LoggedIn) => Promise<unknown>)[] = [
      ({ access_token }) => own.fetch("/_auth/logout", { method: "POST", ...bearer(access_token) }),
      ({ access_token }) => own.fetch("/_auth/revoke", { method: "POST", ...bearer(KEY), body: new URLSearchParams({ token: access_token }) }),
      ({ session }) => remove(`${sessionsOf("leaves")}/${session.sid}`, KEY, own),
    ];
    for (const end of leave) {
      await own.login("leaves");
      const login = await own.login("leaves");
      await eventually(stats).toEqual({ users: 1, sessions: 1 });
      await end(login);
      await eventually(stats).toEqual({ users: 0, sessions: 0 });
    }
  });

  test.each(["limit=0", "limit=41", "limit=many", "cursor=*", "cursor=a:b"])("refuses ?%s as a bad request", async (query) => {
    expect(await call(`users?${query}`)).toMatchObject({ status: 400, body: { code: "bad_request" } });
  });
});

describe("a user's sessions", () => {
  test("are listed oldest first, without private data", async () => {
    guard.origin.approvals.set("listed", { sub: "listed/1", data: { pin: "1234" } });
    const [first, second] = [await guard.login("listed", { "user-agent": "one" }), await guard.login("listed", { "user-agent": "two" })];
    const answer = await call(sessionsOf("listed/1"));
    expect(answer).toMatchObject({
      status: 200,
      headers: { "cache-control": "no-store", "content-type": "application/json" },
      body: { sub: "listed/1", admin: false, sessions: [{ sid: first.session.sid, user_agent: "one" }, { sid: second.session.sid, user_agent: "two" }] },
    });
    expect(JSON.stringify(answer.body)).not.toContain("1234");
  });

  test("are an empty list for an unknown user", async () => {
    expect(await call(sessionsOf("nobody"))).toMatchObject({ status: 200, body: { sub: "nobody", admin: false, sessions: [] } });
  });

  test("are ended one by one or all together, and their tokens get session_revoked on the next request", async () => {
    const logins = [await guard.login("ends"), await guard.login("ends"), await guard.login("ends")];
    const visits = () => Promise.all(logins.map(({ access_token }) => visit(access_token)));
    expect(await remove(`${sessionsOf("ends")}/${logins[1]?.session.sid}`)).toMatchObject({ status: 200, body: { ended: 1, done: true } });
    expect(await visits()).toEqual(["passes", "session_revoked", "passes"]);
    expect(await remove(`${sessionsOf("ends")}/${logins[1]?.session.sid}`), "once more").toMatchObject({ status: 200, body: { ended: 0 } });
    const other = await guard.login("another user");
    expect(await remove(sessionsOf("ends"))).toMatchObject({ status: 200, body: { ended: 2, done: true } });
    expect(await visits()).toEqual(["session_revoked", "session_revoked", "session_revoked"]);
    expect(await visit(other.access_token)).toBe("passes");
  });

  test.each(["%", "%4", "%zz/sessions", "%C3", "%E9", ""])("of the malformed user %j are a 400 or a 404", async (sub) => {
    const answer = await remove(`users/${sub}/sessions`);
    expect([400, 404], JSON.stringify(answer)).toContain(answer.status);
  });
});

describe("a session that a backend creates", () => {
  test("is returned like a login's, and passes with its claims and data", async () => {
    const answer = await createSession("backend/1", {
      claims: { email: "ada@example.com" }, roles: ["member"], data: { theme: "dark" }, session_ttl: "15 minutes", user_agent: "Mozilla/5.0 (iPhone) Mobile",
    });
    expect(answer).toMatchObject({
      status: 201,
      headers: { "cache-control": "no-store" },
      body: { token_type: "Bearer", expires_in: 900, session: { device: "mobile", data: { theme: "dark" } }, ended: [] },
    });
    expect(answer.headers).not.toHaveProperty("set-cookie");
    const { access_token } = answer.body as unknown as LoggedIn;
    guard.origin.received.length = 0;
    expect(await visit(access_token)).toBe("passes");
    expect(guard.origin.received[0]?.headers).toMatchObject({ "x-auth-request-user": "backend/1", "x-auth-request-email": "ada@example.com", "x-auth-request-groups": "member" });
    expect(guard.origin.credentialChecks.filter((it) => JSON.stringify(it).includes("backend/1")), "the origin is not asked").toEqual([]);
  });

  test("needs no request body", async () => {
    expect(await call(sessionsOf("plain"), { method: "POST" })).toMatchObject({ status: 201, body: { session: { device: "other" } } });
  });

  test("counts against the session limit, as a login does", async () => {
    await using strict = await start({ SESSION_LIMIT: "1" });
    const first = (await createSession("limited", {}, KEY, strict)).body as unknown as LoggedIn;
    const second = (await createSession("limited", {}, KEY, strict)).body as unknown as LoggedIn;
    expect(second.ended.map(({ sid }) => sid)).toEqual([first.session.sid]);
    expect([await visit(first.access_token, strict), await visit(second.access_token, strict)]).toEqual(["session_superseded", "passes"]);
  });

  test("expires after the lifetime that the backend chose", async () => {
    const { access_token } = (await createSession("short", { session_ttl: "1 second" })).body as unknown as LoggedIn;
    await eventually(() => visit(access_token)).toBe("session_expired");
  });

  test.each<[string, object | string]>([
    ["no JSON", "{"],
    ["a list", "[]"],
    ["another sub", { sub: "eve" }],
    ["a misspelt member", { sesion_ttl: "1 day" }],
    ["a lifetime longer than any", { session_ttl: "8 days" }],
    ["a claim that is the guard's to set", { claims: { exp: 1 } }],
    ["claims that fit in no token", { claims: { pad: "x".repeat(4096) } }],
  ])("with %s is refused with a 400 that says what to change", async (_, body) => {
    expect(await createSession("bad", body)).toMatchObject({ status: 400, body: { code: "bad_request", detail: expect.stringMatching(/\w/) } });
    expect(await call(sessionsOf("bad"))).toMatchObject({ body: { sessions: [] } });
  });
});

describe("the private data of a session", () => {
  const patch = (path: string, body: object | string, credential = KEY) =>
    call(path, { method: "PATCH", headers: { "content-type": "application/merge-patch+json" }, body: typeof body === "string" ? body : JSON.stringify(body) }, credential);

  test("is changed with the admin key: the origin's, not the client's", async () => {
    guard.origin.approvals.set("changed", { sub: "changed/1", data: { plan: "free", old: true } });
    const { access_token, session } = await guard.login("changed");
    const path = `${sessionsOf("changed/1")}/${session.sid}`;
    await guard.fetch("/_auth/session", { method: "PATCH", headers: { ...bearer(access_token).headers, "content-type": "application/json" }, body: '{"plan":"mine"}' });
    const expected = { sid: session.sid, data: { plan: "paid" }, client_data: { plan: "mine" } };
    expect(await patch(path, { plan: "paid", old: null })).toMatchObject({ status: 200, headers: { "cache-control": "no-store" }, body: expected });
    const { body } = await answerOf(guard.fetch("/_auth/session", bearer(access_token)));
    expect(body).toMatchObject(expected);
    expect((body as { data: object }).data).not.toHaveProperty("old");
  });

  test("cannot be changed with a token, whatever its scopes", async () => {
    const scopes = "sessions:read sessions:revoke sessions:revoke-admins";
    const token = await withScope("root of all", scopes);
    const { session } = await guard.login("not theirs");
    expect(await patch(`${sessionsOf("not theirs")}/${session.sid}`, { a: 1 }, token)).toMatchObject({ status: 403, body: { code: "access_denied", detail: expect.stringContaining("key") } });
  });

  test("is a 404 for an ended, an unknown or another user's session", async () => {
    const [gone, other] = [await guard.login("gone data"), await guard.login("other data")];
    await guard.fetch("/_auth/logout", { method: "POST", ...bearer(gone.access_token) });
    for (const sid of [gone.session.sid, other.session.sid, "A".repeat(22)]) {
      expect(await patch(`${sessionsOf("gone data")}/${sid}`, { a: 1 })).toMatchObject({ status: 404, body: { code: "not_found" } });
    }
  });

  test("can be changed without counting as a use of the session", async () => {
    await using brief = await start({ SESSION_IDLE_TIMEOUT: "3 seconds" });
    const { access_token, session } = await brief.login("idles");
    const headers = { ...bearer(KEY).headers, "content-type": "application/json" };
    const change = async () => (await brief.fetch(`/_auth/admin/${sessionsOf("idles")}/${session.sid}`, { method: "PATCH", headers, body: '{"a":1}' })).status;
    expect(await change()).toBe(200);
    await eventually(change).toBe(404);
    expect(await visit(access_token, brief)).toBe("session_expired");
  });

  test.each(["", "[]", "null", "{", JSON.stringify({ pad: "x".repeat(16 * 1024) })])("refuses the patch %j", async (body) => {
    const { session } = await guard.login("odd patch");
    expect(await patch(`${sessionsOf("odd patch")}/${session.sid}`, body)).toMatchObject({ status: 400, body: { code: "bad_request" } });
  });
});

describe("the admin API", () => {
  const PATHS: [string, string][] = [
    ["GET", "users"], ["GET", "stats"], ["GET", "users/a/sessions"], ["POST", "users/a/sessions"],
    ["DELETE", "users/a/sessions"], ["PATCH", "users/a/sessions/x"], ["DELETE", "users/a/sessions/x"], ["DELETE", "sessions"],
  ];

  test.each(PATHS)("refuses %s %s without a credential and with a wrong one", async (method, path) => {
    expect(await answerOf(guard.fetch(`/_auth/admin/${path}`, { method }))).toMatchObject({ status: 401, headers: { "www-authenticate": "Bearer" }, body: { code: "token_missing" } });
    expect(await call(path, { method }, `${KEY}x`)).toMatchObject({ status: 401, body: { code: "token_invalid" } });
  });

  test.each(PATHS)("refuses every key for %s %s if none is set", async (method, path) => {
    await using without = await startGuard();
    expect(await call(path, { method }, KEY, without)).toMatchObject({ status: 401, body: { code: "token_invalid" } });
  });

  test("answers store_unavailable during an outage", async () => {
    const away = { SESSION_STORE: "redis", UPSTASH_REDIS_REST_URL: "http://127.0.0.1:9", UPSTASH_REDIS_REST_TOKEN: "t" };
    await using cut = await start(away);
    for (const [method, path] of PATHS) {
      const patch = method === "PATCH" ? { headers: { "content-type": "application/json" }, body: "{}" } : {};
      expect(await call(path, { method, ...patch }, KEY, cut)).toMatchObject({ status: 503, body: { code: "store_unavailable" } });
    }
  });

  test.each<[string, string, number]>([
    ["GET", "admin/", 404], ["GET", "admin/user", 404], ["PUT", "admin/users/a", 405],
    ["POST", "admin/users", 405], ["GET", "admin/sessions", 405], ["GET", "admin/users/a/sessions/x", 405],
  ])("does not know %s %s", async (method, path, status) => {
    expect(await answerOf(guard.fetch(`/_auth/${path}`, { method, ...bearer(KEY) }))).toMatchObject({ status });
  });
});

test("the documentation's examples are true, word for word", async () => {
  const introspectionKey = randomBytes(24).toString("base64url");
  await using own = await start({ INTROSPECTION_KEY: introspectionKey });
  own.origin.approvals.set("ada", { sub: "m-001", claims: { email: "ada@rowing.example", name: "Ada Winter" }, roles: ["member", "board"] });
  const { access_token } = await own.login("ada");
  // In this order, because the second begins where the first ends.
  const all = ["docs/introspection.md", "docs/sessions.md"].flatMap((path) => scenes(blocks(path, "shell-session")));
  const shown = all.filter(([command]) => /\$(ADMIN_API|INTROSPECTION)_KEY/.test(command));
  expect(shown.length).toBeGreaterThan(4);
  for (const [command, expected] of shown) {
    const here = command.replace("localhost:8787", new URL(own.url).host);
    const run = () => execFile("sh", ["-c", here], { env: { ...process.env, ADMIN_API_KEY: KEY, INTROSPECTION_KEY: introspectionKey, TOKEN: access_token } });
    const pattern = printed(expected);
    const changes = / -d | -X /.test(command) && !command.includes("introspect");
    const found = changes ? expect((await run()).stdout, command) : expect.poll(async () => (await run()).stdout, { message: command });
    await found.toMatch(pattern);
  }
});
