// OVERLAP_SAFE_REQUESTS: the origin request runs in parallel with the session check, and its response is held back
// until the session is known to be live.

import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { beforeEach, expect, inject, test } from "vitest";
import { answerOf, bearer, mint, startGuard, useGuard, type Guard } from "../harness/guard.ts";

const guard = useGuard({ OVERLAP_SAFE_REQUESTS: "true", SESSION_LIMIT: "0" });
beforeEach(() => {
  guard.origin.received.length = 0;
  guard.origin.reply = {};
});

const isRedis = inject("store") === "redis";

async function loggedOut() {
  const { access_token } = await guard.login("leaver");
  await guard.fetch("/_auth/logout", { method: "POST", ...bearer(access_token) });
  return bearer(access_token);
}

test("a live session gets the origin's response, streamed, and the origin gets the identity", async () => {
  const { access_token, session } = await guard.login("ada");
  guard.origin.reply = { status: 203, headers: { "x-a": "b" }, stream: (response) => (response.write("one "), response.end("two")) };
  expect(await answerOf(guard.fetch("/x", bearer(access_token)))).toMatchObject({ status: 203, headers: { "x-a": "b" }, body: "one two" });
  expect(guard.origin.received.map(({ headers }) => headers["x-auth-request-session"])).toEqual([session.sid]);
});

test("an ended session gets nothing of the origin's response", async () => {
  const stale = await loggedOut();
  guard.origin.reply = { headers: { "x-secret": "a" }, stream: (response) => void response.write("secret") };
  const answer = await answerOf(guard.fetch("/x", stale));
  expect(answer).toMatchObject({ status: 401, body: { code: "session_revoked" } });
  expect(JSON.stringify(answer)).not.toContain("secret");
});

test.runIf(isRedis)("the origin's response to an ended session is cancelled", async () => {
  await using store = await slowed(80);
  await using slow = await startGuard({ UPSTASH_REDIS_REST_URL: store.url, OVERLAP_SAFE_REQUESTS: "true" });
  const cancelled = new Promise((resolve) => {
    slow.origin.reply = { stream: (response) => void response.on("close", resolve).write("secret") };
  });
  expect((await slow.fetch("/x", bearer(await mint({})))).status).toBe(401);
  await cancelled;
  expect(slow.origin.received).toHaveLength(1);
});

test("login headers in such a response have no effect", async () => {
  const stale = await loggedOut();
  guard.origin.reply = { headers: { "x-guard-login": '{"sub":"root"}' } };
  const response = await guard.fetch("/x", stale);
  expect([response.status, response.headers.getSetCookie()]).toEqual([401, []]);
});

test.each([
  ["POST", "/x"],
  ["DELETE", "/x"],
])("%s, which is not safe, waits for the store", async (method, path) => {
  expect((await guard.fetch(path, { method, ...(await loggedOut()) })).status).toBe(401);
  expect(guard.origin.received).toEqual([]);
});

test("a GET with a body waits, too, and is forwarded complete", async () => {
  const init = { method: "GET", headers: { "content-length": "3" }, body: "abc" };
  const { headers } = await loggedOut();
  expect((await guard.fetch("/x", { ...init, headers: { ...init.headers, ...(headers as object) } })).status).toBe(401);
  expect(guard.origin.received).toEqual([]);
  const { access_token } = await guard.login("ada");
  expect((await guard.fetch("/x", { ...init, headers: { ...init.headers, authorization: `Bearer ${access_token}` } })).status).toBe(200);
  expect(guard.origin.received.map(({ body }) => String(body))).toEqual(["abc"]);
});

test("an origin that is down is a 502 for a live session, and a refusal for any other", async () => {
  await using away = await startGuard({ OVERLAP_SAFE_REQUESTS: "true", ORIGIN_URL: "http://127.0.0.1:9" });
  const { access_token } = await away.login("ada");
  expect(await answerOf(away.fetch("/", bearer(access_token)))).toMatchObject({ status: 502, body: { code: "origin_unavailable" } });
  expect(await answerOf(away.fetch("/", bearer(await mint({}))))).toMatchObject({ status: 401, body: { code: "session_unknown" } });
});

test.runIf(isRedis)("a store outage lets no response out", async () => {
  await using away = await startGuard({ OVERLAP_SAFE_REQUESTS: "true", UPSTASH_REDIS_REST_URL: "http://127.0.0.1:9" });
  expect(await answerOf(away.fetch("/x", bearer(await mint({}))))).toMatchObject({ status: 503, body: { code: "store_unavailable" } });
});

// Measured once more if another test took the processor meanwhile.
test.runIf(isRedis)("with a store of 80 ms and an origin of 120 ms, a GET takes the slower of both, and without overlap their sum", { retry: 3 }, async () => {
  await using store = await slowed(80);
  const rest = { UPSTASH_REDIS_REST_URL: store.url };
  await using overlapping = await startGuard({ ...rest, OVERLAP_SAFE_REQUESTS: "true" });
  await using waiting = await startGuard(rest);
  const medians = await Promise.all([overlapping, waiting].map((it) => medianOf(it)));
  expect.soft(medians[0]).toBeLessThan(160);
  expect.soft(medians[1]).toBeGreaterThan(190);
});

/** The median of the milliseconds that a GET takes, with an origin of 120 ms. */
async function medianOf(one: Guard) {
  const { access_token } = await one.login("ada");
  one.origin.reply = { stream: (response) => void setTimeout(() => response.end("x"), 120) };
  const all: number[] = [];
  for (let i = 0; i < 11; i += 1) {
    const began = performance.now();
    const response = await one.fetch("/x", bearer(access_token));
    all.push(performance.now() - began);
    expect(response.status).toBe(200);
  }
  return all.sort((a, b) => a - b)[5];
}

/** The tests' Redis, whose replies arrive no sooner than after this time. */
async function slowed(millis: number) {
  const server = createServer(async (request, response) => {
    const due = performance.now() + millis;
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const { method = "GET", url = "", headers } = request;
    const sent = { authorization: headers.authorization ?? "", "content-type": headers["content-type"] ?? "text/plain" };
    const reply = await fetch(inject("restUrl") + url, { method, headers: sent, ...(method === "GET" ? {} : { body: Buffer.concat(chunks) }) });
    const body = Buffer.from(await reply.arrayBuffer());
    setTimeout(() => response.writeHead(reply.status, { "content-type": "application/json" }).end(body), due - performance.now());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}
