// The bridge speaks Upstash's REST protocol, both with plain requests and with Upstash's own client.

import { createHash } from "node:crypto";
import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";
import { connect, createServer, type AddressInfo } from "node:net";
import { Redis } from "@upstash/redis";
import { createClient } from "redis";
import { beforeAll, describe, expect, inject, test } from "vitest";
import { startBridge } from "../../bridge/server.ts";
import { answerOf, bearer } from "../harness/guard.ts";
import { REST_TOKEN, startRedis } from "../harness/redis.ts";

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

test("base64 is used if the client asks for it, and leaves OK, numbers and null unchanged", async () => {
  const asked = { "upstash-encoding": "base64" };
  expect(await post("/", ["SET", key("b"), "é\n"], asked)).toMatchObject({ body: { result: "OK" } });
  expect(await post("/", ["GET", key("b")], asked)).toMatchObject({ body: { result: "w6kK" } });
  expect(await post("/", ["MGET", key("b"), key("none")], asked)).toMatchObject({ body: { result: ["w6kK", null] } });
  expect(await post("/", ["STRLEN", key("b")], asked)).toMatchObject({ body: { result: 3 } });
});

describe("in base64", () => {
  const asked = { "upstash-encoding": "base64" };
  const base64 = (text: string | Uint8Array) => Buffer.from(text).toString("base64");
  const bytes = Buffer.from([0, 255, 254, 10, 13, 0x80]);
  beforeAll(async () => {
    await call(`/set/${key("bytes")}`, { method: "POST", body: bytes });
    await post("/", ["SET", key("ok"), "OK"]);
    await post("/", ["SET", key("number"), "17"]);
    await post("/", ["HSET", key("words"), "OK", "OK"]);
  });

  test.each<[string, unknown[], unknown]>([
    ["Redis's own OK", ["SET", key("x"), "1"], "OK"],
    ["another word of its own", ["TYPE", key("x")], base64("string")],
    ["a stored OK", ["GET", key("ok")], base64("OK")],
    ["a stored number", ["GET", key("number")], base64("17")],
    ["bytes", ["GET", key("bytes")], base64(bytes)],
    ["a list with a stored OK", ["HGETALL", key("words")], [base64("OK"), base64("OK")]],
    ["a list with bytes and nothing", ["MGET", key("bytes"), key("none"), key("number")], [base64(bytes), null, base64("17")]],
    ["nested lists", ["EVAL", "return {1, {'OK', {redis.status_reply('OK'), 'a', false}}, -3}", 0], [1, [base64("OK"), [base64("OK"), base64("a"), null]], -3]],
    ["an empty text", ["EVAL", "return ''", 0], ""],
    ["an empty list", ["EVAL", "return {}", 0], []],
    ["an error within a list", ["EVAL", "return {'a', redis.error_reply('ERR inside')}", 0], [base64("a"), base64("ERR inside")]],
  ])("%s is the same alone, in a pipeline and in a transaction", async (_, command, result) => {
    expect(await post("/", command, asked)).toMatchObject({ status: 200, body: { result } });
    for (const path of ["/pipeline", "/multi-exec"]) {
      expect(await post(path, [command, command], asked), path).toMatchObject({ status: 200, body: [{ result }, { result }] });
    }
  });

  test("a failing command of a transaction is its own error, and the others are applied", async () => {
    const commands = [["SET", key("x"), "a"], ["INCR", key("x")], ["GET", key("x")]];
    expect(await post("/multi-exec", commands, asked)).toMatchObject({
      status: 200,
      body: [{ result: "OK" }, { error: expect.stringMatching(/^ERR value is not an integer/) }, { result: base64("a") }],
    });
  });
});

test("bytes in a body and in a path are unchanged", async () => {
  const asked = { headers: { "upstash-encoding": "base64" } };
  const all = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
  await call(`/set/${key("all")}?EX=100`, { method: "POST", body: all });
  expect(await call(`/get/${key("all")}`, asked)).toMatchObject({ body: { result: all.toString("base64") } });
  const inPath = [...all].map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join("");
  await call(`/append/${key("path")}/${inPath}`);
  expect(await call(`/get/${key("path")}`, asked)).toMatchObject({ body: { result: all.toString("base64") } });
  expect(await call("/get/%zz")).toMatchObject({ status: 400, body: { error: expect.stringMatching(/^ERR /) } });
});

test("numbers stay as exact as they were sent, and as Redis has them", async () => {
  const send = (body: string) => fetch(url, { method: "POST", headers: { authorization }, body }).then((answer) => answer.text());
  expect(await send(`["SET","${key("large")}",9007199254740993]`)).toBe('{"result":"OK"}');
  expect(await send(`["INCRBY","${key("large")}",2]`)).toBe('{"result":9007199254740995}');
  await send(`["SET","${key("json")}",{"n":9007199254740993,"t":[1.50]}]`);
  expect(await send(`["GET","${key("json")}"]`)).toBe(JSON.stringify({ result: '{"n":9007199254740993,"t":[1.50]}' }));
});

test("a copy onto the same key does nothing, as at Upstash", async () => {
  await post("/", ["SET", key("copied"), "a"]);
  expect(await post("/", ["COPY", key("copied"), key("copied")])).toMatchObject({ status: 200, body: { result: 0 } });
});

test("the token comes as a bearer token or as _token, and without it nothing is done", async () => {
  const ping = "/ping";
  expect(await answerOf(fetch(`${url}${ping}?_token=${REST_TOKEN}`))).toMatchObject({ status: 200, body: { result: "PONG" } });
  for (const init of [{}, { headers: { authorization: "Bearer wrong" } }, { headers: { authorization: `Basic ${REST_TOKEN}` } }]) {
    expect(await answerOf(fetch(url + ping, init))).toMatchObject({
      status: 401,
      body: { error: "WRONGPASS invalid or missing auth token" },
    });
  }
});

test("words of a path are taken literally, even those that look like dot segments", async () => {
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

test("every response has a sync token", async () => {
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
  ["a command that would change the connection, in a transaction", "/multi-exec", '[["SET","a","1"],["MULTI"]]'],
  ["bytes that are no text", "/", Buffer.from([0x5b, 0x22, 0xff, 0x22, 0x5d]) as unknown as string],
])("%s is a 400 with Redis's own kind of error", async (_, path, body) => {
  const answer = await call(path, { method: "POST", body });
  expect(answer).toMatchObject({ status: 400, body: { error: expect.stringMatching(/^ERR /) } });
});

test.each([
  "MULTI", "EXEC", "DISCARD", "WATCH a", "SELECT 1", "AUTH a", "HELLO 3", "RESET", "QUIT", "MONITOR", "SYNC", "PSYNC ? -1",
  "CLIENT REPLY OFF", "CLIENT KILL TYPE normal", "CLIENT PAUSE 1000", "client no-evict on", "READONLY", "ASKING",
  "SUBSCRIBE a", "PSUBSCRIBE a", "SSUBSCRIBE a", "BLPOP a 0", "BRPOPLPUSH a b 0", "BZPOPMIN a 0", "BLMOVE a b LEFT LEFT 0", "WAIT 1 0",
  "XREAD BLOCK 0 STREAMS a $", "XREADGROUP GROUP g c block 0 STREAMS a >", "MIGRATE 127.0.0.1 1 a 0 1000",
  "SHUTDOWN NOSAVE", "shutdown", "DEBUG SLEEP 1", "DEBUG SEGFAULT", "SCRIPT DEBUG YES", "SCRIPT", "CONFIG SET maxmemory 1", "CONFIG GET requirepass",
  "SLAVEOF NO ONE", "REPLICAOF NO ONE", "FAILOVER", "SAVE", "BGSAVE", "BGREWRITEAOF", "CLUSTER RESET", "ACL SETUSER a", "MODULE LOAD /a", "SWAPDB 0 1",
])("%s is refused, which is that command's own error in a pipeline", async (line) => {
  const command = line.split(" ");
  const error = expect.stringMatching(/^ERR .*not supported over REST$/);
  expect(await post("/", command)).toMatchObject({ status: 400, body: { error } });
  expect(await post("/pipeline", [["SET", key("beside"), line], command, ["GET", key("beside")]])).toMatchObject({
    status: 200,
    body: [{ result: "OK" }, { error }, { result: line }],
  });
  expect(await post("/multi-exec", [["SET", key("beside"), "applied"], command])).toMatchObject({ status: 400, body: { error } });
  expect(await post("/", ["GET", key("beside")])).toMatchObject({ body: { result: line } });
});

test("a stream may have the name of an option", async () => {
  await post("/", ["DEL", "block"]);
  await post("/", ["XADD", "block", "1-1", "f", "v"]);
  expect(await post("/", ["XREAD", "COUNT", 1, "STREAMS", "block", "0"])).toMatchObject({ status: 200, body: { result: [["block", [["1-1", ["f", "v"]]]]] } });
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

  test("are loaded and looked for by the hash of what was sent", async () => {
    const script = "#!lua flags=allow-key-locking\nreturn 'loaded'";
    const hash = createHash("sha1").update(script).digest("hex");
    expect(await post("/", ["SCRIPT", "LOAD", script])).toMatchObject({ body: { result: hash } });
    expect(await post("/", ["SCRIPT", "EXISTS", hash, "0".repeat(40)])).toMatchObject({ body: { result: [1, 0] } });
    expect(await post("/", ["EVALSHA", hash, 0])).toMatchObject({ body: { result: "loaded" } });
  });

  test("keep their other flags", async () => {
    const script = "#!lua flags=no-writes,allow-key-locking\nreturn redis.call('SET', KEYS[1], '1')";
    expect(await post("/", ["EVAL", script, 1, key("s")])).toMatchObject({ status: 400, body: { error: expect.stringMatching(/^ERR Write commands are not allowed/) } });
    expect(await post("/", ["EVAL", script.replace("redis.call('SET', KEYS[1], '1')", "'read'"), 0])).toMatchObject({ body: { result: "read" } });
  });

  test("in a transaction are the same", async () => {
    expect(await post("/multi-exec", [["EVAL", flagged, 1, key("s"), "3"], ["EVALSHA", sha1, 1, key("s"), "4"], ["GET", key("s")]])).toMatchObject({
      body: [{ result: "OK" }, { result: "OK" }, { result: "4" }],
    });
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

test("transactions and other requests that come at once do not mix", async () => {
  const counter = key("mixed");
  await post("/", ["SET", counter, 0]);
  const transactions = Array.from({ length: 20 }, () => post("/multi-exec", [["INCR", counter], ["INCR", counter], ["GET", counter]]));
  const others = Array.from({ length: 20 }, () => post("/pipeline", [["PING"], ["NO-SUCH-COMMAND"]]));
  for (const { status, body } of await Promise.all(transactions)) {
    const [one, two, all] = body as unknown as { result: number | string }[];
    expect([status, two?.result, all?.result]).toEqual([200, Number(one?.result) + 1, String(two?.result)]);
  }
  for (const answer of await Promise.all(others)) expect(answer).toMatchObject({ body: [{ result: "PONG" }, { error: expect.any(String) }] });
});

describe("after a failover", () => {
  /** A name that points to one Redis and then to another; what is connected stays so. */
  async function startName(target: string) {
    const name = { target, url: "", connections: 0, close: () => server.close() };
    const server = createServer((socket) => {
      name.connections += 1;
      const { hostname, port } = new URL(name.target);
      const redis = connect(Number(port), hostname);
      socket.pipe(redis).pipe(socket);
      for (const side of [socket, redis]) side.on("error", () => [socket, redis].forEach((it) => it.destroy()));
    });
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    name.url = `redis://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return name;
  }

  test.each<[string, string, unknown, unknown]>([
    ["a command", "/", ["SET", "a", "1"], { result: "OK" }],
    ["a pipeline", "/pipeline", [["SET", "a", "1"], ["GET", "a"]], [{ result: "OK" }, { result: "1" }]],
    ["a transaction", "/multi-exec", [["SET", "a", "1"], ["INCR", "a"]], [{ result: "OK" }, { result: 2 }]],
    ["a script", "/", ["EVAL", "#!lua flags=allow-key-locking\nreturn redis.call('SET', KEYS[1], '1')", 1, "a"], { result: "OK" }],
  ])("%s finds the new primary, though the old one still answers", async (_, path, body, result) => {
    await using first = await startRedis();
    await using second = await startRedis();
    const name = await startName(first.redisUrl);
    const bridge = await startBridge({ redisUrl: name.url, token: REST_TOKEN, port: 0 });
    const send = (path: string, body: unknown) => answerOf(fetch(bridge.url + path, { method: "POST", headers: { authorization }, body: JSON.stringify(body) }));
    const clients = await Promise.all([first, second].map(({ redisUrl }) => createClient({ url: redisUrl }).connect()));
    try {
      expect(await send("/", ["SET", "before", "1"])).toMatchObject({ status: 200 });
      name.target = second.redisUrl;
      await clients[0]?.sendCommand(["REPLICAOF", "127.0.0.1", new URL(second.redisUrl).port]);
      expect(await send(path, body)).toMatchObject({ status: 200, body: result });
      expect(await clients[1]?.get("a")).not.toBeNull();
      expect(name.connections).toBe(2);
    } finally {
      await bridge.close();
      clients.forEach((client) => client.destroy());
      name.close();
    }
  });

  test("without a new primary, commands say so, and reads are answered", async () => {
    await using replica = await startRedis();
    const client = await createClient({ url: replica.redisUrl }).connect();
    await client.sendCommand(["REPLICAOF", "127.0.0.1", "9"]);
    const bridge = await startBridge({ redisUrl: replica.redisUrl, token: REST_TOKEN, port: 0 });
    const send = (body: unknown) => answerOf(fetch(bridge.url, { method: "POST", headers: { authorization }, body: JSON.stringify(body) }));
    try {
      for (let time = 0; time < 3; time += 1) expect(await send(["SET", "a", "1"])).toMatchObject({ status: 400, body: { error: expect.stringMatching(/^READONLY /) } });
      expect(await send(["GET", "a"])).toMatchObject({ status: 200, body: { result: null } });
    } finally {
      await bridge.close();
      client.destroy();
    }
  });
});

test("before a Redis Cluster the bridge does not start, and says why", async () => {
  await using cluster = await startRedis({ args: ["--cluster-enabled", "yes"], bridged: false });
  await expect(startBridge({ redisUrl: cluster.redisUrl, token: REST_TOKEN, port: 0 })).rejects.toThrow("Redis Cluster");
});
