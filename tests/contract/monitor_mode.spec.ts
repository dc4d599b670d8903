// MODE = monitor: every request is forwarded, and the log says which ones would have been refused.

import type { ServerResponse } from "node:http";
import { beforeEach, describe, expect, inject, test } from "vitest";
import { answerOf, bearer, cookieOf, formInit, mint, startGuard, useGuard, type Guard } from "../harness/guard.ts";
import { openSocket } from "../harness/websocket.ts";

const ROUTES = JSON.stringify([{ path: "/admin/*", access: "session", roles: ["admin"] }]);

const guard = useGuard({ MODE: "monitor", ROUTES, SESSION_LIMIT: "0" });
beforeEach(() => {
  guard.origin.received.length = 0;
  guard.log.length = 0;
});

/** What the origin was told of who it is, under whatever name. */
function identityAtOrigin() {
  const all = Object.entries(guard.origin.received.at(-1)?.headers ?? {});
  return Object.fromEntries(all.filter(([name]) => /auth.request|authorization/.test(name)));
}

/** The line of the log for the last request, which comes a moment after the answer. */
async function lastLine(of: Guard = guard) {
  const lines = () => of.log.map((line) => JSON.parse(line) as Record<string, unknown>).filter((line) => "decision" in line);
  await expect.poll(() => lines().length).toBeGreaterThan(0);
  return lines().at(-1);
}

const ended = async () => {
  const { access_token } = await guard.login("leaver");
  await guard.fetch("/_auth/logout", { method: "POST", ...bearer(access_token) });
  guard.log.length = 0;
  return bearer(access_token).headers;
};

describe("a request that would be refused is forwarded without an identity, and the log says why", () => {
  test.each<[string, string, string, () => Promise<RequestInit>]>([
    ["no token", "token_missing", "/x", async () => ({})],
    ["a navigation without one", "token_missing", "/x", async () => ({ headers: { "sec-fetch-mode": "navigate" } })],
    ["another's token", "token_invalid", "/x", async () => bearer(await mint({}, { kid: "another" }))],
    ["an old token", "token_expired", "/x", async () => bearer(await mint({ iat: 1000, exp: 2000 }))],
    ["a session that is over", "session_revoked", "/x", async () => ({ headers: await ended() })],
    ["a session that never was", "session_unknown", "/x", async () => bearer(await mint({}))],
    ["a role that is missing", "access_denied", "/admin/x", async () => bearer((await guard.login("ada")).access_token)],
    [
      "a cookie of another site's form",
      "cross_site",
      "/x",
      async () => {
        const cookie = cookieOf(await guard.fetch("/_auth/login", formInit({ username: "ada" })));
        return { method: "POST", headers: { cookie, "sec-fetch-site": "cross-site" }, body: "a=b" };
      },
    ],
  ])("%s", async (_, code, path, init) => {
    const sent = await init();
    guard.log.length = 0;
    const headers = { ...(sent.headers as Record<string, string>), "X-Auth-Request-User": "root", x_auth_request_groups: "admin" };
    expect(await answerOf(guard.fetch(path, { ...sent, headers }))).toMatchObject({ status: 200, body: "the origin's answer" });
    const bearerOfAnother = code === "token_invalid" ? { authorization: (sent.headers as Record<string, string>)["authorization"] } : {};
    expect(identityAtOrigin()).toEqual(bearerOfAnother);
    expect(await lastLine()).toMatchObject({ level: "info", decision: "would_refuse", code, status: 200 });
  });
});

test("if the origin is down, the log line has the code of the would-be refusal once, and the actual status", async () => {
  await using away = await startGuard({ MODE: "monitor", ORIGIN_URL: "http://127.0.0.1:9" });
  expect((await away.fetch("/x")).status).toBe(502);
  expect(await lastLine(away)).toMatchObject({ decision: "would_refuse", code: "token_missing", status: 502 });
  expect(away.log.find((line) => line.includes("decision"))?.match(/"code"/g)).toHaveLength(1);
});

test("a request with a live session is forwarded with its identity, as with enforce", async () => {
  const { access_token, session } = await guard.login("ada");
  expect((await guard.fetch("/x", bearer(access_token))).status).toBe(200);
  expect(identityAtOrigin()).toEqual({ "x-auth-request-user": "ada", "x-auth-request-session": session.sid });
  await expect.poll(() => lastLine()).toMatchObject({ decision: "forward", status: 200 });
});

test("the guard's own endpoints decide as with enforce", async () => {
  expect((await guard.fetch("/_auth/session")).status).toBe(401);
  expect((await guard.fetch("/_auth/nothing")).status).toBe(404);
  expect(guard.origin.received).toEqual([]);
});

test("WebSockets and streams stay open when their session ends, while listeners are told", async () => {
  await using lenient = await startGuard({ MODE: "monitor" });
  const { access_token } = await lenient.login("ada");
  const headers = bearer(access_token).headers as Record<string, string>;
  await using client = await openSocket(`${lenient.url}/chat`, headers);
  const opened = new Promise<ServerResponse>((resolve) => {
    lenient.origin.reply = {
      headers: { "content-type": "text/event-stream" },
      stream: (response) => (response.write("data: 1\n\n"), resolve(response)),
    };
  });
  const answer = await fetch(`${lenient.url}/stream`, { headers });
  const stream = await opened;
  // Opened last, so what would cut the others is told before.
  await using listener = await openSocket(`${lenient.url}/_auth/events`, headers);
  await lenient.login("ada");
  expect(await listener.closed).toMatchObject({ code: 4001, reason: "session_superseded" });
  for (let round = 0; round < 20; round += 1) {
    client.socket.send(`${round}`);
    await expect.poll(() => client.heard).toHaveLength(round + 1);
  }
  stream.end("data: 2\n\n");
  expect(await answer.text()).toBe("data: 1\n\ndata: 2\n\n");
});

test.runIf(inject("store") === "redis")("a store outage stops nobody, and is logged as an error and as a would-be refusal", async () => {
  await using away = await startGuard({ MODE: "monitor", UPSTASH_REDIS_REST_URL: "http://127.0.0.1:9" });
  expect((await away.fetch("/x", bearer(await mint({})))).status).toBe(200);
  expect(await lastLine(away)).toMatchObject({ decision: "would_refuse", code: "store_unavailable" });
  expect(away.log.filter((line) => line.includes('"level":"error"')).join()).toContain("store_unavailable");
});
