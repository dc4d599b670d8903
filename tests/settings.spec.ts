// Bad settings stop every request, and the log says which and why.

import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { answerOf, startGuard, type Vars } from "./harness/guard.ts";

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
  ["ROUTES", "[]"],
])("%s = %s stops every request", async (name, value) => {
  const redis: Vars = name.startsWith("UPSTASH") ? { SESSION_STORE: "redis", UPSTASH_REDIS_REST_TOKEN: "t" } : {};
  await using guard = await startGuard({ ...redis, [name]: value });
  for (const path of ["/", "/auth/login", "/auth/health"]) {
    const answer = await answerOf(guard.fetch(path));
    expect(answer).toMatchObject({ status: 500, body: { code: "misconfigured" } });
    expect(JSON.stringify(answer.body)).not.toContain(name);
  }
  await expect.poll(() => guard.log.join("\n")).toContain(name);
  expect(guard.log.join("\n")).not.toContain(secret);
  expect(guard.origin.received).toEqual([]);
});

test("keys made for development serve no other host than this machine", async () => {
  await using guard = await startGuard({ SIGNING_KEYS: keySet({ kid: "development-only-1" }) });
  expect(await answerOf(guard.fetch("/"))).toMatchObject({ status: 401 });
  const elsewhere = await answerOf(guard.fetch("/", { headers: { host: "members.example.com" } }));
  expect(elsewhere).toMatchObject({ status: 500, body: { code: "misconfigured" } });
  await expect.poll(() => guard.log.join("\n")).toContain("made for development");
});

test("a binding that is missing is named", async () => {
  await using guard = await startGuard({}, { withoutObjects: true });
  expect(await answerOf(guard.fetch("/"))).toMatchObject({ status: 500, body: { code: "misconfigured" } });
  await expect.poll(() => guard.log.join("\n")).toContain("USER_SESSIONS");
});
