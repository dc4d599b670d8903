// TOKEN_SOURCES: where a token may be, and that it stays at the guard.

import { request as httpRequest } from "node:http";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { answerOf, bearer, formInit, loginInit, startGuard, useGuard } from "../harness/guard.ts";

const EVERYWHERE = "bearer, cookie, header:x-access-token, query:accessToken, body:accessToken";

const guard = useGuard({ TOKEN_SOURCES: EVERYWHERE });
let token: string;
beforeAll(async () => {
  token = (await guard.login("ada")).access_token;
});
beforeEach(() => {
  guard.origin.received.length = 0;
});

const json = (body: string): RequestInit => ({ method: "POST", headers: { "content-type": "application/json" }, body });
const form = (body: string): RequestInit => ({ method: "POST", headers: { "content-type": "application/x-www-form-urlencoded" }, body });

test("a token in the configured header is used, and removed", async () => {
  expect((await guard.fetch("/a", { headers: { "X-Access-Token": token } })).status).toBe(200);
  expect(guard.origin.received[0]?.headers).toMatchObject({ "x-auth-request-user": "ada" });
  expect(guard.origin.received[0]?.headers).not.toHaveProperty("x-access-token");
});

test.each([
  ["/a?accessToken=TOKEN", "/a"],
  ["/a?b=%2f&accessToken=TOKEN&c=+&&d", "/a?b=%2f&c=+&&d"],
  ["/a?%61ccessToken=TOKEN", "/a"],
  ["/a?accessToken=TOKEN&accessToken=TOKEN", "/a"],
])("a token in the query of %s is used, and the origin gets %s", async (target, arrives) => {
  const headers = { referer: `${guard.url}${target.replaceAll("TOKEN", token)}` };
  expect((await guard.fetch(target.replaceAll("TOKEN", token), { headers })).status).toBe(200);
  expect(guard.origin.received.map((it) => it.target)).toEqual([arrives]);
  expect(JSON.stringify(guard.origin.received[0]?.rawHeaders)).not.toContain(token);
  expect(guard.log.join()).not.toContain(token);
});

test("a navigation with a stale query token is redirected to the login page and back, without the token", async () => {
  const answer = await answerOf(guard.fetch("/a?b=1&accessToken=x.y.z", { headers: { accept: "text/html" } }));
  expect(answer).toMatchObject({ status: 302, headers: { location: "/_auth/login?redirect=/a?b=1&reason=token_invalid" } });
});

test.each([
  ["a JSON member", () => json(` {"b" : [1, 2.0], "accessToken":"${token}"}\n`)],
  ["a JSON member that is escaped", () => json(`{"access\\u0054oken":"${token}","é":"\\ud83d\\ude00"}`)],
  ["a form field", () => form(`b=+%2f&accessToken=${token}&&c`)],
  ["a form field that is escaped", () => form(`b=%zz&access%54oken=${token}`)],
  ["a body of exactly 64 KB", () => json(`{"accessToken":"${token}"}`.padEnd(64 * 1024))],
])("a token in %s is used, and the body arrives byte for byte", async (_, make) => {
  const init = make();
  expect(await answerOf(guard.fetch("/a", init))).toMatchObject({ status: 200 });
  const [received] = guard.origin.received;
  expect(received?.body.toString()).toBe(init.body);
  expect(received?.headers).toMatchObject({ "content-length": `${Buffer.byteLength(String(init.body))}`, "x-auth-request-user": "ada" });
});

test.each([
  ["one byte more than 64 KB", () => json(`{"accessToken":"${token}"}`.padEnd(64 * 1024 + 1))],
  ["a list", () => json(`[{"accessToken":"${token}"}]`)],
  ["a member of a member", () => json(`{"a":{"accessToken":"${token}"}}`)],
  ["no JSON", () => json(`{"accessToken":"${token}"`)],
  ["another content type", () => ({ ...form(`accessToken=${token}`), headers: { "content-type": "text/plain" } })],
  ["a name that differs in case", () => form(`accesstoken=${token}`)],
])("%s does not count as a token", async (_, make) => {
  expect(await answerOf(guard.fetch("/a", make()))).toMatchObject({ status: 401, body: { code: "token_missing" } });
  expect(guard.origin.received).toEqual([]);
});

test.each([
  ["is larger than is looked into", Buffer.from(`{"pad":"${"x".repeat(300_000)}"}`)],
  ["is no UTF-8", Buffer.from([0x7b, 0xff, 0xfe, 0x7d])],
  ["is empty", Buffer.alloc(0)],
])("with a token elsewhere, a body that %s arrives byte for byte", async (_, body) => {
  const headers = { ...bearer(token).headers, "content-type": "application/json" };
  expect((await guard.fetch("/a", { method: "POST", headers, body })).status).toBe(200);
  expect(guard.origin.received[0]?.body.equals(body)).toBe(true);
});

test("a body in chunks, of no stated size, arrives byte for byte, whether it holds the token or is too large to", async () => {
  const { hostname, port } = new URL(guard.url);
  const send = (headers: Record<string, string>, chunks: string[]) => new Promise<number>((resolve, reject) => {
    const request = httpRequest({ hostname, port, method: "POST", path: "/a", headers: { "content-type": "application/json", ...headers } });
    request.on("response", (answer) => resolve(answer.resume().statusCode ?? 0)).on("error", reject);
    for (const chunk of chunks) request.write(chunk);
    request.end();
  });
  const small = ["{", `"accessToken":`, `"${token}"`, "}"];
  const large = Array.from({ length: 40 }, () => "x".repeat(10_000));
  expect(await send({}, small)).toBe(200);
  expect(await send(bearer(token).headers, large)).toBe(200);
  expect(await send({}, large)).toBe(401);
  expect(guard.origin.received.map((it) => it.body.toString())).toEqual([small.join(""), large.join("")]);
});

test.each([
  ["header and query", () => guard.fetch("/a?accessToken=x.y.z", { headers: { "x-access-token": token } })],
  ["body and bearer", () => guard.fetch("/a", { ...json(`{"accessToken":"x.y.z"}`), headers: { "content-type": "application/json", ...bearer(token).headers } })],
  ["two in the query", () => guard.fetch(`/a?accessToken=x.y.z&accessToken=${token}`)],
  ["two in the body", () => guard.fetch("/a", json(`{"accessToken":"x.y.z","accessToken":"${token}"}`))],
])("two different tokens in %s are a bad request", async (_, send) => {
  expect(await answerOf(send())).toMatchObject({ status: 400, body: { code: "bad_request" } });
  expect(guard.origin.received).toEqual([]);
});

test("the guard's own endpoints accept these tokens, too", async () => {
  const { access_token } = await guard.login("eve");
  expect(await answerOf(guard.fetch(`/_auth/session?accessToken=${access_token}`))).toMatchObject({ status: 200 });
  expect((await guard.fetch("/_auth/logout", form(`accessToken=${access_token}`))).status).toBe(204);
  expect((await guard.fetch("/a", bearer(access_token))).status).toBe(401);
});

test("with FORWARD_CREDENTIAL the origin gets the token wherever it was sent, and the identity as well", async () => {
  await using open = await startGuard({ TOKEN_SOURCES: EVERYWHERE, FORWARD_CREDENTIAL: "true" });
  const { access_token } = await open.login("ada");
  const authorization = `Bearer ${access_token}`;
  const cookie = `a=1; __Host-session=${access_token}`;
  const target = `/a?b=1&accessToken=${access_token}`;
  expect((await open.fetch(target, { headers: { authorization, cookie, "x-access-token": access_token } })).status).toBe(200);
  const [received] = open.origin.received;
  expect(received?.target).toBe(target);
  expect(received?.headers).toMatchObject({ authorization, cookie, "x-access-token": access_token, "x-auth-request-user": "ada" });
});

test("with COOKIE_NAME, the cookie of that name counts, and no other", async () => {
  await using named = await startGuard({ COOKIE_NAME: "__Host-boats" });
  const [line = ""] = (await named.fetch("/_auth/login", formInit({ username: "ada" }))).headers.getSetCookie();
  const [, value = ""] = /^__Host-boats=([^;]+)/.exec(line) ?? [];
  expect((await named.fetch("/", { headers: { cookie: `__Host-boats=${value}` } })).status).toBe(200);
  expect((await named.fetch("/", { headers: { cookie: `__Host-session=${value}` } })).status).toBe(401);
});

describe("a source that is not configured", () => {
  test("is ignored and forwarded unchanged", async () => {
    await using plain = await startGuard({ TOKEN_SOURCES: "cookie" });
    const cookie = (await plain.fetch("/_auth/login", formInit({ username: "ada" }))).headers.getSetCookie()[0]?.split(";")[0] ?? "";
    const headers = { cookie, "x-access-token": "theirs", authorization: "Bearer theirs", "content-type": "application/json", "sec-fetch-site": "same-origin" };
    expect((await plain.fetch("/a?accessToken=theirs", { method: "POST", headers, body: `{"accessToken":"theirs"}` })).status).toBe(200);
    const [received] = plain.origin.received;
    expect(received).toMatchObject({ target: "/a?accessToken=theirs", headers: { "x-access-token": "theirs", authorization: "Bearer theirs" } });
    for (const init of [bearer(token), { headers: { "x-access-token": token } }]) {
      expect(await answerOf(plain.fetch("/", init))).toMatchObject({ status: 401, body: { code: "token_missing" } });
    }
  });

  test("gets no cookie at login, and a form login says so", async () => {
    await using plain = await startGuard({ TOKEN_SOURCES: "bearer" });
    const json = await answerOf(plain.fetch("/_auth/login", loginInit({ username: "ada" })));
    expect(json.status).toBe(200);
    expect(json.headers).not.toHaveProperty("set-cookie");
    expect(await answerOf(plain.fetch("/_auth/login", formInit({ username: "ada" })))).toMatchObject({ status: 400, body: { code: "bad_request" } });
    expect((await answerOf(plain.fetch("/_auth/login"))).body).not.toContain("<form");
  });
});
