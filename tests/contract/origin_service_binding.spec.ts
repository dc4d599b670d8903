// An origin that is another Worker, bound as `ORIGIN`.

import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { beforeAll, describe, expect, test } from "vitest";
import { answerOf, bearer, cookieOf, formInit, startGuard, useGuard } from "../harness/guard.ts";
import { openSocket } from "../harness/websocket.ts";

/** Tells what it got; checks credentials, echoes what streams, and begins sessions of its own. */
const BOUND = `
export default {
  async fetch(request) {
    const { pathname } = new URL(request.url);
    if (pathname === "/internal/login") {
      const { username, password } = await request.json();
      return password === "correct horse" ? Response.json({ sub: username, roles: [request.url] }) : new Response("{}", { status: 401 });
    }
    if (request.headers.get("upgrade") === "websocket") {
      const [client, server] = Object.values(new WebSocketPair());
      server.accept();
      server.send(request.headers.get("x-auth-request-user"));
      server.addEventListener("message", ({ data }) => server.send(data));
      return new Response(null, { status: 101, webSocket: client });
    }
    if (pathname === "/echo") return new Response(request.body, { headers: { "content-type": "text/plain" } });
    if (pathname === "/moved") return Response.redirect("https://elsewhere.example/", 302);
    if (pathname === "/own-login") return new Response("welcome", { headers: { "x-guard-login": '{"sub":"grace"}' } });
    const { url, method, headers, cf } = request;
    return Response.json({ url, method, headers: Object.fromEntries(headers), body: await request.text(), cf });
  },
};
`;

const ROUTES = JSON.stringify([{ path: "/own-login", access: "public", login: true }]);
// Nobody answers there: it is the bound Worker that is asked.
const LOGIN_URL = "https://login.invalid/internal/login";

const guard = useGuard({ ROUTES, LOGIN_URL, SESSION_LIMIT: "0" }, { bound: BOUND });
let token: string;
beforeAll(async () => {
  token = (await guard.login("ada")).access_token;
});

const host = () => new URL(guard.url).host;

describe("a Worker bound as ORIGIN", () => {
  test("gets the request with its URL, method and body, and the identity", async () => {
    const headers = { authorization: `Bearer ${token}`, "x-custom": "a", "x-forwarded-for": "6.6.6.6", "cf-connecting-ip": "203.0.113.7" };
    const got = (await answerOf(guard.fetch("/a//b;c?d=%2F&&", { method: "PUT", headers, body: "text" }))).body as { headers: object };
    expect(got).toMatchObject({
      url: `http://${host()}/a//b;c?d=%2F&&`,
      method: "PUT",
      body: "text",
      headers: { "x-custom": "a", "x-auth-request-user": "ada", "x-forwarded-for": "203.0.113.7", "x-forwarded-host": host(), "x-forwarded-proto": "http" },
    });
    expect(got.headers).not.toHaveProperty("authorization");
  });

  test("gets the credential check, whatever the host of LOGIN_URL", async () => {
    const { body } = await answerOf(guard.fetch("/x", bearer(token)));
    expect((body as { headers: Record<string, string> }).headers["x-auth-request-groups"]).toBe(LOGIN_URL);
    expect((await guard.fetch("/_auth/login", formInit({ username: "ada", password: "wrong" }))).status).toBe(401);
  });

  test.each(["/internal/login", "/Internal/login/", "/internal/%6cogin", "/internal/login;a=b"])("cannot be reached by clients at %s", async (path) => {
    const init = { method: "POST", body: JSON.stringify({ username: "ada", password: "correct horse" }), ...bearer(token) };
    expect(await answerOf(guard.fetch(path, init))).toMatchObject({ status: 404, body: { code: "not_found" } });
  });

  test("gets no request without a session", async () => {
    expect(await answerOf(guard.fetch("/x"))).toMatchObject({ status: 401, body: { code: "token_missing" } });
  });

  test("returns redirects, and begins sessions with X-Guard-Login", async () => {
    const moved = await guard.fetch("/moved", bearer(token));
    expect([moved.status, moved.headers.get("location")]).toEqual([302, "https://elsewhere.example/"]);
    const welcome = await guard.fetch("/own-login");
    expect([await welcome.text(), welcome.headers.has("x-guard-login")]).toEqual(["welcome", false]);
    const { body } = await answerOf(guard.fetch("/x", { headers: { cookie: cookieOf(welcome) } }));
    expect(body).toMatchObject({ headers: { "x-auth-request-user": "grace" } });
  });

  test("streams both bodies part by part", async () => {
    const { hostname, port } = new URL(guard.url);
    const upload = httpRequest({ hostname, port, method: "POST", path: "/echo", ...bearer(token) } as object);
    upload.write("first");
    const [answer] = (await once(upload, "response")) as [IncomingMessage];
    const [first] = (await once(answer, "data")) as [Buffer];
    upload.end("last");
    const [last] = (await once(answer, "data")) as [Buffer];
    expect([String(first), String(last)]).toEqual(["first", "last"]);
  });

  test("speaks WebSocket through the guard, until the session ends", async () => {
    const { access_token } = await guard.login("talks");
    await using client = await openSocket(`${guard.url}/chat`, bearer(access_token).headers);
    client.socket.send("hello");
    await expect.poll(() => client.heard).toEqual(["talks", "hello"]);
    await guard.fetch("/_auth/logout", { method: "POST", ...bearer(access_token) });
    expect(await client.closed).toMatchObject({ code: 4001, reason: "session_revoked" });
  });
});

test.each([
  ["ORIGIN_URL beside it", { ORIGIN_URL: "https://origin.example" }, { bound: BOUND }, /ORIGIN_URL: must be empty beside the service binding ORIGIN/],
  ["a URL in its place", { ORIGIN: "https://origin.example" }, {}, /ORIGIN: is the name of a service binding/],
])("%s is a configuration error", async (_, vars, options, cause) => {
  await using wrong = await startGuard(vars, options);
  expect(await answerOf(wrong.fetch("/"))).toMatchObject({ status: 500, body: { code: "misconfigured" } });
  expect(wrong.log.join("\n")).toMatch(cause);
});
