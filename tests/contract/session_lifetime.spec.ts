// SESSION_TTL and SESSION_IDLE_TIMEOUT: when a session expires, and what counts as its use.

import { describe, expect, test } from "vitest";
import { answerOf, bearer, mint, startGuard, type Guard } from "../harness/guard.ts";

async function code(guard: Guard, token: string) {
  const { status, body } = await answerOf(guard.fetch("/", bearer(token)));
  return status === 200 ? 200 : (body as Record<string, unknown>)["code"];
}

test("a session in use outlives its idle timeout, and an unused one does not", async () => {
  await using guard = await startGuard({ SESSION_IDLE_TIMEOUT: "3 seconds" });
  const [used, unused] = [await guard.login("used"), await guard.login("unused")];
  const deadline = Date.parse(String(unused.session["expires_at"])) + 1000;
  const visits = [];
  while (Date.now() < deadline) visits.push(await code(guard, used.access_token));
  expect(new Set(visits)).toEqual(new Set([200]));
  const answer = await answerOf(guard.fetch("/", bearer(unused.access_token)));
  expect(answer).toMatchObject({
    status: 401,
    body: { code: "session_expired", detail: expect.stringMatching(/expired at 20\d\d-/) },
  });
});

test("use does not extend a session past its absolute deadline", async () => {
  await using guard = await startGuard({ SESSION_TTL: "3 seconds" });
  const { session } = await guard.login("outlives");
  // The token itself must outlive the session here, or it would be refused first.
  const exp = Math.floor(Date.now() / 1000) + 600;
  const lasting = await mint({ sub: "outlives", sid: session.sid, exp });
  expect(await code(guard, lasting)).toBe(200);
  await expect.poll(() => code(guard, lasting), { timeout: 10_000 }).toBe("session_expired");
  expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(String(session["created_at"])) + 3000);
});

test("token and cookie last as long as the session can", async () => {
  await using guard = await startGuard({ SESSION_TTL: "2 minutes" });
  expect((await guard.login("short")).expires_in).toBe(120);
  await using shorter = await startGuard({ TOKEN_TTL: "90 seconds" });
  expect((await shorter.login("short")).expires_in).toBe(90);
});

describe("with X-Guard-Touch: false", () => {
  test.each(["session", "sessions"])("GET %s does not count as a use of the session", async (endpoint) => {
    await using brief = await startGuard({ SESSION_IDLE_TIMEOUT: "2 seconds", SESSION_LIMIT: "0" });
    const [asked, used] = [await brief.login("asked"), await brief.login("used")];
    const ask = ({ access_token }: { access_token: string }, headers = {}) => answerOf(brief.fetch(`/_auth/${endpoint}`, { headers: { ...bearer(access_token).headers, ...headers } }));
    await expect.poll(async () => {
      expect(await ask(used)).toMatchObject({ status: 200 });
      return (await ask(asked, { "x-guard-touch": "false" })).body;
    }, { timeout: 10_000, interval: 100 }).toMatchObject({ code: "session_expired" });
    expect(await ask(used)).toMatchObject({ status: 200 });
  });

  test("another value is a bad request", async () => {
    await using guard = await startGuard();
    const { access_token } = await guard.login("odd");
    for (const value of ["no", "0", "", "False"]) {
      const answer = await answerOf(guard.fetch("/_auth/session", { headers: { ...bearer(access_token).headers, "x-guard-touch": value } }));
      expect([value, answer]).toMatchObject([value, { status: 400, body: { code: "bad_request" } }]);
    }
  });
});
