// The origin's own login route: X-Guard-Login, X-Guard-Logout and X-Guard-Session-Data on its responses.

import { gzipSync } from "node:zlib";
import { decodeJwt } from "jose";
import { beforeEach, describe, expect, test } from "vitest";
import { answerOf, bearer, cookieOf, mint, startGuard, useGuard, type Guard } from "../harness/guard.ts";

const ROUTES = JSON.stringify([
  { path: "/sign-in", access: "public", login: true },
  { path: "/confirm", access: "session", login: true },
  { path: "/maybe", access: "optional", login: true },
  { path: "/about", access: "public" },
  { path: "/start", access: "optional" },
]);

const guard = useGuard({ ROUTES, LOGIN_URL: undefined });
beforeEach(() => {
  guard.origin.received.length = 0;
  guard.origin.reply = {};
});

/** What the client gets when the origin answers so. */
async function answered(headers: Record<string, string>, init: RequestInit = {}, at = guard, path = "/sign-in") {
  at.origin.reply = { status: 302, headers: { location: "/", "set-cookie": "theirs=1", "cache-control": "max-age=60", ...headers }, body: "welcome" };
  const response = await at.fetch(path, { method: "POST", body: "user=ada", ...init });
  at.origin.reply = {};
  return response;
}
const enter = async (approval: object, at = guard) => {
  const response = await answered({ "x-guard-login": JSON.stringify(approval) }, {}, at);
  expect(await answerOf(response.clone())).toMatchObject({ status: 302 });
  return cookieOf(response).split("; ").find((pair) => pair.startsWith("__Host-session=")) ?? "";
};
const visit = async (cookie: string, at = guard) => {
  const { status, body } = await answerOf(at.fetch("/", { headers: { cookie } }));
  return status === 200 ? "passes" : (body as { code: string }).code;
};

describe("X-Guard-Login", () => {
  test("begins a session with its cookie, and the rest of the response is unchanged", async () => {
    const response = await answered({ "x-guard-login": JSON.stringify({ sub: "ada", claims: { email: "ada@example.com" }, roles: ["crew"], data: { a: 1 } }) });
    const answer = await answerOf(response.clone());
    expect(answer).toMatchObject({ status: 302, headers: { location: "/", "cache-control": "no-store" }, body: "welcome" });
    expect(answer.headers).not.toHaveProperty("x-guard-login");
    expect(response.headers.getSetCookie()).toEqual(["theirs=1", expect.stringMatching(/^__Host-session=[\w.-]+; Path=\/; HttpOnly; Secure; SameSite=Lax; Max-Age=604800$/)]);
    guard.origin.received.length = 0;
    expect(await visit(cookieOf(response))).toBe("passes");
    expect(guard.origin.received[0]?.headers).toMatchObject({ "x-auth-request-user": "ada", "x-auth-request-groups": "crew", cookie: "theirs=1" });
    const { body } = await answerOf(guard.fetch("/_auth/session", { headers: { cookie: cookieOf(response) } }));
    expect(body).toMatchObject({ data: { a: 1 } });
  });

  test.each(["/sign-in", "/about"])("leaves the body of %s as the origin encoded it", async (path) => {
    const body = gzipSync("welcome".repeat(100));
    const headers = { "x-guard-login": '{"sub":"ada"}', "content-encoding": "gzip" };
    guard.origin.reply = { headers, stream: (response) => response.end(body) };
    const response = await guard.fetch(path, { method: "POST", headers: { "accept-encoding": "gzip" } });
    expect([response.status, response.headers.get("content-encoding"), Buffer.from(await response.arrayBuffer())]).toEqual([200, "gzip", body]);
  });

  test("ends the user's older sessions as any login does", async () => {
    const [first, second] = [await enter({ sub: "eve" }), await enter({ sub: "eve" })];
    expect([await visit(first), await visit(second)]).toEqual(["session_superseded", "passes"]);
  });

  test("may name the sessions to end after session_limit", async () => {
    const approval = { sub: "asked", session_limit_policy: "ask" };
    await enter(approval);
    const asked = await answerOf(answered({ "x-guard-login": JSON.stringify(approval) }));
    expect(asked).toMatchObject({ status: 409, body: { code: "session_limit" } });
    expect(asked.headers).not.toHaveProperty("set-cookie");
    const [live] = (asked.body as unknown as { sessions: { sid: string }[] }).sessions;
    await enter({ ...approval, end: [live?.sid] });
  });

  test("works on a path that needs a session, too, such as a repeated password prompt", async () => {
    const cookie = await enter({ sub: "again" });
    const response = await answered({ "x-guard-login": '{"sub":"again"}' }, { headers: { cookie, "sec-fetch-site": "same-origin" } }, guard, "/confirm");
    expect(response.status).toBe(302);
    expect([await visit(cookie), await visit(cookieOf(response))]).toEqual(["session_superseded", "passes"]);
  });

  test("replaces the session of the same browser, whatever the policy, but not that of a bearer token", async () => {
    await using strict = await startGuard({ ROUTES, SESSION_LIMIT: "2", SESSION_LIMIT_POLICY: "deny", LOGIN_URL: undefined });
    const [one, two] = [await enter({ sub: "ada" }, strict), await enter({ sub: "ada" }, strict)];
    const login = (headers: Record<string, string>) => answered({ "x-guard-login": '{"sub":"ada"}' }, { headers }, strict);
    expect((await login({ authorization: `Bearer ${one.split("=")[1]}` })).status).toBe(409);
    const again = await login({ cookie: one });
    expect([again.status, await visit(one, strict), await visit(two, strict)]).toEqual([302, "session_superseded", "passes"]);
  });

  test.each(["", "{", "{}", '{"sub":""}', '{"sub":"a","claims":{"exp":1}}'])("with the value %j lets nobody in, and the log says why", async (header) => {
    guard.log.length = 0;
    const answer = await answerOf(answered({ "x-guard-login": header }));
    expect(answer).toMatchObject({ status: 502, body: { code: "origin_unavailable" } });
    expect(answer.headers).not.toHaveProperty("set-cookie");
    await expect.poll(() => guard.log.join()).toContain("X-Guard-Login");
  });

  test.each(["idp|u1", "idp|"])("for %j, a trusted issuer's user, lets nobody in, and the log says why", async (sub) => {
    const issuers = [{ issuer: "https://idp.example", audience: "a", jwks_uri: "https://idp.example/jwks", subject_prefix: "idp|" }];
    await using both = await startGuard({ ROUTES, LOGIN_URL: undefined, TRUSTED_ISSUERS: JSON.stringify(issuers) });
    const answer = await answerOf(answered({ "x-guard-login": JSON.stringify({ sub }) }, {}, both));
    expect(answer).toMatchObject({ status: 502, body: { code: "origin_unavailable" } });
    expect(answer.headers).not.toHaveProperty("set-cookie");
    await expect.poll(() => both.log.join("\n")).toMatch(/X-Guard-Login.*subject_prefix.*https:\/\/idp\.example/);
    await enter({ sub: "idp" }, both);
  });

  test("cannot be sent in by a client, in any spelling", async () => {
    for (const name of ["x-guard-login", "X_Guard_Login", "x-guard-logout", "x-guard-session-data", "X_Guard_Anything"]) {
      const response = await guard.fetch("/sign-in", { headers: { [name]: '{"sub":"root"}' } });
      expect(response.headers.getSetCookie()).toEqual([]);
    }
    for (const { headers } of guard.origin.received) expect(Object.keys(headers).join()).not.toMatch(/guard/i);
  });
});

describe("X-Guard-Logout", () => {
  test("ends the caller's session and clears the cookie", async () => {
    const cookie = await enter({ sub: "leaves" });
    const response = await answered({ "x-guard-logout": "true" }, { headers: { cookie } });
    expect(response.headers.has("x-guard-logout")).toBe(false);
    expect(response.headers.getSetCookie()).toEqual(["theirs=1", expect.stringMatching(/^__Host-session=; .*Max-Age=0$/)]);
    expect(await visit(cookie)).toBe("session_revoked");
  });

  test("with `others` or `global` ends those sessions", async () => {
    await using many = await startGuard({ ROUTES, SESSION_LIMIT: "0", LOGIN_URL: undefined });
    const cookies = [await enter({ sub: "ada" }, many), await enter({ sub: "ada" }, many)] as [string, string];
    const live = async () => [await visit(cookies[0], many), await visit(cookies[1], many)];
    const others = await answered({ "x-guard-logout": "others" }, { headers: { cookie: cookies[0] } }, many);
    expect(others.headers.getSetCookie()).toEqual(["theirs=1"]);
    expect(await live()).toEqual(["passes", "session_revoked"]);
    await answered({ "x-guard-logout": "global" }, { headers: { cookie: cookies[0] } }, many);
    expect(await live()).toEqual(["session_revoked", "session_revoked"]);
  });

  test.each(["others", "global"])("with `%s` and the token of an ended session ends no other session", async (scope) => {
    const [gone, live] = [await enter({ sub: `over ${scope}` }), await enter({ sub: `over ${scope}` })];
    expect([await visit(gone), await visit(live)]).toEqual(["session_superseded", "passes"]);
    const response = await answered({ "x-guard-logout": scope }, { headers: { cookie: gone } });
    expect(await answerOf(response.clone())).toMatchObject({ status: 302, body: "welcome" });
    expect(await visit(live)).toBe("passes");
    expect(response.headers.getSetCookie().some((cookie) => cookie.endsWith("Max-Age=0"))).toBe(scope === "global");
  });

  test("ends the session of a genuine but expired token", async () => {
    const cookie = await enter({ sub: "late" });
    const { sid } = decodeJwt(cookie.split("=")[1] ?? "");
    const expired = await mint({ sub: "late", sid: String(sid), iat: 1, exp: 2 });
    await answered({ "x-guard-logout": "true" }, { headers: { cookie: `__Host-session=${expired}` } });
    expect(await visit(cookie)).toBe("session_revoked");
  });

  test.each(["others", "global"])("of `%s` with a token that has expired ends no other session", async (scope) => {
    await using many = await startGuard({ ROUTES, SESSION_LIMIT: "0", LOGIN_URL: undefined });
    const [one, other] = [await enter({ sub: "late" }, many), await enter({ sub: "late" }, many)];
    const expired = await mint({ sub: "late", sid: String(decodeJwt(one.split("=")[1] ?? "").sid), iat: 1, exp: 2 });
    await answered({ "x-guard-logout": scope }, { headers: { cookie: `__Host-session=${expired}` } }, many);
    expect([await visit(one, many), await visit(other, many)]).toEqual([scope === "global" ? "session_revoked" : "passes", "passes"]);
  });

  test.each(["false", "0", "everybody", "true, global"])("with the value %j ends nothing, and the log says what it must be", async (header) => {
    const cookie = await enter({ sub: "stays" });
    guard.log.length = 0;
    expect(await answerOf(answered({ "x-guard-logout": header }, { headers: { cookie } }))).toMatchObject({ status: 502, body: { code: "origin_unavailable" } });
    await expect.poll(() => guard.log.join()).toContain("X-Guard-Logout: it must be");
    expect(await visit(cookie)).toBe("passes");
  });

  test("ends all of the user's sessions with LOGOUT_ALL_SESSIONS, unless it is `local`", async () => {
    await using everywhere = await startGuard({ ROUTES, SESSION_LIMIT: "0", LOGOUT_ALL_SESSIONS: "true", LOGIN_URL: undefined });
    const [one, two, three] = [await enter({ sub: "ada" }, everywhere), await enter({ sub: "ada" }, everywhere), await enter({ sub: "ada" }, everywhere)];
    const live = () => Promise.all([one, two, three].map((cookie) => visit(cookie, everywhere)));
    await answered({ "x-guard-logout": "local" }, { headers: { cookie: one } }, everywhere);
    expect(await live()).toEqual(["session_revoked", "passes", "passes"]);
    await answered({ "x-guard-logout": "true" }, { headers: { cookie: two } }, everywhere);
    expect(await live()).toEqual(["session_revoked", "session_revoked", "session_revoked"]);
  });

  test("only clears the cookie without a session", async () => {
    const response = await answered({ "x-guard-logout": "" });
    expect(response.status).toBe(302);
    expect(response.headers.getSetCookie().at(-1)).toMatch(/Max-Age=0$/);
  });

  test("and X-Guard-Login in one response change the user", async () => {
    const cookie = await enter({ sub: "one" });
    const response = await answered({ "x-guard-logout": "true", "x-guard-login": '{"sub":"two"}' }, { headers: { cookie } });
    const next = cookieOf(response).split("; ").at(-1) ?? "";
    expect([await visit(cookie), await visit(next)]).toEqual(["session_revoked", "passes"]);
  });
});

describe("X-Guard-Session-Data", () => {
  const own = { "sec-fetch-site": "same-origin" };
  const session = async (cookie: string, at = guard) => (await answerOf(at.fetch("/_auth/session", { headers: { cookie } }))).body as { data?: object; client_data?: object };
  const change = (cookie: string, patch: unknown, path = "/confirm", headers: Record<string, string> = {}) =>
    answered({ "x-guard-session-data": typeof patch === "string" ? patch : JSON.stringify(patch), ...headers }, { headers: { cookie, ...own } }, guard, path);

  test("is merged into the origin's data of the session, and leaves the client's", async () => {
    const cookie = await enter({ sub: "data", data: { plan: "free", boat: { name: "Nora", seats: 4 } } });
    await guard.fetch("/_auth/session", { method: "PATCH", headers: { cookie, ...own, "content-type": "application/json" }, body: '{"plan":"paid"}' });
    for (const path of ["/confirm", "/sign-in", "/maybe"]) {
      const response = await change(cookie, { plan: path, boat: { seats: null } }, path);
      expect(await answerOf(response.clone())).toMatchObject({ status: 302, headers: { location: "/", "cache-control": "max-age=60" }, body: "welcome" });
      expect([response.headers.has("x-guard-session-data"), response.headers.getSetCookie()]).toEqual([false, ["theirs=1"]]);
      expect(await session(cookie)).toMatchObject({ data: { plan: path, boat: { name: "Nora" } }, client_data: { plan: "paid" } });
    }
  });

  test("beside a login is merged into the new session's data", async () => {
    const response = await answered({ "x-guard-login": '{"sub":"both","data":{"a":1,"b":1}}', "x-guard-session-data": '{"b":2,"c":3}' });
    expect(await session(cookieOf(response).split("; ").at(-1) ?? "")).toMatchObject({ data: { a: 1, b: 2, c: 3 } });
  });

  test("reaches the origin from the next request on", async () => {
    await using forwarding = await startGuard({ ROUTES, FORWARD_SESSION_DATA: "true", LOGIN_URL: undefined });
    const cookie = await enter({ sub: "ada" }, forwarding);
    for (const step of [1, 2]) {
      await answered({ "x-guard-session-data": JSON.stringify({ step }) }, { headers: { cookie } }, forwarding);
      forwarding.origin.received.length = 0;
      for (let n = 0; n < 3; n += 1) await forwarding.fetch("/x", { headers: { cookie } });
      expect(forwarding.origin.received.map(({ headers }) => headers["x-auth-request-data"])).toEqual(Array(3).fill(`{"step":${step}}`));
    }
  });

  test.each<[string, (cookie: string) => Promise<Record<string, string>>]>([
    ["no token", async () => ({})],
    ["a token whose session is over", async (cookie) => {
      await enter({ sub: "nobody's data" });
      return { cookie };
    }],
  ])("changes nothing with %s, and the response passes", async (_, make) => {
    const headers = await make(await enter({ sub: "nobody's data" }));
    expect(await answerOf(answered({ "x-guard-session-data": '{"a":1}' }, { headers }, guard, "/maybe"))).toMatchObject({ status: 302, body: "welcome" });
  });

  test("is dropped beside a logout", async () => {
    const cookie = await enter({ sub: "last data" });
    expect((await change(cookie, { a: 1 }, "/sign-in", { "x-guard-logout": "true" })).status).toBe(302);
    expect(await visit(cookie)).toBe("session_revoked");
  });

  test.each(["", "{", "[]", "null", '"text"', '{"a":1}, {"b":2}'])("with the value %j changes nothing, logs nobody in or out, and the log says why", async (patch) => {
    const cookie = await enter({ sub: "odd data", data: { a: 0 } });
    guard.log.length = 0;
    const answer = await answerOf(change(cookie, patch, "/sign-in", { "x-guard-logout": "true", "x-guard-login": '{"sub":"eve"}' }));
    expect(answer).toMatchObject({ status: 502, body: { code: "origin_unavailable" } });
    expect(answer.headers).not.toHaveProperty("set-cookie");
    await expect.poll(() => guard.log.join()).toContain("X-Guard-Session-Data: it must be a JSON object");
    expect(await session(cookie)).toMatchObject({ data: { a: 0 } });
  });

  test("beyond 16 KB is refused, and leaves the data as it was", async () => {
    const cookie = await enter({ sub: "large data", data: { pad: "x".repeat(2000) } });
    for (let n = 0; n < 2; n += 1) expect((await change(cookie, { [`pad-${n}`]: "x".repeat(6000) })).status).toBe(302);
    expect(await answerOf(change(cookie, { more: "x".repeat(6000) }))).toMatchObject({ status: 502, body: { code: "origin_unavailable" } });
    expect(Object.keys((await session(cookie)).data ?? {}).sort()).toEqual(["pad", "pad-0", "pad-1"]);
  });
});

describe("without `login` in the rule", () => {
  const GUARD_HEADERS = { "x-guard-login": '{"sub":"root"}', "x-guard-logout": "global", "x-guard-session-data": '{"role":"root"}' };

  test.each([
    ["a public path", "/about"],
    ["an optional path", "/start"],
    ["a path that needs a session", "/"],
    ["a path below the login route", "/sign-in/x"],
    ["another reading of the login route", "/Sign-In"],
    ["an odd reading of it", "/sign-in;x"],
    ["an encoded reading of it", "/%73ign-in"],
  ])("%s neither begins nor ends a session, and the rest of the response is unchanged", async (_, path) => {
    const cookie = await enter({ sub: "eve", data: { role: "guest" } });
    guard.log.length = 0;
    const headers = { cookie, "sec-fetch-site": "same-origin" };
    const response = await answered(GUARD_HEADERS, { headers }, guard, path);
    const answer = await answerOf(response.clone());
    expect(answer).toMatchObject({ status: 302, headers: { location: "/", "cache-control": "max-age=60" }, body: "welcome" });
    expect(Object.keys(answer.headers).filter((name) => name.includes("guard"))).toEqual([]);
    expect(response.headers.getSetCookie()).toEqual(["theirs=1"]);
    expect(await visit(cookie)).toBe("passes");
    expect((await answerOf(guard.fetch("/_auth/session", { headers: { cookie } }))).body).toMatchObject({ data: { role: "guest" } });
    await expect.poll(() => guard.log.join("\n")).toMatch(/X-Guard-Login, X-Guard-Logout, X-Guard-Session-Data: not obeyed.*"code":"login_not_allowed","level":"warn"/);
    expect(guard.log.join("\n")).not.toContain("root");
  });

  test("the response to a repeated request is stripped each time", async () => {
    const cookie = await enter({ sub: "often" });
    for (let n = 0; n < 5; n += 1) {
      const response = await answered(GUARD_HEADERS, { method: "GET", headers: { cookie }, body: null }, guard, "/often");
      expect([n, response.status, response.headers.get("x-guard-login"), response.headers.get("x-guard-logout")]).toEqual([n, 302, null, null]);
    }
    expect(await visit(cookie)).toBe("passes");
  });

  test.each([[204, "GET"], [304, "GET"], [200, "HEAD"]])("a response without a body, %i to %s, is stripped, too", async (status, method) => {
    guard.origin.reply = { status, headers: { ...GUARD_HEADERS, etag: '"a"' } };
    const answer = await answerOf(guard.fetch("/about", { method }));
    expect(answer).toMatchObject({ status, headers: { etag: '"a"' }, body: "" });
    expect(Object.keys(answer.headers).filter((name) => name.includes("guard"))).toEqual([]);
  });
});

test("a login route refuses the users of an issuer without a subject_prefix", async () => {
  const issuers = [{ issuer: "https://idp.example", audience: "a", jwks_uri: "https://idp.example/jwks" }];
  await using mixed = await startGuard({ ROUTES, LOGIN_URL: undefined, TRUSTED_ISSUERS: JSON.stringify(issuers) });
  expect(await answerOf(mixed.fetch("/about"))).toMatchObject({ status: 500, body: { code: "misconfigured" } });
  await expect.poll(() => mixed.log.join()).toContain("subject_prefix");
});

test("a response without these headers to a bearer token is unchanged", async () => {
  const cookie = await enter({ sub: "plain" });
  guard.origin.reply = { headers: { "cache-control": "max-age=60" } };
  const { headers } = await answerOf(guard.fetch("/", bearer(cookie.split("=")[1] ?? "")));
  expect(headers).toMatchObject({ "cache-control": "max-age=60" });
  expect(headers).not.toHaveProperty("set-cookie");
});
