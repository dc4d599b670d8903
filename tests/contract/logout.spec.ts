// Logging out: one session, the others or all, by tokens of every kind, by forms and by scripts.

import { decodeJwt } from "jose";
import { beforeEach, describe, expect, test } from "vitest";
import { answerOf, bearer, cookieOf, formInit, mint, startGuard, useGuard, type LoggedIn } from "../harness/guard.ts";
import { sessionApi } from "../harness/session_api.ts";

const guard = useGuard({ SESSION_LIMIT: "0" });
const { call, passes, allPass } = sessionApi(guard);

beforeEach(() => {
  guard.origin.received.length = 0;
});

/** The status and code of a request with this token. */
async function visit(token: string, to = guard) {
  const { status, body } = await answerOf(to.fetch("/", bearer(token)));
  return typeof body === "string" ? `${status}` : `${status} ${String(body["code"])}`;
}

const cookieOfLogin = async (username: string, at = guard) => cookieOf(await at.fetch("/_auth/login", formInit({ username })));

test("a logout ends the session, and its token answers session_revoked", async () => {
  const { access_token } = await guard.login("leaves");
  const answer = await answerOf(guard.fetch("/_auth/logout", { method: "POST", ...bearer(access_token) }));
  expect(answer).toMatchObject({
    status: 204,
    headers: {
      "cache-control": "no-store",
      "clear-site-data": '"storage"',
      "set-cookie": "__Host-session=; Path=/; HttpOnly; Secure; SameSite=Lax; Max-Age=0",
    },
  });
  expect(await visit(access_token)).toBe("401 session_revoked");
});

test("another site's form cannot log its visitor out, with or without the cookie", async () => {
  const { access_token } = await guard.login("stays");
  const told: Record<string, string>[] = [{ "sec-fetch-site": "cross-site" }, { origin: "https://evil.example" }];
  for (const headers of told.flatMap((it) => [it, { ...it, cookie: `__Host-session=${access_token}` }])) {
    const answer = await answerOf(guard.fetch("/_auth/logout", { method: "POST", headers }));
    expect(answer).toMatchObject({ status: 403, body: { code: "cross_site" } });
    expect(answer.headers).not.toHaveProperty("set-cookie");
    expect(answer.headers).not.toHaveProperty("clear-site-data");
  }
  expect(await visit(access_token)).toBe("200");
});

test("a logout with an invalid token is not an error", async () => {
  const { access_token } = await guard.login("leaves twice");
  for (const token of [access_token, access_token, "x.y.z"]) {
    const answer = await answerOf(guard.fetch("/_auth/logout", { method: "POST", ...bearer(token) }));
    expect(answer).toMatchObject({ status: 204 });
  }
});

describe("POST logout", () => {
  test.each([
    ["local", [false, true, true]],
    ["others", [true, false, false]],
    ["global", [false, false, false]],
  ])("with scope=%s ends what it says", async (scope, expected) => {
    const logins = [await guard.login(scope), await guard.login(scope), await guard.login(scope)] as [LoggedIn, LoggedIn, LoggedIn];
    const other = await guard.login("somebody else");
    const answer = await call("POST", `logout?scope=${scope}`, logins[0]);
    expect(answer.status).toBe(204);
    expect("set-cookie" in answer.headers).toBe(scope !== "others");
    expect(await allPass(logins)).toEqual(expected);
    expect(await passes(other)).toBe(true);
  });

  test("ends all sessions with LOGOUT_ALL_SESSIONS, unless the query says otherwise", async () => {
    await using everywhere = await startGuard({ SESSION_LIMIT: "0", LOGOUT_ALL_SESSIONS: "true" });
    const logins = [await everywhere.login("ada"), await everywhere.login("ada"), await everywhere.login("ada")] as [LoggedIn, LoggedIn, LoggedIn];
    const live = () => Promise.all(logins.map((login) => passes(login, everywhere)));
    await call("POST", "logout?scope=local", logins[0], undefined, everywhere);
    expect(await live()).toEqual([false, true, true]);
    await call("POST", "logout", logins[1], undefined, everywhere);
    expect(await live()).toEqual([false, false, false]);
  });

  test.each(["others", "global"])("with scope=%s ends nothing if the caller's own session has ended", async (scope) => {
    const [gone, other] = [await guard.login("out"), await guard.login("out")];
    await call("POST", "logout", gone);
    expect((await call("POST", `logout?scope=${scope}`, gone)).status).toBe(scope === "others" ? 401 : 204);
    expect(await passes(other)).toBe(true);
  });

  describe("with a genuine token that has expired", () => {
    /** An expired token of a session, and one that was refreshed long ago. */
    const expired = ({ access_token, session }: LoggedIn) => mint({ sub: String(decodeJwt(access_token).sub), sid: session.sid, jti: "of-old", iat: 1, exp: 2 });
    const signOut = (token: string, scope: string, at = guard) => at.fetch(`/_auth/logout?scope=${scope}`, { method: "POST", ...bearer(token) });

    test("ends its session", async () => {
      const [one, other] = [await guard.login("expired"), await guard.login("expired")];
      expect(await answerOf(signOut(await expired(one), "local"))).toMatchObject({ status: 204, headers: { "set-cookie": expect.stringContaining("Max-Age=0") } });
      expect(await allPass([one, other])).toEqual([false, true]);
    });

    test("ends its session with the cookie, if the same site asks", async () => {
      const login = await guard.login("expired cookie");
      const send = async (headers: Record<string, string>) =>
        (await guard.fetch("/_auth/logout", { method: "POST", headers: { cookie: `__Host-session=${await expired(login)}`, ...headers } })).status;
      expect([await send({}), await send({ "sec-fetch-site": "cross-site" }), await passes(login)]).toEqual([403, 403, true]);
      expect([await send({ "sec-fetch-site": "same-origin" }), await passes(login)]).toEqual([204, false]);
    });

    test("makes room for the next login where the limit denies", async () => {
      await using strict = await startGuard({ SESSION_LIMIT_POLICY: "deny" });
      const login = await strict.login("ada");
      expect((await signOut(await expired(login), "local", strict)).status).toBe(204);
      expect(await passes(await strict.login("ada"), strict)).toBe(true);
    });

    test("ends no other session, even with scope=global", async () => {
      const [gone, one, other] = [await guard.login("expired"), await guard.login("expired"), await guard.login("expired")];
      await call("POST", "logout", gone);
      expect((await signOut(await expired(gone), "global")).status).toBe(204);
      expect(await allPass([one, other])).toEqual([true, true]);
      expect((await signOut(await expired(one), "global")).status).toBe(204);
      expect(await allPass([one, other])).toEqual([false, true]);
    });

    test("ends no other session with LOGOUT_ALL_SESSIONS", async () => {
      await using everywhere = await startGuard({ SESSION_LIMIT: "0", LOGOUT_ALL_SESSIONS: "true" });
      const [one, other] = [await everywhere.login("ada"), await everywhere.login("ada")];
      expect((await everywhere.fetch("/_auth/logout", { method: "POST", ...bearer(await expired(one)) })).status).toBe(204);
      expect([await passes(one, everywhere), await passes(other, everywhere)]).toEqual([false, true]);
    });

    test("ends all with scope=global if a valid token of the session is sent as well", async () => {
      const [one, other] = [await guard.login("both"), await guard.login("both")];
      const headers = { ...bearer(await expired(one)).headers, cookie: `__Host-session=${one.access_token}`, "sec-fetch-site": "same-origin" };
      expect((await guard.fetch("/_auth/logout?scope=global", { method: "POST", headers })).status).toBe(204);
      expect(await allPass([one, other])).toEqual([false, false]);
    });

    test("does not end the other sessions with scope=others", async () => {
      const [one, other] = [await guard.login("expired"), await guard.login("expired")];
      expect(await answerOf(signOut(await expired(one), "others"))).toMatchObject({ status: 401, body: { code: "token_expired" } });
      expect(await allPass([one, other])).toEqual([true, true]);
    });

    test("ends nothing if another key has signed it, or it has another audience", async () => {
      const login = await guard.login("forged");
      const { sid } = login.session;
      const { access_token } = login;
      const forged = [`${access_token.slice(0, access_token.lastIndexOf("."))}.${"A".repeat(43)}`, await mint({ sub: "forged", sid, aud: "elsewhere", iat: 1, exp: 2 })];
      for (const token of forged) expect((await signOut(token, "local")).status).toBe(204);
      expect(await passes(login)).toBe(true);
    });
  });

  test.each<[string, Record<string, string>]>([
    ["nothing", {}],
    ["a bearer token that is none", bearer("theirs").headers],
    ["a cookie that is no token", { cookie: "__Host-session=theirs" }],
  ])("with %s still clears the cookie", async (_, headers) => {
    expect(await answerOf(guard.fetch("/_auth/logout", { method: "POST", headers }))).toMatchObject({ status: 204, headers: { "set-cookie": expect.stringContaining("Max-Age=0") } });
  });

  test("with another scope is a bad request, and ends nothing", async () => {
    const login = await guard.login("odd");
    expect(await call("POST", "logout?scope=everyone", login)).toMatchObject({ status: 400, body: { code: "bad_request" } });
    expect(await passes(login)).toBe(true);
  });
});

test("LOGOUT_ALL_SESSIONS ends every session of the user", async () => {
  await using all = await startGuard({ LOGOUT_ALL_SESSIONS: "true", SESSION_LIMIT: "0" });
  const [first, second, other] = [await all.login("ada"), await all.login("ada"), await all.login("bob")];
  await all.fetch("/_auth/logout", { method: "POST", ...bearer(first.access_token) });
  expect(await visit(second.access_token, all)).toBe("401 session_revoked");
  expect(await visit(other.access_token, all)).toBe("200");
});

test.each<[string, Record<string, string>, number]>([
  ["of today", { "sec-fetch-mode": "navigate" }, 303],
  ["that says nothing of it", { accept: "text/html,application/xhtml+xml,*/*;q=0.8" }, 303],
  ["of a script", { "sec-fetch-mode": "cors", accept: "text/html" }, 204],
  ["of a program", { accept: "*/*" }, 204],
])("a logout by a form %s redirects, and by a program it does not", async (_, headers, status) => {
  const cookie = await cookieOfLogin("logout");
  const out = await guard.fetch("/_auth/logout", { method: "POST", headers: { ...headers, cookie, origin: guard.url } });
  expect([out.status, out.headers.get("location")]).toEqual([status, status === 303 ? "/_auth/login?reason=logged_out" : null]);
});

test.each([
  ["off", null],
  ["cache, storage", '"cache", "storage"'],
  ['"cookies"', '"cookies"'],
])("with CLEAR_SITE_DATA = %j a logout sends Clear-Site-Data: %j", async (setting, expected) => {
  await using other = await startGuard({ CLEAR_SITE_DATA: setting });
  for (const mode of ["navigate", "cors"]) {
    const out = await other.fetch("/_auth/logout", { method: "POST", headers: { "sec-fetch-mode": mode } });
    expect([mode, out.headers.get("clear-site-data")]).toEqual([mode, expected]);
  }
});
