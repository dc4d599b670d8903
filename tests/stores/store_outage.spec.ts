// A store that is down, hangs or answers nonsense: nobody is let in, except by STORE_FAILURE.

import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { decodeJwt } from "jose";
import { expect, inject, test } from "vitest";
import { answerOf, bearer, loginInit, mint, startGuard, type LoggedIn } from "../harness/guard.ts";
import { makeKey } from "../harness/signing_keys.ts";
import { redisVars, startRedis } from "../harness/redis.ts";

test("a store that is down lets nobody in, and the refusal says when to retry", async () => {
  await using guard = await startGuard(redisVars("http://127.0.0.1:9"));
  for (const answer of [
    await answerOf(guard.fetch("/_auth/health")),
    await answerOf(guard.fetch("/_auth/login", loginInit({ username: "ada" }))),
  ]) {
    expect(answer).toMatchObject({
      status: 503,
      headers: { "retry-after": "5", "content-type": "application/problem+json" },
      body: { code: "store_unavailable" },
    });
  }
});

test("a login attempt that cannot be counted does not reach the origin", async () => {
  await using guard = await startGuard({ ...redisVars("http://127.0.0.1:9"), LOGIN_RATE: undefined });
  const answer = await answerOf(guard.fetch("/_auth/login", loginInit({ username: "ada" })));
  expect(answer).toMatchObject({ status: 503, body: { code: "store_unavailable" } });
  expect(guard.origin.credentialChecks).toEqual([]);
});

test("a store that hangs is no unknown session, and is used again when it is back", async () => {
  await using redis = await startRedis();
  await using guard = await startGuard({ ...redisVars(redis.restUrl), STORE_TIMEOUT: "1 second" });
  const { access_token } = await guard.login("ada");
  const visit = async () => (await answerOf(guard.fetch("/", bearer(access_token)))).status;
  expect(await visit()).toBe(200);
  guard.origin.received.length = 0;
  redis.pause();
  try {
    expect([await visit(), await visit()]).toEqual([503, 503]);
    expect(guard.origin.received).toEqual([]);
  } finally {
    redis.resume();
  }
  await expect.poll(visit, { timeout: 10_000 }).toBe(200);
});

test("allow-recent accepts during an outage the sessions that were seen live, and no others", async () => {
  const redis = await startRedis();
  const SIGNING_KEYS = JSON.stringify({ keys: [makeKey("ES256").jwk] });
  await using guard = await startGuard({ ...redisVars(redis.restUrl), SIGNING_KEYS, STORE_FAILURE: "allow-recent: 1 minute" });
  const [seen, unseen] = [await guard.login("seen"), await guard.login("unseen")];
  const visit = async (token: string) => (await answerOf(guard.fetch("/", bearer(token)))).status;
  expect(await visit(seen.access_token)).toBe(200);
  await redis[Symbol.asyncDispose]();
  expect(await visit(seen.access_token)).toBe(200);
  expect(decodeJwt(String(guard.origin.received.at(-1)?.headers["x-auth-request-assertion"]))).toMatchObject({ sub: "seen" });
  expect(await visit(unseen.access_token)).toBe(503);
});

test("allow-recent accepts no session that was logged out or superseded at this isolate", async () => {
  const redis = await startRedis();
  const vars = { ...redisVars(redis.restUrl), STORE_FAILURE: "allow-recent: 1 minute" };
  await using guard = await startGuard(vars);
  const [leaves, stays] = [await guard.login("leaves"), await guard.login("superseded")];
  const visit = async ({ access_token }: LoggedIn) => (await answerOf(guard.fetch("/", bearer(access_token)))).status;
  expect([await visit(leaves), await visit(stays)]).toEqual([200, 200]);
  await guard.fetch("/_auth/logout", { method: "POST", ...bearer(leaves.access_token) });
  await guard.login("superseded");
  await redis[Symbol.asyncDispose]();
  expect([await visit(leaves), await visit(stays)]).toEqual([503, 503]);
});

test("a wrong UPSTASH_REDIS_REST_TOKEN is an outage, and is never logged", async () => {
  const vars = { ...redisVars(inject("restUrl")), UPSTASH_REDIS_REST_TOKEN: "wrong-and-secret" };
  await using guard = await startGuard(vars);
  expect(await answerOf(guard.fetch("/_auth/health"))).toMatchObject({ status: 503 });
  await expect.poll(() => guard.log.join("\n")).toContain("WRONGPASS");
  expect(guard.log.join("\n")).not.toContain("wrong-and-secret");
});

test.each<[string, number, Record<string, string>, string | Buffer]>([
  ["a page of a gateway's", 502, { "content-type": "text/html" }, "<html>Bad Gateway</html>"],
  ["a throttle", 429, {}, '{"error":"ERR max daily request limit exceeded"}'],
  ["nothing", 200, {}, ""],
  ["half a reply", 200, {}, '{"result":nul'],
  ["a reply that says it is compressed, and is not", 200, { "content-encoding": "gzip" }, '{"result":null}'],
  ["a reply cut off", 200, { "content-length": "100" }, '{"result":null}'],
  ["a redirect", 302, {}, '{"result":null}'],
  ["a redirect that keeps the method", 307, {}, ""],
  ["an error with success", 200, {}, '{"error":"LOADING Redis is loading the dataset in memory"}'],
  ["an answer to something else", 200, {}, '{"result":"OK"}'],
  ["a lost script, again and again", 400, {}, '{"error":"NOSCRIPT No matching script."}'],
])("a store that answers with %s counts as down, and its token is sent nowhere else", async (_, status, headers, body) => {
  const elsewhere: unknown[] = [];
  const other = createServer((request, response) => {
    elsewhere.push(request.headers);
    response.end('{"result":null}');
  });
  const calls: string[] = [];
  const endpoint = createServer((request, response) => {
    calls.push(request.url ?? "");
    response.writeHead(status, { ...(status > 300 && status < 400 ? { location: urlOf(other) } : {}), ...headers }).end(body);
  });
  for (const server of [other, endpoint]) await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  try {
    await using guard = await startGuard({ ...redisVars(urlOf(endpoint)), STORE_TIMEOUT: "2 seconds" });
    for (const [path, init] of [["/", bearer(await mint({}))], ["/_auth/login", loginInit({ username: "ada" })], ["/_auth/health", {}]] as [string, RequestInit][]) {
      const answer = await answerOf(guard.fetch(path, init));
      // Redis may answer a ping with any text.
      const isPong = path === "/_auth/health" && body === '{"result":"OK"}';
      expect(answer, `${path}: ${JSON.stringify(answer)}`).toMatchObject(isPong ? { status: 200 } : { status: 503, body: { code: "store_unavailable" } });
    }
    expect(guard.origin.received).toEqual([]);
    expect(elsewhere).toEqual([]);
    // A script that is lost is sent whole, once.
    if (String(body).includes("NOSCRIPT")) expect(calls.filter((url) => url !== "/").length).toBe(1);
  } finally {
    for (const server of [other, endpoint]) {
      server.closeAllConnections();
      server.close();
    }
  }
});

const urlOf = (server: Server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

test("health asks the store at most once a second, however many ask", async () => {
  let [pings, hangs] = [0, false];
  const endpoint = createServer((_, response) => {
    pings += 1;
    if (!hangs) response.end('{"result":"PONG"}');
  });
  await new Promise<void>((listening) => endpoint.listen(0, "127.0.0.1", listening));
  try {
    await using guard = await startGuard({ ...redisVars(urlOf(endpoint)), STORE_TIMEOUT: "3 seconds" });
    const ask = async () => (await guard.fetch("/_auth/health")).status;
    const start = Date.now();
    const crowd = await Promise.all(Array.from({ length: 100 }, ask));
    for (let time = 0; time < 100; time += 1) crowd.push(await ask());
    expect(new Set(crowd)).toEqual(new Set([200]));
    expect(pings).toBeLessThanOrEqual(1 + Math.ceil((Date.now() - start) / 1000));
    hangs = true;
    await expect.poll(ask, { timeout: 10_000 }).toBe(503);
  } finally {
    endpoint.closeAllConnections();
    endpoint.close();
  }
});

test("a streaming response whose session cannot be checked is cut off after several tries, and not at the first", async () => {
  const redis = await startRedis();
  await using guard = await startGuard(redisVars(redis.restUrl));
  const { access_token } = await guard.login("ada");
  let opened = 0;
  guard.origin.reply = {
    headers: { "content-type": "text/event-stream" },
    stream: async (response) => {
      await redis[Symbol.asyncDispose]();
      opened = Date.now();
      response.write("data: 1\n\n");
    },
  };
  const answer = await fetch(`${guard.url}/stream`, bearer(access_token));
  const heard: string[] = [];
  const reading = (async () => {
    for await (const piece of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) heard.push(piece);
  })();
  await expect(reading).rejects.toThrow();
  expect([answer.status, heard.join("")]).toEqual([200, "data: 1\n\n"]);
  expect(Date.now() - opened).toBeGreaterThan(1_000);
});
