// POST login through LOGIN_URL, with JSON and with forms.

import { createHash } from "node:crypto";
import { createRemoteJWKSet, jwtVerify } from "jose";
import { beforeEach, expect, test } from "vitest";
import { answerOf, bearer, cookieOf, formInit, ISSUER, loginInit, startGuard, useGuard } from "../harness/guard.ts";
import { makeKey } from "../harness/signing_keys.ts";
import { PASSWORD } from "../harness/origin.ts";

const guard = useGuard();
beforeEach(() => {
  guard.origin.credentialChecks.length = 0;
  guard.origin.received.length = 0;
});

const login = (init: RequestInit) => guard.fetch("/_auth/login", init);

test("a JSON login returns a token and a cookie, and is never cached", async () => {
  const answer = await answerOf(login(loginInit({ username: "ada", tenant: "t1" })));
  expect(answer).toMatchObject({
    status: 200,
    headers: {
      "cache-control": "no-store",
      "content-type": "application/json",
      "set-cookie": expect.stringMatching(
        /^__Host-session=[\w-]+\.[\w-]+\.[\w-]+; Path=\/; HttpOnly; Secure; SameSite=Lax; Max-Age=604800$/,
      ),
    },
    body: { token_type: "Bearer", expires_in: 604800, session: { device: "other" }, ended: [] },
  });
  expect(guard.origin.credentialChecks).toEqual([{ username: "ada", tenant: "t1", password: PASSWORD }]);
});

test("a form login returns a redirect and a cookie that passes", async () => {
  const response = await login(formInit({ username: "form", redirect: "/members?page=2" }));
  expect(await answerOf(response.clone())).toMatchObject({
    status: 303,
    headers: { location: "/members?page=2", "cache-control": "no-store" },
    body: "",
  });
  expect(guard.origin.credentialChecks).toEqual([{ username: "form", password: PASSWORD }]);
  const visit = await guard.fetch("/members?page=2", { headers: { cookie: cookieOf(response) } });
  expect(visit.status).toBe(200);
});

test("a form login without a redirect leads to /", async () => {
  expect((await login(formInit({ username: "form" }))).headers.get("location")).toBe("/");
});

test.each(["//evil.example", "https://evil.example/", "/\\evil.example", "javascript:alert(1)", "/a\nb"])(
  "a redirect to %j is refused before any credential is checked",
  async (redirect) => {
    for (const init of [formInit({ username: "a", redirect }), loginInit({ username: "a", redirect })]) {
      expect(await answerOf(login(init))).toMatchObject({ status: 400, body: { code: "bad_request" } });
    }
    expect(guard.origin.credentialChecks).toEqual([]);
  },
);

test("a wrong password and an unknown user get the same answer", async () => {
  const wrong = await answerOf(login(loginInit({ username: "ada", password: "wrong" })));
  const unknown = await answerOf(login(loginInit({ username: "nobody", password: "wrong" })));
  expect(wrong).toMatchObject({ status: 401, body: { code: "credentials_invalid" } });
  expect(wrong.headers).not.toHaveProperty("set-cookie");
  expect(unknown.body).toEqual(wrong.body);
});

test("a form login with a wrong password gets the page again, with a message, the redirect and the user name, and no password", async () => {
  const page = await answerOf(login(formInit({ username: '"><b>ada', password: "xyz<z>y", redirect: '/a?b="c' })));
  expect(page).toMatchObject({ status: 401, headers: { "cache-control": "no-store" } });
  expect(page.body).toContain('role="alert"');
  expect(page.body).toContain('value="/a?b=&#34;c"');
  expect(page.body).toContain('name="username" autocomplete="username" autocapitalize="none" spellcheck="false" required value="&#34;&#62;&#60;b&#62;ada"');
  expect(page.body).not.toContain("xyz");
});

test.each([
  ["no content type", { method: "POST", body: new Uint8Array([123, 125]) }],
  ["another content type", { method: "POST", body: "a=b", headers: { "content-type": "text/plain" } }],
  ["broken JSON", { method: "POST", body: "{", headers: { "content-type": "application/json" } }],
  ["JSON that is no object", { method: "POST", body: "[]", headers: { "content-type": "application/json" } }],
  ["an empty body", { method: "POST", body: "", headers: { "content-type": "application/json" } }],
  ["bytes that are no UTF-8", { method: "POST", body: new Uint8Array([34, 255, 34]), headers: { "content-type": "application/json" } }],
  ["more than 64 KB", loginInit({ username: "a".repeat(64 * 1024) })],
] satisfies [string, RequestInit][])("%s is a bad request that names what to change", async (_, init) => {
  expect(await answerOf(login(init))).toMatchObject({
    status: 400,
    body: { code: "bad_request", detail: expect.stringMatching(/\w/) },
  });
  expect(guard.origin.credentialChecks).toEqual([]);
});

test.each([
  ["another site's form", { "sec-fetch-site": "cross-site" }],
  ["a sibling site's form", { "sec-fetch-site": "same-site" }],
  ["another origin's form", { origin: "https://evil.example" }],
])("%s cannot log a visitor in", async (_, headers) => {
  const answer = await answerOf(login(formInit({ username: "ada" }, headers)));
  expect(answer).toMatchObject({ status: 403, body: { code: "cross_site" } });
  expect(guard.origin.credentialChecks).toEqual([]);
});

test("claims and roles of the login response reach the origin as identity headers", async () => {
  guard.origin.approvals.set("claims", {
    sub: "u-1",
    claims: { email: "ada@example.com", preferred_username: "Ada \u2693", level: 7, plan: { name: "x" } },
    roles: ["member", "a,b"],
  });
  const { access_token } = await guard.login("claims");
  await guard.fetch("/", { headers: { authorization: `Bearer ${access_token}` } });
  expect(guard.origin.received[0]?.headers).toMatchObject({
    "x-auth-request-user": "u-1",
    "x-auth-request-email": "ada@example.com",
    "x-auth-request-groups": "member,a%2Cb",
    "x-auth-request-claim-email": "ada@example.com",
    "x-auth-request-claim-preferred-username": "Ada %E2%9A%93",
    "x-auth-request-claim-level": "7",
    "x-auth-request-claim-plan": '{"name":"x"}',
    "x-auth-request-claim-roles": '["member","a,b"]',
  });
});

test.each([
  ["no JSON", "<html>"],
  ["no sub", "{}"],
  ["a claim that is the guard's to set", { sub: "a", claims: { exp: 1 } }],
  ["two claims under one header", { sub: "a", claims: { a_b: 1, "a-b": 2 } }],
  ["claims that fit in no token", { sub: "a", claims: { pad: "x".repeat(4096) } }],
])("a login response that is %s lets nobody in, and the log says what to change", async (_, approval) => {
  guard.log.length = 0;
  guard.origin.approvals.set("odd", approval);
  const answer = await answerOf(login(loginInit({ username: "odd" })));
  expect(answer).toMatchObject({ status: 502, body: { code: "origin_unavailable" } });
  await expect.poll(() => guard.log.join("\n")).toMatch(/LOGIN_URL/);
  expect(guard.log.join("\n")).not.toContain(PASSWORD);
});

test("a token that is too large for a cookie is for JSON only, and a form login that would get one ends no session", async () => {
  const before = await guard.login("large");
  guard.origin.approvals.set("large", { sub: "large", claims: { pad: "x".repeat(4000) } });
  const form = await answerOf(login(formInit({ username: "large" })));
  expect(form).toMatchObject({ status: 502, body: { code: "origin_unavailable" } });
  const visit = await guard.fetch("/", { headers: { authorization: `Bearer ${before.access_token}` } });
  expect(visit.status).toBe(200);
  const json = await answerOf(login(loginInit({ username: "large" })));
  expect(json).toMatchObject({ status: 200, body: { ended: [{ sid: before.session.sid }] } });
  expect(json.headers).not.toHaveProperty("set-cookie");
  const again = await answerOf(login(loginInit({ username: "large" }, { cookie: "__Host-session=of-before" })));
  expect(again, "an older session's cookie would go with the new token").toMatchObject({ status: 200, headers: { "set-cookie": expect.stringMatching(/^__Host-session=;.*Max-Age=0/) } });
});

test("an origin that is down or fails lets nobody in", async () => {
  await using away = await startGuard({ LOGIN_URL: "http://127.0.0.1:9/login" });
  const refused = await answerOf(away.fetch("/_auth/login", loginInit({ username: "ada" })));
  expect(refused).toMatchObject({ status: 502, body: { code: "origin_unavailable" } });
  await using odd = await startGuard({ LOGIN_URL: `${guard.origin.url}/redirects` });
  guard.origin.reply = { status: 302, headers: { location: "/internal/login" } };
  const redirected = await answerOf(odd.fetch("/_auth/login", loginInit({ username: "ada" })));
  guard.origin.reply = {};
  expect(redirected).toMatchObject({ status: 502, body: { code: "origin_unavailable" } });
});

test.each<[string, { status: number; headers?: Record<string, string>; body?: string }, object, RegExp?]>([
  ["a page", { status: 200, headers: { "content-type": "text/html" }, body: "<!doctype html><title>Sign in</title>" }, { status: 502 }, /answered 200, but a login cannot be made of it: it is no JSON object/],
  ["nothing", { status: 200, body: "" }, { status: 502 }, /it is no JSON object/],
  ["a number as sub", { status: 200, body: '{"sub":5}' }, { status: 502 }, /`sub` is of the wrong type/],
  ["an empty sub", { status: 200, body: '{"sub":""}' }, { status: 502 }, /`sub` is empty/],
  ["a sub that is too long", { status: 200, body: JSON.stringify({ sub: "a".repeat(1025) }) }, { status: 502 }, /`sub` is longer than 1,024 bytes/],
  ["roles that are a text", { status: 200, body: '{"sub":"a","roles":"admin"}' }, { status: 502 }, /`roles` is of the wrong type/],
  ["no content", { status: 204 }, { status: 502 }, /answered 204; it must answer 200 and who it is, or 401/],
  ["a redirect", { status: 303, headers: { location: "/internal/login" }, body: '{"sub":"a"}' }, { status: 502 }, /answered 303, and redirects are not followed/],
  ["that it is forbidden", { status: 403, body: '{"sub":"a"}' }, { status: 502 }, /answered 403; it must answer 200/],
  ["that the entity cannot be processed", { status: 422, body: "{}" }, { status: 502 }, /answered 422; it must answer 200/],
  ["that it is busy, and for how long", { status: 429, headers: { "retry-after": "17" }, body: "" }, { status: 429, headers: { "retry-after": "17" }, body: { code: "too_many_attempts" } }],
  ["that it is busy", { status: 429, body: "" }, { status: 429, headers: { "retry-after": "60" } }],
  ["an error", { status: 500, body: '{"sub":"a"}' }, { status: 502 }, /LOGIN_URL answered 500/],
  ["that the credentials are wrong, as a page", { status: 401, headers: { "content-type": "text/html" }, body: "<html>" }, { status: 401, body: { code: "credentials_invalid" } }],
])("an origin that answers with %s lets nobody in, and the log says what to change", async (_, reply, expected, logged) => {
  await using odd = await startGuard({ LOGIN_URL: `${guard.origin.url}/redirects` });
  guard.origin.reply = reply;
  const answer = await answerOf(odd.fetch("/_auth/login", loginInit({ username: "ada" })));
  const page = await answerOf(odd.fetch("/_auth/login", formInit({ username: "ada" })));
  guard.origin.reply = {};
  expect(answer).toMatchObject(expected);
  expect([page.status, page.headers["set-cookie"]]).toEqual([answer.status, undefined]);
  expect(answer.headers).not.toHaveProperty("set-cookie");
  if (logged) await expect.poll(() => odd.log.join("\n")).toMatch(logged);
  expect(odd.log.join("\n")).not.toContain(PASSWORD);
});

test("without LOGIN_URL nobody can log in, and the page says so", async () => {
  await using without = await startGuard({ LOGIN_URL: undefined });
  const post = await answerOf(without.fetch("/_auth/login", loginInit({ username: "ada" })));
  expect(post).toMatchObject({ status: 404, body: { code: "not_found" } });
  const page = await answerOf(without.fetch("/_auth/login"));
  expect(page.body).toContain("not set up");
  expect(page.body).not.toContain("<form");
});

test("the credential check carries a proof that the guard sent it, if there is a key for that", async () => {
  const key = makeKey("ES256");
  await using signing = await startGuard({ SIGNING_KEYS: JSON.stringify({ keys: [key.jwk] }) });
  const forged = { "x-auth-request-assertion": "forged" };
  const answer = await signing.fetch("/_auth/login", loginInit({ username: "ada" }, forged));
  expect(answer.status).toBe(200);
  const keys = createRemoteJWKSet(new URL("/.well-known/jwks.json", signing.url));
  const { payload, protectedHeader } = await jwtVerify(signing.origin.proof ?? "", keys);
  expect(protectedHeader).toMatchObject({ alg: "ES256", typ: "guard-login+jwt", kid: key.kid });
  const digest = createHash("sha256").update(JSON.stringify({ password: PASSWORD, username: "ada" })).digest("hex");
  expect(payload).toEqual({ iss: ISSUER, aud: signing.origin.url, body_sha256: digest, iat: expect.any(Number), exp: (payload.iat ?? 0) + 60 });
  expect((await signing.fetch("/x", bearer(signing.origin.proof ?? ""))).status).toBe(401);
  await login(loginInit({ username: "ada" }, forged));
  expect(guard.origin.proof, "a secret key has no public half").toBeUndefined();
});
