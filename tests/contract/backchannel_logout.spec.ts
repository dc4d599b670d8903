// OIDC Back-Channel Logout: sessions end when the identity provider says so.

import { describe, expect, test } from "vitest";
import { answerOf, type LoggedIn } from "../harness/guard.ts";
import { makeKey } from "../harness/signing_keys.ts";
import { atSending, newUser, seconds, startTrustingGuard, useTrustedIssuer } from "../harness/trusted_issuer.ts";

const { issuer, guard, exchange, logIn, logOut, visit } = useTrustedIssuer();
const stranger = makeKey("RS256", "stranger");

describe("back-channel logout", () => {
  test("ends the session it names, by the issuer's sid, and no other", async () => {
    const [who, elsewhere] = [newUser(), newUser()];
    const [here, there] = [await logIn(issuer.idToken(who)), await logIn(issuer.idToken({ ...who, sid: elsewhere.sid }))];
    for (const claims of [{ sid: who.sid }, { sid: elsewhere.sid, sub: who.sub }]) {
      expect(await visit(claims.sid === who.sid ? here : there)).toBe("passes");
      expect(await logOut(issuer.logoutToken(claims))).toMatchObject({ status: 200, headers: { "cache-control": "no-store" } });
      expect(await visit(claims.sid === who.sid ? here : there)).toBe("session_revoked");
    }
  });

  test("ends all of the user's sessions that began with an ID token, and no others", async () => {
    await using both = await startTrustingGuard(issuer, { SESSION_LIMIT: "0" }, { subject_prefix: "" });
    const who = newUser();
    const tokens = [await logIn(issuer.idToken(who), both), await logIn(issuer.idToken({ sub: who.sub }), both)];
    const { access_token: own } = await both.login(who.sub);
    expect((await logOut(issuer.logoutToken({ sub: who.sub }), both)).status).toBe(200);
    expect(await Promise.all([...tokens, own].map((token) => visit(token, both)))).toEqual(["session_revoked", "session_revoked", "passes"]);
  });

  test("succeeds for an unknown user or session", async () => {
    for (const claims of [newUser(), { sid: "never" }, { sub: "never" }]) {
      expect((await logOut(issuer.logoutToken(claims))).status).toBe(200);
    }
  });

  test("is not undone by an older ID token, and a later login succeeds", async () => {
    const who = newUser();
    const [byUser, another, bySession] = [issuer.idToken({ sub: who.sub }), issuer.idToken({ sub: who.sub }), issuer.idToken(who)];
    await logIn(issuer.idToken({ sub: who.sub }));
    await logOut(issuer.logoutToken({ sid: who.sid }));
    expect(await exchange(bySession)).toMatchObject({ status: 401, body: { code: "session_revoked" } });
    await logIn(byUser);
    await logOut(issuer.logoutToken({ sub: who.sub }));
    expect(await exchange(another)).toMatchObject({ status: 401, body: { code: "session_revoked" } });
    await logIn(issuer.idToken({ ...newUser(), sub: who.sub, iat: Math.floor(Date.now() / 1000) + 2 }));
  });

  test("that races a login never leaves a live session", async () => {
    for (let round = 0; round < 25; round += 1) {
      const who = newUser();
      const claims = round % 2 === 0 ? { sid: who.sid } : { sub: who.sub };
      const pause = new Promise((resume) => setTimeout(resume, round % 5));
      const [login, logout] = await Promise.all([exchange(issuer.idToken(who)), pause.then(() => logOut(issuer.logoutToken(claims)))]);
      expect(logout.status).toBe(200);
      if (login.status === 200) expect(await visit((login.body as unknown as LoggedIn).access_token)).toBe("session_revoked");
      else expect(login).toMatchObject({ status: 401, body: { code: "session_revoked" } });
    }
  });

  test.each<[string, object, object?]>([
    ["without exp", { exp: undefined }],
    ["whose exp is null", { exp: null, nonce: null }],
    ["of a clock that is ahead", () => ({ iat: seconds() + 12, exp: undefined })],
    ["with fractions", () => ({ iat: seconds() + 0.25, exp: seconds() + 60.5 })],
    ["that names the user by an empty text", { sub: "" }],
    ["whose event says more", { events: { "http://schemas.openid.net/event/backchannel-logout": { a: 1 }, other: 1 } }],
    ["of no special type, with its keys' address", {}, { typ: undefined, jku: "https://evil.example/", x5t: "x" }],
  ])("with a logout token %s ends the session", async (_, claims, header = {}) => {
    const who = newUser();
    const token = await logIn(issuer.idToken(who));
    expect(await logOut(issuer.logoutToken({ ...who, ...atSending(claims) }, header))).toMatchObject({ status: 200 });
    expect(await visit(token)).toBe("session_revoked");
  });

  test("accepts a logout token once", async () => {
    const who = newUser();
    const token = issuer.logoutToken({ sid: who.sid, sub: who.sub });
    expect((await logOut(token)).status).toBe(200);
    expect(await logOut(token)).toMatchObject({ status: 400, body: { code: "bad_request", detail: expect.stringContaining("used before") } });
  });

  test("accepts a logout token once if it is sent many times at once", async () => {
    const who = newUser();
    const access = await logIn(issuer.idToken(who));
    const token = issuer.logoutToken({ sid: who.sid, sub: who.sub });
    const all = await Promise.all(Array.from({ length: 8 }, () => logOut(token)));
    expect(all.map(({ status }) => status).sort()).toEqual([200, 400, 400, 400, 400, 400, 400, 400]);
    expect(await visit(access)).toBe("session_revoked");
  });

  test.each<[string, () => string]>([
    ["that is no token", () => "logout"],
    ["of another issuer", () => issuer.logoutToken({ sub: "u", iss: "https://evil.example" })],
    ["for another client", () => issuer.logoutToken({ sub: "u", aud: "others" })],
    ["that has expired", () => issuer.logoutToken({ sub: "u", exp: 1 })],
    ["that never expires and is old", () => issuer.logoutToken({ sub: "u", exp: undefined, iat: seconds() - 200 })],
    ["of no time", () => issuer.logoutToken({ sub: "u", iat: undefined })],
    ["of no name", () => issuer.logoutToken({ sub: "u", jti: undefined })],
    ["of nobody", () => issuer.logoutToken({})],
    ["without events", () => issuer.logoutToken({ sub: "u", events: undefined })],
    ["with another event", () => issuer.logoutToken({ sub: "u", events: { "http://schemas.openid.net/event/other": {} } })],
    ["whose event is no object", () => issuer.logoutToken({ sub: "u", events: { "http://schemas.openid.net/event/backchannel-logout": 1 } })],
    ["with a nonce", () => issuer.logoutToken({ sub: "u", nonce: "n" })],
    ["that is an ID token", () => issuer.idToken({})],
    ["of another type", () => issuer.logoutToken({ sub: "u" }, { typ: "at+jwt" })],
    ["with a stranger's key", () => issuer.logoutToken({ sub: "u" }, {}, makeKey("RS256", "idp-1"))],
    ["with a kid that nobody has", () => issuer.logoutToken({ sub: "u" }, { kid: "nobody" })],
  ])("with a logout token %s is a 400 and ends nothing", async (_, make) => {
    const token = await logIn(issuer.idToken({ sub: "u" }));
    expect(await logOut(make())).toMatchObject({ status: 400, headers: { "cache-control": "no-store" }, body: { code: "bad_request" } });
    expect(await visit(token)).toBe("passes");
  });

  test.each<[string, RequestInit]>([
    ["JSON", { method: "POST", headers: { "content-type": "application/json" }, body: '{"logout_token":"x"}' }],
    ["no token", { method: "POST", body: new URLSearchParams({ a: "b" }) }],
    ["two tokens", { method: "POST", body: new URLSearchParams([["logout_token", "a"], ["logout_token", "a"]]) }],
  ])("sent as %s is a bad request", async (_, init) => {
    expect(await answerOf(guard.fetch("/_auth/backchannel-logout", init))).toMatchObject({ status: 400, body: { code: "bad_request" } });
  });
});
