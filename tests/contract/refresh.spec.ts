// POST refresh: a new token for the same session, and reuse detection for the old one.

import { decodeJwt } from "jose";
import { describe, expect, test } from "vitest";
import { answerOf, bearer, cookieOf, formInit, mint, startGuard, useGuard, type LoggedIn } from "../harness/guard.ts";
import { openSocket, refusalOf } from "../harness/websocket.ts";

const guard = useGuard({ TOKEN_TTL: "15 minutes", SESSION_IDLE_TIMEOUT: "1 hour" });

const refresh = (token: string) => answerOf(guard.fetch("/_auth/refresh", { method: "POST", ...bearer(token) }));
const successor = async (token: string) => {
  const answer = await refresh(token);
  expect(answer).toMatchObject({ status: 200 });
  return (answer.body as unknown as LoggedIn).access_token;
};
const visit = async (token: string) => {
  const { status, body } = await answerOf(guard.fetch("/", bearer(token)));
  return status === 200 ? "passes" : (body as { code: string }).code;
};
/** A token of this session from before the one that is given, as a thief may have kept it. */
const older = (token: string) => {
  const { sub, sid, iat = 0 } = decodeJwt(token);
  return mint({ sub: sub ?? "", sid: sid as string, jti: "of-old", iat: iat - 60 });
};

test("a refresh gives a new token of the same session, with the same claims and never for longer", async () => {
  guard.origin.approvals.set("ada", { sub: "ada", claims: { plan: "x" }, roles: ["crew"], data: { theme: "dark" } });
  const first = await guard.login("ada");
  const answer = await refresh(first.access_token);
  expect(answer).toMatchObject({
    status: 200,
    headers: { "cache-control": "no-store" },
    body: { token_type: "Bearer", expires_in: expect.any(Number), session: { sid: first.session.sid, data: { theme: "dark" } } },
  });
  const { access_token, expires_in } = answer.body as unknown as LoggedIn;
  expect(expires_in).toBeGreaterThan(15 * 60 - 10);
  expect(expires_in).toBeLessThanOrEqual(15 * 60);
  const [before, after] = [decodeJwt(first.access_token), decodeJwt(access_token)];
  expect(after).toMatchObject({ sub: "ada", sid: before["sid"], plan: "x", roles: ["crew"] });
  expect(after.jti).not.toBe(before.jti);
  expect(answer.headers).not.toHaveProperty("set-cookie");
  expect([await visit(first.access_token), await visit(access_token)]).toEqual(["passes", "passes"]);
});

test("with the cookie it sets a new cookie, and another site cannot cause it", async () => {
  const cookie = cookieOf(await guard.fetch("/_auth/login", formInit({ username: "cookie" })));
  const send = (site: string) => guard.fetch("/_auth/refresh", { method: "POST", headers: { cookie, "sec-fetch-site": site } });
  expect((await send("cross-site")).status).toBe(403);
  const response = await send("same-origin");
  expect(response.headers.get("set-cookie")).toMatch(/^__Host-session=[\w.-]+; Path=\/; HttpOnly; Secure; SameSite=Lax; Max-Age=\d+$/);
  expect(cookieOf(response)).not.toBe(cookie);
  expect((await guard.fetch("/", { headers: { cookie: cookieOf(response) } })).status).toBe(200);
});

test("fifty tabs that refresh at once all get the same token, and nobody is logged out", async () => {
  const { access_token } = await guard.login("tabs");
  const tokens = await Promise.all(Array.from({ length: 50 }, () => successor(access_token)));
  expect(new Set(tokens).size).toBe(1);
  const next = tokens[0] as string;
  expect(next).not.toBe(access_token);
  expect(await successor(next)).toBe(next);
  expect(await successor(access_token)).toBe(next);
  expect([await visit(access_token), await visit(next)]).toEqual(["passes", "passes"]);
});

test("reuse of an old token ends the session for every holder of its tokens", async () => {
  const { access_token } = await guard.login("stolen");
  const old = await older(access_token);
  expect(await visit(old)).toBe("passes");
  const next = await successor(access_token);
  guard.origin.received.length = 0;
  expect(await visit(old)).toBe("session_revoked");
  expect(guard.origin.received).toEqual([]);
  expect([await visit(next), await visit(access_token), await visit(old)]).toEqual(Array(3).fill("session_revoked"));
  const told = await answerOf(guard.fetch("/", bearer(next)));
  expect(told.body).toMatchObject({ detail: expect.stringMatching(/because an old token of it was used/) });
});

test.each([
  ["refresh", (token: string) => guard.fetch("/_auth/refresh", { method: "POST", ...bearer(token) })],
  ["session", (token: string) => guard.fetch("/_auth/session", bearer(token))],
  ["sessions", (token: string) => guard.fetch("/_auth/sessions", bearer(token))],
  ["logout of the others", (token: string) => guard.fetch("/_auth/logout?scope=others", { method: "POST", ...bearer(token) })],
  ["a change to the session's data", (token: string) => guard.fetch("/_auth/session", { method: "PATCH", body: "{}", headers: { ...bearer(token).headers, "content-type": "application/json" } })],
  ["events", async (token: string) => {
    const { status, body } = await refusalOf(`${guard.url}/_auth/events`, bearer(token).headers);
    return new Response(JSON.stringify(body), { status, headers: { "content-type": "application/json" } });
  }],
])("reuse of an old token at %s ends the session, too", async (_, send) => {
  const { access_token } = await guard.login("elsewhere");
  const next = await successor(access_token);
  expect(await answerOf(send(await older(access_token)))).toMatchObject({ status: 401, body: { code: "session_revoked" } });
  expect(await visit(next)).toBe("session_revoked");
});

describe("a refresh whose response was lost", () => {
  const clocked = useGuard({ TOKEN_TTL: "2 hours", SESSION_IDLE_TIMEOUT: "1 hour" }, { clock: true });

  const MINUTE = 60_000;
  const at = (token: string, after: number) => ({ headers: { ...bearer(token).headers, "x-clock": `${after}` } });
  const visitAt = async (token: string, after: number) => {
    const { status, body } = await answerOf(clocked.fetch("/", at(token, after)));
    return status === 200 ? "passes" : (body as { code: string }).code;
  };
  const refreshAt = async (token: string, after: number) => {
    const answer = await answerOf(clocked.fetch("/_auth/refresh", { method: "POST", ...at(token, after) }));
    expect(answer).toMatchObject({ status: 200 });
    return answer.body as unknown as LoggedIn;
  };
  const enter = async (name: string) => {
    await clocked.fetch("/", { headers: { "x-clock": "0" } });
    return (await clocked.login(name)).access_token;
  };

  test("does not end the session: the old token passes and can be refreshed until its successor is used", async () => {
    const old = await enter("lost");
    const lost = await refreshAt(old, 0);
    for (const after of [1, 20, 40]) expect(await visitAt(old, after * MINUTE)).toBe("passes");
    const again = await refreshAt(old, 40 * MINUTE);
    expect(decodeJwt(again.access_token).jti).toBe(decodeJwt(lost.access_token).jti);
    expect(again.expires_in).toBeGreaterThan(2 * 60 * 60 - 20);
    expect(await visitAt(again.access_token, 41 * MINUTE)).toBe("passes");
    expect(await visitAt(lost.access_token, 41 * MINUTE), "it is of the same name").toBe("passes");
  });

  test.each<[string, (token: string) => Promise<unknown>]>([
    ["a request", (token) => visitAt(token, MINUTE)],
    ["a refresh", (token) => refreshAt(token, MINUTE)],
    ["an endpoint", (token) => clocked.fetch("/_auth/session", at(token, MINUTE))],
    ["listening", async (token) => (await openSocket(`${clocked.url}/_auth/events`, at(token, MINUTE).headers)).socket.terminate()],
    ["a request within the grace", (token) => visitAt(token, 1_000)],
    ["a refresh within the grace", (token) => refreshAt(token, 1_000)],
  ])("lets the old token end the session after its grace period, once the successor was used by %s", async (_, use) => {
    const old = await enter("used");
    const next = (await refreshAt(old, 0)).access_token;
    expect(await visitAt(old, MINUTE)).toBe("passes");
    await use(next);
    expect(await visitAt(old, 2 * MINUTE)).toBe("session_revoked");
    expect(await visitAt(next, 2 * MINUTE)).toBe("session_revoked");
  });

  test("gives a thief with the old token nothing that outlives the owner's next refresh", async () => {
    const old = await enter("robbed");
    const owners = (await refreshAt(old, 0)).access_token;
    const thiefs = (await refreshAt(old, MINUTE)).access_token;
    expect([await visitAt(owners, 2 * MINUTE), await visitAt(thiefs, 2 * MINUTE)]).toEqual(["passes", "passes"]);
    const renewed = (await refreshAt(owners, 3 * MINUTE)).access_token;
    expect(await visitAt(renewed, 3 * MINUTE)).toBe("passes");
    expect(await visitAt(thiefs, 4 * MINUTE)).toBe("session_revoked");
    expect(await visitAt(renewed, 4 * MINUTE)).toBe("session_revoked");
  });

  test("reveals a thief who uses the successor when the owner, who never got it, comes back", async () => {
    const old = await enter("robbed of the answer");
    const stolen = (await refreshAt(old, 0)).access_token;
    expect(await visitAt(stolen, MINUTE)).toBe("passes");
    expect(await visitAt(old, 2 * MINUTE)).toBe("session_revoked");
    expect(await visitAt(stolen, 2 * MINUTE)).toBe("session_revoked");
  });

  test("still lets a token that is older than the previous one end the session", async () => {
    const old = await enter("two before");
    const next = (await refreshAt(old, 0)).access_token;
    const third = (await refreshAt(next, MINUTE)).access_token;
    expect(await visitAt(next, 2 * MINUTE)).toBe("passes");
    expect(await visitAt(old, 2 * MINUTE)).toBe("session_revoked");
    expect(await visitAt(third, 2 * MINUTE)).toBe("session_revoked");
  });

  test("is noticed by repeated requests with the old token when its successor is used", async () => {
    const old = await enter("repeats");
    const next = (await refreshAt(old, 0)).access_token;
    for (let n = 0; n < 5; n += 1) expect(await visitAt(old, MINUTE)).toBe("passes");
    for (let n = 0; n < 5; n += 1) expect(await visitAt(next, MINUTE)).toBe("passes");
    expect(await visitAt(old, MINUTE)).toBe("session_revoked");
  });
});

test("reuse in one session leaves the user's other sessions alone", async () => {
  await using many = await startGuard({ SESSION_LIMIT: "0" });
  const [one, other] = [await many.login("ada"), await many.login("ada")];
  await many.fetch("/_auth/refresh", { method: "POST", ...bearer(one.access_token) });
  const pass = async (token: string) => (await many.fetch("/", bearer(token))).status;
  expect([await pass(await older(one.access_token)), await pass(one.access_token), await pass(other.access_token)]).toEqual([401, 401, 200]);
});

test("a refresh never revives an ended session, whichever comes first", async () => {
  for (let round = 0; round < 25; round += 1) {
    const { access_token } = await guard.login("race");
    const [refreshed, logout] = await Promise.all([refresh(access_token), guard.fetch("/_auth/logout", { method: "POST", ...bearer(access_token) })]);
    expect(logout.status).toBe(204);
    expect(await visit(access_token)).toBe("session_revoked");
    if (refreshed.status === 200) expect(await visit((refreshed.body as unknown as LoggedIn).access_token)).toBe("session_revoked");
    else expect(refreshed).toMatchObject({ status: 401, body: { code: "session_revoked" } });
  }
});

test.each([
  ["no token", async () => ({}), "token_missing"],
  ["a token that has expired", async () => bearer(await mint({ iat: 1, exp: 2 })), "token_expired"],
  ["a session that is not known", async () => bearer(await mint({})), "session_unknown"],
])("with %s a refresh is refused with its own code", async (_, make, code) => {
  const answer = await answerOf(guard.fetch("/_auth/refresh", { method: "POST", ...(await make()) }));
  expect(answer).toMatchObject({ status: 401, body: { code } });
});

test("clients are told when to refresh, unless the session ends with the token", async () => {
  const { access_token } = await guard.login("told");
  const told = async (token: string) => (await answerOf(guard.fetch("/_auth/session", bearer(token)))).body as { token: object };
  expect(await told(access_token)).toMatchObject({ token: { expires_in: expect.any(Number), refresh_in: expect.any(Number) } });
  const { refresh_in, expires_in } = (await refresh(access_token)).body as unknown as { refresh_in: number; expires_in: number };
  expect(Math.abs(expires_in / 2 - refresh_in)).toBeLessThanOrEqual(1);
  await using usual = await startGuard();
  const session = await answerOf(usual.fetch("/_auth/session", bearer((await usual.login("told")).access_token)));
  expect(session.body).toMatchObject({ token: { expires_in: expect.any(Number) } });
  expect(JSON.stringify(session.body)).not.toContain("refresh_in");
});

test("with TOKEN_EXPIRY_HEADER, answers tell clients with a bearer token when it expires, cached decisions or not", async () => {
  await using telling = await startGuard({ TOKEN_TTL: "15 minutes", TOKEN_EXPIRY_HEADER: "true", TOKEN_SOURCES: "bearer, cookie, header:x-token", ROUTES: '[{"path": "/open", "access": "public"}]' });
  telling.origin.reply = { headers: { "x-guard-token-expires-in": "7", "set-cookie": ["a=1", "b=2"] }, body: "whole" };
  const response = await telling.fetch("/_auth/login", formInit({ username: "ada" }));
  const cookie = cookieOf(response);
  const token = cookie.slice(cookie.indexOf("=") + 1);
  for (let n = 0; n < 5; n += 1) {
    for (const headers of [bearer(token).headers, { "x-token": token }, { ...bearer(token).headers, cookie }]) {
      const answer = await telling.fetch("/boats", { headers });
      expect(Number(answer.headers.get("x-guard-token-expires-in"))).toBeGreaterThan(800);
      expect(answer.headers.getSetCookie()).toEqual(["a=1", "b=2"]);
      expect(await answer.text()).toBe("whole");
    }
    expect((await telling.fetch("/boats", { headers: { cookie } })).headers.get("x-guard-token-expires-in")).toBe("7");
  }
  expect((await telling.fetch("/open", bearer(token))).headers.get("x-guard-token-expires-in")).toBe("7");
  expect((await guard.fetch("/boats", bearer((await guard.login("ada")).access_token))).headers.has("x-guard-token-expires-in")).toBe(false);
});

test("with X-Guard-Touch: false a refresh is no use", async () => {
  await using clocked = await startGuard({ TOKEN_TTL: "15 minutes", SESSION_IDLE_TIMEOUT: "5 minutes" }, { clock: true });
  await clocked.fetch("/", { headers: { "x-clock": "0" } });
  const { access_token, session } = await clocked.login("idle");
  const headers = { ...bearer(access_token).headers, "x-guard-touch": "false", "x-clock": "240000" };
  const answer = await answerOf(clocked.fetch("/_auth/refresh", { method: "POST", headers }));
  expect(answer.body).toMatchObject({ session: { expires_at: session["expires_at"], last_seen_at: session["last_seen_at"] } });
  expect(await answerOf(clocked.fetch("/", { headers: { ...bearer(access_token).headers, "x-clock": "301000" } }))).toMatchObject({ status: 401, body: { code: "session_expired" } });
});

test("a refresh is a use: it moves the idle deadline", async () => {
  const { access_token, session } = await guard.login("idle");
  const { body } = await refresh(access_token);
  const later = (body as unknown as LoggedIn).session as unknown as { expires_at: string; last_seen_at: string };
  const before = session as unknown as { expires_at: string; last_seen_at: string };
  expect(Date.parse(later.expires_at)).toBeGreaterThanOrEqual(Date.parse(before.expires_at));
  expect(Date.parse(later.last_seen_at)).toBeGreaterThanOrEqual(Date.parse(before.last_seen_at));
});
