// Absolute and idle deadlines, judged in the check.

import { afterAll, beforeAll, expect, test } from "vitest";
import { answerOf, bearer, mint, startGuard, type Guard } from "../harness/guard.ts";

let guard: Guard;
afterAll(() => guard[Symbol.asyncDispose]());
beforeAll(async () => {
  guard = await startGuard({ SESSION_TTL: "6 seconds", SESSION_IDLE_TIMEOUT: "2 seconds" });
});

async function code(token: string) {
  const { status, body } = await answerOf(guard.fetch("/", bearer(token)));
  return status === 200 ? 200 : (body as Record<string, unknown>)["code"];
}

test("a session that is used lives beyond its idle timeout, and an unused one does not", async () => {
  const [used, unused] = [await guard.login("used"), await guard.login("unused")];
  const began = Date.now();
  const visits = [];
  while (Date.now() - began < 3000) visits.push(await code(used.access_token));
  expect(new Set(visits)).toEqual(new Set([200]));
  const answer = await answerOf(guard.fetch("/", bearer(unused.access_token)));
  expect(answer).toMatchObject({
    status: 401,
    body: { code: "session_expired", detail: expect.stringMatching(/expired at 20\d\d-/) },
  });
});

test("being used does not carry a session past its absolute deadline", async () => {
  const { access_token, session } = await guard.login("outlives");
  // The token itself must outlive the session here, or it would be refused first.
  const exp = Math.floor(Date.now() / 1000) + 600;
  const lasting = await mint({ sub: "outlives", sid: session.sid, exp });
  const visit = async () => [await code(access_token), await code(lasting)][1];
  await expect.poll(visit, { timeout: 10_000, interval: 300 }).toBe("session_expired");
  expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(String(session["created_at"])) + 6000);
});

test("token and cookie last as long as the session can", async () => {
  const { expires_in } = await guard.login("short");
  expect(expires_in).toBe(6);
  await using shorter = await startGuard({ TOKEN_TTL: "90 seconds" });
  expect((await shorter.login("short")).expires_in).toBe(90);
});
