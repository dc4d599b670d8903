// Logging in with an ID token of a trusted issuer, and who may log its users in.

import { describe, expect, test } from "vitest";
import { answerOf, bearer, loginInit, startGuard, type LoggedIn } from "../harness/guard.ts";
import { CLIENT_ID } from "../harness/identity_provider.ts";
import { makeKey } from "../harness/signing_keys.ts";
import type { Received } from "../harness/origin.ts";
import { atSending, claimsOf, newUser, seconds, startTrustingGuard, useTrustedIssuer } from "../harness/trusted_issuer.ts";

const { issuer, guard, exchange, logIn, logOut, visit } = useTrustedIssuer();
const stranger = makeKey("RS256", "stranger");

describe("an ID token", () => {
  test("is exchanged for a session of its user, with the allowed claims", async () => {
    const token = issuer.idToken({ sub: "ada", sid: "s", email: "ada@idp.example", email_verified: true, groups: ["crew"], at_hash: "x", scope: "sessions:revoke", nonce: "n-1" });
    const answer = await exchange(token, { nonce: "n-1" });
    expect(answer).toMatchObject({ status: 200, body: { token_type: "Bearer", session: { device: "other" }, ended: [], nonce: "n-1" } });
    const { access_token } = answer.body as unknown as LoggedIn;
    expect(claimsOf(access_token)).toMatchObject({ sub: "idp|ada", email: "ada@idp.example", groups: ["crew"] });
    for (const name of ["at_hash", "scope", "nonce"]) expect(claimsOf(access_token)).not.toHaveProperty(name);
    guard.origin.received.length = 0;
    expect(await visit(access_token)).toBe("passes");
    expect(guard.origin.received[0]?.headers).toMatchObject({ "x-auth-request-user": "idp|ada", "x-auth-request-email": "ada@idp.example", "x-auth-request-groups": "crew" });
    expect(guard.origin.credentialChecks).toEqual([]);
  });

  test("begins a session like any other login: the session limit applies", async () => {
    await using strict = await startTrustingGuard(issuer);
    const who = newUser();
    const first = await logIn(issuer.idToken(who), strict);
    const second = await logIn(issuer.idToken(who), strict);
    expect([await visit(first, strict), await visit(second, strict)]).toEqual(["session_superseded", "passes"]);
  });

  const USED = { status: 401, body: { code: "token_invalid", detail: "The token was used before." } };

  test.each<[string, object]>([
    ["with a jti", {}],
    ["without a jti", { jti: undefined }],
    ["with an empty jti", { jti: "" }],
  ])("%s begins one session, and none after that one's logout", async (_, claims) => {
    const token = issuer.idToken({ ...newUser(), ...claims });
    const access = await logIn(token);
    const answer = await exchange(token);
    expect(answer).toMatchObject(USED);
    expect(answer.headers).not.toHaveProperty("set-cookie");
    expect(await visit(access)).toBe("passes");
    await guard.fetch("/_auth/logout", { method: "POST", ...bearer(access) });
    expect(await exchange(token)).toMatchObject(USED);
    const { sub } = claimsOf(token) as { sub: string };
    await logIn(issuer.idToken({ sub }));
  });

  test.each([["with a jti", {}], ["without a jti", { jti: undefined }]])("%s begins one session if it is sent many times at once", async (_, claims) => {
    for (let round = 0; round < 5; round += 1) {
      const token = issuer.idToken({ ...newUser(), ...claims });
      const all = await Promise.all(Array.from({ length: 10 }, () => exchange(token)));
      const tokens = all.filter(({ status }) => status === 200).map(({ body }) => (body as unknown as LoggedIn).access_token);
      expect(tokens.length, JSON.stringify(all.map(({ status, body }) => [status, body]))).toBe(1);
      const { body } = await answerOf(guard.fetch("/_auth/sessions", bearer(tokens[0] ?? "")));
      expect((body as unknown as { sessions: unknown[] }).sessions).toHaveLength(1);
    }
  });

  test.each(["ask", "deny"])("can be sent again after the session limit refused it with the policy `%s`", async (policy) => {
    await using full = await startTrustingGuard(issuer, { SESSION_LIMIT_POLICY: policy });
    const who = newUser();
    const first = await exchange(issuer.idToken(who), {}, full);
    const { access_token, session } = first.body as unknown as LoggedIn;
    const token = issuer.idToken(who);
    for (let n = 0; n < 2; n += 1) expect(await exchange(token, {}, full)).toMatchObject({ status: 409, body: { code: "session_limit" } });
    if (policy === "deny") await full.fetch("/_auth/logout", { method: "POST", ...bearer(access_token) });
    expect(await exchange(token, policy === "ask" ? { end: [session.sid] } : {}, full)).toMatchObject({ status: 200 });
    expect(await exchange(token, { end: [session.sid] }, full)).toMatchObject(USED);
  });

  test("is not used up by a login that was refused", async () => {
    const token = issuer.idToken({ ...newUser(), nonce: "n" });
    expect(await exchange(token, { nonce: "m" })).toMatchObject({ status: 401 });
    expect(await exchange(token, { nonce: "n" })).toMatchObject({ status: 200 });
  });

  test.each<[string, () => string, string?, object?]>([
    ["that is no token", () => "id"],
    ["of another issuer", () => issuer.idToken({ iss: "https://evil.example" })],
    ["of an issuer that is almost ours", () => issuer.idToken({ iss: `${issuer.url}/` })],
    ["of no issuer", () => issuer.idToken({ iss: undefined })],
    ["for another client", () => issuer.idToken({ aud: "others" })],
    ["for us among others", () => issuer.idToken({ aud: [CLIENT_ID, "others"] })],
    ["for another party", () => issuer.idToken({ azp: "others" })],
    ["that has expired", () => issuer.idToken({ exp: 1 }), "token_expired"],
    ["that is a day old", () => issuer.idToken({ iat: Math.floor(Date.now() / 1000) - 90_000 }), "token_expired"],
    ["that is not valid yet", () => issuer.idToken({ iat: Math.floor(Date.now() / 1000) + 120 })],
    ["of nobody", () => issuer.idToken({ sub: undefined })],
    ["that is a logout token", () => issuer.logoutToken({ sub: "u-1" })],
    ["that is a logout token without a type", () => issuer.logoutToken({ sub: "u-1" }, { typ: "JWT" })],
    ["that is an access token", () => issuer.idToken({}, { typ: "at+jwt" })],
    ["that is an access token by its claim", () => issuer.idToken({ typ: "Bearer" })],
    ["that is another one by its claim", () => issuer.idToken({ token_use: "access" })],
    ["with a critical extension", () => issuer.idToken({}, { crit: ["exp"], exp: 1 })],
    ["with an empty nonce where one was asked for", () => issuer.idToken({ nonce: "" }), "token_invalid", { nonce: "ours" }],
    ["with a stranger's key under the issuer's kid", () => issuer.idToken({}, {}, makeKey("RS256", "idp-1"))],
    ["with another algorithm", () => issuer.idToken({}, {}, makeKey("ES256", "idp-1"))],
    ["with the public key as a secret", () => issuer.idToken({}, { alg: "HS256" })],
    ["with a stranger's key in the header", () => issuer.idToken({}, { jwk: stranger.jwk, jku: `${issuer.url}/evil`, x5u: `${issuer.url}/evil` }, stranger)],
    ["with another nonce", () => issuer.idToken({ nonce: "theirs" }), "token_invalid", { nonce: "ours" }],
    ["without the nonce", () => issuer.idToken({}), "token_invalid", { nonce: "ours" }],
  ])("%s is refused", async (_, make, code = "token_invalid", fields = {}) => {
    const answer = await exchange(make(), fields);
    expect(answer).toMatchObject({ status: 401, body: { code } });
    expect(answer.headers).not.toHaveProperty("set-cookie");
  });

  test.each<[string, object, object?]>([
    ["empty members", { nonce: "", azp: "", sid: "" }],
    ["members that are null", { nonce: null, azp: null, sid: null, nbf: null, name: null, groups: null }],
    ["a clock that is ahead", () => ({ iat: seconds() + 12, nbf: seconds() + 12 })],
    ["fractions of seconds", { iat: seconds() - 0.5, exp: seconds() + 3600.25, auth_time: 0.5 }],
    ["an end that has just passed", () => ({ iat: seconds() - 300, exp: seconds() - 10 })],
    ["where its keys are, in the header", {}, { jku: "https://evil.example/", x5u: "https://evil.example/", x5c: ["MIIB"], x5t: "x" }],
    ["hashes", { at_hash: "x", c_hash: "x", s_hash: "x" }],
    ["no type", {}, { typ: undefined }],
    ["another case of its type", {}, { typ: "jwt" }],
    ["the kind of token in a claim", { typ: "ID", token_use: "id" }],
    ["audiences that are all ours", { aud: [CLIENT_ID, CLIENT_ID] }],
    ["many groups that are not passed on", { hundreds: Array.from({ length: 300 }, (_, n) => `${n}0000000-0000-0000-0000-000000000000`) }],
  ])("with %s is accepted", async (_, claims, header = {}) => {
    expect(await exchange(issuer.idToken({ ...newUser(), ...atSending(claims) }, header))).toMatchObject({ status: 200 });
  });

  test.each([false, "false", "False", "0", "pending", 0, 1, null, "", "True"])("with email_verified %j yields no email address", async (email_verified) => {
    const token = await logIn(issuer.idToken({ ...newUser(), email: "ada@idp.example", email_verified }));
    guard.origin.received.length = 0;
    expect(await visit(token)).toBe("passes");
    expect(guard.origin.received[0]?.headers).not.toHaveProperty("x-auth-request-email");
    expect(claimsOf(token)).toMatchObject({ email_verified: false });
    expect(claimsOf(token)).not.toHaveProperty("email");
  });

  test.each([true, "true"])("with email_verified %j yields the email address", async (email_verified) => {
    const token = await logIn(issuer.idToken({ ...newUser(), email: "ada@idp.example", email_verified }));
    expect(claimsOf(token)).toMatchObject({ email: "ada@idp.example", email_verified: true });
  });

  test("with groups as a string has that one group", async () => {
    const token = await logIn(issuer.idToken({ ...newUser(), groups: "crew, all", roles: "admin" }));
    guard.origin.received.length = 0;
    await visit(token);
    expect(claimsOf(token)).toMatchObject({ groups: ["crew, all"], roles: ["admin"] });
    expect(guard.origin.received[0]?.headers).toMatchObject({ "x-auth-request-groups": "crew%2C all" });
  });

  test("with claims that would share a header logs in, and neither claim has a header", async () => {
    await using other = await startTrustingGuard(issuer, {}, { claims: ["email", "a_b", "a-b"] });
    const token = await logIn(issuer.idToken({ email: "a@b.example", a_b: 1, "a-b": 2 }), other);
    expect(await visit(token, other)).toBe("passes");
    const { headers } = other.origin.received[0] as Received;
    expect(headers).toMatchObject({ "x-auth-request-email": "a@b.example" });
    expect(headers).not.toHaveProperty("x-auth-request-claim-a-b");
  });

  test("is judged by the clock tolerance of its issuer", async () => {
    await using other = await startTrustingGuard(issuer, {}, { clock_tolerance: "5 minutes" });
    const ahead = () => issuer.idToken({ iat: seconds() + 200, exp: seconds() + 400 });
    expect(await exchange(ahead(), {}, other)).toMatchObject({ status: 200 });
    expect(await exchange(ahead())).toMatchObject({ status: 401, body: { code: "token_invalid", detail: "The token is not valid yet." } });
  });

  test("is not accepted as an access token", async () => {
    expect(await visit(issuer.idToken({}))).toBe("token_invalid");
  });

  test("beside other fields is a bad request, and so is one that is not a string", async () => {
    for (const body of [{ id_token: issuer.idToken({}), password: "x" }, { id_token: 7 }]) {
      expect(await answerOf(guard.fetch("/_auth/login", loginInit({ password: undefined, ...body })))).toMatchObject({ status: 400, body: { code: "bad_request" } });
    }
  });

  test("cannot log a visitor in from another site", async () => {
    const init = loginInit({ password: undefined, id_token: issuer.idToken({}) }, { "sec-fetch-site": "cross-site" });
    expect(await answerOf(guard.fetch("/_auth/login", init))).toMatchObject({ status: 403, body: { code: "cross_site" } });
  });

  test("is an ordinary field of the login if no issuer is trusted", async () => {
    await using plain = await startGuard();
    const answer = await answerOf(plain.fetch("/_auth/login", loginInit({ username: "ada", id_token: "x" })));
    expect(answer.status).toBe(200);
    expect(plain.origin.credentialChecks).toMatchObject([{ username: "ada", id_token: "x" }]);
    expect((await logOut("x", plain)).status).toBe(404);
  });

  test("is the only login without LOGIN_URL, and the answer to a password says so", async () => {
    await using only = await startGuard({ LOGIN_URL: undefined, TRUSTED_ISSUERS: JSON.stringify([issuer.entry({ subject_prefix: undefined })]) });
    expect(claimsOf(await logIn(issuer.idToken({ sub: "ada" }), only))).toMatchObject({ sub: "ada" });
    const answer = await answerOf(only.fetch("/_auth/login", loginInit({ username: "ada" })));
    expect(answer).toMatchObject({ status: 400, body: { detail: expect.stringContaining("id_token") } });
  });
});

describe("a user of a trusted issuer", () => {
  test("cannot be logged in by LOGIN_URL, and the log says so", async () => {
    const who = newUser();
    const access = await logIn(issuer.idToken(who));
    guard.origin.approvals.set("taker", { sub: `idp|${who.sub}` });
    guard.log.length = 0;
    const answer = await answerOf(guard.fetch("/_auth/login", loginInit({ username: "taker" })));
    expect(answer).toMatchObject({ status: 502, body: { code: "origin_unavailable" } });
    expect(answer.headers).not.toHaveProperty("set-cookie");
    await expect.poll(() => guard.log.join("\n")).toMatch(/LOGIN_URL.*`sub` begins with the `subject_prefix` of http/);
    expect(guard.log.join("\n")).not.toContain(who.sub);
    expect(await visit(access)).toBe("passes");
  });

  test("can be logged in by a backend that names the issuer, and back-channel logout ends that session, too", async () => {
    const key = "k".repeat(40);
    await using own = await startTrustingGuard(issuer, { ADMIN_API_KEY: key });
    const who = newUser();
    const begin = (sub: string, body: object) =>
      answerOf(own.fetch(`/_auth/admin/users/${encodeURIComponent(sub)}/sessions`, {
        method: "POST", headers: { "content-type": "application/json", authorization: `Bearer ${key}` }, body: JSON.stringify(body),
      }));
    expect(await begin(`idp|${who.sub}`, {})).toMatchObject({ status: 400, body: { code: "bad_request", detail: expect.stringContaining(issuer.url) } });
    await expect.poll(() => own.log.join("\n")).toContain("without `issuer`");
    expect(await begin(`idp|${who.sub}`, { issuer: "https://other.example" })).toMatchObject({ status: 400 });
    expect(await begin(who.sub, { issuer: issuer.url })).toMatchObject({ status: 400, body: { detail: expect.stringContaining("subject_prefix") } });
    const begun = await begin(`idp|${who.sub}`, { issuer: issuer.url });
    expect(begun).toMatchObject({ status: 201 });
    const { access_token } = begun.body as unknown as LoggedIn;
    expect(await visit(access_token, own)).toBe("passes");
    expect((await logOut(issuer.logoutToken({ sub: who.sub }), own)).status).toBe(200);
    expect(await visit(access_token, own)).toBe("session_revoked");
    expect(await begin(who.sub, {}), "the backend's own user").toMatchObject({ status: 201 });
  });
});
