// COOKIE_DOMAIN and SITE_HOSTS: one session for several subdomains. In a browser: browser/subdomains.spec.ts.

import { beforeEach, describe, expect, test } from "vitest";
import { answerOf, bearer, formInit, loginInit, useGuard } from "../harness/guard.ts";
import { openSocket, refusalOf } from "../harness/websocket.ts";

const [APP, API, WWW, EVIL] = ["app", "api", "www", "evil"].map((name) => `${name}.harbour.test`) as [string, string, string, string];

const ROUTES = JSON.stringify([{ path: "/open", access: "public" }, { path: "/sign-in", access: "public", login: true }]);
// TLS ends before the guard.
const guard = useGuard({ COOKIE_DOMAIN: "harbour.test", SITE_HOSTS: [APP, API, WWW].join(", "), SESSION_LIMIT: "0", REQUIRE_HTTPS: "false", ROUTES });
beforeEach(() => {
  guard.origin.received.length = guard.origin.credentialChecks.length = 0;
  guard.origin.reply = {};
});

const ATTRIBUTES = "Path=/; HttpOnly; Secure; SameSite=Lax";
/** What clears the cookie of one host, and then sets or clears that of the domain. */
const lines = (domain: RegExp | string) => [`__Secure-session=; ${ATTRIBUTES}; Max-Age=0`, typeof domain === "string" ? domain : expect.stringMatching(domain)];
const CLEARED = lines(`__Secure-session=; ${ATTRIBUTES}; Domain=harbour.test; Max-Age=0`);
const SET = lines(/^__Secure-session=[\w.-]+; Path=\/; HttpOnly; Secure; SameSite=Lax; Domain=harbour\.test; Max-Age=\d+$/);

/** Sends a request to a host. */
const at = (host: string, path: string, { headers, ...init }: RequestInit = {}) => guard.fetch(path, { ...init, headers: { ...Object.fromEntries(new Headers(headers)), host } });
/** What a page of a host sends along, and the browser with it. */
const from = (host: string) => ({ origin: `https://${host}`, "sec-fetch-site": "same-site" });
const kept = (response: Response) => response.headers.getSetCookie().map((line) => line.split(";")[0] ?? "").findLast((pair) => !pair.endsWith("=")) ?? "";
const enter = async (username: string, host = APP) => kept(await at(host, "/_auth/login", formInit({ username })));
const visit = async (host: string, cookie: string, init: RequestInit = {}) => {
  const { status, body } = await answerOf(at(host, "/boats", { ...init, headers: { ...Object.fromEntries(new Headers(init.headers)), cookie } }));
  return status === 200 ? "passes" : (body as { code: string }).code;
};

test("a login at one host counts at the others, also on unsafe methods of their pages, and a logout at any ends it for all", async () => {
  const response = await at(APP, "/_auth/login", formInit({ username: "ada", redirect: `https://${API}/boats?a=b#c` }, { origin: `https://${APP}`, "sec-fetch-site": "same-origin" }));
  expect([response.status, response.headers.get("location"), response.headers.getSetCookie()]).toEqual([303, `https://${API}/boats?a=b#c`, SET]);
  const cookie = kept(response);
  expect(await visit(WWW, `theirs=1; ${cookie}`)).toBe("passes");
  expect(guard.origin.received[0]?.headers).toMatchObject({ "x-auth-request-user": "ada", cookie: "theirs=1" });
  expect(await visit(API, cookie, { method: "POST", headers: from(APP) })).toBe("passes");
  await using socket = await openSocket(`${guard.url}/_auth/events`, { cookie, host: API, ...from(APP) });
  const refreshed = await at(WWW, "/_auth/refresh", { method: "POST", headers: { cookie, ...from(API) } });
  expect([refreshed.status, refreshed.headers.getSetCookie()]).toEqual([200, SET]);
  const out = await at(WWW, "/_auth/logout", { method: "POST", headers: { cookie: kept(refreshed), ...from(APP) } });
  expect([out.status, out.headers.getSetCookie(), out.headers.get("access-control-allow-credentials")]).toEqual([204, CLEARED, "true"]);
  await expect.poll(() => socket.heard.length).toBeGreaterThan(0);
  for (const host of [APP, API, WWW]) expect(await visit(host, cookie)).toBe("session_revoked");
});

test("the page of a subdomain that is not named uses no cookie, logs nobody in or out, reads nothing, and is not led to", async () => {
  const cookie = await enter("ben");
  const headers = { ...from(EVIL), cookie };
  expect(await visit(API, cookie, { method: "POST", headers: from(EVIL) })).toBe("cross_site");
  expect(await refusalOf(`${guard.url}/_auth/events`, { host: API, ...headers })).toMatchObject({ status: 403, body: { code: "cross_site" } });
  for (const [path, init] of [["/_auth/logout", { method: "POST", headers }], ["/_auth/login", formInit({ username: "eve" }, headers)], ["/_auth/login", loginInit({ username: "eve" }, headers)]] as const) {
    expect(await answerOf(at(API, path, init))).toMatchObject({ status: 403, body: { code: "cross_site" }, headers: expect.not.objectContaining({ "set-cookie": expect.anything() }) });
  }
  const session = await at(API, "/_auth/session", { headers });
  expect([session.status, session.headers.get("access-control-allow-origin")]).toEqual([200, null]);
  for (const redirect of [`https://${EVIL}/`, `https://${APP}.evil.test/`, `https://${APP}@evil.test/`, `https://${APP}:8443/`, `https://${APP}\\@evil.test/`, `http://${APP}/`, `//${APP}/`]) {
    expect(await answerOf(at(APP, "/_auth/login", formInit({ username: "ben", redirect })))).toMatchObject({ status: 400, body: { detail: expect.stringContaining("one of its hosts") } });
    const page = await answerOf(at(APP, `/_auth/login?redirect=${encodeURIComponent(redirect)}`));
    expect(page.body).toContain('name="redirect" value="/"');
  }
  const page = await answerOf(at(APP, `/_auth/login?redirect=${encodeURIComponent(`HTTPS://${API.toUpperCase()}/a?b`)}`));
  expect(page.body).toContain(`name="redirect" value="https://${API}/a?b"`);
  expect(guard.origin.credentialChecks).toHaveLength(1);
});

describe.each([EVIL, "harbour.test", `${APP}:8443`, `${APP}.`, "guard.example"])("at %s, which is not named", (host) => {
  test("the cookie counts for nothing and reaches no origin, also after the same request has passed elsewhere", async () => {
    const cookie = await enter("cid");
    for (let n = 0; n < 3; n += 1) {
      expect([n, await visit(APP, cookie), await visit(host, cookie)]).toEqual([n, "passes", "token_missing"]);
    }
    guard.origin.received.length = 0;
    await at(host, "/open", { headers: { cookie: `a=1; ${cookie}` } });
    expect(guard.origin.received[0]?.headers).toMatchObject({ cookie: "a=1" });
    const out = await at(host, "/_auth/logout", { method: "POST", headers: { cookie, origin: `https://${host}`, "sec-fetch-site": "same-origin" } });
    expect(out.headers.getSetCookie()).toEqual([]);
    expect(await visit(APP, cookie)).toBe("passes");
  });

  test("nobody gets a cookie, and a bearer token is good", async () => {
    expect(await answerOf(at(host, "/_auth/login", formInit({ username: "dan" })))).toMatchObject({ status: 400 });
    expect((await answerOf(at(host, "/_auth/login"))).body).toContain("Signing in is not set up here");
    guard.origin.reply = { headers: { "x-guard-login": '{"sub":"dan"}' } };
    expect(await answerOf(at(host, "/sign-in", { method: "POST" }))).toMatchObject({ status: 502, body: { code: "origin_unavailable" } });
    guard.origin.reply = {};
    const response = await at(host, "/_auth/login", loginInit({ username: "dan" }));
    const { access_token } = (await response.json()) as { access_token: string };
    expect([response.status, response.headers.getSetCookie()]).toEqual([200, []]);
    expect((await at(host, "/boats", { method: "POST", ...bearer(access_token) })).status).toBe(200);
  });
});

test("two cookies of the name, one host's and the domain's, are no conflict if one session is over, and a login clears both", async () => {
  const [stale, live, other] = [await enter("fay"), await enter("fay", API), await enter("gus", WWW)];
  expect(await visit(APP, `${stale}; ${live}`)).toBe("bad_request");
  await at(APP, "/_auth/logout", { method: "POST", headers: { cookie: stale, ...from(WWW) } });
  for (const both of [`${stale}; ${live}`, `${live}; ${stale}`, `${live}; ${live}`]) expect(await visit(APP, both)).toBe("passes");
  expect(await visit(APP, `${other}; ${live}`)).toBe("bad_request");
  const again = await at(APP, "/_auth/login", formInit({ username: "fay" }, { cookie: `${other}; ${live}` }));
  expect([again.status, again.headers.getSetCookie()]).toEqual([303, SET]);
  expect([await visit(APP, other), await visit(APP, live), await visit(APP, kept(again))]).toEqual(["session_revoked", "session_superseded", "passes"]);
});

test("the origin's own login and logout set and clear the cookie of the domain", async () => {
  guard.origin.reply = { headers: { "x-guard-login": '{"sub":"hal"}' } };
  const entered = await at(APP, "/sign-in", { method: "POST" });
  expect([entered.status, entered.headers.getSetCookie()]).toEqual([200, SET]);
  guard.origin.reply = { headers: { "x-guard-logout": "true" } };
  const left = await at(WWW, "/sign-in", { method: "POST", headers: { cookie: kept(entered) } });
  expect([left.status, left.headers.getSetCookie()]).toEqual([200, CLEARED]);
  guard.origin.reply = {};
  expect(await visit(API, kept(entered))).toBe("session_revoked");
});
