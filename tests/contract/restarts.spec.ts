// A restart of the Worker, also with changed settings, and recovery from a panic.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { answerOf, bearer, startGuard, type Guard, type LoggedIn } from "../harness/guard.ts";

let folder: string;
let REDIS_KEYSPACE: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "session-guard-continuity-"));
  REDIS_KEYSPACE = `continuity:${folder}:`;
});
afterEach(() => rm(folder, { recursive: true }));

/** A guard over the same sessions as the one before it. */
const start = (vars: Record<string, string> = {}) => startGuard({ REDIS_KEYSPACE, ...vars }, { persist: folder });
const visit = async (guard: Guard, { access_token }: LoggedIn) => {
  const { status, body } = await answerOf(guard.fetch("/", bearer(access_token)));
  return status === 200 ? "passes" : (body as { code: string }).code;
};

test("a restart of the Worker and its Durable Objects loses no session, and revives none", async () => {
  const before = await start({ SESSION_LIMIT: "0" });
  const logins = await Promise.all(Array.from({ length: 20 }, (_, i) => before.login(`user-${i % 4}`)));
  const [ended, patched, ...others] = logins as [LoggedIn, LoggedIn, ...LoggedIn[]];
  await before.fetch("/_auth/logout", { method: "POST", ...bearer(ended.access_token) });
  await before.fetch("/_auth/session", { method: "PATCH", headers: { ...bearer(patched.access_token).headers, "content-type": "application/merge-patch+json" }, body: '{"a":1}' });
  await Promise.all(others.map((login) => visit(before, login)));
  await before[Symbol.asyncDispose]();

  await using after = await start({ SESSION_LIMIT: "0" });
  expect(await visit(after, ended)).toBe("session_revoked");
  expect(await Promise.all([patched, ...others].map((login) => visit(after, login)))).toEqual(Array(19).fill("passes"));
  const { body } = await answerOf(after.fetch("/_auth/session", bearer(patched.access_token)));
  expect(body).toMatchObject({ client_data: { a: 1 } });
});

test("a session limit that is switched on logs nobody out, and applies from the next login", async () => {
  const before = await start({ SESSION_LIMIT: "0" });
  const logins = [await before.login("ada"), await before.login("ada"), await before.login("ada")];
  await before[Symbol.asyncDispose]();

  await using after = await start({ SESSION_LIMIT: "1" });
  const states = () => Promise.all(logins.map((login) => visit(after, login)));
  expect(await states()).toEqual(["passes", "passes", "passes"]);
  const { ended } = await after.login("ada");
  expect(ended.map(({ sid }) => sid)).toEqual(logins.map(({ session }) => session.sid));
  expect(await states()).toEqual(Array(3).fill("session_superseded"));
});

test("a panic fails only the request that it hits, and the next one is served", async () => {
  await using guard = await startGuard({ REDIS_KEYSPACE }, { faulty: true });
  const [login, ended] = [await guard.login("ada"), await guard.login("ben")];
  await guard.fetch("/_auth/logout", { method: "POST", ...bearer(ended.access_token) });
  const session = async (headers = {}) => {
    const response = await guard.fetch("/_auth/session", { headers: { ...bearer(login.access_token).headers, ...headers } });
    await response.text();
    return response.status;
  };
  expect(await visit(guard, login)).toBe("passes");
  for (let fault = 0; fault < 3; fault += 1) {
    expect(await session({ "x-fault": "1" })).toBe(500);
    expect(await visit(guard, login)).toBe("passes");
    expect(await visit(guard, ended)).toBe("session_revoked");
    expect(await session()).toBe(200);
  }
});
