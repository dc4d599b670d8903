// Invalid settings stop every request, and the log says which and why.

import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { answerOf, bearer, startGuard, type Vars } from "../harness/guard.ts";

const secret = randomBytes(32).toString("base64url");
const keySet = (jwk: Record<string, unknown>) => JSON.stringify({ keys: [{ kty: "oct", alg: "HS256", k: secret, ...jwk }] });

test.each([
  ["ISSUER", undefined],
  ["SIGNING_KEYS", undefined],
  ["SIGNING_KEYS", keySet({ alg: "none" })],
  ["SESSION_TTL", "a week"],
  ["SESSION_LIMIT", "-1"],
  ["SESSION_STORE", "memory"],
  ["UPSTASH_REDIS_REST_URL", "http://db.example.com"],
  ["ROUTES", "{}"],
])("%s = %s stops every request", async (name, value) => {
  const redis: Vars = name.startsWith("UPSTASH") ? { SESSION_STORE: "redis", UPSTASH_REDIS_REST_TOKEN: "t" } : {};
  await using guard = await startGuard({ ...redis, [name]: value });
  for (const path of ["/", "/_auth/login", "/_auth/health"]) {
    const answer = await answerOf(guard.fetch(path));
    expect(answer).toMatchObject({ status: 500, body: { code: "misconfigured" } });
    expect(JSON.stringify(answer.body)).not.toContain(name);
  }
  await expect.poll(() => guard.log.join("\n")).toContain(name);
  expect(guard.log.join("\n")).not.toContain(secret);
  expect(guard.origin.received).toEqual([]);
});

test("numbers, booleans and lists of wrangler.toml count like their text", async () => {
  const ROUTES = [{ path: "/open", access: "public" }];
  await using guard = await startGuard({ SESSION_LIMIT: 2, LOGOUT_ALL_SESSIONS: true, ROUTES });
  expect((await guard.fetch("/open")).status).toBe(200);
  const tokens: string[] = [];
  for (let n = 0; n < 3; n += 1) tokens.push((await guard.login("ada")).access_token);
  const statuses = () => Promise.all(tokens.map(async (token) => (await guard.fetch("/", bearer(token))).status));
  expect(await statuses()).toEqual([401, 200, 200]);
  await guard.fetch("/_auth/logout", { method: "POST", ...bearer(tokens[1] ?? "") });
  expect(await statuses()).toEqual([401, 401, 401]);
});

test("development keys serve only this machine", async () => {
  await using guard = await startGuard({ SIGNING_KEYS: keySet({ kid: "development-only-1" }) });
  expect(await answerOf(guard.fetch("/"))).toMatchObject({ status: 401 });
  const elsewhere = await answerOf(guard.fetch("/", { headers: { host: "members.example.com" } }));
  expect(elsewhere).toMatchObject({ status: 500, body: { code: "misconfigured" } });
  await expect.poll(() => guard.log.join("\n")).toContain("made for development");
});

test("a missing binding is named in the log", async () => {
  await using guard = await startGuard({}, { withoutObjects: true });
  expect(await answerOf(guard.fetch("/"))).toMatchObject({ status: 500, body: { code: "misconfigured" } });
  await expect.poll(() => guard.log.join("\n")).toContain("USER_SESSIONS");
});
