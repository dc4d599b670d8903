// A user's Durable Object: what it keeps over a restart, what it forgets, and what a reset does.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { answerOf, bearer, loginInit, startGuard, useGuard, type Guard, type LoggedIn } from "../harness/guard.ts";

describe("a user's Durable Object", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "session-guard-objects-"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  const code = async (guard: Guard, { access_token }: LoggedIn) => {
    const { status, body } = await answerOf(guard.fetch("/", bearer(access_token)));
    return status === 200 ? 200 : (body as Record<string, unknown>)["code"];
  };

  test("keeps sessions and tombstones over a restart", async () => {
    const before = await startGuard({}, { persist: folder });
    const [superseded, live, revoked] = [await before.login("ada"), await before.login("ada"), await before.login("ben")];
    await before.fetch("/_auth/logout", { method: "POST", ...bearer(revoked.access_token) });
    await before[Symbol.asyncDispose]();
    await using after = await startGuard({}, { persist: folder });
    const codes = [await code(after, superseded), await code(after, live), await code(after, revoked)];
    expect(codes).toEqual(["session_superseded", 200, "session_revoked"]);
    expect((await after.login("ada")).ended.map(({ sid }) => sid)).toEqual([live.session.sid]);
  });

  test("deletes what need not be kept with its alarm, and leaves nothing behind", async () => {
    await using guard = await startGuard({}, { miniflare: true });
    const objects = await guard.miniflare!.getDurableObjectNamespace("USER_SESSIONS");
    const object = objects.get(objects.idFromName("user:forgotten")) as unknown as { apply(command: string): Promise<string> };
    const now = Date.now();
    // Records are kept for a minute past their deadline; this one has three seconds left.
    const session = { sid: "old", jti: "jti", created: 1, seen: 1, expires: now - 57_000, device: "other" };
    await object.apply(JSON.stringify({ open: { session, limit: null, end: [], now: now - 60_000 } }));
    const check = JSON.stringify({ check: { sid: "old", idle_timeout: null, now } });
    expect(JSON.parse(await object.apply(check))).toMatchObject({ found: { sid: "old" } });
    await expect.poll(async () => JSON.parse(await object.apply(check)), { timeout: 10_000 }).toEqual({ found: null });
  });

  describe("that is reset", () => {
    const guard = useGuard({}, { faultyObjects: true });

    const refresh = (token: string): [string, RequestInit] => ["/_auth/refresh", { method: "POST", ...bearer(token) }];
    const patch = (token: string): [string, RequestInit] => [
      "/_auth/session",
      { method: "PATCH", headers: { ...bearer(token).headers, "content-type": "application/merge-patch+json" }, body: '{"a":1}' },
    ];
    const logout = (token: string): [string, RequestInit] => ["/_auth/logout", { method: "POST", ...bearer(token) }];

    test.each<["before" | "after", string, string, number, (token: string) => [string, RequestInit]]>([
      ["before", "check", "a request", 200, (token) => ["/", bearer(token)]],
      ["after", "check", "a request", 200, (token) => ["/", bearer(token)]],
      ["before", "list", "the list of sessions", 200, (token) => ["/_auth/sessions", bearer(token)]],
      ["before", "end", "a logout", 204, logout],
      ["after", "end", "a logout", 204, logout],
      ["before", "refresh", "a refresh", 200, refresh],
      ["after", "refresh", "a refresh", 200, refresh],
      ["before", "set_data", "a change of the data", 200, patch],
      ["after", "set_data", "a change of the data", 200, patch],
    ])("%s it answers %s is asked again, and %s gets its %i", async (when, command, name, status, send) => {
      const { access_token } = await guard.login(`${name} ${when}`);
      await guard.fault(command, when);
      const answer = await answerOf(guard.fetch(...send(access_token)));
      expect(answer, JSON.stringify(answer)).toMatchObject({ status });
      if (command === "end") expect(await code(guard, { access_token } as LoggedIn)).toBe("session_revoked");
    });

    test("is asked again for every interrupted request, on the cached path as well", async () => {
      const { access_token } = await guard.login("often");
      for (let round = 0; round < 5; round += 1) {
        await guard.fault("check", "before");
        expect(await code(guard, { access_token } as LoggedIn)).toBe(200);
      }
    });

    test("twice in a row is an outage, and lets nobody in", async () => {
      const { access_token } = await guard.login("twice");
      guard.origin.received.length = 0;
      await guard.fault("check", "before", 2);
      expect(await answerOf(guard.fetch("/", bearer(access_token)))).toMatchObject({ status: 503, body: { code: "store_unavailable" } });
      expect(guard.origin.received).toEqual([]);
      expect(await code(guard, { access_token } as LoggedIn)).toBe(200);
    });

    test.each(["before", "after"] as const)("%s it answers a login is not simply asked again: the login fails, and leaves no session behind", async (when) => {
      guard.origin.approvals.set(`login ${when}`, { sub: `login ${when}`, session_limit: 1, session_limit_policy: "deny" });
      await guard.fault("open", when);
      const login = async () => (await answerOf(guard.fetch("/_auth/login", loginInit({ username: `login ${when}` })))).status;
      expect(await login()).toBe(503);
      await expect.poll(login, { timeout: 10_000 }).toBe(200);
      expect(await login()).toBe(409);
    });
  });
});
