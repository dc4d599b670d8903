// The example origin answers requests that come through the guard, and refuses those that bypass it.

import { spawn, type ChildProcess } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { answerOf, bearer, ISSUER, loginInit, startGuard, type Guard, type LoggedIn } from "../harness/guard.ts";
import { makeKey, signed } from "../harness/signing_keys.ts";
import { freePort } from "../harness/redis.ts";

const key = makeKey("ES256");
let guard: Guard;
let example: ChildProcess;
let origin: string;
let token: string;

beforeAll(async () => {
  const port = await freePort();
  origin = `http://127.0.0.1:${port}`;
  guard = await startGuard({ SIGNING_KEYS: JSON.stringify({ keys: [key.jwk] }), ORIGIN_URL: origin, LOGIN_URL: `${origin}/internal/login` });
  const server = fileURLToPath(new URL("../../examples/origin/server.mjs", import.meta.url));
  const env = { ...process.env, ORIGIN_PORT: `${port}`, GUARD_URL: guard.url, ISSUER };
  example = spawn(process.execPath, [server], { env, stdio: ["ignore", "pipe", "inherit"] });
  await once(example.stdout as NodeJS.ReadableStream, "data");
  const login = await guard.fetch("/_auth/login", loginInit({ username: "ada", password: "harbour-lights" }));
  ({ access_token: token } = (await login.json()) as LoggedIn);
});
afterAll(async () => {
  example.kill();
  await once(example, "exit");
  await guard[Symbol.asyncDispose]();
});

test("a member comes through the guard", async () => {
  const me = await answerOf(guard.fetch("/api/me", bearer(token)));
  expect(me).toMatchObject({ status: 200, body: { user: "m-001", email: "ada@rowing.example" } });
  expect((await answerOf(guard.fetch("/", bearer(token)))).body).toContain("Welcome back, Ada Winter");
});

const now = Math.floor(Date.now() / 1000);
/** An assertion that is good but for what is changed; `undefined` takes a member away. */
const assertion = (claims: object = {}, header: object = {}, by = key) =>
  signed(by, { alg: by.alg, typ: "guard-assertion+jwt", kid: key.kid, ...header }, { iss: ISSUER, aud: origin, sub: "m-001", sid: "s", iat: now, exp: now + 600, ...claims });
const past = (text: string, user = "m-001") =>
  answerOf(fetch(`${origin}/api/me`, { headers: { "x-auth-request-user": user, "x-auth-request-assertion": text } }));

const CREDENTIALS = JSON.stringify({ username: "ada", password: "harbour-lights" });
const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
/** The proof of a login that is good but for what is changed. */
const proof = (claims: object = {}, header: object = {}, by = key) =>
  signed(by, { alg: by.alg, typ: "guard-login+jwt", kid: key.kid, ...header }, { iss: ISSUER, aud: origin, body_sha256: sha256(CREDENTIALS), iat: now, exp: now + 60, ...claims });
const logInPast = (text: string) =>
  answerOf(fetch(`${origin}/internal/login`, { method: "POST", headers: { "x-auth-request-assertion": text }, body: CREDENTIALS }));

test("the guard may check credentials, and the proofs of these tests are valid except for what is wrong with them", async () => {
  expect(await logInPast(proof())).toMatchObject({ status: 200, body: { sub: "m-001" } });
});

test.each<[string, () => string]>([
  ["no proof", () => ""],
  ["a member's own token", () => token],
  ["an assertion", () => assertion({ body_sha256: sha256(CREDENTIALS) })],
  ["the proof of another login", () => proof({ body_sha256: sha256(CREDENTIALS.replace("ada", "ben")) })],
  ["a proof that says nothing of what is asked", () => proof({ body_sha256: undefined })],
  ["a proof for another origin", () => proof({ aud: "https://elsewhere.example" })],
  ["a proof of another guard", () => proof({ iss: "https://elsewhere.example" })],
  ["a proof that is over", () => proof({ exp: now - 1 })],
  ["a proof that never ends", () => proof({ exp: undefined })],
  ["a proof signed by a stranger", () => proof({}, {}, makeKey("ES256"))],
])("a credential check that bypasses the guard with %s is refused", async (_, make) => {
  expect(await logInPast(make())).toMatchObject({ status: 403, body: "This request did not come from the guard.\n" });
});

test("the proof of a credential check is not an assertion", async () => {
  expect(await past(proof({ sub: "m-001" }))).toMatchObject({ status: 403 });
});

test("the assertions of these tests are valid except for what is wrong with them", async () => {
  expect(await past(assertion())).toMatchObject({ status: 200, body: { user: "m-001" } });
});

test.each<[string, () => string]>([
  ["no assertion", () => ""],
  ["what is no token", () => "a.b.c"],
  ["a member's own token", () => token],
  ["an assertion that is called a token", () => assertion({}, { typ: "at+jwt" })],
  ["an assertion without a type", () => assertion({}, { typ: undefined })],
  ["an assertion for another origin", () => assertion({ aud: "https://elsewhere.example" })],
  ["an assertion of another guard", () => assertion({ iss: "https://elsewhere.example" })],
  ["an assertion about somebody else", () => assertion({ sub: "m-002" })],
  ["an assertion that is over", () => assertion({ exp: now - 1 })],
  ["an assertion that never ends", () => assertion({ exp: undefined })],
  ["an assertion signed by a stranger", () => assertion({}, {}, makeKey("ES256"))],
  ["an assertion that nobody has signed", () => assertion({}, { alg: "none" }).replace(/[^.]*$/, "")],
])("%s that bypasses the guard is refused", async (_, make) => {
  expect(await past(make())).toMatchObject({ status: 403, body: "This request did not come through the guard.\n" });
});
