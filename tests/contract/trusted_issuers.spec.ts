// Trusted issuers: ID tokens exchanged for sessions, and logouts that come from there.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { answerOf, bearer, loginInit, startGuard, type Guard, type LoggedIn } from "../harness/guard.ts";
import { CLIENT_ID, published, startIssuer, type Issuer } from "../harness/identity_provider.ts";
import { makeKey, type SigningKey } from "../harness/signing_keys.ts";
import type { Received } from "../harness/origin.ts";

let issuer: Issuer;
let guard: Guard;
beforeAll(async () => {
  issuer = await startIssuer();
  guard = await trusting(issuer, { SESSION_LIMIT: "0" });
});
afterAll(async () => {
  await guard[Symbol.asyncDispose]();
  await issuer[Symbol.asyncDispose]();
});

function trusting(issuer: Issuer, vars: Record<string, string> = {}, changes = {}) {
  return startGuard({ TRUSTED_ISSUERS: JSON.stringify([issuer.entry(changes)]), ...vars });
}

const exchange = (id_token: string, fields = {}, at = guard) =>
  answerOf(at.fetch("/_auth/login", { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ id_token, ...fields }) }));
const enter = async (id_token: string, at = guard) => {
  const answer = await exchange(id_token, {}, at);
  expect(answer).toMatchObject({ status: 200 });
  return (answer.body as unknown as LoggedIn).access_token;
};
const logOut = (logout_token: string, at = guard) =>
  answerOf(at.fetch("/_auth/backchannel-logout", { method: "POST", body: new URLSearchParams({ logout_token, state: "ignored" }) }));
const visit = async (token: string, at = guard) => {
  const { status, body } = await answerOf(at.fetch("/", bearer(token)));
  return status === 200 ? "passes" : (body as { code: string }).code;
};
const claimsOf = (token: string) => JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()) as object;
const stranger = makeKey("RS256", "stranger");
const seconds = () => Math.floor(Date.now() / 1000);
/** Claims that hold moments are made when they are sent: a table is made long before. */
const now = (claims: object | (() => object)) => (typeof claims === "function" ? (claims() as object) : claims);
let subjects = 0;
/** A user of the issuer's that no other test knows. */
const somebody = () => ({ sub: `u-${(subjects += 1)}`, sid: `idp-session-${subjects}` });

describe("an ID token", () => {
  test("is exchanged for a session of its user, with the claims that are passed on", async () => {
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

  test("begins a session like any other login: the limit holds", async () => {
    await using strict = await trusting(issuer);
    const who = somebody();
    const first = await enter(issuer.idToken(who), strict);
    const second = await enter(issuer.idToken(who), strict);
    expect([await visit(first, strict), await visit(second, strict)]).toEqual(["session_superseded", "passes"]);
  });

  const USED = { status: 401, body: { code: "token_invalid", detail: "The token was used before." } };

  test.each<[string, object]>([
    ["with a jti", {}],
    ["without a jti", { jti: undefined }],
    ["with an empty jti", { jti: "" }],
  ])("%s begins one session, and none after its logout", async (_, claims) => {
    const token = issuer.idToken({ ...somebody(), ...claims });
    const access = await enter(token);
    const answer = await exchange(token);
    expect(answer).toMatchObject(USED);
    expect(answer.headers).not.toHaveProperty("set-cookie");
    expect(await visit(access)).toBe("passes");
    await guard.fetch("/_auth/logout", { method: "POST", ...bearer(access) });
    expect(await exchange(token)).toMatchObject(USED);
    const { sub } = claimsOf(token) as { sub: string };
    await enter(issuer.idToken({ sub }));
  });

  test.each([["with a jti", {}], ["without a jti", { jti: undefined }]])("%s that races itself begins one session", async (_, claims) => {
    for (let round = 0; round < 5; round += 1) {
      const token = issuer.idToken({ ...somebody(), ...claims });
      const all = await Promise.all(Array.from({ length: 10 }, () => exchange(token)));
      const tokens = all.filter(({ status }) => status === 200).map(({ body }) => (body as unknown as LoggedIn).access_token);
      expect(tokens.length, JSON.stringify(all.map(({ status, body }) => [status, body]))).toBe(1);
      const { body } = await answerOf(guard.fetch("/_auth/sessions", bearer(tokens[0] ?? "")));
      expect((body as unknown as { sessions: unknown[] }).sessions).toHaveLength(1);
    }
  });

  test.each(["ask", "deny"])("serves again after it found no room by the policy `%s`", async (policy) => {
    await using full = await trusting(issuer, { SESSION_LIMIT_POLICY: policy });
    const who = somebody();
    const first = await exchange(issuer.idToken(who), {}, full);
    const { access_token, session } = first.body as unknown as LoggedIn;
    const token = issuer.idToken(who);
    for (let n = 0; n < 2; n += 1) expect(await exchange(token, {}, full)).toMatchObject({ status: 409, body: { code: "session_limit" } });
    if (policy === "deny") await full.fetch("/_auth/logout", { method: "POST", ...bearer(access_token) });
    expect(await exchange(token, policy === "ask" ? { end: [session.sid] } : {}, full)).toMatchObject({ status: 200 });
    expect(await exchange(token, { end: [session.sid] }, full)).toMatchObject(USED);
  });

  test("is not used up by a login that was refused before it", async () => {
    const token = issuer.idToken({ ...somebody(), nonce: "n" });
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
  ])("with %s is taken", async (_, claims, header = {}) => {
    expect(await exchange(issuer.idToken({ ...somebody(), ...now(claims) }, header))).toMatchObject({ status: 200 });
  });

  test.each([false, "false", "False", "0", "pending", 0, 1, null, "", "True"])("with email_verified %j passes on no address", async (email_verified) => {
    const token = await enter(issuer.idToken({ ...somebody(), email: "ada@idp.example", email_verified }));
    guard.origin.received.length = 0;
    expect(await visit(token)).toBe("passes");
    expect(guard.origin.received[0]?.headers).not.toHaveProperty("x-auth-request-email");
    expect(claimsOf(token)).toMatchObject({ email_verified: false });
    expect(claimsOf(token)).not.toHaveProperty("email");
  });

  test.each([true, "true"])("with email_verified %j passes on the address", async (email_verified) => {
    const token = await enter(issuer.idToken({ ...somebody(), email: "ada@idp.example", email_verified }));
    expect(claimsOf(token)).toMatchObject({ email: "ada@idp.example", email_verified: true });
  });

  test("with a group as a text has that group", async () => {
    const token = await enter(issuer.idToken({ ...somebody(), groups: "crew, all", roles: "admin" }));
    guard.origin.received.length = 0;
    await visit(token);
    expect(claimsOf(token)).toMatchObject({ groups: ["crew, all"], roles: ["admin"] });
    expect(guard.origin.received[0]?.headers).toMatchObject({ "x-auth-request-groups": "crew%2C all" });
  });

  test("with claims that would share a header logs in all the same, and neither has one", async () => {
    await using other = await trusting(issuer, {}, { claims: ["email", "a_b", "a-b"] });
    const token = await enter(issuer.idToken({ email: "a@b.example", a_b: 1, "a-b": 2 }), other);
    expect(await visit(token, other)).toBe("passes");
    const { headers } = other.origin.received[0] as Received;
    expect(headers).toMatchObject({ "x-auth-request-email": "a@b.example" });
    expect(headers).not.toHaveProperty("x-auth-request-claim-a-b");
  });

  test("is judged by the clock tolerance of its issuer", async () => {
    await using other = await trusting(issuer, {}, { clock_tolerance: "5 minutes" });
    const ahead = () => issuer.idToken({ iat: seconds() + 200, exp: seconds() + 400 });
    expect(await exchange(ahead(), {}, other)).toMatchObject({ status: 200 });
    expect(await exchange(ahead())).toMatchObject({ status: 401, body: { code: "token_invalid", detail: "The token is not valid yet." } });
  });

  test("is no access token", async () => {
    expect(await visit(issuer.idToken({}))).toBe("token_invalid");
  });

  test("together with other fields is a bad request, and so is one that is no text", async () => {
    for (const body of [{ id_token: issuer.idToken({}), password: "x" }, { id_token: 7 }]) {
      expect(await answerOf(guard.fetch("/_auth/login", loginInit({ password: undefined, ...body })))).toMatchObject({ status: 400, body: { code: "bad_request" } });
    }
  });

  test("of another site's making cannot log a visitor in", async () => {
    const init = loginInit({ password: undefined, id_token: issuer.idToken({}) }, { "sec-fetch-site": "cross-site" });
    expect(await answerOf(guard.fetch("/_auth/login", init))).toMatchObject({ status: 403, body: { code: "cross_site" } });
  });

  test("means nothing special where no issuer is trusted", async () => {
    await using plain = await startGuard();
    const answer = await answerOf(plain.fetch("/_auth/login", loginInit({ username: "ada", id_token: "x" })));
    expect(answer.status).toBe(200);
    expect(plain.origin.credentialChecks).toMatchObject([{ username: "ada", id_token: "x" }]);
    expect((await logOut("x", plain)).status).toBe(404);
  });

  test("is the only way in without LOGIN_URL, and a password is told so", async () => {
    await using only = await startGuard({ LOGIN_URL: undefined, TRUSTED_ISSUERS: JSON.stringify([issuer.entry({ subject_prefix: undefined })]) });
    expect(claimsOf(await enter(issuer.idToken({ sub: "ada" }), only))).toMatchObject({ sub: "ada" });
    const answer = await answerOf(only.fetch("/_auth/login", loginInit({ username: "ada" })));
    expect(answer).toMatchObject({ status: 400, body: { detail: expect.stringContaining("id_token") } });
  });
});

describe("an issuer's user", () => {
  test("is not the login endpoint's to log in, and the log says so", async () => {
    const who = somebody();
    const access = await enter(issuer.idToken(who));
    guard.origin.approvals.set("taker", { sub: `idp|${who.sub}` });
    guard.log.length = 0;
    const answer = await answerOf(guard.fetch("/_auth/login", loginInit({ username: "taker" })));
    expect(answer).toMatchObject({ status: 502, body: { code: "origin_unavailable" } });
    expect(answer.headers).not.toHaveProperty("set-cookie");
    await expect.poll(() => guard.log.join("\n")).toMatch(/LOGIN_URL.*`sub` begins with the `subject_prefix` of http/);
    expect(guard.log.join("\n")).not.toContain(who.sub);
    expect(await visit(access)).toBe("passes");
  });

  test("is a backend's to log in by the issuer's name, and a logout there ends that session, too", async () => {
    const key = "k".repeat(40);
    await using own = await trusting(issuer, { ADMIN_API_KEY: key });
    const who = somebody();
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

/** A modulus as some write it: with the zero that ASN.1 has, and with padding. */
const asn1 = ({ n }: { n: string }) => ({ n: Buffer.concat([Buffer.alloc(1), Buffer.from(n, "base64url")]).toString("base64"), e: "AQAB" });

describe("the issuer's keys", () => {
  test.each(["ES256", "EdDSA", "RS512", "PS256"])("may be of %s", async (alg) => {
    await using other = await startIssuer(alg);
    await using guard = await trusting(other);
    expect(await visit(await enter(other.idToken({}), guard), guard)).toBe("passes");
  });

  test("are fetched once, by one of many that come at once", async () => {
    await using other = await startIssuer();
    await using guard = await trusting(other, { SESSION_LIMIT: "0" });
    const all = await Promise.all(Array.from({ length: 20 }, () => exchange(other.idToken({}), {}, guard)));
    expect(all.map(({ status }) => status)).toEqual(all.map(() => 200));
    expect(other.fetches).toBe(1);
  });

  test("are not fetched again for every kid that nobody knows", async () => {
    await using other = await startIssuer();
    await using guard = await trusting(other);
    await enter(other.idToken({}), guard);
    for (const kid of ["a", "b", "c"]) {
      expect(await exchange(other.idToken({}, { kid }), {}, guard)).toMatchObject({ status: 401, body: { code: "token_invalid" } });
    }
    expect(other.fetches).toBe(1);
  });

  test.each<[string, (good: object) => unknown[]]>([
    ["the same key twice", (good) => [good, good]],
    ["a key of another type under the same kid", (good) => [{ ...published(makeKey("ES256", "idp-1")) }, good]],
    ["another key of the same type under the same kid", (good) => [{ ...published(makeKey("RS256", "idp-1")) }, good]],
    ["keys of unknown type, use and curve", (good) => [null, 7, { kty: "new", kid: "idp-1" }, { ...good, use: "enc" }, { kty: "EC", crv: "P-521", kid: "idp-1", x: "AA", y: "AA" }, { kty: "oct", kid: "idp-1", k: "AAAA", alg: "HS256" }, good]],
    ["a key without kid", (good) => [{ ...good, kid: undefined }]],
    ["a key without alg and use", (good) => [{ ...good, alg: undefined, use: undefined }]],
    ["empty members and null", (good) => [{ ...good, alg: null, use: "", x5u: null }]],
    ["certificates", (good) => [{ ...good, x5c: ["MIIB"], x5t: "x", "x5t#S256": "x", x5u: "https://evil.example/", issuer: "https://idp.example/{tenantid}" }]],
    ["a modulus with a zero before it, and padding", (good) => [{ ...good, ...asn1(good as { n: string }) }]],
  ])("may hold %s", async (_, set) => {
    await using other = await startIssuer();
    await using guard = await trusting(other, { SESSION_LIMIT: "0" }, { algorithms: ["RS256", "ES256"] });
    other.answer = { body: JSON.stringify({ keys: set(published(other.keys[0] as SigningKey)) }) };
    expect(await visit(await enter(other.idToken({}), guard), guard)).toBe("passes");
    expect(other.fetches).toBe(1);
  });

  test.each<[string, Issuer["answer"]]>([
    ["application/jwk-set+json", { headers: { "content-type": "application/jwk-set+json; charset=UTF-8" } }],
    ["application/octet-stream", { headers: { "content-type": "application/octet-stream" } }],
    ["a text with a byte order mark", { headers: { "content-type": "text/plain" }, body: "\ufeff" }],
  ])("may come as %s", async (_, answer) => {
    await using other = await startIssuer();
    await using guard = await trusting(other);
    other.answer = { ...answer, body: (answer?.body ?? "") + JSON.stringify({ keys: other.keys.map(published) }) };
    expect(await visit(await enter(other.idToken({}, { kid: undefined }), guard), guard)).toBe("passes");
  });

  test("are asked for again soon when the first fetch failed", async () => {
    await using other = await startIssuer();
    await using guard = await trusting(other);
    other.answer = { status: 500 };
    expect(await exchange(other.idToken({}), {}, guard)).toMatchObject({ status: 502 });
    other.answer = undefined;
    await expect.poll(async () => (await exchange(other.idToken({}), {}, guard)).status, { timeout: 10_000, interval: 100 }).toBe(200);
    expect(other.fetches).toBe(2);
  });

  test("that take two seconds are used, though whoever asked for them has gone away", async () => {
    await using other = await startIssuer();
    await using guard = await trusting(other);
    other.answer = { delay: 2_000 };
    const gone = new AbortController();
    const init = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ id_token: other.idToken({}) }), signal: gone.signal };
    const asked = fetch(`${guard.url}/_auth/login`, init);
    await expect.poll(() => other.fetches).toBe(1);
    gone.abort();
    await expect(asked).rejects.toThrow();
    expect(await exchange(other.idToken({}), {}, guard)).toMatchObject({ status: 200 });
    expect(other.fetches).toBe(1);
  });

  test("are kept when the issuer is away", async () => {
    await using other = await startIssuer();
    await using guard = await trusting(other);
    await enter(other.idToken({}), guard);
    other.answer = { status: 500 };
    await enter(other.idToken({}), guard);
  });

  test.each<[string, Issuer["answer"]]>([
    ["an error", { status: 500 }],
    ["a redirect", { status: 302, headers: { location: "/elsewhere" } }],
    ["no JSON", { body: "<html>" }],
    ["no key of its algorithms", { body: '{"keys":[{"kty":"oct","kid":"idp-1","alg":"HS256","k":"AAAA"}]}' }],
    ["more than 256 KB", { body: JSON.stringify({ keys: [], pad: "x".repeat(256 * 1024) }) }],
  ])("that come as %s let nobody in, which is told from a bad token", async (_, answer) => {
    await using other = await startIssuer();
    await using guard = await trusting(other);
    other.answer = answer;
    expect(await exchange(other.idToken({}), {}, guard)).toMatchObject({ status: 502, body: { code: "issuer_unavailable" } });
    expect(await logOut(other.logoutToken({ sub: "u-1" }), guard)).toMatchObject({ status: 502 });
    await expect.poll(() => guard.log.join()).toMatch(/\/jwks.*keys_not_fetched/);
    expect(other.fetches).toBe(1);
  });
});

describe("a logout at the issuer", () => {
  test("ends the session it names, by the issuer's sid, and no other", async () => {
    const [who, elsewhere] = [somebody(), somebody()];
    const [here, there] = [await enter(issuer.idToken(who)), await enter(issuer.idToken({ ...who, sid: elsewhere.sid }))];
    for (const claims of [{ sid: who.sid }, { sid: elsewhere.sid, sub: who.sub }]) {
      expect(await visit(claims.sid === who.sid ? here : there)).toBe("passes");
      expect(await logOut(issuer.logoutToken(claims))).toMatchObject({ status: 200, headers: { "cache-control": "no-store" } });
      expect(await visit(claims.sid === who.sid ? here : there)).toBe("session_revoked");
    }
  });

  test("ends all that it began for its user, and none that began otherwise", async () => {
    await using both = await trusting(issuer, { SESSION_LIMIT: "0" }, { subject_prefix: "" });
    const who = somebody();
    const tokens = [await enter(issuer.idToken(who), both), await enter(issuer.idToken({ sub: who.sub }), both)];
    const { access_token: own } = await both.login(who.sub);
    expect((await logOut(issuer.logoutToken({ sub: who.sub }), both)).status).toBe(200);
    expect(await Promise.all([...tokens, own].map((token) => visit(token, both)))).toEqual(["session_revoked", "session_revoked", "passes"]);
  });

  test("of somebody who never was here is fine", async () => {
    for (const claims of [somebody(), { sid: "never" }, { sub: "never" }]) {
      expect((await logOut(issuer.logoutToken(claims))).status).toBe(200);
    }
  });

  test("is not undone by an ID token from before it, and a later login is welcome", async () => {
    const who = somebody();
    const [byUser, another, bySession] = [issuer.idToken({ sub: who.sub }), issuer.idToken({ sub: who.sub }), issuer.idToken(who)];
    await enter(issuer.idToken({ sub: who.sub }));
    await logOut(issuer.logoutToken({ sid: who.sid }));
    expect(await exchange(bySession)).toMatchObject({ status: 401, body: { code: "session_revoked" } });
    await enter(byUser);
    await logOut(issuer.logoutToken({ sub: who.sub }));
    expect(await exchange(another)).toMatchObject({ status: 401, body: { code: "session_revoked" } });
    await enter(issuer.idToken({ ...somebody(), sub: who.sub, iat: Math.floor(Date.now() / 1000) + 2 }));
  });

  test("that races a login never leaves its session alive", async () => {
    for (let round = 0; round < 25; round += 1) {
      const who = somebody();
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
  ])("by a token %s ends the session", async (_, claims, header = {}) => {
    const who = somebody();
    const token = await enter(issuer.idToken(who));
    expect(await logOut(issuer.logoutToken({ ...who, ...now(claims) }, header))).toMatchObject({ status: 200 });
    expect(await visit(token)).toBe("session_revoked");
  });

  test("is carried out once per token", async () => {
    const who = somebody();
    const token = issuer.logoutToken({ sid: who.sid, sub: who.sub });
    expect((await logOut(token)).status).toBe(200);
    expect(await logOut(token)).toMatchObject({ status: 400, body: { code: "bad_request", detail: expect.stringContaining("used before") } });
  });

  test("that races itself is carried out, and accepted once", async () => {
    const who = somebody();
    const access = await enter(issuer.idToken(who));
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
  ])("by a token %s is refused with 400, and ends nothing", async (_, make) => {
    const token = await enter(issuer.idToken({ sub: "u" }));
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
