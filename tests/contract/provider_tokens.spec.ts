// Access tokens of an identity provider as credentials: their sessions begin at first sight, are limited, listed and
// ended like others, and stay ended.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { answerOf, bearer, PHONE, startGuard, useGuard, type Guard } from "../harness/guard.ts";
import { API, CLIENT_ID, startIssuer, type Issuer } from "../harness/identity_provider.ts";
import { makeKey } from "../harness/signing_keys.ts";
import { newUser, seconds } from "../harness/trusted_issuer.ts";

/** What the settings say of the provider's access tokens. */
const ACCESS = { audience: API, session_claim: "sid", roles_claim: "/realm_access/roles", scope_claim: "scope", claims: ["email"] };
const ROUTES = [{ path: "/admin/*", access: "session", roles: ["admin"] }, { path: "/open", access: "public" }, { path: "/maybe", access: "optional" }];

let issuer: Issuer;
beforeAll(async () => {
  issuer = await startIssuer();
});
afterAll(() => issuer[Symbol.asyncDispose]());

const vars = (access: object = {}, more: object = {}) => ({
  TRUSTED_ISSUERS: JSON.stringify([issuer.entry({ access_tokens: { ...ACCESS, ...access } })]),
  ROUTES: JSON.stringify(ROUTES),
  SESSION_LIMIT: "0",
  ADMIN_API_KEY: "k".repeat(32),
  ...more,
});
const guard = useGuard(() => vars());
const withLimit = useGuard(() => vars({}, { SESSION_LIMIT: "1" }));

const visit = (token: string, path = "/", at: Guard = guard, headers: Record<string, string> = {}) =>
  answerOf(at.fetch(path, { headers: { authorization: `Bearer ${token}`, ...headers } }));
/** "passes", or the code of the refusal. */
const outcome = async (token: string, at: Guard = guard, path = "/") => {
  const { status, body } = await visit(token, path, at);
  return status === 200 ? "passes" : (body as { code: string }).code;
};
const call = (method: string, path: string, token: string, at: Guard = guard) => answerOf(at.fetch(`/_auth/${path}`, { method, ...bearer(token) }));
const admin = (method: string, path: string, at: Guard = guard) => answerOf(at.fetch(`/_auth/admin/${path}`, { method, ...bearer("k".repeat(32)) }));
const ask = (path: string, token: string, at: Guard = guard) =>
  answerOf(at.fetch(`/_auth/${path}`, { method: "POST", ...bearer("k".repeat(32)), body: new URLSearchParams({ token }) }));
const sidOf = async (token: string, at: Guard = guard) => ((await call("GET", "session", token, at)).body as { sid: string }).sid;

describe("a provider's access token", () => {
  test("passes at its first request, and tells the origin who it is", async () => {
    const who = newUser();
    const token = issuer.accessToken({ ...who, realm_access: { roles: ["admin"] }, scope: "a b", email: "ada@example.com" });
    expect(await visit(token, "/admin/x")).toMatchObject({ status: 200 });
    const { headers } = guard.origin.received.at(-1)!;
    expect(headers).toMatchObject({ "x-auth-request-user": `idp|${who.sub}`, "x-auth-request-groups": "admin", "x-auth-request-email": "ada@example.com" });
    expect(headers["x-auth-request-session"]).toBe(await sidOf(token));
    expect(headers.authorization, "the application goes on verifying it").toBe(`Bearer ${token}`);
  });

  test("stays at the guard, if the settings say so", async () => {
    await using kept = await startGuard(vars({ forward: false }));
    const token = issuer.accessToken(newUser());
    expect(await outcome(token, kept)).toBe("passes");
    expect(kept.origin.received.at(-1)!.headers.authorization).toBeUndefined();
  });

  test.each<[string, object, object?]>([
    ["for another audience", { aud: "https://other.test" }],
    ["of no session", { sid: undefined }],
    ["of an empty session", { sid: "" }],
    ["that is an ID token of the same keys", { aud: "members-site" }, { typ: "JWT" }],
    ["of another type", {}, { typ: "logout+jwt" }],
    ["without a key's signature", {}, { alg: "none" }],
    ["that names an algorithm of secrets", {}, { alg: "HS256" }],
    ["of another issuer", { iss: "https://other.test" }],
    ["without a user", { sub: undefined }],
    ["that is not valid yet", { nbf: 9_999_999_999 }],
  ])("%s is refused", async (_, claims, header = {}) => {
    expect(await visit(issuer.accessToken({ ...newUser(), ...claims }, header))).toMatchObject({ status: 401, body: { code: "token_invalid" } });
  });

  test("that has expired is refused", async () => {
    expect(await outcome(issuer.accessToken({ ...newUser(), iat: seconds() - 600, exp: seconds() - 300 }))).toBe("token_expired");
  });

  test("of a stranger's key is refused, although its kid is the provider's", async () => {
    expect(await outcome(issuer.accessToken(newUser(), {}, makeKey("RS256", "idp-1")))).toBe("token_invalid");
  });

  test("needs its rule's roles", async () => {
    const user = issuer.accessToken({ ...newUser(), realm_access: { roles: ["user"] } });
    expect(await visit(user, "/admin/x")).toMatchObject({ status: 403, body: { code: "access_denied" } });
    expect(await outcome(user)).toBe("passes");
  });

  test("is optional where a session is", async () => {
    expect(await outcome(issuer.accessToken(newUser()), guard, "/maybe")).toBe("passes");
    expect(guard.origin.received.at(-1)!.headers["x-auth-request-user"]).toMatch(/^idp\|/);
  });

  test("stays at the guard where a session is optional and is over, and goes on where nobody looks", async () => {
    const token = issuer.accessToken(newUser());
    for (const over of [false, true]) {
      if (over) await call("POST", "logout", token);
      for (const path of ["/maybe", "/open"]) {
        expect(await outcome(token, guard, path)).toBe("passes");
        const { headers } = guard.origin.received.at(-1)!;
        expect([headers["x-auth-request-user"] !== undefined, headers.authorization]).toEqual(
          path === "/open" ? [false, `Bearer ${token}`] : [!over, over ? undefined : `Bearer ${token}`],
        );
      }
    }
  });

  test("of the next hour is of the same session", async () => {
    const who = newUser();
    const tokens = [issuer.accessToken(who), issuer.accessToken({ ...who, iat: seconds() - 30 }), issuer.accessToken(who)];
    const sids = await Promise.all(tokens.map((token) => sidOf(token)));
    expect(new Set(sids).size).toBe(1);
    expect((await call("GET", "sessions", tokens[0]!)).body).toMatchObject({ sessions: [{ sid: sids[0], current: true }] });
  });

  test("cannot be refreshed here", async () => {
    expect(await call("POST", "refresh", issuer.accessToken(newUser()))).toMatchObject({ status: 409, body: { code: "refresh_at_provider" } });
  });

  test("has a session with data, like any other", async () => {
    const token = issuer.accessToken(newUser());
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/merge-patch+json" };
    expect(await answerOf(guard.fetch("/_auth/session", { method: "PATCH", headers, body: '{"a":1}' }))).toMatchObject({ status: 200, body: { client_data: { a: 1 } } });
  });

  test("can be introspected and revoked", async () => {
    const who = newUser();
    const token = issuer.accessToken({ ...who, scope: "a", realm_access: { roles: ["crew"] } });
    const post = (path: string) => ask(path, token);
    const told = await post("introspect");
    expect(told).toMatchObject({ status: 200, body: { active: true, scope: "a", sub: `idp|${who.sub}`, sid: await sidOf(token), roles: ["crew"] } });
    expect(told.body).not.toHaveProperty("realm_access");
    expect((await post("revoke")).status).toBe(200);
    expect(await post("introspect")).toMatchObject({ body: { active: false } });
    expect(await outcome(token)).toBe("session_revoked");
  });
});

describe("a session that begins at first sight", () => {
  test("is in the admin's list, with its device", async () => {
    const who = newUser();
    await visit(issuer.accessToken(who), "/", guard, PHONE);
    expect(await admin("GET", `users/${encodeURIComponent(`idp|${who.sub}`)}/sessions`)).toMatchObject({ body: { sessions: [{ device: "mobile" }] } });
    await expect.poll(async () => JSON.stringify((await admin("GET", "users?limit=40")).body)).toContain(`idp|${who.sub}`);
  });

  test("is reported once", async () => {
    const created = () => guard.log.filter((line) => line.includes("session.created")).length;
    const [who, before] = [newUser(), created()];
    for (let at = 0; at < 3; at += 1) expect(await outcome(issuer.accessToken(who))).toBe("passes");
    expect(created() - before).toBe(1);
  });

  test("ends the older one at limit 1, whose token is good for an hour", async () => {
    const { sub } = newUser();
    const [first, second] = [issuer.accessToken({ sub, sid: "first", exp: seconds() + 3600 }), issuer.accessToken({ sub, sid: "second" })];
    expect(await outcome(first, withLimit)).toBe("passes");
    expect(await outcome(second, withLimit)).toBe("passes");
    expect(await outcome(first, withLimit)).toBe("session_superseded");
    expect(await outcome(issuer.accessToken({ sub, sid: "first" }), withLimit), "a refreshed token").toBe("session_superseded");
    expect(await outcome(second, withLimit)).toBe("passes");
  });

  test("begins once, however many first requests race", async () => {
    const who = newUser();
    const outcomes = await Promise.all(Array.from({ length: 100 }, () => outcome(issuer.accessToken(who), withLimit)));
    expect(new Set(outcomes)).toEqual(new Set(["passes"]));
    expect(await admin("GET", `users/${encodeURIComponent(`idp|${who.sub}`)}/sessions`, withLimit)).toMatchObject({ body: { sessions: [{}] } });
  });

  test("races fifty others: limit 3 leaves three", async () => {
    await using three = await startGuard(vars({}, { SESSION_LIMIT: "3" }));
    const { sub } = newUser();
    await Promise.all(Array.from({ length: 50 }, (_, at) => outcome(issuer.accessToken({ sub, sid: `race-${at}` }), three)));
    const { body } = await admin("GET", `users/${encodeURIComponent(`idp|${sub}`)}/sessions`, three);
    expect((body as { sessions: unknown[] }).sessions).toHaveLength(3);
  });

  test.each(["deny", "ask"])("is refused beyond the limit with policy %s, and the others are named", async (policy) => {
    await using full = await startGuard(vars({}, { SESSION_LIMIT: "1", SESSION_LIMIT_POLICY: policy }));
    const { sub } = newUser();
    const [first, second] = [issuer.accessToken({ sub, sid: "first" }), issuer.accessToken({ sub, sid: "second" })];
    const sid = await sidOf(first, full);
    expect(await visit(second, "/", full)).toMatchObject({ status: 409, body: { code: "session_limit", sessions: [{ sid }] } });
    expect(await ask("introspect", second, full), "for services, too").toMatchObject({ status: 200, body: { active: false } });
    const ended = await call("DELETE", `sessions/${sid}`, second, full);
    expect(ended.status).toBe(policy === "ask" ? 204 : 409);
    expect(await outcome(second, full)).toBe(policy === "ask" ? "passes" : "session_limit");
    expect(await outcome(first, full)).toBe(policy === "ask" ? "session_revoked" : "passes");
  });
});

describe("whoever was ended stays out", () => {
  test.each<[string, (token: string, sub: string) => Promise<unknown>]>([
    ["by a logout", (token) => call("POST", "logout", token)],
    ["by a logout everywhere", (token) => call("POST", "logout?scope=global", token)],
    ["by an admin", async (token, sub) => admin("DELETE", `users/${encodeURIComponent(`idp|${sub}`)}/sessions/${await sidOf(token)}`)],
    ["by an admin, with all of the user's", (_, sub) => admin("DELETE", `users/${encodeURIComponent(`idp|${sub}`)}/sessions`)],
  ])("%s, with the provider's next tokens, too", async (_, end) => {
    const who = newUser();
    const token = issuer.accessToken(who);
    expect(await outcome(token)).toBe("passes");
    await end(token, who.sub);
    expect(await outcome(token)).toBe("session_revoked");
    expect(await outcome(issuer.accessToken({ ...who, exp: seconds() + 600 }))).toBe("session_revoked");
    expect(await outcome(issuer.accessToken({ ...who, sid: "a new login", iat: seconds() + 1 })), "a new login").toBe("passes");
  });

  test.each(["logout", "logout?scope=global"])("by %s before the store had heard of the session", async (path) => {
    const who = newUser();
    const token = issuer.accessToken(who);
    expect((await call("POST", path, token)).status).toBe(204);
    expect(await outcome(token)).toBe("session_revoked");
    expect(await outcome(issuer.accessToken(who))).toBe("session_revoked");
  });

  test("by a block, which tells services no more than that the token is not active", async () => {
    const who = newUser();
    expect((await admin("PUT", `users/${encodeURIComponent(`idp|${who.sub}`)}/block`)).status).toBe(200);
    const token = issuer.accessToken(who);
    expect(await outcome(token)).toBe("user_blocked");
    expect(await ask("introspect", token)).toMatchObject({ status: 200, body: { active: false } });
  });

  test("when the end races the first sight", async () => {
    for (let round = 0; round < 20; round += 1) {
      const who = newUser();
      const token = issuer.accessToken(who);
      await Promise.all([outcome(token), call("POST", "logout", token)]);
      expect(await outcome(issuer.accessToken(who))).toBe("session_revoked");
    }
  });

  test("also after twenty other sessions of the user have ended", async () => {
    const who = newUser();
    await outcome(issuer.accessToken(who));
    await call("POST", "logout", issuer.accessToken(who));
    for (let at = 0; at < 25; at += 1) await call("POST", "logout", issuer.accessToken({ ...who, sid: `more-${at}` }));
    expect(await outcome(issuer.accessToken(who))).toBe("session_revoked");
    expect(await outcome(issuer.accessToken({ ...who, sid: "more-3" }))).toBe("session_revoked");
  });

  test("if all were ended: a session that the store has not seen, of a login before that", async () => {
    const who = newUser();
    await outcome(issuer.accessToken(who));
    await admin("DELETE", `users/${encodeURIComponent(`idp|${who.sub}`)}/sessions`);
    expect(await outcome(issuer.accessToken({ ...who, sid: "other", iat: seconds() - 60 }))).toBe("session_revoked");
    expect(await outcome(issuer.accessToken({ ...who, sid: "older login", auth_time: seconds() - 60, iat: seconds() + 2 }))).toBe("session_revoked");
    expect(await outcome(issuer.accessToken({ ...who, sid: "new", iat: seconds() + 2 }))).toBe("passes");
  });

  test("if the provider says so by back-channel logout, whether the session was seen or not", async () => {
    const logOut = (claims: object) => guard.fetch("/_auth/backchannel-logout", { method: "POST", body: new URLSearchParams({ logout_token: issuer.logoutToken(claims) }) });
    const [seen, unseen, nameless] = [newUser(), newUser(), newUser()];
    await outcome(issuer.accessToken(seen));
    await outcome(issuer.accessToken(nameless));
    for (const claims of [seen, unseen, { sid: nameless.sid }]) expect((await logOut(claims)).status).toBe(200);
    for (const who of [seen, unseen, nameless]) expect(await outcome(issuer.accessToken(who)), who.sub).toBe("session_revoked");
  });

  test("if the provider says so in a frame, also before an access token of the session has come", async () => {
    const entry = issuer.entry({ access_tokens: ACCESS, client_id: CLIENT_ID, name: "idp", frontchannel_logout: true });
    await using framed = await startGuard({ ...vars(), TRUSTED_ISSUERS: JSON.stringify([entry]) });
    const who = newUser();
    const login = await framed.fetch("/_auth/login", { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ id_token: issuer.idToken(who) }) });
    const { access_token: own } = (await login.json()) as { access_token: string };
    expect(await outcome(own, framed)).toBe("passes");
    const { iss } = JSON.parse(Buffer.from(issuer.idToken(who).split(".")[1] ?? "", "base64url").toString()) as { iss: string };
    expect((await framed.fetch(`/_auth/frontchannel-logout?${new URLSearchParams({ iss, sid: who.sid })}`)).status).toBe(200);
    expect([await outcome(own, framed), await outcome(issuer.accessToken(who), framed)]).toEqual(["session_revoked", "session_revoked"]);
  });
});

test("a back-channel logout finds the user by the session, if access tokens name users in another way", async () => {
  await using by = await startGuard(vars({ subject_claim: "uid" }));
  const { sub, sid } = newUser();
  const token = issuer.accessToken({ sub: "a login name", uid: sub, sid });
  expect(await outcome(token, by)).toBe("passes");
  const logOut = () => by.fetch("/_auth/backchannel-logout", { method: "POST", body: new URLSearchParams({ logout_token: issuer.logoutToken({ sub: "a login name", sid }) }) });
  // Whose session it is is noted after the response.
  await expect.poll(async () => ((await logOut()).status === 200 ? outcome(token, by) : "failed")).toBe("session_revoked");
});

describe("the provider's keys", () => {
  test("are fetched once for many first requests, and a request waits for a key that is new", async () => {
    await using other = await startIssuer();
    await using fresh = await startGuard({ TRUSTED_ISSUERS: JSON.stringify([other.entry({ access_tokens: ACCESS })]), SESSION_LIMIT: "0" });
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => outcome(other.accessToken(newUser()), fresh)));
    expect([new Set(outcomes), other.fetches]).toEqual([new Set(["passes"]), 1]);
    for (const kid of ["a", "b"]) expect(await outcome(other.accessToken(newUser(), { kid }), fresh)).toBe("token_invalid");
    expect(other.fetches).toBe(1);
  });

  test("that cannot be fetched let nobody in, and nobody is told that the token is bad", async () => {
    await using other = await startIssuer();
    await using fresh = await startGuard({ TRUSTED_ISSUERS: JSON.stringify([other.entry({ access_tokens: ACCESS })]), SESSION_LIMIT: "0" });
    other.answer = { status: 500 };
    const token = other.accessToken(newUser());
    expect(await visit(token, "/", fresh)).toMatchObject({ status: 502, body: { code: "issuer_unavailable" } });
    other.answer = undefined;
    await expect.poll(() => outcome(token, fresh), { timeout: 10_000, interval: 100 }).toBe("passes");
  });
});
