// Several credentials in one request: two tokens of a session, an application's own credential, leftover cookies,
// and two sessions.

import { beforeEach, describe, expect, test } from "vitest";
import { answerOf, bearer, cookieOf, formInit, loginInit, mint, startGuard, useGuard, type LoggedIn } from "../harness/guard.ts";

const guard = useGuard({ SESSION_LIMIT: "0" }, { clock: true });
beforeEach(() => {
  guard.origin.received.length = 0;
});

const SAME = { "sec-fetch-site": "same-origin" };
const sessionCookie = (token: string) => `__Host-session=${token}`;

/** A client that sends its token and keeps cookies, as phones' HTTP libraries do. */
async function enter(name: string, at = guard) {
  const response = await at.fetch("/_auth/login", loginInit({ username: name }));
  const { access_token, session } = (await response.json()) as LoggedIn;
  return { token: access_token, sid: session.sid, cookie: cookieOf(response) };
}

/** What comes back, and what the origin got: `200`, or a refusal's code. */
async function send(headers: Record<string, string>, init: RequestInit = {}, at = guard) {
  const { status, body } = await answerOf(at.fetch("/x", { ...init, headers }));
  return status === 200 ? "passes" : (body as { code: string }).code;
}
const both = (token: string, cookie: string) => ({ ...bearer(token).headers, cookie });
const post = (path: string, headers: Record<string, string>, at = guard) => at.fetch(`/_auth/${path}`, { method: "POST", headers });

describe("one session, two copies of its token", () => {
  test("a refresh renews the cookie with the bearer token, and no mix of old and new is a conflict", async () => {
    const { token, cookie } = await enter("jar");
    const response = await post("refresh", both(token, cookie));
    const refreshed = ((await response.clone().json()) as LoggedIn).access_token;
    expect(await answerOf(response)).toMatchObject({ status: 200, headers: { "cache-control": "no-store" } });
    expect(cookieOf(response)).toBe(sessionCookie(refreshed));
    const mixes = [both(refreshed, cookie), both(token, sessionCookie(refreshed)), both(refreshed, sessionCookie(refreshed)), { cookie }];
    for (const mix of mixes) expect(await send(mix), JSON.stringify(mix)).toBe("passes");
    const seen = guard.origin.received.map(({ headers }) => [headers["x-auth-request-user"], headers["authorization"], headers["cookie"]]);
    expect(seen).toEqual(mixes.map(() => ["jar", undefined, undefined]));
  });

  test("an old token beside the new one does not end the session, but alone it does, however late", async () => {
    const { token, cookie } = await enter("long after");
    const refreshed = ((await (await post("refresh", bearer(token).headers)).json()) as LoggedIn).access_token;
    expect(await send(both(refreshed, cookie))).toBe("passes");
    const later = { "x-clock": "40000" };
    for (let n = 0; n < 4; n += 1) expect(await send({ ...both(refreshed, cookie), ...later })).toBe("passes");
    expect(await send({ ...both(refreshed, cookie), ...later }, { method: "POST" })).toBe("passes");
    const renewed = await post("refresh", { ...both(refreshed, cookie), ...later });
    expect(renewed.status).toBe(200);
    expect(await send({ cookie: cookieOf(renewed), ...later })).toBe("passes");
    expect(await send({ cookie, ...later })).toBe("session_revoked");
    await send({ "x-clock": "0" });
  });

  test.each(["both", "the old cookie and the new token"])("a logout with %s ends it, and clears the cookie", async (which) => {
    const { token, cookie } = await enter("leaves");
    const refreshed = which === "both" ? token : ((await (await post("refresh", bearer(token).headers)).json()) as LoggedIn).access_token;
    expect(await answerOf(post("logout", both(refreshed, cookie)))).toMatchObject({ status: 204, headers: { "set-cookie": expect.stringMatching(/^__Host-session=;.*Max-Age=0/) } });
    expect(await send(bearer(refreshed).headers)).toBe("session_revoked");
  });

  test("refresh clears the cookie if the session's new token no longer fits into one", async () => {
    const { token, sid } = await enter("grows");
    const large = await mint({ sub: "grows", sid, jti: "large", iat: Math.floor(Date.now() / 1000) + 1, pad: "x".repeat(3600) });
    const response = await post("refresh", both(large, sessionCookie(token)));
    expect(response.status).toBe(200);
    expect(response.headers.get("set-cookie")).toMatch(/^__Host-session=;.*Max-Age=0/);
  });
});

describe("an application's own credential", () => {
  test.each<[string, () => Promise<string>]>([
    ["an opaque bearer token", async () => "Bearer theirs"],
    ["a JWT of another issuer", async () => `Bearer ${await mint({ iss: "https://elsewhere.test" })}`],
    ["a Basic credential", async () => "Basic dGhlaXJzOg=="],
    ["another scheme", async () => "Token token=theirs"],
  ])("is forwarded unchanged beside the session cookie: %s", async (_, make) => {
    const { cookie } = await enter("ada");
    const authorization = await make();
    for (let n = 0; n < 4; n += 1) expect(await send({ authorization, cookie: `theme=dark; ${cookie}` })).toBe("passes");
    expect(await send({ authorization, cookie, ...SAME }, { method: "POST" })).toBe("passes");
    const seen = guard.origin.received.map(({ headers }) => [headers["x-auth-request-user"], headers["authorization"], headers["cookie"]]);
    expect(seen).toEqual([...Array(4).fill(["ada", authorization, "theme=dark"]), ["ada", authorization, undefined]]);
  });

  test("does not exempt the session cookie from the same-site check", async () => {
    const { cookie } = await enter("lured");
    for (const authorization of ["Bearer theirs", `Bearer ${await mint({ iss: "https://elsewhere.test" })}`, "Basic dGhlaXJzOg=="]) {
      expect(await send({ authorization, cookie, "sec-fetch-site": "cross-site" }, { method: "POST" }), authorization).toBe("cross_site");
      expect(await send({ authorization, cookie }, { method: "DELETE" }), authorization).toBe("cross_site");
    }
    expect(guard.origin.received).toEqual([]);
  });

  test("is refused if it is the only credential", async () => {
    expect(await send({ authorization: "Bearer theirs" })).toBe("token_invalid");
    expect(await send({ cookie: "__Host-session=theirs" })).toBe("token_invalid");
    expect(guard.origin.received).toEqual([]);
  });

  test("is forwarded unchanged under the session cookie's name, and decides nothing", async () => {
    const { token, cookie } = await enter("ada");
    expect(await send(both(token, "__Host-session=theirs; a=1"))).toBe("passes");
    expect(await send({ cookie: `__Host-session=theirs; ${cookie}` })).toBe("passes");
    expect(guard.origin.received.map(({ headers }) => headers["cookie"])).toEqual(["__Host-session=theirs; a=1", "__Host-session=theirs"]);
  });

  test("is forwarded beside a token in a configured header, too", async () => {
    await using named = await startGuard({ TOKEN_SOURCES: "bearer, cookie, header:x-access-token" });
    const { token } = await enter("ada", named);
    expect(await send({ authorization: "Bearer theirs", "x-access-token": token }, { method: "POST" }, named)).toBe("passes");
    expect(named.origin.received[0]?.headers).toMatchObject({ authorization: "Bearer theirs", "x-auth-request-user": "ada" });
    expect(named.origin.received[0]?.headers).not.toHaveProperty("x-access-token");
  });
});

describe("a leftover cookie", () => {
  test.each<[string, () => Promise<string>]>([
    ["of a session that is over", async () => {
      const { token, cookie } = await enter("before");
      await post("logout", bearer(token).headers);
      return cookie;
    }],
    ["of a session that nobody knows", async () => sessionCookie(await mint({ sub: "nobody" }))],
    ["that has expired", async () => sessionCookie(await mint({ sub: "nobody", iat: 1, exp: 2 }))],
    ["of a key that was removed", async () => sessionCookie(await mint({ sub: "nobody" }, { kid: "removed" }))],
    ["that is no token", async () => "__Host-session=%7B%22old%22%3A1%7D"],
    ["that is empty", async () => "__Host-session="],
  ])("%s locks nobody out, beside a bearer token or the current cookie", async (_, make) => {
    const old = await make();
    const { token, cookie } = await enter("ada");
    for (let n = 0; n < 3; n += 1) {
      expect(await send(both(token, old))).toBe("passes");
      expect(await send({ cookie: `${old}; ${cookie}` })).toBe("passes");
      expect(await send({ cookie: `${cookie}; ${old}` })).toBe("passes");
      expect(await send({ cookie: `${old}; ${cookie}`, ...SAME }, { method: "POST" })).toBe("passes");
    }
    expect(guard.origin.received.map(({ headers }) => headers["x-auth-request-user"])).toEqual(Array(12).fill("ada"));
    expect(await answerOf(guard.fetch("/_auth/session", { headers: both(token, old) }))).toMatchObject({ status: 200 });
    expect(await answerOf(post("refresh", both(token, old)))).toMatchObject({ status: 200 });
    const page = await answerOf(guard.fetch("/_auth/login", formInit({ username: "ada" }, { cookie: old })));
    expect(page).toMatchObject({ status: 303, headers: { "set-cookie": expect.stringContaining("__Host-session=ey") } });
    expect(await answerOf(post("logout", both(token, old)))).toMatchObject({ status: 204, headers: { "set-cookie": expect.stringContaining("Max-Age=0") } });
    expect(await send(bearer(token).headers)).toBe("session_revoked");
  });

  test("of a session that the login ended does not lock the user out", async () => {
    await using single = await startGuard();
    const before = await enter("ada", single);
    const now = await enter("ada", single);
    expect(await send({ cookie: `${before.cookie}; ${now.cookie}` }, {}, single)).toBe("passes");
    expect(await send(both(now.token, before.cookie), {}, single)).toBe("passes");
    expect(await send(both(before.token, before.cookie), {}, single)).toBe("session_superseded");
    const last = await enter("ada", single);
    expect(await send({ cookie: `${before.cookie}; ${now.cookie}` }, {}, single), "all are over").toBe("session_superseded");
    expect(await send({ cookie: `${before.cookie}; ${now.cookie}; ${last.cookie}` }, {}, single)).toBe("passes");
  });
});

describe("two live sessions in one request", () => {
  test.each<[string, (one: LoggedIn["access_token"], other: string) => Record<string, string>, string[]]>([
    ["a bearer token and a cookie", (one, other) => both(one, sessionCookie(other)), ["bearer token", "cookie"]],
    ["two cookies", (one, other) => ({ cookie: `${sessionCookie(one)}; ${sessionCookie(other)}` }), ["Two cookies"]],
  ])("are a 400 that names the places, %s, while login and logout still work", async (_, make, places) => {
    const [one, other] = [await enter("one"), await enter("other")];
    const headers = make(one.token, other.token);
    const answer = await answerOf(guard.fetch("/x", { headers }));
    expect(answer).toMatchObject({ status: 400, body: { code: "bad_request" } });
    for (const place of places) expect((answer.body as { detail: string }).detail).toContain(place);
    expect(await answerOf(guard.fetch("/_auth/session", { headers }))).toMatchObject({ status: 400, body: { code: "bad_request" } });
    expect(guard.origin.received).toEqual([]);
    const again = await answerOf(guard.fetch("/_auth/login", loginInit({ username: "one" }, { ...headers, ...SAME })));
    expect(again).toMatchObject({ status: 200, headers: { "set-cookie": expect.stringContaining("__Host-session=ey") } });
    expect(await answerOf(post("logout", { ...headers, ...SAME }))).toMatchObject({ status: 204, headers: { "set-cookie": expect.stringContaining("Max-Age=0") } });
    expect([await send(bearer(one.token).headers), await send(bearer(other.token).headers)]).toEqual(["session_superseded", "session_revoked"]);
  });

  test("a logout without a same-site proof ends the session of the bearer token only", async () => {
    const [one, other] = [await enter("one"), await enter("other")];
    expect((await post("logout", both(one.token, other.cookie))).status).toBe(204);
    expect([await send(bearer(one.token).headers), await send(bearer(other.token).headers)]).toEqual(["session_revoked", "passes"]);
  });
});
