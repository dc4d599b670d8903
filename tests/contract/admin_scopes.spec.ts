// The admin API with the scopes of a token, and DELETE admin/sessions.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { adminApi, eventually, KEY, sessionsOf, startGuardWithKey as start } from "../harness/admin_api.ts";
import { answerOf, bearer, mint, type Guard, type LoggedIn } from "../harness/guard.ts";

let guard: Guard;
beforeAll(async () => {
  guard = await start();
});
afterAll(() => guard[Symbol.asyncDispose]());

interface Ended { ended: number; done: boolean; cursor?: string }

const { call, remove, createSession, visit, withScope } = adminApi(() => guard);

describe("the admin scopes of a token", () => {
  const READ = "sessions:read";
  const REVOKE = "sessions:revoke";
  const ADMINS = "sessions:revoke-admins";

  test.each<[string, string, Record<string, number>]>([
    ["no scope", "", { see: 403, begin: 403, end: 403, endAdmin: 403 }],
    ["another scope", "sessions openid sessions:reads", { see: 403, begin: 403, end: 403, endAdmin: 403 }],
    ["sessions:read", READ, { see: 200, begin: 403, end: 403, endAdmin: 403 }],
    ["sessions:revoke", REVOKE, { see: 403, begin: 403, end: 200, endAdmin: 403 }],
    ["sessions:revoke-admins", ADMINS, { see: 403, begin: 403, end: 200, endAdmin: 200 }],
    ["all of them", `${READ} ${REVOKE} ${ADMINS}`, { see: 200, begin: 403, end: 200, endAdmin: 200 }],
  ])("%s: allows what it says, and no more", async (name, scope, expected) => {
    const token = await withScope(`admin with ${name}`, scope);
    const one = await guard.login("one of many");
    const target = await guard.login("target");
    const adminTarget = await withScope("admin target", READ);
    const seen = await Promise.all(["users", "stats", sessionsOf("target")].map((path) => call(path, {}, token)));
    expect(seen.map(({ status }) => status)).toEqual([expected["see"], expected["see"], expected["see"]]);
    expect(await createSession("target", {}, token)).toMatchObject({ status: expected["begin"] });
    expect(await remove(`${sessionsOf("one of many")}/${one.session.sid}`, token)).toMatchObject({ status: expected["end"] });
    expect(await remove(sessionsOf("target"), token)).toMatchObject({ status: expected["end"] });
    expect(await remove(sessionsOf("admin target"), token)).toMatchObject({ status: expected["endAdmin"] });
    const ended = (status: number | undefined) => (status === 200 ? "session_revoked" : "passes");
    expect([await visit(one.access_token), await visit(target.access_token), await visit(adminTarget)])
      .toEqual([ended(expected["end"]), ended(expected["end"]), ended(expected["endAdmin"])]);
  });

  test.each<[string, object]>([["scopes", { scopes: [REVOKE] }], ["scp", { scp: [REVOKE] }], ["scp as a text", { scp: `a ${REVOKE}` }]])(
    "the claim may be `%s`",
    async (name, claims) => {
      guard.origin.approvals.set(`by ${name}`, { sub: `by ${name}`, claims });
      const { access_token } = await guard.login(`by ${name}`);
      expect(await remove(sessionsOf("nobody"), access_token)).toMatchObject({ status: 200 });
    },
  );

  test("a refusal names the scope that is missing", async () => {
    const { access_token } = await guard.login("no scope");
    expect(await remove(sessionsOf("nobody"), access_token)).toMatchObject({
      status: 403,
      headers: { "www-authenticate": `Bearer error="insufficient_scope", scope="${REVOKE}"`, "cache-control": "no-store" },
      body: { code: "access_denied" },
    });
    const revoker = await withScope("revoker", REVOKE);
    expect(await remove(sessionsOf("revoker"), revoker)).toMatchObject({ headers: { "www-authenticate": `Bearer error="insufficient_scope", scope="${ADMINS}"` } });
    expect(await createSession("nobody", {}, revoker)).toMatchObject({ status: 403, headers: { "www-authenticate": 'Bearer error="insufficient_scope"' } });
  });

  test("a user is an admin, and listed as one, if any live session has an admin scope", async () => {
    const plain = await guard.login("sometimes admin");
    const token = await withScope("sometimes admin", READ);
    const revoker = await withScope("plain revoker", REVOKE);
    const path = `${sessionsOf("sometimes admin")}/${plain.session.sid}`;
    expect(await call(sessionsOf("sometimes admin"))).toMatchObject({ body: { admin: true } });
    expect(await remove(path, revoker)).toMatchObject({ status: 403 });
    await guard.fetch("/_auth/logout", { method: "POST", ...bearer(token) });
    expect(await remove(path, revoker)).toMatchObject({ status: 200, body: { ended: 1 } });
  });

  test("count only while the token's session is live", async () => {
    const token = await withScope("was admin", READ);
    expect(await call("stats", {}, token)).toMatchObject({ status: 200 });
    await guard.fetch("/_auth/logout", { method: "POST", ...bearer(token) });
    expect(await call("stats", {}, token)).toMatchObject({ status: 401, body: { code: "session_revoked" } });
    expect(await call("stats", {}, await mint({ scope: READ }))).toMatchObject({ status: 401, body: { code: "session_unknown" } });
  });

  test("count in a cookie on unsafe methods only from the same site", async () => {
    const token = await withScope("by cookie", `${READ} ${REVOKE}`);
    const target = await guard.login("cookie target");
    const send = (method: string, path: string, headers: Record<string, string>) =>
      answerOf(guard.fetch(`/_auth/admin/${path}`, { method, headers: { cookie: `__Host-session=${token}`, ...headers } }));
    expect(await send("GET", "stats", {})).toMatchObject({ status: 200 });
    for (const headers of [{}, { "sec-fetch-site": "cross-site" }, { origin: "https://evil.example" }]) {
      expect(await send("DELETE", sessionsOf("cookie target"), headers)).toMatchObject({ status: 403, body: { code: "cross_site" } });
    }
    expect(await visit(target.access_token)).toBe("passes");
    expect(await send("DELETE", sessionsOf("cookie target"), { "sec-fetch-site": "same-origin" })).toMatchObject({ status: 200, body: { ended: 1 } });
  });
});

describe("DELETE admin/sessions, for all users", () => {
  const endAll = async (credential: string, at: Guard) => {
    let ended = 0;
    for (let cursor = "", calls = 0; calls < 20; calls += 1) {
      const answer = await remove(`sessions${cursor && `?cursor=${cursor}`}`, credential, at);
      expect(answer).toMatchObject({ status: 200 });
      const body = answer.body as unknown as Ended;
      ended += body.ended;
      if (body.done) return ended;
      cursor = body.cursor ?? "";
    }
    throw new Error(`not done after ${ended}`);
  };
  const crowd = async (at: Guard, users: number) => {
    const logins = await Promise.all(Array.from({ length: users }, (_, i) => at.login(`user ${i}`)));
    return logins.map(({ access_token }) => access_token);
  };
  const stats = async (at: Guard) => (await call("stats", {}, KEY, at)).body;

  test("ends all sessions with the admin key, call by call until none is left", { timeout: 60_000 }, async () => {
    await using full = await start();
    const tokens = [...(await crowd(full, 40)), await withScope("an admin", "sessions:revoke-admins", full)];
    await eventually(() => stats(full)).toEqual({ users: 41, sessions: 41 });
    const first = await remove("sessions", KEY, full);
    expect(first).toMatchObject({ status: 200, body: { ended: 15, done: false, cursor: expect.stringMatching(/^[\w-]+$/) } });
    expect(15 + (await endAll(KEY, full))).toBe(41);
    expect(new Set(await Promise.all(tokens.map((token) => visit(token, full))))).toEqual(new Set(["session_revoked"]));
    await eventually(() => stats(full)).toEqual({ users: 0, sessions: 0 });
  });

  test("ends all sessions without a cursor, too", { timeout: 60_000 }, async () => {
    await using full = await start();
    await crowd(full, 20);
    await eventually(() => stats(full)).toEqual({ users: 20, sessions: 20 });
    const again = async () => ((await remove("sessions", KEY, full)).body as unknown as Ended).done;
    await eventually(again).toBe(true);
    await eventually(() => stats(full)).toEqual({ users: 0, sessions: 0 });
  });

  test("spares the sessions of admins with sessions:revoke", { timeout: 60_000 }, async () => {
    await using full = await start();
    const tokens = await crowd(full, 20);
    for (let i = 0; i < 17; i += 1) tokens.push((await full.login("user with many")).access_token);
    const admins = [await withScope("reader", "sessions:read", full), await withScope("ender", "sessions:revoke", full)];
    await eventually(() => stats(full)).toEqual({ users: 23, sessions: 39 });
    expect(await endAll(admins[1] ?? "", full)).toBe(37);
    expect(new Set(await Promise.all(tokens.map((token) => visit(token, full))))).toEqual(new Set(["session_revoked"]));
    expect(await Promise.all(admins.map((token) => visit(token, full)))).toEqual(["passes", "passes"]);
  });

  test("spares the caller's own sessions with sessions:revoke-admins", { timeout: 60_000 }, async () => {
    await using full = await start();
    const tokens = [...(await crowd(full, 20)), await withScope("reader", "sessions:read", full)];
    const before = await withScope("ender", "sessions:revoke-admins", full);
    const own = await withScope("ender", "sessions:revoke-admins", full);
    await eventually(() => stats(full)).toEqual({ users: 22, sessions: 23 });
    expect(await endAll(own, full)).toBe(22);
    expect(new Set(await Promise.all([...tokens, before].map((token) => visit(token, full))))).toEqual(new Set(["session_revoked"]));
    expect(await visit(own, full)).toBe("passes");
    await eventually(() => stats(full)).toEqual({ users: 1, sessions: 1 });
  });

  test("does not run because a URL parser rewrites the path of a user called `..`", async () => {
    await using full = await start();
    const dots = (await createSession("..", {}, KEY, full)).body as unknown as LoggedIn;
    const other = await full.login("other");
    // What `fetch` makes of `/_auth/admin/users/../sessions`.
    const { pathname } = new URL(`${full.url}/_auth/admin/${sessionsOf("..")}`);
    expect(pathname).toBe("/_auth/admin/sessions");
    const answer = await remove("sessions", KEY, full);
    expect(answer).toMatchObject({ status: 400, body: { code: "bad_request", detail: expect.stringContaining("everybody=true") } });
    expect([await visit(dots.access_token, full), await visit(other.access_token, full)]).toEqual(["passes", "passes"]);
    await eventually(() => stats(full)).toEqual({ users: 2, sessions: 2 });
    expect(await remove("sessions?everybody=true", KEY, full)).toMatchObject({ status: 200, body: { ended: 2, done: true } });
  });
});
