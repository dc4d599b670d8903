// `GET verify`, by which a proxy asks about its client's request, and the same as an entry point for other Workers.

import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { adminApi, KEY as ADMIN_API_KEY } from "../harness/admin_api.ts";
import { blocks } from "../harness/docs.ts";
import { answerOf, bearer, cookieOf, formInit, loginInit, mint, PHONE, startGuard, useGuard, type Guard } from "../harness/guard.ts";
import { API, startIssuer, type Issuer } from "../harness/identity_provider.ts";
import { makeKey } from "../harness/signing_keys.ts";
import { newUser } from "../harness/trusted_issuer.ts";

const FORWARD_AUTH_KEY = randomBytes(24).toString("base64url");
const ROUTES = JSON.stringify([
  { path: "/open/*", access: "public" },
  { path: "/either", access: "optional" },
  { path: "/admin/*", access: "session", roles: ["admin"] },
  { path: "/strong", access: "session", acr: ["mfa"] },
]);
const ACCESS = { audience: API, session_claim: "sid" };

let issuer: Issuer;
beforeAll(async () => {
  issuer = await startIssuer();
});
afterAll(() => issuer[Symbol.asyncDispose]());

const SIGNING_KEYS = JSON.stringify({ keys: [makeKey("ES256").jwk] });
const vars = () => ({
  ADMIN_API_KEY,
  FORWARD_AUTH_KEY,
  ROUTES,
  SIGNING_KEYS,
  TRUSTED_ISSUERS: JSON.stringify([issuer.entry({ access_tokens: ACCESS })]),
  SESSION_LIMIT: "0",
  // What is asked about must not be sent to the origin either.
  OVERLAP_SAFE_REQUESTS: "true",
});
const guard = useGuard(vars);
const { call } = adminApi(() => guard);

/** The site that the proxy serves. */
const SITE = "https://app.example";
interface Asked { method?: string; headers?: Record<string, string>; query?: string; site?: string }
const described = (path: string, { method = "GET", site = SITE }: Asked = {}) => ({ "x-original-method": method, "x-original-url": site + path });
/** What `verify` answers about a request. */
const verify = (path: string, asked: Asked = {}, at: Guard = guard) =>
  answerOf(at.fetch(`/_auth/verify${asked.query ?? ""}`, { headers: { "x-guard-proxy-key": FORWARD_AUTH_KEY, ...described(path, asked), ...asked.headers } }));
const codeOf = ({ status, body }: { status: number; body: unknown }) => (typeof body === "object" ? (body as { code: string }).code : status);

let token: string;
let cookie: string;
beforeAll(async () => {
  token = (await guard.login("ada")).access_token;
  cookie = cookieOf(await guard.fetch("/_auth/login", formInit({ username: "ada" })));
});
beforeEach(() => {
  guard.origin.received.length = 0;
});

/** Requests, and what they carry. */
const CASES: [string, string, () => Record<string, string> | Promise<Record<string, string>>][] = [
  ["GET", "/boats", () => ({})],
  ["GET", "/boats", () => bearer(token).headers],
  ["GET", "/boats", () => bearer("x.y.z").headers],
  ["GET", "/boats", async () => bearer(await mint({ exp: 1 })).headers],
  ["GET", "/boats", () => ({ cookie })],
  ["GET", "/boats", () => ({ "sec-fetch-mode": "navigate" })],
  ["POST", "/boats", () => ({ cookie })],
  ["POST", "/boats", () => ({ cookie, "sec-fetch-site": "same-origin" })],
  ["POST", "/boats", () => ({ cookie, "sec-fetch-site": "cross-site" })],
  ["GET", "/boats", () => ({ cookie, ...bearer(token).headers })],
  ["GET", "/open/x", () => ({})],
  ["GET", "/open/x", () => bearer(token).headers],
  ["GET", "/either", () => ({})],
  ["GET", "/either", () => bearer(token).headers],
  ["GET", "/either", () => bearer("x.y.z").headers],
  ["GET", "/admin/x", () => bearer(token).headers],
  ["GET", "/strong", () => bearer(token).headers],
  ["OPTIONS", "/boats", () => ({})],
  ["OPTIONS", "/boats", () => ({ origin: "https://a.example", "access-control-request-method": "PUT" })],
  ["HEAD", "/boats", () => bearer(token).headers],
  ["GET", "/open/..%2fboats", () => ({})],
  ["GET", "/open//boats", () => ({})],
  ["GET", "/open/%ff", () => ({})],
  ["GET", "/a/../b", () => ({})],
];

test.each(CASES)("%s %s is decided about as if it had come itself (%#)", async (method, path, headers) => {
  const sent = await headers();
  const direct = await answerOf(guard.fetch(path, { method, headers: sent }));
  const { received } = guard.origin;
  const identity = received.map(({ headers }) => [headers["x-auth-request-user"] ?? "", headers["x-auth-request-session"] ?? "", headers.cookie, headers.authorization])[0];
  received.length = 0;
  const asked = await verify(path, { method, headers: sent });
  const site = (it: string | undefined) => it?.replace(SITE, guard.url).replace(/^\//, `${guard.url}/`);
  expect([asked.status, codeOf(asked), site(asked.headers["location"]), site(asked.headers["www-authenticate"])], JSON.stringify(asked))
    .toEqual([direct.status, direct.status === 200 ? 200 : codeOf({ ...direct, body: method === "HEAD" ? asked.body : direct.body }), site(direct.headers["location"]), direct.headers["www-authenticate"]]);
  if (asked.status === 200) {
    const { headers: told } = asked;
    expect([told["x-auth-request-user"], told["x-auth-request-session"], told["cookie"], told["authorization"]]).toEqual(identity);
    expect([told["x-auth-request-assertion"] !== "", asked.body, told["set-cookie"]]).toEqual([identity?.[0] !== "", "", undefined]);
  }
  expect(asked.headers["cache-control"]).toBe("no-store");
  expect(received).toEqual([]);
});

test("an answer says what goes on of the client's headers, and nothing of the guard's own", async () => {
  const app = { cookie: `theme=dark; ${cookie}`, authorization: "Bearer theirs" };
  const { headers } = await verify("/boats", { headers: { ...app, "x-auth-request-user": "eve" } });
  expect(headers).toMatchObject({ "x-auth-request-user": "ada", cookie: "theme=dark", authorization: "Bearer theirs" });
  const empty = Object.fromEntries(["user", "email", "groups", "session", "assertion"].map((name) => [`x-auth-request-${name}`, ""]));
  expect((await verify("/either", { headers: { "x-auth-request-user": "eve" } })).headers).toMatchObject(empty);
  expect(JSON.stringify(headers)).not.toContain(FORWARD_AUTH_KEY);
});

test.each<[string, Record<string, string>]>([
  ["none", { "x-guard-proxy-key": "" }],
  ["another", { "x-guard-proxy-key": "k".repeat(32) }],
  ["that of the admin API", { "x-guard-proxy-key": ADMIN_API_KEY }],
])("with the key %s, nothing is believed", async (_, headers) => {
  expect(await verify("/open/x", { headers })).toMatchObject({ status: 403, body: { code: "key_invalid" } });
});

test("without a key in the settings, there is no such endpoint", async () => {
  await using without = await startGuard();
  expect(await verify("/open/x", {}, without)).toMatchObject({ status: 404, body: { code: "not_found" } });
});

test("the four parts in X-Forwarded-* say the same, and what is said in both ways is refused", async () => {
  const ask = (headers: Record<string, string>) => answerOf(guard.fetch("/_auth/verify", { headers: { "x-guard-proxy-key": FORWARD_AUTH_KEY, ...headers } }));
  const forwarded = { "x-forwarded-method": "GET", "x-forwarded-proto": "https", "x-forwarded-host": "app.example", "x-forwarded-uri": "/open/x" };
  expect(await ask(forwarded)).toMatchObject({ status: 200 });
  expect(await ask({ ...forwarded, ...described("/open/x") })).toMatchObject({ status: 400, body: { code: "bad_request" } });
  expect(await ask({ ...forwarded, "x-forwarded-uri": "https://app.example/open/x" })).toMatchObject({ status: 400 });
  expect(await ask({})).toMatchObject({ status: 400 });
});

test("with redirect=off, whatever is refused is a 401 or a 403, and names the login page", async () => {
  const off = { query: "?redirect=off" };
  const page = await verify("/boats?a", { ...off, headers: { "sec-fetch-mode": "navigate" } });
  expect(page).toMatchObject({ status: 401, headers: { location: `${SITE}/_auth/login?redirect=/boats?a`, "www-authenticate": expect.stringMatching(/^Bearer/) }, body: { code: "token_missing", status: 401 } });
  expect(await verify("/boats", { ...off, site: "http://app.example", headers: { "sec-fetch-mode": "navigate" } })).toMatchObject({ status: 403, body: { code: "https_required" } });
  expect(await verify("/a/../b", off)).toMatchObject({ status: 403, body: { code: "bad_request", status: 403 } });
  const two = { cookie, ...bearer(token).headers };
  expect([await verify("/boats", { headers: two }), await verify("/boats", { ...off, headers: two })]).toMatchObject([{ status: 400 }, { status: 403 }]);
  expect(await verify("/boats", { query: "?redirect=on" })).toMatchObject({ status: 400 });
});

test("a handshake is told from a GET by its key, and the guard's own paths are not asked about", async () => {
  const handshake = { cookie, "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==", "sec-websocket-version": "13" };
  expect(await verify("/socket", { headers: { ...handshake, origin: "https://evil.example" } })).toMatchObject({ status: 403, body: { code: "cross_site" } });
  expect(await verify("/socket", { headers: { ...handshake, origin: SITE } })).toMatchObject({ status: 200 });
  for (const path of ["/_auth/login", "/_auth/verify", "/_auth/x", "/.well-known/jwks.json"]) {
    expect(await verify(path, { headers: bearer(token).headers }), path).toMatchObject({ status: 400, body: { code: "bad_request" } });
  }
});

test("any method of the proxy's own is answered alike, with a body or a preflight's headers", async () => {
  const headers = { "x-guard-proxy-key": FORWARD_AUTH_KEY, ...described("/boats"), origin: "https://a.example", "access-control-request-method": "GET" };
  for (const method of ["GET", "POST", "PUT", "DELETE", "OPTIONS"]) {
    expect(await answerOf(guard.fetch("/_auth/verify", { method, headers, ...(method.startsWith("P") ? { body: "a=b" } : {}) })), method).toMatchObject({ status: 401, body: { code: "token_missing" } });
  }
});

test("a body that is at the proxy is not waited for", async () => {
  await using reads = await startGuard({ FORWARD_AUTH_KEY, TOKEN_SOURCES: "bearer, body:accessToken" });
  const { access_token } = await reads.login("ada");
  const form = { "content-type": "application/x-www-form-urlencoded" };
  expect(await verify("/boats", { method: "POST", headers: form }, reads)).toMatchObject({ status: 401, body: { code: "token_missing" } });
  expect(await verify("/boats", { method: "POST", headers: { ...form, ...bearer(access_token).headers } }, reads)).toMatchObject({ status: 200 });
});

test("rights that were changed count at once, and an ended session passes no more", async () => {
  const { access_token, session } = await guard.login("rises");
  const headers = bearer(access_token).headers;
  expect((await verify("/admin/x", { headers })).status).toBe(403);
  const type = { "content-type": "application/merge-patch+json" };
  await call("users/rises", { method: "PATCH", headers: type, body: JSON.stringify({ rights: { roles: ["admin"] } }) });
  expect(await verify("/admin/x", { headers })).toMatchObject({ status: 200, headers: { "x-auth-request-groups": "admin" } });
  await call(`users/rises/sessions/${session.sid}`, { method: "DELETE" });
  expect(await verify("/admin/x", { headers })).toMatchObject({ status: 401, body: { code: "session_revoked" } });
});

test("a provider's session begins when a proxy first asks about it", async () => {
  const who = newUser();
  const authorization = `Bearer ${issuer.accessToken(who)}`;
  const headers = { authorization, ...PHONE };
  expect(await verify("/boats", { headers })).toMatchObject({ status: 200, headers: { "x-auth-request-user": `idp|${who.sub}`, authorization } });
  const { body } = await call(`users/${encodeURIComponent(`idp|${who.sub}`)}/sessions`);
  expect(body).toMatchObject({ sessions: [{ device: "mobile" }] });
});

test("a cookie whose token is past half its life is renewed by the answer", async () => {
  await using clocked = await startGuard({ FORWARD_AUTH_KEY, TOKEN_TTL: "15 minutes" }, { clock: true });
  const old = cookieOf(await clocked.fetch("/_auth/login", formInit({ username: "ada" })));
  const later = { cookie: old, "x-clock": `${8 * 60_000}` };
  const renewed = await clocked.fetch("/_auth/verify", { headers: { "x-guard-proxy-key": FORWARD_AUTH_KEY, ...described("/boats"), ...later } });
  expect([renewed.status, renewed.headers.get("cache-control"), renewed.headers.get("x-auth-request-user")]).toEqual([200, "no-store", "ada"]);
  expect(cookieOf(renewed)).toMatch(/^__Host-session=eyJ/);
  expect(cookieOf(renewed)).not.toBe(old);
});

test("monitor mode lets pass what it would refuse, without an identity", async () => {
  await using watching = await startGuard({ FORWARD_AUTH_KEY, MODE: "monitor" });
  const { status, headers } = await verify("/boats", {}, watching);
  expect([status, headers["x-auth-request-user"]]).toEqual([200, ""]);
  await expect.poll(() => watching.log.join("\n")).toContain('"decision":"would_refuse","code":"token_missing"');
});

test("a store that does not answer is a 503, whatever the proxy wishes", async () => {
  const { access_token } = await guard.login("outage");
  const away = { SESSION_STORE: "redis", UPSTASH_REDIS_REST_URL: "http://127.0.0.1:9", UPSTASH_REDIS_REST_TOKEN: "t" };
  await using cut = await startGuard({ ...vars(), ...away });
  expect(await verify("/boats", { query: "?redirect=off", headers: bearer(access_token).headers }, cut)).toMatchObject({ status: 503, body: { code: "store_unavailable" } });
});

test("the log has one line for each question, about the request that was described", async () => {
  guard.log.length = 0;
  await verify("/admin/x?secret=1", { method: "PUT", headers: bearer(token).headers });
  const lines = () => guard.log.map((line) => JSON.parse(line) as Record<string, unknown>);
  await expect.poll(lines).toEqual([expect.objectContaining({ decision: "refuse", route: "/admin/*", code: "access_denied", status: 403, method: "PUT", user: expect.any(String) })]);
  expect(guard.log.join("\n")).not.toMatch(new RegExp(`secret|${FORWARD_AUTH_KEY}`));
});

describe("what a proxy passes on to the guard's own endpoints", () => {
  const passed = { "x-guard-site-key": FORWARD_AUTH_KEY, "x-original-url": `${SITE}/_auth/login` };

  test("is at the host that its client has asked", async () => {
    const login = (headers: Record<string, string>) => guard.fetch("/_auth/login", loginInit({ username: "ada" }, headers));
    const outcomes = await Promise.all([{ ...passed, origin: SITE }, { origin: SITE }, { ...passed, origin: guard.url }].map(async (headers) => (await login(headers)).status));
    expect(outcomes).toEqual([200, 403, 403]);
    expect((await login({ ...passed, "x-guard-site-key": "k".repeat(32), origin: SITE })).status).toBe(403);
  });

  test("over plain http takes no password, and leads people to https", async () => {
    const plain = { ...passed, "x-original-url": "http://app.example/_auth/login" };
    expect(await answerOf(guard.fetch("/_auth/login", loginInit({ username: "ada" }, plain)))).toMatchObject({ status: 403, body: { code: "https_required" } });
    expect(await answerOf(guard.fetch("/_auth/login", { headers: { ...plain, accept: "text/html" } }))).toMatchObject({ status: 308, headers: { location: `${SITE}/_auth/login` } });
  });

  test("does not let a client ask about itself, nor reach the origin", async () => {
    const headers = { ...passed, ...bearer(token).headers };
    expect((await guard.fetch("/_auth/verify", { headers: { ...headers, ...described("/boats") } })).status).toBe(403);
    expect((await guard.fetch("/boats", { headers })).status).toBe(404);
    expect(guard.origin.received).toEqual([]);
  });
});

describe("another Worker that asks over a service binding", () => {
  const [caller = ""] = blocks("docs/forward-auth.md", "js");
  const site = useGuard({ ROUTES, FORWARD_SESSION_DATA: "true", ALLOWED_ORIGINS: '["https://spa.example"]' }, { caller });
  const visit = (path: string, init?: RequestInit) => answerOf(site.fetch(path, init));

  test("gets the request as it goes on, or the response for the client", async () => {
    const { access_token } = await site.login("ada");
    expect(await visit("/boats", bearer(access_token))).toMatchObject({ status: 200, body: "Hello, ada" });
    expect(await visit("/open/x", { headers: { "x-auth-request-user": "eve", x_auth_request_user: "eve" } })).toMatchObject({ body: "Hello, stranger" });
    expect(await visit("/boats")).toMatchObject({ status: 401, headers: { "www-authenticate": "Bearer", "content-type": "application/problem+json" }, body: { code: "token_missing" } });
    expect(await visit("/boats", { headers: { origin: "https://spa.example" } })).toMatchObject({ headers: { "access-control-allow-origin": "https://spa.example" } });
    expect(await visit("/boats?a", { headers: { accept: "text/html" } })).toMatchObject({ status: 302, headers: { location: `${site.url}/_auth/login?redirect=/boats?a` } });
    expect(await visit("/admin/x", { method: "POST", ...bearer(access_token) })).toMatchObject({ status: 403, body: { code: "access_denied" } });
    expect(site.origin.received).toEqual([]);
    const routes = () => site.log.filter((line) => line.includes('"decision"')).map((line) => (JSON.parse(line) as { route: string }).route);
    await expect.poll(() => routes().slice(1)).toEqual(["/*", "/open/*", "/*", "/*", "/*", "/admin/*"]);
  });

  test("has its cookie judged by the site, and no request that is none", async () => {
    const cookie = cookieOf(await site.fetch("/_auth/login", formInit({ username: "ada" }, { origin: site.url })));
    const post = (origin: string) => visit("/boats", { method: "POST", headers: { cookie, origin } });
    expect([(await post(site.url)).status, (await post("https://evil.example")).status]).toEqual([200, 403]);
    expect(await visit("/_auth/session", { headers: { cookie } })).toMatchObject({ status: 200 });
  });
});
