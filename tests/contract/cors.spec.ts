// ALLOWED_ORIGINS: applications on other origins. In a browser: browser/cors.spec.ts.

import { beforeEach, describe, expect, test } from "vitest";
import { answerOf, bearer, cookieOf, formInit, loginInit, startGuard, useGuard, type Guard } from "../harness/guard.ts";
import { openSocket, refusalOf } from "../harness/websocket.ts";

const SPA = "https://spa.example";
const APP = "https://app.example:8443";
const EVIL = "https://evil.example";

const guard = useGuard({ ALLOWED_ORIGINS: JSON.stringify([SPA, { origin: APP, credentials: true }]), SESSION_LIMIT: "0" });
beforeEach(() => {
  guard.origin.received.length = 0;
  guard.origin.reply = {};
});

/** What an answer says to browsers of other origins. */
const shared = ({ headers }: Response) => Object.fromEntries([...headers].filter(([name]) => name.startsWith("access-control-") || name === "vary"));
const EXPOSED = { "access-control-expose-headers": "WWW-Authenticate, Retry-After" };
const ORIGINS: [string, Record<string, string>, Record<string, string>][] = [
  ["a named origin", { origin: SPA }, { vary: "Origin", "access-control-allow-origin": SPA, ...EXPOSED }],
  ["one with credentials", { origin: APP }, { vary: "Origin", "access-control-allow-origin": APP, "access-control-allow-credentials": "true", ...EXPOSED }],
  ["another one", { origin: EVIL }, { vary: "Origin" }],
  ["one that begins like it", { origin: `${SPA}.evil.example` }, { vary: "Origin" }],
  ["null", { origin: "null" }, { vary: "Origin" }],
  ["nobody", {}, { vary: "Origin" }],
];

describe.each(ORIGINS)("to %s", (_, origin, expected) => {
  test.each([
    ["a refusal", "/boats", 401],
    ["a refusal to a navigation", "/boats?navigates", 302],
    ["the refusal of an endpoint", "/_auth/session", 401],
    ["an unknown endpoint's", "/_auth/nothing", 404],
    ["another method's", "/_auth/logout", 405],
    ["health", "/_auth/health", 200],
    ["client.js", "/_auth/client.js", 200],
  ])("%s has the CORS headers", async (_, path, status) => {
    const headers = { ...origin, ...(path.endsWith("navigates") ? { "sec-fetch-mode": "navigate" } : {}) };
    const answer = await guard.fetch(path, { headers });
    expect([answer.status, shared(answer)]).toEqual([status, expected]);
  });

  test("any origin may read the public keys, and a response names one origin at most", async () => {
    const answer = await guard.fetch("/.well-known/jwks.json", { headers: origin });
    expect([answer.status, shared(answer)]).toEqual([200, { "access-control-allow-origin": "*", ...expected }]);
  });

  test("the session and store_unavailable have the CORS headers", async () => {
    const live = await guard.login("live");
    const ended = await guard.login("ended");
    await guard.fetch("/_auth/logout", { method: "POST", ...bearer(ended.access_token) });
    for (const [path, token, status] of [["/_auth/session", live.access_token, 200], ["/boats", ended.access_token, 401]] as const) {
      const answer = await guard.fetch(path, { headers: { ...origin, ...bearer(token).headers } });
      expect([path, answer.status, shared(answer)]).toEqual([path, status, expected]);
    }
  });

  test("the origin's own responses are unchanged", async () => {
    const { access_token } = await guard.login("own");
    guard.origin.reply = { headers: { vary: "Accept", "access-control-allow-origin": "*" } };
    for (let n = 0; n < 3; n += 1) {
      const answer = await guard.fetch("/boats", { headers: { ...origin, ...bearer(access_token).headers } });
      expect([n, shared(answer)]).toEqual([n, { vary: "Accept", "access-control-allow-origin": "*" }]);
    }
  });
});

test("a page varies by its language, too", async () => {
  const { headers } = await guard.fetch("/_auth/login", { headers: { origin: SPA, accept: "text/html" } });
  expect(headers.get("vary")).toBe("Accept-Language, Origin");
});

test("a preflight for an endpoint is answered for allowed origins only", async () => {
  const ask = (origin: string, path: string) => guard.fetch(path, { method: "OPTIONS", headers: { origin, "access-control-request-method": "POST", "access-control-request-headers": "authorization,content-type" } });
  for (const path of ["/_auth/login", "/_auth/session", "/_auth/admin/users"]) {
    const answer = await ask(SPA, path);
    expect([path, answer.status, shared(answer)]).toEqual([path, 204, {
      vary: "Origin",
      "access-control-allow-origin": SPA,
      ...EXPOSED,
      "access-control-allow-methods": "GET, HEAD, POST, PUT, PATCH, DELETE",
      "access-control-allow-headers": "Authorization, Content-Type, X-Guard-Touch",
      "access-control-max-age": "600",
    }]);
    const other = await ask(EVIL, path);
    expect([path, other.status >= 400, shared(other)]).toEqual([path, true, { vary: "Origin" }]);
  }
  expect((await ask(SPA, "/boats")).status).toBe(200);
  expect(guard.origin.received.map(({ method, target }) => [method, target])).toEqual([["OPTIONS", "/boats"]]);
});

test("the cookie counts on unsafe methods only from an allowed origin with credentials", async () => {
  const cookie = cookieOf(await guard.fetch("/_auth/login", formInit({ username: "cookie" })));
  const post = async (origin: string, site: string) => (await guard.fetch("/boats", { method: "POST", body: "a=b", headers: { cookie, origin, "sec-fetch-site": site } })).status;
  expect([await post(APP, "same-site"), await post(SPA, "same-site"), await post(EVIL, "same-site"), await post("null", "same-site")]).toEqual([200, 403, 403, 403]);
  expect(guard.origin.received).toHaveLength(1);
});

test("events accepts the cookie only from an allowed origin with credentials", async () => {
  const cookie = cookieOf(await guard.fetch("/_auth/login", formInit({ username: "events" })));
  await using socket = await openSocket(`${guard.url}/_auth/events`, { cookie, origin: APP });
  expect(socket.heard).toEqual([]);
  for (const origin of [SPA, EVIL]) {
    expect(await refusalOf(`${guard.url}/_auth/events`, { cookie, origin })).toMatchObject({ status: 403, body: { code: "cross_site" } });
  }
});

test("an allowed origin logs in with JSON and out with its token, and with a form only if it has credentials", async () => {
  const login = (init: RequestInit) => answerOf(guard.fetch("/_auth/login", init));
  const entered = await login(loginInit({ username: "spa" }, { origin: SPA, "sec-fetch-site": "cross-site" }));
  expect(entered).toMatchObject({ status: 200, headers: { "access-control-allow-origin": SPA } });
  const { access_token } = entered.body as { access_token: string };
  const out = (headers: Record<string, string>) => answerOf(guard.fetch("/_auth/logout", { method: "POST", headers: { origin: SPA, "sec-fetch-site": "cross-site", ...headers } }));
  expect(await out({})).toMatchObject({ status: 403, body: { code: "cross_site" } });
  expect(await out(bearer(access_token).headers as Record<string, string>)).toMatchObject({ status: 204 });
  expect(await login(formInit({ username: "spa" }, { origin: SPA }))).toMatchObject({ status: 403, body: { code: "cross_site" } });
  expect(await login(formInit({ username: "spa" }, { origin: APP }))).toMatchObject({ status: 303 });
  expect(await login(loginInit({ username: "spa" }, { origin: EVIL }))).toMatchObject({ status: 403, body: { code: "cross_site" } });
});

test("without ALLOWED_ORIGINS there are no CORS headers", async () => {
  await using without = await startGuard();
  for (const path of ["/boats", "/_auth/health", "/_auth/nothing"]) {
    expect([path, shared(await without.fetch(path, { headers: { origin: SPA } }))]).toEqual([path, {}]);
  }
});
