// The bridge speaks Upstash's protocol: by hand, and with Upstash's own client.

import { createHash } from "node:crypto";
import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";
import { Redis } from "@upstash/redis";
import { beforeAll, describe, expect, inject, test } from "vitest";
import { startBridge } from "../bridge/server.ts";
import { answerOf } from "./harness/guard.ts";
import { REST_TOKEN } from "./harness/redis.ts";

const url = inject("restUrl");
const authorization = `Bearer ${REST_TOKEN}`;
const key = (name: string) => `bridge:${name}`;

const call = (path: string, init: RequestInit = {}) =>
  answerOf(fetch(url + path, { ...init, headers: { authorization, ...init.headers } }));
const post = (path: string, body: unknown, headers = {}) =>
  call(path, { method: "POST", body: JSON.stringify(body), headers });

test("a command in the body", async () => {
  expect(await post("/", ["SET", key("a"), "1", "EX", 100])).toMatchObject({ status: 200, body: { result: "OK" } });
  expect(await post("/", ["GET", key("a")])).toMatchObject({ status: 200, body: { result: "1" } });
  expect(await post("/", ["INCR", key("a")])).toMatchObject({ status: 200, body: { result: 2 } });
  expect(await post("/", ["GET", key("none")])).toMatchObject({ status: 200, body: { result: null } });
});

test("a command in the path, with the body as its value and the query as its options", async () => {
  expect(await call(`/set/${key("p")}/a%20b%2Fc`)).toMatchObject({ body: { result: "OK" } });
  expect(await call(`/get/${key("p")}`)).toMatchObject({ body: { result: "a b/c" } });
  expect(await call(`/set/${key("q")}?EX=100`, { method: "POST", body: "from the body" })).toMatchObject({ body: { result: "OK" } });
  expect(await call(`/get/${key("q")}`)).toMatchObject({ body: { result: "from the body" } });
  const { body } = await call(`/ttl/${key("q")}`);
  expect((body as Record<string, number>)["result"]).toBeGreaterThan(50);
});

test("a pipeline answers per command", async () => {
  const commands = [["SET", key("l"), "x"], ["INCR", key("l")], ["GET", key("l")]];
  expect(await post("/pipeline", commands)).toMatchObject({
    status: 200,
    body: [{ result: "OK" }, { error: expect.stringMatching(/^ERR value is not an integer/) }, { result: "x" }],
  });
});

test("a transaction is applied whole or not at all", async () => {
  const good = [["SET", key("t"), "1"], ["INCR", key("t")]];
  expect(await post("/multi-exec", good)).toMatchObject({ status: 200, body: [{ result: "OK" }, { result: 2 }] });
  const bad = [["SET", key("t"), "9"], ["NO-SUCH-COMMAND"]];
  expect(await post("/multi-exec", bad)).toMatchObject({ status: 400, body: { error: expect.stringMatching(/ERR|EXECABORT/) } });
  expect(await post("/", ["GET", key("t")])).toMatchObject({ body: { result: "2" } });
});

test("base64 is what the client asked for, and leaves OK, numbers and null as they are", async () => {
  const asked = { "upstash-encoding": "base64" };
  expect(await post("/", ["SET", key("b"), "é\n"], asked)).toMatchObject({ body: { result: "OK" } });
  expect(await post("/", ["GET", key("b")], asked)).toMatchObject({ body: { result: "w6kK" } });
  expect(await post("/", ["MGET", key("b"), key("none")], asked)).toMatchObject({ body: { result: ["w6kK", null] } });
  expect(await post("/", ["STRLEN", key("b")], asked)).toMatchObject({ body: { result: 3 } });
});

test("the token comes as a bearer or as _token, and without it nothing is done", async () => {
  const ping = "/ping";
  expect(await answerOf(fetch(`${url}${ping}?_token=${REST_TOKEN}`))).toMatchObject({ status: 200, body: { result: "PONG" } });
  for (const init of [{}, { headers: { authorization: "Bearer wrong" } }, { headers: { authorization: `Basic ${REST_TOKEN}` } }]) {
    expect(await answerOf(fetch(url + ping, init))).toMatchObject({
      status: 401,
      body: { error: "WRONGPASS invalid or missing auth token" },
    });
  }
});

test("words of a path are taken as they are, even those that look like dot segments", async () => {
  // Past `fetch`, which would resolve them itself.
  const path = `/set/${key("dots")}/%2e%2e`;
  const [answer] = (await once(get(url + path, { path, headers: { authorization } }), "response")) as [IncomingMessage];
  expect(answer.resume().statusCode).toBe(200);
  expect(await call(`/get/${key("dots")}`)).toMatchObject({ body: { result: ".." } });
});

test("a bridge without a token does not start", async () => {
  const options = { redisUrl: inject("redisUrl"), token: "", port: 0 };
  await expect(startBridge(options)).rejects.toThrow("token");
});

test("every answer carries a sync token", async () => {
  expect((await call("/ping")).headers["upstash-sync-token"]).toMatch(/\S/);
});

test.each([
  ["no JSON", "/", "{"],
  ["no array", "/", "{}"],
  ["an empty command", "/", "[]"],
  ["no array of arrays", "/pipeline", '["GET","a"]'],
  ["an unknown command", "/", '["NO-SUCH-COMMAND"]'],
  ["a command that would block others", "/", '["BLPOP","a",0]'],
  ["a read that would block others", "/", '["XREAD","block",0,"STREAMS","a","$"]'],
  ["a command that would change the connection", "/pipeline", '[["MULTI"]]'],
])("%s is a 400 with Redis's own kind of error", async (_, path, body) => {
  const answer = await call(path, { method: "POST", body });
  expect(answer).toMatchObject({ status: 400, body: { error: expect.stringMatching(/^ERR /) } });
});

test.each([["DELETE", "/ping"], ["GET", "/"], ["GET", "/pipeline"], ["GET", "/multi-exec"]])(
  "%s %s is a 405",
  async (method, path) => {
    expect(await call(path, { method })).toMatchObject({ status: 405, body: { error: expect.any(String) } });
  },
);

describe("scripts", () => {
  const flagged = "#!lua flags=allow-key-locking\nreturn redis.call('SET', KEYS[1], ARGV[1])";
  const sha1 = createHash("sha1").update(flagged).digest("hex");
  beforeAll(async () => {
    await post("/", ["SCRIPT", "FLUSH"]);
  });

  test("with the flag that only Upstash knows run, and are known by their own hash", async () => {
    const lost = await post("/", ["EVALSHA", sha1, 1, key("s"), "1"]);
    expect(lost).toMatchObject({ status: 400, body: { error: expect.stringMatching(/^NOSCRIPT/) } });
    expect(await post("/", ["EVAL", flagged, 1, key("s"), "1"])).toMatchObject({ body: { result: "OK" } });
    expect(await call(`/evalsha/${sha1}/1/${key("s")}/2`)).toMatchObject({ body: { result: "OK" } });
    expect(await post("/", ["GET", key("s")])).toMatchObject({ body: { result: "2" } });
  });

  test("without it are passed on as they are", async () => {
    expect(await post("/", ["EVAL", "return {1, 'a', false}", 0])).toMatchObject({ body: { result: [1, "a", null] } });
  });
});

test("Upstash's own client works with it", async () => {
  const redis = new Redis({ url, token: REST_TOKEN });
  expect(await redis.set(key("sdk"), { a: ["é", 1] }, { ex: 60 })).toBe("OK");
  expect(await redis.get(key("sdk"))).toEqual({ a: ["é", 1] });
  expect(await redis.hset(key("hash"), { f: "v", g: 2 })).toBe(2);
  expect(await redis.hgetall(key("hash"))).toEqual({ f: "v", g: 2 });
  expect(await redis.pipeline().set(key("n"), 1).incr(key("n")).exec()).toEqual(["OK", 2]);
  expect(await redis.multi().set(key("n"), 5).incr(key("n")).exec()).toEqual(["OK", 6]);
  expect(await redis.eval("return ARGV[1]", [], ["x"])).toBe("x");
  expect(await redis.ttl(key("none"))).toBe(-2);
});
