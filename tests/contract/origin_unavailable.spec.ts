// An origin that is down, hangs or breaks off, and uploads that take longer than ORIGIN_TIMEOUT.

import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { answerOf, bearer, startGuard, useGuard } from "../harness/guard.ts";
import { startRawOrigin } from "../harness/raw_http.ts";

const guard = useGuard({ ORIGIN_TIMEOUT: "2 seconds" });
let token: string;
beforeAll(async () => {
  token = (await guard.login("ada")).access_token;
});
beforeEach(() => {
  guard.origin.received.length = 0;
  guard.origin.reply = {};
});

/** Begins a POST, whose body the test writes. */
function begin(headers: Record<string, string>, at = guard) {
  const { hostname, port } = new URL(at.url);
  const request = httpRequest({ hostname, port, path: "/upload", method: "POST", agent: false, headers: { ...(bearer(token).headers as object), ...headers } });
  request.on("error", () => {});
  const answer = once(request, "response").then(async ([message]) => {
    const chunks: Buffer[] = [];
    for await (const chunk of message as AsyncIterable<Buffer>) chunks.push(chunk);
    return { status: (message as IncomingMessage).statusCode, body: Buffer.concat(chunks).toString(), at: Date.now() };
  });
  return { request, answer };
}

const pause = (millis: number) => new Promise((resume) => setTimeout(resume, millis));
const PIECE = Buffer.alloc(6_000, "x");

test("an origin that is down is a 502, and one that hangs is a 504", async () => {
  await using away = await startGuard({ ORIGIN_URL: "http://127.0.0.1:9" });
  const { access_token } = await away.login("ada");
  expect(await answerOf(away.fetch("/", bearer(access_token)))).toMatchObject({
    status: 502,
    body: { code: "origin_unavailable" },
  });
  await using slow = await startGuard({ ORIGIN_TIMEOUT: "2 seconds" });
  slow.origin.reply = { hangs: true };
  const login = await slow.login("ada");
  expect(await answerOf(slow.fetch("/", bearer(login.access_token)))).toMatchObject({
    status: 504,
    body: { code: "origin_unavailable" },
  });
});

describe("a request body that takes longer than ORIGIN_TIMEOUT", () => {
  test.each<[string, Record<string, string>]>([
    ["of known length", { "content-length": String(10 * PIECE.length) }],
    ["of none", { "transfer-encoding": "chunked" }],
  ])("%s arrives complete, and is answered", async (_, headers) => {
    const { request, answer } = begin(headers);
    for (let piece = 0; piece < 10; piece += 1) {
      request.write(PIECE);
      await pause(300);
    }
    request.end();
    expect(await answer).toMatchObject({ status: 200, body: "the origin's answer" });
    expect(guard.origin.received.map(({ body }) => body.length)).toEqual([10 * PIECE.length]);
  });

  test.each<[string, Record<string, string>]>([
    ["of known length", { "content-length": "600000" }],
    ["of none", { "transfer-encoding": "chunked" }],
  ])("%s that stalls is a 504", async (_, headers) => {
    const { request, answer } = begin(headers);
    request.write(PIECE);
    await pause(1000);
    const last = Date.now();
    request.write(PIECE);
    const { status, at, body } = await answer;
    request.destroy();
    expect([status, JSON.parse(body)]).toMatchObject([504, { code: "origin_unavailable" }]);
    expect(at - last).toBeGreaterThan(1900);
  });
});

test.each([10, 100_000])("an origin that does not answer after %i bytes is a 504, timed from the end of the body", async (size) => {
  guard.origin.reply = { hangs: true };
  const { request, answer } = begin({ "content-length": String(size) });
  const start = Date.now();
  request.end(Buffer.alloc(size));
  const { status, at } = await answer;
  expect(status).toBe(504);
  expect(at - start).toBeGreaterThan(1900);
});

test("a client that disconnects while it sends a body causes no error in the log", async () => {
  const { request, answer } = begin({ "content-length": "600000" });
  answer.catch(() => {});
  request.write(PIECE);
  await pause(200);
  request.destroy();
  await pause(200);
  expect((await guard.fetch("/", bearer(token))).status).toBe(200);
  expect(guard.log.filter((line) => /uncaught|internal/i.test(line))).toEqual([]);
});

describe("a body that breaks off is an incomplete request for the origin", () => {
  test.each<[string, string, Record<string, string>, boolean]>([
    ["because the client leaves", "of known length", { "content-length": "600000" }, true],
    ["because the client leaves", "of none", { "transfer-encoding": "chunked" }, true],
    ["because it stops moving", "of known length", { "content-length": "600000" }, false],
    ["because it stops moving", "of none", { "transfer-encoding": "chunked" }, false],
  ])("%s, %s", async (_, __, headers, leaves) => {
    await using origin = await startRawOrigin();
    const ROUTES = JSON.stringify([{ path: "/*", access: "public" }]);
    await using open = await startGuard({ ORIGIN_URL: origin.url, ORIGIN_TIMEOUT: "1 second", ROUTES });
    const { request, answer } = begin(headers, open);
    answer.catch(() => {});
    request.write(PIECE);
    await expect.poll(() => origin.incomplete.length).toBeGreaterThan(PIECE.length);
    const [socket] = origin.sockets;
    const closed = new Promise((over) => socket?.once("close", over));
    if (leaves) request.destroy();
    else expect(await answer).toMatchObject({ status: 504 });
    await closed;
    request.destroy();
    expect(origin.received).toEqual([]);
  });
});
