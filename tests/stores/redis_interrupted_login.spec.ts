// A Redis that fails in the middle of a login.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { expect, inject, test } from "vitest";
import { answerOf, bearer, loginInit, startGuard, type LoggedIn } from "../harness/guard.ts";
import { startIssuer } from "../harness/identity_provider.ts";
import { redisVars } from "../harness/redis.ts";

type Fault = (command: string) => "before" | "after" | undefined;

/** Stands before the store. A command fails before it reaches it, or its answer is lost. */
async function startFaultyStore() {
  const store = { url: "", fault: (() => undefined) as Fault };
  const server = createServer(async (request, response) => {
    const body = await text(request);
    const fault = store.fault(body);
    const { authorization = "" } = request.headers;
    const forward = () => fetch(inject("restUrl") + (request.url ?? ""), { method: request.method ?? "GET", headers: { authorization }, ...(body ? { body } : {}) });
    const answer = fault === "before" ? undefined : await forward();
    if (answer === undefined || fault === "after") return void response.writeHead(500).end();
    response.writeHead(answer.status, { "content-type": "application/json" }).end(await answer.text());
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  store.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return Object.assign(store, {
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  });
}

const isClaim = (command: string) => command.startsWith('["set"') && command.includes('"nx"');
const isOpen = (command: string) => /^\["eval(sha)?"/.test(command) && command.includes('"evict"');

test.each<[string, Fault]>([
  ["before its token is noted", (command) => (isClaim(command) ? "before" : undefined)],
  ["when its token was noted, and the answer is lost", (command) => (isClaim(command) ? "after" : undefined)],
  ["before the session begins", (command) => (isOpen(command) ? "before" : undefined)],
  ["when the session has begun, and the answer is lost", (command) => (isOpen(command) ? "after" : undefined)],
])("a login with an ID token that the store interrupts %s can be repeated, and leaves one session", async (_, fault) => {
  await using issuer = await startIssuer();
  await using store = await startFaultyStore();
  await using guard = await startGuard({ ...redisVars(store.url), TRUSTED_ISSUERS: JSON.stringify([issuer.entry()]) });
  const id_token = issuer.idToken({});
  const exchange = () => answerOf(guard.fetch("/_auth/login", loginInit({ password: undefined, id_token })));
  store.fault = fault;
  expect(await exchange()).toMatchObject({ status: 503, body: { code: "store_unavailable" } });
  store.fault = () => undefined;
  const answer = await exchange();
  expect(answer).toMatchObject({ status: 200 });
  const { access_token } = answer.body as unknown as LoggedIn;
  const { body } = await answerOf(guard.fetch("/_auth/sessions", bearer(access_token)));
  expect((body as unknown as { sessions: unknown[] }).sessions).toHaveLength(1);
  expect(await exchange()).toMatchObject({ status: 401, body: { code: "token_invalid" } });
});

test("a right password counts as an attempt if the store cannot uncount it, and the login succeeds", async () => {
  await using store = await startFaultyStore();
  await using guard = await startGuard({ ...redisVars(store.url), LOGIN_RATE: "1 per hour" });
  store.fault = (command) => (command.includes("HINCRBY', KEYS[1], 'count', -1") ? "before" : undefined);
  const attempt = () => answerOf(guard.fetch("/_auth/login", loginInit({ username: "ada" })));
  expect(await attempt()).toMatchObject({ status: 200 });
  expect(await attempt()).toMatchObject({ status: 429 });
});
