// The user's own sessions: seen, ended one by one or together, and their private data.

import { decodeJwt } from "jose";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { answerOf, bearer, cookieOf, formInit, mint, startGuard, type Guard, type LoggedIn } from "../harness/guard.ts";

const PHONE = { "user-agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Mobile/15E148" };

let guard: Guard;
beforeAll(async () => {
  guard = await startGuard({ SESSION_LIMIT: "0" });
});
beforeEach(() => {
  guard.origin.received.length = 0;
});
afterAll(() => guard[Symbol.asyncDispose]());

const call = (method: string, path: string, { access_token }: LoggedIn, body?: unknown, at = guard) => {
  const headers = { ...bearer(access_token).headers, ...(body === undefined ? {} : { "content-type": "application/merge-patch+json" }) };
  const init = { method, headers };
  return answerOf(at.fetch(`/_auth/${path}`, body === undefined ? init : { ...init, body: typeof body === "string" ? body : JSON.stringify(body) }));
};
const passes = async ({ access_token }: LoggedIn, at = guard) => (await at.fetch("/", bearer(access_token))).status === 200;
const all = (logins: LoggedIn[]) => Promise.all(logins.map((login) => passes(login)));

describe("GET sessions", () => {
  test("is never a list without the caller's, whatever ends that meanwhile", async () => {
    for (let round = 0; round < 25; round += 1) {
      const [login] = await Promise.all([guard.login("ends meanwhile"), guard.login("ends meanwhile")]);
      const [{ status, body }] = await Promise.all([call("GET", "sessions", login), call("POST", "logout", login)]);
      if (status === 200) expect((body as unknown as { sessions: object[] }).sessions).toContainEqual(expect.objectContaining({ sid: login.session.sid, current: true }));
      else expect({ status, body }).toMatchObject({ status: 401, body: { code: "session_revoked" } });
    }
  });

  test("lists the live ones, oldest first, and says which is the caller's", async () => {
    const [one, two] = [await guard.login("ada", PHONE), await guard.login("ada")];
    await call("POST", "logout", await guard.login("ada"));
    await guard.login("eve");
    expect(await call("GET", "sessions", two)).toMatchObject({
      status: 200,
      headers: { "cache-control": "no-store" },
      body: { sessions: [{ sid: one.session.sid, device: "mobile", current: false }, { sid: two.session.sid, device: "other", current: true }] },
    });
  });

  test("shows no private data of the others", async () => {
    guard.origin.approvals.set("private", { sub: "private", data: { secret: "x" } });
    const login = await guard.login("private");
    expect(JSON.stringify((await call("GET", "sessions", login)).body)).not.toContain("secret");
  });

  test("is for those who are logged in", async () => {
    const gone = await guard.login("gone");
    await call("POST", "logout", gone);
    expect(await call("GET", "sessions", gone)).toMatchObject({ status: 401, body: { code: "session_revoked" } });
    expect(await answerOf(guard.fetch("/_auth/sessions"))).toMatchObject({ status: 401, body: { code: "token_missing" } });
  });
});

describe("DELETE sessions/{sid}", () => {
  test("ends that session on its very next request, and no other", async () => {
    const logins = [await guard.login("one"), await guard.login("one"), await guard.login("one")];
    const [first, second, third] = logins as [LoggedIn, LoggedIn, LoggedIn];
    expect((await call("DELETE", `sessions/${second.session.sid}`, first)).status).toBe(204);
    expect(await all(logins)).toEqual([true, false, true]);
    expect(await answerOf(guard.fetch("/", bearer(second.access_token)))).toMatchObject({ body: { code: "session_revoked" } });
    expect((await call("DELETE", `sessions/${third.session.sid}`, third)).status).toBe(204);
    expect(await passes(third)).toBe(false);
  });

  test.each<[string, (theirs: string) => string]>([
    ["somebody else's", (theirs) => theirs],
    ["one that nobody has", () => "A".repeat(22)],
    ["what is no session's name", () => "a%2Fb"],
  ])("finds nothing for %s", async (_, name) => {
    const [mine, theirs] = [await guard.login("mine"), await guard.login("theirs")];
    expect(await call("DELETE", `sessions/${name(theirs.session.sid)}`, mine)).toMatchObject({ status: 404, body: { code: "not_found" } });
    expect(await all([mine, theirs])).toEqual([true, true]);
  });

  test("ends a session once", async () => {
    const [one, two] = [await guard.login("once"), await guard.login("once")];
    const statuses = [];
    for (let n = 0; n < 2; n += 1) statuses.push((await call("DELETE", `sessions/${two.session.sid}`, one)).status);
    expect(statuses).toEqual([204, 404]);
  });

  test("by cookie needs a proof that the site itself asks", async () => {
    const cookie = cookieOf(await guard.fetch("/_auth/login", formInit({ username: "cookie" })));
    const { body } = await answerOf(guard.fetch("/_auth/session", { headers: { cookie } }));
    const send = (site: string) => guard.fetch(`/_auth/sessions/${(body as { sid: string }).sid}`, { method: "DELETE", headers: { cookie, "sec-fetch-site": site } });
    expect([(await send("cross-site")).status, (await send("same-origin")).status]).toEqual([403, 204]);
  });

  test("is not for those whose session is over", async () => {
    const [gone, other] = [await guard.login("over"), await guard.login("over")];
    await call("POST", "logout", gone);
    expect((await call("DELETE", `sessions/${other.session.sid}`, gone)).status).toBe(401);
    expect(await passes(other)).toBe(true);
  });
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
    expect(await all(logins)).toEqual(expected);
    expect(await passes(other)).toBe(true);
  });

  test("ends all of them where the setting says so, unless the query says otherwise", async () => {
    await using everywhere = await startGuard({ SESSION_LIMIT: "0", LOGOUT_ALL_SESSIONS: "true" });
    const logins = [await everywhere.login("ada"), await everywhere.login("ada"), await everywhere.login("ada")] as [LoggedIn, LoggedIn, LoggedIn];
    const live = () => Promise.all(logins.map((login) => passes(login, everywhere)));
    await call("POST", "logout?scope=local", logins[0], undefined, everywhere);
    expect(await live()).toEqual([false, true, true]);
    await call("POST", "logout", logins[1], undefined, everywhere);
    expect(await live()).toEqual([false, false, false]);
  });

  test.each(["others", "global"])("with scope=%s is not for those who are logged out already", async (scope) => {
    const [gone, other] = [await guard.login("out"), await guard.login("out")];
    await call("POST", "logout", gone);
    expect((await call("POST", `logout?scope=${scope}`, gone)).status).toBe(scope === "others" ? 401 : 204);
    expect(await passes(other)).toBe(true);
  });

  describe("with a token that is genuine but no longer good", () => {
    /** An expired token of a session, and one that was refreshed long ago. */
    const expired = ({ access_token, session }: LoggedIn) => mint({ sub: String(decodeJwt(access_token).sub), sid: session.sid, jti: "of-old", iat: 1, exp: 2 });
    const signOut = (token: string, scope: string, at = guard) => at.fetch(`/_auth/logout?scope=${scope}`, { method: "POST", ...bearer(token) });

    test("ends its session", async () => {
      const [one, other] = [await guard.login("expired"), await guard.login("expired")];
      expect(await answerOf(signOut(await expired(one), "local"))).toMatchObject({ status: 204, headers: { "set-cookie": expect.stringContaining("Max-Age=0") } });
      expect(await all([one, other])).toEqual([false, true]);
    });

    test("ends its session by cookie, if this site asks", async () => {
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

    test("ends no other session, also where all are to end", async () => {
      const [gone, one, other] = [await guard.login("expired"), await guard.login("expired"), await guard.login("expired")];
      await call("POST", "logout", gone);
      expect((await signOut(await expired(gone), "global")).status).toBe(204);
      expect(await all([one, other])).toEqual([true, true]);
      expect((await signOut(await expired(one), "global")).status).toBe(204);
      expect(await all([one, other])).toEqual([false, true]);
    });

    test("ends no other session where LOGOUT_ALL_SESSIONS says so", async () => {
      await using everywhere = await startGuard({ SESSION_LIMIT: "0", LOGOUT_ALL_SESSIONS: "true" });
      const [one, other] = [await everywhere.login("ada"), await everywhere.login("ada")];
      expect((await everywhere.fetch("/_auth/logout", { method: "POST", ...bearer(await expired(one)) })).status).toBe(204);
      expect([await passes(one, everywhere), await passes(other, everywhere)]).toEqual([false, true]);
    });

    test("ends all where that is wished, if a good one of its session comes along", async () => {
      const [one, other] = [await guard.login("both"), await guard.login("both")];
      const headers = { ...bearer(await expired(one)).headers, cookie: `__Host-session=${one.access_token}`, "sec-fetch-site": "same-origin" };
      expect((await guard.fetch("/_auth/logout?scope=global", { method: "POST", headers })).status).toBe(204);
      expect(await all([one, other])).toEqual([false, false]);
    });

    test("does not end the others", async () => {
      const [one, other] = [await guard.login("expired"), await guard.login("expired")];
      expect(await answerOf(signOut(await expired(one), "others"))).toMatchObject({ status: 401, body: { code: "token_expired" } });
      expect(await all([one, other])).toEqual([true, true]);
    });

    test("ends nothing if another key has signed it, or it is of another audience", async () => {
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
  ])("with %s clears the cookie all the same", async (_, headers) => {
    expect(await answerOf(guard.fetch("/_auth/logout", { method: "POST", headers }))).toMatchObject({ status: 204, headers: { "set-cookie": expect.stringContaining("Max-Age=0") } });
  });

  test("with another scope is a bad request, and ends nothing", async () => {
    const login = await guard.login("odd");
    expect(await call("POST", "logout?scope=everyone", login)).toMatchObject({ status: 400, body: { code: "bad_request" } });
    expect(await passes(login)).toBe(true);
  });
});

describe("PATCH session", () => {
  test("merges a patch into the client's data, and leaves the origin's as it is", async () => {
    const data = { role: "guest", boat: { name: "Nora", seats: 4 } };
    guard.origin.approvals.set("data", { sub: "data", data });
    const login = await guard.login("data");
    expect(login.session).toMatchObject({ data });
    expect((await call("PATCH", "session", login, { theme: "dark", boat: { seats: 4 } })).status).toBe(200);
    expect(await call("PATCH", "session", login, { role: "admin", theme: null, boat: { name: "Nora" }, list: [] })).toMatchObject({
      status: 200,
      headers: { "cache-control": "no-store" },
      body: { sid: login.session.sid, data, client_data: { role: "admin", boat: { name: "Nora", seats: 4 }, list: [] } },
    });
    const { body } = await call("GET", "session", login);
    expect(body).toMatchObject({ data, client_data: { role: "admin", boat: { name: "Nora", seats: 4 }, list: [] } });
    expect(Object.keys((body as unknown as { client_data: object }).client_data)).not.toContain("theme");
  });

  test.each([["data", { data: { role: "admin" } }], ["client_data", { client_data: { role: "admin" } }]])("of a member called `%s` is a member of the client's data only", async (name, patch) => {
    guard.origin.approvals.set(name, { sub: name, data: { role: "guest" } });
    const login = await guard.login(name);
    expect((await call("PATCH", "session", login, patch)).body).toMatchObject({ data: { role: "guest" }, client_data: patch });
  });

  test("begins with nothing, and belongs to one session only", async () => {
    const [one, two] = [await guard.login("apart"), await guard.login("apart")];
    expect((await call("PATCH", "session", one, { a: 1 })).body).toMatchObject({ client_data: { a: 1 } });
    for (const name of ["data", "client_data"]) expect((await call("GET", "session", two)).body).not.toHaveProperty(name);
  });

  test("keeps every one of fifty patches of different members that race", async () => {
    const login = await guard.login("race");
    const names = Array.from({ length: 50 }, (_, i) => `member-${i}`);
    const answers = await Promise.all(names.map((name) => call("PATCH", "session", login, { [name]: true })));
    expect(answers.map(({ status }) => status)).toEqual(names.map(() => 200));
    const { body } = await call("GET", "session", login);
    expect(Object.keys((body as { client_data: object }).client_data).sort()).toEqual([...names].sort());
  });

  test("takes up to 16 KB in all beside the origin's, and leaves the data as it was beyond", async () => {
    guard.origin.approvals.set("large", { sub: "large", data: { pad: "y".repeat(16_000) } });
    const login = await guard.login("large");
    const pad = (size: number) => ({ pad: "x".repeat(size - '{"pad":""}'.length) });
    expect((await call("PATCH", "session", login, pad(16 * 1024))).status).toBe(200);
    expect(await call("PATCH", "session", login, { more: 1 })).toMatchObject({ status: 400, body: { code: "bad_request", detail: expect.stringContaining("16 KB") } });
    expect(Object.keys(((await call("GET", "session", login)).body as { client_data: object }).client_data)).toEqual(["pad"]);
  });

  test.each(["", "[]", "null", '"text"', '{"a":'])("refuses %j", async (body) => {
    expect(await call("PATCH", "session", await guard.login("odd"), body)).toMatchObject({ status: 400, body: { code: "bad_request" } });
  });

  test("never revives a session that is ended, whichever comes first", async () => {
    for (let round = 0; round < 20; round += 1) {
      const login = await guard.login("ends");
      const [, logout] = await Promise.all([call("PATCH", "session", login, { round }), call("POST", "logout", login)]);
      expect(logout.status).toBe(204);
      expect(await passes(login)).toBe(false);
    }
  });
});

describe("private data", () => {
  test("stays at the guard", async () => {
    guard.origin.approvals.set("kept", { sub: "kept", data: { secret: "x" } });
    const login = await guard.login("kept");
    expect(await passes(login)).toBe(true);
    expect(JSON.stringify(guard.origin.received[0]?.rawHeaders)).not.toContain("secret");
  });

  test("reaches the origin in a header where the setting says so: the origin's, and never the client's", async () => {
    await using forwarding = await startGuard({ FORWARD_SESSION_DATA: "true" });
    forwarding.origin.approvals.set("ada", { sub: "ada", data: { "na\u00efve": "100%", plan: "free" } });
    const seen = async (login: LoggedIn) => {
      forwarding.origin.received.length = 0;
      await forwarding.fetch("/", { headers: { ...bearer(login.access_token).headers, "x-auth-request-data": "forged" } });
      return forwarding.origin.received[0]?.headers["x-auth-request-data"];
    };
    const [with_, without] = [await forwarding.login("ada"), await forwarding.login("ben")];
    expect(decodeURIComponent(String(await seen(with_)))).toBe('{"na\u00efve":"100%","plan":"free"}');
    for (const login of [with_, without]) await call("PATCH", "session", login, { plan: "paid" }, forwarding);
    expect(decodeURIComponent(String(await seen(with_)))).toBe('{"na\u00efve":"100%","plan":"free"}');
    expect(await seen(without)).toBeUndefined();
  });
});
