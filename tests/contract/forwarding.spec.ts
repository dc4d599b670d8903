// Forwarding: requests and responses are unchanged, except for the identity and the guard's own credential.

import { randomBytes } from "node:crypto";
import { request as httpRequest } from "node:http";
import { beforeAll, beforeEach, expect, test } from "vitest";
import { answerOf, bearer, useGuard } from "../harness/guard.ts";

const guard = useGuard();
let token: string;
let sid: string;
beforeAll(async () => {
  const login = await guard.login("ada");
  token = login.access_token;
  sid = login.session.sid;
});
beforeEach(() => {
  guard.origin.received.length = 0;
  guard.origin.reply = {};
});

/** Sends a request with the token, and returns its status. */
async function send(method: string, path: string, headers: Record<string, string> = {}, body?: RequestInit["body"]) {
  const init = { method, headers: { authorization: `Bearer ${token}`, ...headers } };
  return (await guard.fetch(path, body ? { ...init, body } : init)).status;
}

/**
 * The headers the origin got, without those that HTTP itself sets on each hop, and without the
 * `cf-worker` by which Cloudflare marks a Worker's requests.
 */
function headersAtOrigin() {
  const own = ["host", "connection", "content-length", "transfer-encoding", "cf-worker"];
  const all = Object.entries(guard.origin.received[0]?.headers ?? {});
  return Object.fromEntries(all.filter(([name]) => !own.includes(name)));
}

/** What the origin is told of how the client came. */
const client = () => ({ "x-forwarded-host": new URL(guard.url).host, "x-forwarded-proto": "http" });

test.each(["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"])("%s arrives as %s", async (method) => {
  expect(await send(method, "/")).toBe(200);
  expect(guard.origin.received.map((it) => it.method)).toEqual([method]);
});

test.each([
  "/",
  "/a/b/",
  "/a//b",
  "//a",
  "/a%20b/%C3%A9/%2F",
  "/A/a;b=c/d,e",
  "/a?b=c&d",
  "/a?b=c&b=d&=&&",
  "/a?b=%20+%2B",
  "/a?",
  "/a?b=c?d=../e",
  "/~a/!$&'()*+,=:@",
  "/a?$filter=name%20eq%20'x'",
  "/a{b}c^d?e={f}^'",
  '/a"b',
])("the target %s arrives as it was sent", async (target) => {
  expect(await send("GET", target)).toBe(200);
  expect(guard.origin.received.map((it) => it.target)).toEqual([target]);
});

test("headers arrive as they were sent, with the identity and without the credential", async () => {
  const sent = {
    accept: "application/vnd.a+json; q=0.5, */*",
    "accept-encoding": "gzip, br",
    "accept-language": "de, en;q=0.5",
    "content-type": "text/x; charset=utf-8",
    "if-none-match": 'W/"abc"',
    "user-agent": "test/1",
    "x-custom": "a, b",
    "x-empty": "",
    traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    cookie: "a=1; b=2",
  };
  expect(await send("POST", "/", sent, Buffer.from("x"))).toBe(200);
  expect(headersAtOrigin()).toEqual({
    ...sent,
    "x-auth-request-user": "ada",
    "x-auth-request-session": sid,
    ...client(),
  });
});

test("clients cannot send identity headers, in any spelling", async () => {
  const forged = {
    "X-Auth-Request-User": "root",
    X_Auth_Request_User: "root",
    "x-auth_request-email": "root@example.com",
    "X-AUTH-REQUEST-GROUPS": "admin",
    "X-Auth-Request-Session": "forged",
    "X-Auth-Request-Assertion": "forged",
    "X-Auth-Request-Preferred-Username": "root",
    "X.Auth.Request.User": "root",
  };
  expect(await send("GET", "/", forged)).toBe(200);
  expect(headersAtOrigin()).toEqual({ "x-auth-request-user": "ada", "x-auth-request-session": sid, ...client() });
});

test("the session cookie stays at the guard, and other cookies and credentials are forwarded", async () => {
  const headers = { authorization: "Basic YWRhOnB3", cookie: `a=1; __Host-session=${token}; b="2"` };
  expect(await send("GET", "/", headers)).toBe(200);
  expect(headersAtOrigin()).toMatchObject({ authorization: "Basic YWRhOnB3", cookie: 'a=1; b="2"' });
});

test("a body of any bytes arrives as it was sent, with its length", async () => {
  const body = randomBytes(300_000);
  expect(await send("PUT", "/", { "content-length": "300000" }, body)).toBe(200);
  const [received] = guard.origin.received;
  expect(received?.body.equals(body)).toBe(true);
  expect(received?.headers["content-length"]).toBe("300000");
});

test("a body without a length arrives too", async () => {
  const body = randomBytes(100_000);
  expect(await send("POST", "/", { "transfer-encoding": "chunked" }, body)).toBe(200);
  const [received] = guard.origin.received;
  expect(received?.body.equals(body)).toBe(true);
  expect(received?.headers).not.toHaveProperty("content-length");
});

test.each(["GET", "HEAD"])("%s is forwarded with an empty body, and with one", async (method) => {
  expect(await send(method, "/", { "content-length": "0" })).toBe(200);
  expect(await send(method, "/", { "content-length": "3" }, "abc")).toBe(200);
  expect(guard.origin.received.map((it) => [it.method, it.body.toString()])).toEqual([[method, ""], [method, "abc"]]);
});

test("a session cookie on a line of its own does not count: the runtime joins lines by a comma, which other cookies may hold", async () => {
  const lines = [["host", new URL(guard.url).host], ["cookie", "a=1"], ["cookie", `__Host-session=${token}`], ["cookie", "b=2"]];
  const status = await new Promise((resolve, reject) => {
    const request = httpRequest(guard.url, { headers: lines.flat() as never }, (response) => resolve(response.resume().statusCode));
    request.on("error", reject).end();
  });
  expect([status, guard.origin.received]).toEqual([401, []]);
});

test("only the guard can reach LOGIN_URL, and clients cannot", async () => {
  const { credentialChecks } = guard.origin;
  const checks = credentialChecks.length;
  const body = JSON.stringify({ username: "ada", password: "guess" });
  const paths = [
    "/internal/login", "/internal/login/", "//internal/login", "/Internal/%6Cogin", "/internal/login%0a", "/internal/login/x", "/internal/login%3fx",
    "/internal/login%23", "/internal/login.json", "/internal/login;v=1", "/internal/login%20", "/internal/login%00", "/x/..%2finternal/login", "/internal/login.",
  ];
  for (const path of paths) {
    const { host } = new URL(guard.url);
    for (const to of [host, "LOCALHOST", "other.localhost:1234"]) {
      expect([path, to, await send("POST", path, { "content-type": "application/json", host: to }, body)]).toEqual([path, to, 404]);
    }
  }
  expect([credentialChecks.length, guard.origin.received]).toEqual([checks, []]);
});

test("the response is unchanged: status, headers, several cookies, body", async () => {
  guard.origin.reply = {
    status: 418,
    headers: { "set-cookie": ["a=1; Path=/", "b=2"], "x-custom": "c", "cache-control": "max-age=60" },
    body: "short and stout",
  };
  const response = await guard.fetch("/", bearer(token));
  expect(response.headers.getSetCookie()).toEqual(["a=1; Path=/", "b=2"]);
  expect(await answerOf(response)).toMatchObject({
    status: 418,
    headers: { "x-custom": "c", "cache-control": "max-age=60" },
    body: "short and stout",
  });
});

test("redirects of the origin are returned, not followed", async () => {
  guard.origin.reply = { status: 302, headers: { location: "https://elsewhere.example/" } };
  const response = await guard.fetch("/", bearer(token));
  expect([response.status, response.headers.get("location")]).toEqual([302, "https://elsewhere.example/"]);
  expect(guard.origin.received).toHaveLength(1);
});

test.each(["/a/../b", "/a/./b", "/a/%2e%2e/b", "/a/.%2E/b", "/..", "/%2e"])(
  "the path %s, which a URL parser would rewrite, never reaches the origin as another one",
  async (path) => {
    const status = await send("GET", path);
    const targets = guard.origin.received.map((it) => it.target);
    expect([status, targets]).toEqual(status === 200 ? [200, [path]] : [400, []]);
  },
);
