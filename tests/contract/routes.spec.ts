// ROUTES: public and optional paths, roles and scopes, ambiguous paths, and CORS preflights.

import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { answerOf, bearer, cookieOf, formInit, useGuard } from "../harness/guard.ts";

const ROUTES = JSON.stringify([
  { path: "/admin/*", access: "session", roles: ["admin"] },
  { path: "/reports/*", access: "session", scopes: ["reports:read"] },
  { path: "/home", access: "optional" },
  { path: "/hooks/*", access: "public", methods: ["POST"] },
  { path: "/members/*", access: "session" },
  { path: "/closed/*", access: "session", methods: ["PUT"], preflight: false },
  { path: "/api/*", access: "session", methods: ["GET", "PUT", "DELETE"] },
  { path: "/closed/*", access: "session" },
  { path: "/*", access: "public" },
]);

const guard = useGuard({ ROUTES, SESSION_LIMIT: "0" });
beforeAll(async () => {
  guard.origin.approvals.set("root", { sub: "root", roles: ["admin"], claims: { scope: "reports:read x" } 
});
});
beforeEach(() => {
  guard.origin.received.length = 0;
});

const seen = () => guard.origin.received.at(-1)?.headers ?? {};
const statusOf = async (path: string, init: RequestInit = {}) => (await guard.fetch(path, init)).status;

describe("a public path", () => {
  test("needs no session, and carries no identity, forged or not", async () => {
    const headers = { ...bearer((await guard.login("ada")).access_token).headers, "X_Auth_Request_User": "eve", "x-auth-request-email": "e@v.e", "x-guard-login": '{"sub":"eve"}' };
    expect(await statusOf("/assets/a.css", { headers })).toBe(200);
    for (const name of Object.keys(seen())) expect(name).not.toMatch(/auth.?request|guard|authorization/);
  });

  test("gets other cookies and bearer tokens, but not the guard's", async () => {
    const cookie = cookieOf(await guard.fetch("/_auth/login", formInit({ username: "ada" })));
    expect(await statusOf("/assets/a.css", { headers: { cookie: `a=1; ${cookie}`, authorization: "Bearer theirs" } })).toBe(200);
    expect(seen()).toMatchObject({ cookie: "a=1", authorization: "Bearer theirs" });
  });

  test("is public only for the methods of its rule", async () => {
    expect([await statusOf("/hooks/x", { method: "POST", body: "a=b" }), await statusOf("/hooks/x", { method: "POST", headers: { "sec-fetch-site": "cross-site" } })]).toEqual([200, 200]);
  });

  test("is public with a stale token, too", async () => {
    const { access_token } = await guard.login("gone");
    await guard.fetch("/_auth/logout", { method: "POST", ...bearer(access_token) });
    expect(await statusOf("/assets/a.css", bearer(access_token))).toBe(200);
  });
});

describe("an optional path", () => {
  test("carries the identity of a live session", async () => {
    const { access_token } = await guard.login("ada");
    expect(await statusOf("/home", bearer(access_token))).toBe(200);
    expect(seen()).toMatchObject({ "x-auth-request-user": "ada" });
    expect(seen()).not.toHaveProperty("authorization");
  });

  test.each<[string, () => Promise<Record<string, string>>]>([
    ["no token", async () => ({})],
    ["a token that is no good", async () => ({ authorization: "Bearer x.y.z" })],
    ["a session that is over", async () => {
      const { access_token } = await guard.login("over");
      await guard.fetch("/_auth/logout", { method: "POST", ...bearer(access_token) });
      return bearer(access_token).headers;
    }],
    ["two tokens that differ", async () => ({ authorization: "Bearer x.y.z", cookie: "__Host-session=a.b.c" })],
  ])("with %s is anonymous", async (_, make) => {
    expect(await statusOf("/home", { headers: { ...(await make()), "x-auth-request-user": "eve" } })).toBe(200);
    expect(seen()).not.toHaveProperty("x-auth-request-user");
  });

  test("ignores the cookie that another site's form sends", async () => {
    const cookie = cookieOf(await guard.fetch("/_auth/login", formInit({ username: "ada" })));
    expect(await statusOf("/home", { method: "POST", headers: { cookie, "sec-fetch-site": "cross-site" } })).toBe(200);
    expect(seen()).not.toHaveProperty("x-auth-request-user");
    expect(seen()).not.toHaveProperty("cookie");
  });
});

describe("roles and scopes", () => {
  test.each([
    ["ada", "/members/x", 200],
    ["ada", "/admin/x", 403],
    ["ada", "/reports/x", 403],
    ["root", "/admin/x", 200],
    ["root", "/reports/x", 200],
  ])("%s at %s: %i", async (user, path, status) => {
    const { access_token } = await guard.login(user);
    const answer = await answerOf(guard.fetch(path, bearer(access_token)));
    expect(answer.status).toBe(status);
    if (status === 200) return;
    const missing = path.startsWith("/reports") ? ', scope="reports:read"' : "";
    expect(answer).toMatchObject({ headers: { "www-authenticate": `Bearer error="insufficient_scope"${missing}` }, body: { code: "access_denied" } });
    expect(guard.origin.received).toEqual([]);
  });

  test("are checked after the session: without one, nothing is said about them", async () => {
    const { access_token } = await guard.login("ada");
    await guard.fetch("/_auth/logout", { method: "POST", ...bearer(access_token) });
    expect(await answerOf(guard.fetch("/admin/x", bearer(access_token)))).toMatchObject({ status: 401, body: { code: "session_revoked" } });
    expect(await statusOf("/admin/x")).toBe(401);
  });
});

describe("a path that an origin may read as another", () => {
  const RULES = JSON.stringify([
    { path: "/assets/*", access: "public" },
    { path: "/", access: "optional" },
    { path: "/admin/*", access: "session", roles: ["admin"] },
    { path: "/hr/*", access: "session", roles: ["hr"] },
    { path: "/eng/*", access: "session", roles: ["eng"] },
    { path: "/public/*", access: "public" },
    { path: "/*", access: "public", methods: ["GET", "POST"] },
  ]);
  const ruled = useGuard({ ROUTES: RULES, SESSION_LIMIT: "0" });
  beforeAll(async () => {
    ruled.origin.approvals.set("hr", { sub: "hr", roles: ["hr"] });
    ruled.origin.approvals.set("all", { sub: "all", roles: ["hr", "eng", "admin"] });
  });
  const ask = async (path: string, user?: string) => {
    ruled.origin.received.length = 0;
    const init = user === undefined ? {} : bearer((await ruled.login(user)).access_token);
    const { status } = await answerOf(ruled.fetch(path, init));
    return { path, user, status, reached: ruled.origin.received.length };
  };

  test.each([
    "/assets/..;/admin/x", "/assets/..%2fadmin/x", "/hr%3fx", "/admin%23x", "/public/%u002e%u002e/admin/x", "/public/%uff0e%uff0e/admin/x",
    "/hr/..;/eng/x", "//x/admin/x", "/assets/..%00/admin/x", "/assets/..%0d/admin/x", "/assets/%2e%2e%5cadmin/x", "/assets/..%3b/admin/x",
  ])("%s requires a session, and the roles of every reading", async (path) => {
    expect(await ask(path)).toEqual({ path, status: 401, reached: 0 });
    expect(await ask(path, "ada")).toEqual({ path, user: "ada", status: 403, reached: 0 });
    expect(await ask(path, "all")).toEqual({ path, user: "all", status: 200, reached: 1 });
  });

  test.each(["/hr/..;/eng/x", "/eng/..%2fhr/x", "/hr/..%2f..%2fadmin/x"])("%s requires the roles of both rules", async (path) => {
    expect(await ask(path, "hr")).toEqual({ path, user: "hr", status: 403, reached: 0 });
    expect(await ask(path, "all")).toEqual({ path, user: "all", status: 200, reached: 1 });
  });

  test.each(["/public/x%", "/public/%zz", "/public/%u", "/public/x%3f", "/public/x%23", "/public/x%20", "/public/%20/x", "/public/x%c2%a0", "/public/x%7f", "/public/x%2e"])(
    "%s is never public", async (path) => {
      expect(await ask(path)).toEqual({ path, status: 401, reached: 0 });
      expect(await ask(path, "ada")).toEqual({ path, user: "ada", status: 200, reached: 1 });
    },
  );

  test.each(["/public/a%20b.css", "/public/caf%C3%A9", "/Public/X", "/assets/.well-known/x", "/public/x?a=%zz&b=/../admin"])("%s is public", async (path) => {
    expect(await ask(path)).toEqual({ path, status: 200, reached: 1 });
  });

  test("of more than 8 KB is refused for everybody, and one of 8 KB is not", async () => {
    const path = (length: number) => `/public/${"a.*".repeat(length)}`.slice(0, length);
    expect(await ask(path(8192))).toMatchObject({ status: 200, reached: 1 });
    expect(await ask(path(8193))).toMatchObject({ status: 414, reached: 0 });
    expect(await answerOf(ruled.fetch(path(15_000)))).toMatchObject({ status: 414, body: { code: "uri_too_long" } });
    expect(await ask(`/public/x?${"q".repeat(9000)}`)).toMatchObject({ status: 200, reached: 1 });
  });

  test("in too many ways is refused for everybody", async () => {
    const path = "/%u002e;%c0%ae%5c%3f%23%00%20.".repeat(100);
    expect(await answerOf(ruled.fetch(path))).toMatchObject({ status: 400, body: { code: "bad_request" } });
  });
});

test.each(["/ADMIN/x", "//admin/x", "/x/..%2fadmin/x", "/%61dmin/x", "/admin;a/x", "/admin./x"])("%s requires the same role as /admin/x", async (path) => {
  const { access_token } = await guard.login("ada");
  expect(await answerOf(guard.fetch(path, bearer(access_token)))).toMatchObject({ status: 403, body: { code: "access_denied" } });
  expect(guard.origin.received).toEqual([]);
});

test.each(["/ADMIN/x", "/admin", "/%61dmin/x", "//admin/x", "/x//admin", "/x%2f..%2fadmin", "/x;/admin", "/x%5cadmin", "/admin./x", "/x%252e%252e", "/x%00", "/members", "/Members/x"])(
  "%s, which an origin may read as another path, is not public", async (path) => {
    expect(await answerOf(guard.fetch(path))).toMatchObject({ status: 401, body: { code: "token_missing" } });
    expect(guard.origin.received).toEqual([]);
  },
);

describe("a CORS preflight", () => {
  const preflight = (method: string, headers: Record<string, string> = {}) => ({
    method: "OPTIONS",
    headers: { origin: "https://other.example", "access-control-request-method": method, "access-control-request-headers": "authorization", ...headers },
  });

  test("reaches the origin as it was sent, without a session, and its answer comes back", async () => {
    guard.origin.reply = { status: 204, headers: { "access-control-allow-origin": "https://other.example", "access-control-allow-methods": "PUT" } };
    const answer = await answerOf(guard.fetch("/api/boats%20?a=%2F", preflight("PUT", { "x-auth-request-user": "eve", cookie: "a=1" })));
    guard.origin.reply = {};
    expect(answer).toMatchObject({ status: 204, headers: { "access-control-allow-origin": "https://other.example", "access-control-allow-methods": "PUT" } });
    expect(guard.origin.received).toMatchObject([{ method: "OPTIONS", target: "/api/boats%20?a=%2F", headers: { origin: "https://other.example", "access-control-request-method": "PUT", "access-control-request-headers": "authorization", cookie: "a=1" } }]);
    expect(seen()).not.toHaveProperty("x-auth-request-user");
  });

  test("passes for a path that requires roles, and the request itself does not", async () => {
    expect(await statusOf("/admin/x", preflight("DELETE"))).toBe(200);
    expect(await statusOf("/admin/x", { ...preflight("DELETE"), method: "DELETE" })).toBe(401);
    expect(guard.origin.received.map(({ method }) => method)).toEqual(["OPTIONS"]);
  });

  test("with a session is treated like any other request", async () => {
    const { access_token } = await guard.login("ada");
    const authorization = `Bearer ${access_token}`;
    expect(await statusOf("/members/x", preflight("PUT", { authorization }))).toBe(200);
    expect(seen()).toMatchObject({ "x-auth-request-user": "ada" });
    expect(await statusOf("/admin/x", preflight("PUT", { authorization }))).toBe(403);
    await guard.fetch("/_auth/logout", { method: "POST", ...bearer(access_token) });
    expect(await statusOf("/members/x", preflight("PUT", { authorization }))).toBe(401);
  });

  test.each<[string, string, RequestInit]>([
    ["one that its rule refuses", "/closed/x", preflight("PUT")],
    ["one about a path that may be read as that", "/CLOSED/x", preflight("PUT")],
    ["one about a path that may be read in two ways", "/members//x", preflight("GET")],
    ["one with a body", "/members/x", { ...preflight("PUT", { "content-length": "3" }), body: "a=b" }],
    ["one with a length that is none", "/members/x", preflight("PUT", { "content-length": "00" })],
    ["one with a body of chunks", "/members/x", { ...preflight("PUT", { "transfer-encoding": "chunked" }), body: "a=b" }],
    ["one without an origin", "/members/x", { method: "OPTIONS", headers: { "access-control-request-method": "PUT" } }],
    ["plain OPTIONS", "/members/x", { method: "OPTIONS" }],
    ["the request it is about", "/members/x", { ...preflight("PUT"), method: "PUT" }],
    ["another method that says it is one", "/members/x", { ...preflight("PUT", { "x-http-method-override": "OPTIONS" }), method: "POST" }],
  ])("is not assumed for %s", async (_, path, init) => {
    expect(await answerOf(guard.fetch(path, init))).toMatchObject({ status: 401, body: { code: "token_missing" } });
    expect(guard.origin.received).toEqual([]);
  });

  test("may state that it has no body", async () => {
    expect(await statusOf("/members/x", preflight("PUT", { "content-length": "0" }))).toBe(200);
  });

  test("opens neither LOGIN_URL nor the guard's own endpoints", async () => {
    expect(await statusOf("/internal/login", preflight("POST"))).toBe(404);
    expect(await statusOf("/_auth/session", preflight("PATCH"))).toBe(405);
    expect(guard.origin.received).toEqual([]);
  });
});
