// Real proxies that ask `verify`, with the configurations of docs/forward-auth.md, before a real origin.

import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { answerOf, cookieOf, loginInit, send, startGuard, useGuard } from "../harness/guard.ts";
import { PROXIES, startProxy, type Proxy } from "../harness/proxy.ts";
import { freePort } from "../harness/redis.ts";
import { openSocket, refusalOf } from "../harness/websocket.ts";

const FORWARD_AUTH_KEY = randomBytes(24).toString("base64url");
const ES256 = JSON.stringify({ keys: [(await import("../harness/signing_keys.ts")).makeKey("ES256").jwk] });
const ROUTES = JSON.stringify([
  { path: "/open/*", access: "public" },
  { path: "/either", access: "optional" },
  { path: "/admin/*", access: "session", roles: ["admin"] },
]);
const guard = useGuard({ FORWARD_AUTH_KEY, ROUTES, SIGNING_KEYS: ES256, SESSION_LIMIT: "0", ORIGIN_URL: undefined });

describe.each(PROXIES)("behind %s", (name) => {
  let proxy: Proxy;
  let session: string;
  const received = () => guard.origin.received;
  const fetch = (path: string, init?: RequestInit) => send(proxy.url, path, init);
  const withCookie = (headers: Record<string, string> = {}) => ({ headers: { cookie: `theme=dark; ${session}`, ...headers } });

  beforeAll(async () => {
    proxy = await startProxy(name, { guard: guard.url, origin: guard.origin.url, key: FORWARD_AUTH_KEY });
    const login = await fetch("/_auth/login", loginInit({ username: "ada" }, { origin: proxy.url }));
    expect(login.status, await login.text()).toBe(200);
    session = cookieOf(login);
  });
  afterAll(() => proxy[Symbol.asyncDispose]());
  beforeEach(() => {
    received().length = 0;
  });

  test("the origin gets the identity, and neither the guard's token nor its key", async () => {
    expect(await answerOf(fetch("/boats?a=%2F", withCookie({ "x-auth-request-user": "eve", "x-auth-request-groups": "admin" })))).toMatchObject({ status: 200, body: "the origin's answer" });
    const [got] = received();
    expect(got).toMatchObject({ method: "GET", target: "/boats?a=%2F", headers: { "x-auth-request-user": "ada", "x-auth-request-session": expect.any(String), "x-auth-request-assertion": expect.any(String), cookie: expect.stringMatching(/^theme=dark(; __Host-session=)?$/) } });
    expect(got?.headers["x-auth-request-groups"] ?? "").toBe("");
    expect(JSON.stringify(got)).not.toContain(FORWARD_AUTH_KEY);
  });

  test.each(["/open/x", "/either"])("what a client says of itself does not reach %s", async (path) => {
    const forged = { "x-auth-request-user": "eve", "x-auth-request-email": "e@v.e", "x-auth-request-groups": "admin", "x-auth-request-session": "s", "x-auth-request-assertion": "a", "x-original-url": "/admin", "x-rewrite-url": "/admin", "x-http-method-override": "DELETE", authorization: "Bearer theirs" };
    expect((await fetch(path, { headers: { ...forged, cookie: "theme=dark" } })).status).toBe(200);
    const [got] = received();
    expect(got?.headers).toMatchObject({ cookie: "theme=dark", authorization: "Bearer theirs" });
    const leaked = Object.entries(got?.headers ?? {}).filter(([name, value]) => /x-auth|original-url|rewrite|override/.test(name) && value !== "");
    expect(leaked).toEqual([]);
  });

  test("a program without a session gets the 401 with its challenge, and a person is led to the login page of the site", async () => {
    const refused = await fetch("/boats");
    expect([refused.status, refused.headers.get("www-authenticate")]).toEqual([401, "Bearer"]);
    for (const headers of [{ "sec-fetch-mode": "navigate" }, { accept: "text/html" }]) {
      const page = await fetch("/boats?a=1&b=2", { headers });
      expect([302, 303]).toContain(page.status);
      expect(page.headers.get("location")).toBe(`${proxy.url}/_auth/login?redirect=/boats?a=1%26b=2`);
    }
    const login = await fetch("/_auth/login?redirect=/boats", { headers: { accept: "text/html" } });
    expect([login.status, await login.text()]).toEqual([200, expect.stringContaining("<form")]);
    expect(received()).toEqual([]);
  });

  test("a right that is missing is a 403", async () => {
    expect((await fetch("/admin/x", withCookie())).status).toBe(403);
    expect(received()).toEqual([]);
  });

  test("the cookie serves this site's unsafe requests alone, whose bodies reach the origin whole", async () => {
    const body = "x".repeat(300_000);
    for (const headers of [{ origin: "https://evil.example" }, { "sec-fetch-site": "cross-site" }, { origin: guard.url }, {}]) {
      expect((await fetch("/boats", { method: "POST", body, ...withCookie(headers as Record<string, string>) })).status, JSON.stringify(headers)).toBe(403);
    }
    expect(received()).toEqual([]);
    for (const method of ["POST", "PUT"]) {
      expect((await fetch("/boats", { method, body, ...withCookie({ origin: proxy.url }) })).status).toBe(200);
      expect([received().at(-1)?.method, received().at(-1)?.body.length]).toEqual([method, body.length]);
    }
  });

  test("HEAD and preflights pass as they do at the guard", async () => {
    expect((await fetch("/boats", { method: "HEAD", ...withCookie() })).status).toBe(200);
    expect((await fetch("/boats", { method: "HEAD" })).status).toBe(401);
    expect((await fetch("/boats", { method: "OPTIONS" })).status).toBe(401);
    const preflight = { origin: "https://app.example", "access-control-request-method": "PUT" };
    expect((await fetch("/boats", { method: "OPTIONS", headers: preflight })).status).toBe(200);
    expect(received().map(({ method }) => method)).toEqual(["HEAD", "OPTIONS"]);
  });

  test("a WebSocket opens with the cookie from this site, and from no other", async () => {
    const { headers } = withCookie();
    await using client = await openSocket(`${proxy.url}/socket`, { ...headers, origin: proxy.url });
    client.socket.send("hello");
    await expect.poll(() => client.heard).toContain("hello");
    const refused = await refusalOf(`${proxy.url}/socket`, { ...headers, origin: "https://evil.example" }).catch((error: unknown) => String(error));
    // Not every proxy answers in JSON.
    expect(refused).not.toContain("was opened");
    expect(guard.origin.sockets.length).toBe(1);
    guard.origin.sockets.length = 0;
  });

  test.each(["/open/../boats", "/open/..%2fboats", "/open/%2e%2e/boats", "//boats", "/boats?/open/x", "/open//boats", "/BOATS", "/open/x;/../../boats", "/boats%23/open/x"])("%s needs a session", async (path) => {
    expect((await fetch(path)).status).toBeGreaterThanOrEqual(400);
    expect(received()).toEqual([]);
  });

  test.each<[string, Record<string, string>]>([
    ["X-Forwarded-*", { "x-forwarded-uri": "/open/x", "x-forwarded-method": "OPTIONS", "x-forwarded-host": "evil.example", "x-forwarded-proto": "https" }],
    ["X-Original-*", { "x-original-url": "https://evil.example/open/x", "x-original-method": "GET" }],
    ["other spellings", { "x_original_url": "https://evil.example/open/x", "x_forwarded_uri": "/open/x", "x-original-uri": "/open/x" }],
    ["the key's names", { "x-guard-proxy-key": "x", "x-guard-site-key": "x", "x-guard-client-ip": "1.2.3.4" }],
  ])("a client that describes its request by %s gains nothing", async (_, headers) => {
    expect((await fetch("/boats", { headers })).status).toBeGreaterThanOrEqual(400);
    expect((await fetch("/admin/x", withCookie(headers))).status).toBeGreaterThanOrEqual(400);
    expect(received()).toEqual([]);
    for (const path of ["/_auth/verify", "/_auth/verify?redirect=off"]) {
      const asked = await fetch(path, withCookie({ "x-forwarded-uri": "/boats", "x-forwarded-method": "GET", ...headers }));
      expect([asked.status >= 400, asked.headers.has("x-auth-request-assertion")], path).toEqual([true, false]);
    }
  });

  test("a session that has ended passes no more", async () => {
    const cookie = cookieOf(await fetch("/_auth/login", loginInit({ username: "leaves" })));
    expect((await fetch("/boats", { headers: { cookie } })).status).toBe(200);
    expect((await fetch("/_auth/logout", { method: "POST", headers: { cookie, origin: proxy.url } })).status).toBeLessThan(400);
    const { status, headers } = await answerOf(fetch("/boats", { headers: { cookie } }));
    expect([status, headers["www-authenticate"]]).toEqual([401, expect.stringContaining("This session was ended")]);
  });

  test("an identity and cookies of many kilobytes pass", async () => {
    guard.origin.approvals.set("large", { sub: "large", claims: { note: "x".repeat(2500) } });
    const cookie = cookieOf(await fetch("/_auth/login", loginInit({ username: "large" })));
    expect((await fetch("/boats", { headers: { cookie: `${cookie}; other=${"y".repeat(3000)}` } })).status).toBe(200);
    expect(received()[0]?.headers).toMatchObject({ cookie: expect.stringMatching(/^(__Host-session=; )?other=y{3000}$/), "x-auth-request-user": "large" });
  });

  test.runIf(name === "nginx").each<[string, Record<string, string>, RegExp]>([
    ["of a host", {}, /^__Host-session=eyJ/],
    ["of a domain", { COOKIE_DOMAIN: "harbour.test", SITE_HOSTS: "app.harbour.test", REQUIRE_HTTPS: "false" }, /^__Secure-session=eyJ.*; Domain=harbour\.test/],
  ])("a renewed cookie %s reaches the client, and no cache", async (_, vars, line) => {
    await using clocked = await startGuard({ FORWARD_AUTH_KEY, TOKEN_TTL: "15 minutes", ...vars }, { clock: true });
    await using other = await startProxy(name, { guard: clocked.url, origin: guard.origin.url, key: FORWARD_AUTH_KEY });
    const host = vars["SITE_HOSTS"] === undefined ? {} : { host: vars["SITE_HOSTS"] };
    const login = await send(other.url, "/_auth/login", loginInit({ username: "ada" }, host));
    const [cookie = ""] = login.headers.getSetCookie().at(-1)?.split(";") ?? [];
    guard.origin.reply = { headers: { "cache-control": "public, max-age=60", "set-cookie": "theme=dark" } };
    const visit = async (headers: Record<string, string> = {}) => {
      const { status, headers: told } = await send(other.url, "/boats", { headers: { cookie, ...host, ...headers } });
      return [status, told.get("cache-control"), told.getSetCookie()];
    };
    expect(await visit()).toEqual([200, "public, max-age=60", ["theme=dark"]]);
    expect(await visit({ "x-clock": `${8 * 60_000}` })).toEqual([200, "public, max-age=60, no-store", ["theme=dark", expect.stringMatching(line)]]);
    guard.origin.reply = {};
  });

  test("a stream goes on at once", async () => {
    let end = (): void => undefined;
    guard.origin.reply = { headers: { "content-type": "text/event-stream" }, stream: (response) => (response.write("data: one\n\n"), (end = () => response.end())) };
    const { body } = await globalThis.fetch(`${proxy.url}/open/stream`);
    const reader = body!.getReader();
    expect(new TextDecoder().decode((await reader.read()).value)).toBe("data: one\n\n");
    end();
    expect(await reader.read()).toMatchObject({ done: true });
    guard.origin.reply = {};
  });

  // Refused, or without what upgrades it: the origin, which knows WebSockets alone, would answer 400 by itself.
  test.each<[string, Record<string, string>, { nginx: number; caddy: number }]>([
    ["to HTTP/2", { upgrade: "h2c", connection: "Upgrade, HTTP2-Settings", "http2-settings": "AAMAAABkAAQAAP__" }, { nginx: 403, caddy: 200 }],
    ["to HTTP/2, whose settings `Connection` does not name", { upgrade: "h2c", connection: "Upgrade", "http2-settings": "AAMAAABkAAQAAP__" }, { nginx: 403, caddy: 400 }],
    ["to another protocol", { upgrade: "tunnel/1", connection: "Upgrade" }, { nginx: 200, caddy: 200 }],
    ["to one of two protocols", { upgrade: "websocket, h2c", connection: "Upgrade" }, { nginx: 200, caddy: 200 }],
  ])("no tunnel opens by an upgrade %s", async (_, headers, expected) => {
    for (const [path, init] of [["/open/x", { headers }], ["/boats", withCookie(headers)]] as const) {
      expect((await fetch(path, init)).status).toBe(expected[name]);
    }
    for (const { headers } of received()) expect([headers.upgrade, headers["http2-settings"]]).toEqual([undefined, undefined]);
  });

  test("login attempts count by client, at the address that the proxy says", async () => {
    await using strict = await startGuard({ FORWARD_AUTH_KEY, LOGIN_RATE_PER_ADDRESS: "1 per day" });
    await using other = await startProxy(name, { guard: strict.url, origin: guard.origin.url, key: FORWARD_AUTH_KEY });
    const attempt = (headers: Record<string, string>) => send(other.url, "/_auth/login", loginInit({ username: "ada", password: "wrong" }, headers)).then(({ status }) => status);
    expect([await attempt({}), await attempt({ "x-guard-client-ip": "203.0.113.9", "cf-connecting-ip": "203.0.113.9" })]).toEqual([401, 429]);
  });

  test.each<[string, () => Promise<{ url: string; key: string }>]>([
    ["the guard is away", async () => ({ url: `http://127.0.0.1:${await freePort()}`, key: FORWARD_AUTH_KEY })],
    ["the key is another", async () => ({ url: guard.url, key: `${FORWARD_AUTH_KEY}x` })],
  ])("nobody passes while %s", async (_, make) => {
    const { url, key } = await make();
    await using other = await startProxy(name, { guard: url, origin: guard.origin.url, key });
    expect((await send(other.url, "/open/x", withCookie())).status).toBeGreaterThanOrEqual(403);
    expect(received()).toEqual([]);
  });
});
