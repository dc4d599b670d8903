// Calls of the admin API.

import { randomBytes } from "node:crypto";
import { expect } from "vitest";
import { answerOf, bearer, startGuard, type Guard, type GuardOptions, type Vars } from "./guard.ts";

/** The admin API key of every guard in the tests that has one. */
export const KEY = randomBytes(24).toString("base64url");

/** A guard with that key, and any number of sessions for each user. */
export const startGuardWithKey = (vars: Vars = {}, options: GuardOptions = {}) => startGuard({ ADMIN_API_KEY: KEY, SESSION_LIMIT: "0", ...vars }, options);

/** The path of a user's sessions, below `admin/`. */
export const sessionsOf = (sub: string) => `users/${encodeURIComponent(sub)}/sessions`;

/** The index is written after the answer, so it is looked at until it says what it should. */
export const eventually = <T>(look: () => Promise<T>) => expect.poll(look, { timeout: 10_000 });

interface Users { users: { sub: string; sessions: number; admin: boolean }[]; cursor?: string }

/** Calls with the key and at the usual guard, unless another credential or guard is given. */
export function adminApi(usual: () => Guard) {
  const call = (path: string, init: RequestInit = {}, credential = KEY, at = usual()) =>
    answerOf(at.fetch(`/_auth/admin/${path}`, { ...init, headers: { ...(init.headers as Record<string, string>), ...bearer(credential).headers } }));
  return {
    call,
    remove: (path: string, credential = KEY, at = usual()) => call(path, { method: "DELETE" }, credential, at),
    /** Begins a session; a text is sent as it stands. */
    createSession(sub: string, body: object | string = {}, credential = KEY, at = usual()) {
      const text = typeof body === "string" ? body : JSON.stringify(body);
      return call(sessionsOf(sub), { method: "POST", headers: { "content-type": "application/json" }, body: text }, credential, at);
    },
    /** What comes of a guarded request with this token. */
    async visit(token: string, at = usual()) {
      const { status, body } = await answerOf(at.fetch("/", bearer(token)));
      return status === 200 ? "passes" : (body as { code: string }).code;
    },
    /** The token of a user who was logged in with this scope. */
    async withScope(sub: string, scope: string, at = usual()) {
      at.origin.approvals.set(sub, { sub, claims: { scope } });
      return (await at.login(sub)).access_token;
    },
    /** Everybody whom the API lists, page by page. */
    async listUsers(limit = 40, at = usual()) {
      const all: Users["users"] = [];
      for (let cursor = ""; ; ) {
        const answer = await call(`users?limit=${limit}${cursor && `&cursor=${cursor}`}`, {}, KEY, at);
        expect(answer).toMatchObject({ status: 200, headers: { "cache-control": "no-store" } });
        const page = answer.body as unknown as Users;
        expect(page.users.length).toBeLessThanOrEqual(limit);
        all.push(...page.users);
        if (page.cursor === undefined) return all;
        cursor = page.cursor;
      }
    },
  };
}
