// Refusals: their status, headers and body, and that nothing that is refused reaches the origin.

import { beforeEach, expect, test } from "vitest";
import { answerOf, bearer, mint, useGuard } from "../harness/guard.ts";

const guard = useGuard();
beforeEach(() => {
  guard.origin.received.length = 0;
});

const now = Math.floor(Date.now() / 1000);
const REFUSED: [name: string, token: () => Promise<string>, code: string][] = [
  ["garbage", async () => "garbage", "token_invalid"],
  ["an empty token", async () => "", "token_invalid"],
  ["a token of four parts", async () => `${await mint({})}.x`, "token_invalid"],
  ["a cut token", async () => (await mint({})).slice(0, -2), "token_invalid"],
  ["a token over 8 KB", async () => mint({ pad: "x".repeat(8192) }), "token_invalid"],
  ["an unknown key", async () => mint({}, { kid: "other" }), "token_invalid"],
  ["another type", async () => mint({}, { typ: "JWT" }), "token_invalid"],
  ["a critical extension", async () => mint({}, { crit: ["b64"], b64: true }), "token_invalid"],
  ["another issuer", async () => mint({ iss: "https://other" }), "token_invalid"],
  ["another audience", async () => mint({ aud: "https://other" }), "token_invalid"],
  ["no sid", async () => mint({ sid: undefined }), "token_invalid"],
  ["no sub", async () => mint({ sub: undefined as never }), "token_invalid"],
  ["no exp", async () => mint({ exp: undefined as never }), "token_invalid"],
  ["a token of tomorrow", async () => mint({ iat: now + 86400, exp: now + 90000 }), "token_invalid"],
  ["an expired token", async () => mint({ exp: now - 10 }), "token_expired"],
  ["a session nobody began", async () => mint({}), "session_unknown"],
];

test.each(REFUSED)("%s is refused, and never reaches the origin", async (_, token, code) => {
  const answer = await answerOf(guard.fetch("/private?a=b", bearer(await token())));
  expect(answer).toMatchObject({
    status: 401,
    headers: {
      "cache-control": "no-store",
      "content-type": "application/problem+json",
      "www-authenticate": expect.stringMatching(/^Bearer error="invalid_token", error_description="[^"]+"$/),
    },
    body: {
      type: `urn:session-guard:problem:${code}`,
      title: expect.stringMatching(/\w/),
      status: 401,
      detail: expect.stringMatching(/\w/),
      code,
    },
  });
  expect(guard.origin.received).toEqual([]);
});

test("an unsigned token is refused", async () => {
  const [, claims] = (await mint({})).split(".");
  for (const alg of ["none", "None", "NONE", "nOnE"]) {
    const header = Buffer.from(JSON.stringify({ alg, typ: "at+jwt", kid: "test" })).toString("base64url");
    const answer = await answerOf(guard.fetch("/", bearer(`${header}.${claims}.`)));
    expect(answer).toMatchObject({ status: 401, body: { code: "token_invalid" } });
  }
  expect(guard.origin.received).toEqual([]);
});

test("a request without a credential gets a challenge without an error code", async () => {
  expect(await answerOf(guard.fetch("/"))).toMatchObject({
    status: 401,
    headers: { "www-authenticate": "Bearer" },
    body: { code: "token_missing" },
  });
  expect(guard.origin.received).toEqual([]);
});

test("credentials of two live sessions are a 400 that says where they are", async () => {
  const [{ access_token }, other] = [await guard.login("ada"), await guard.login("ben")];
  const headers = { authorization: `Bearer ${access_token}`, cookie: `__Host-session=${other.access_token}` };
  const answer = await answerOf(guard.fetch("/", { headers }));
  expect(answer).toMatchObject({ status: 400, body: { code: "bad_request", detail: expect.stringContaining("bearer token and the session cookie") as string } });
  expect(guard.origin.received).toEqual([]);
});

test("the Bearer scheme is case-insensitive, and other schemes are ignored", async () => {
  const { access_token } = await guard.login("ada");
  for (const scheme of ["bearer", "BEARER", "Bearer"]) {
    const response = await guard.fetch("/", { headers: { authorization: `${scheme} ${access_token}` } });
    expect([scheme, response.status]).toEqual([scheme, 200]);
  }
  for (const scheme of ["Token", "JWT", "Bearer:", "MAC"]) {
    const answer = await answerOf(guard.fetch("/", { headers: { authorization: `${scheme} ${access_token}` } }));
    expect(answer).toMatchObject({ status: 401, body: { code: "token_missing" } });
  }
});

test("a navigation is redirected to the login page with the way back and the reason", async () => {
  const missing = await guard.fetch("/a?b=c&d", { headers: { "sec-fetch-mode": "navigate", accept: "text/html" } });
  expect([missing.status, missing.headers.get("location")]).toEqual([302, "/_auth/login?redirect=/a?b=c%26d"]);
  const stale = await guard.login("navigates");
  await guard.login("navigates");
  const headers = { cookie: `__Host-session=${stale.access_token}`, "sec-fetch-mode": "navigate" };
  const sent = await guard.fetch("/a", { headers });
  expect([sent.status, sent.headers.get("location"), sent.headers.get("cache-control")]).toEqual([
    302,
    "/_auth/login?redirect=/a&reason=session_superseded",
    "no-store",
  ]);
  const page = await answerOf(guard.fetch(sent.headers.get("location") ?? ""));
  expect(page.body).toContain("because you signed in elsewhere");
  expect(guard.origin.received).toEqual([]);
});

test("a script always gets the 401, whatever it accepts", async () => {
  const headers = { "sec-fetch-mode": "cors", accept: "text/html" };
  expect(await answerOf(guard.fetch("/", { headers }))).toMatchObject({ status: 401 });
});

test("a cookie on an unsafe method from another site is refused", async () => {
  const { access_token } = await guard.login("crossed");
  const cookie = `__Host-session=${access_token}`;
  const post = (headers: Record<string, string>) =>
    answerOf(guard.fetch("/transfer", { method: "POST", body: "a=b", headers: { cookie, ...headers } }));
  const refused: Record<string, string>[] = [
    {},
    { "sec-fetch-site": "cross-site" },
    { "sec-fetch-site": "same-site" },
    { origin: "https://evil.example" },
    { origin: `${guard.url}.evil.example` },
    { origin: "null" },
  ];
  for (const headers of refused) {
    expect([headers, await post(headers)]).toMatchObject([headers, { status: 403, body: { code: "cross_site" } }]);
  }
  expect(guard.origin.received).toEqual([]);
  const accepted: Record<string, string>[] = [{ "sec-fetch-site": "same-origin" }, { origin: guard.url }];
  for (const headers of accepted) {
    expect([headers, await post(headers)]).toMatchObject([headers, { status: 200 }]);
  }
});

test.each(["/_auth", "/_auth/", "/_auth/nothing", "/_auth/login/x", "/_auth/%6cogin"])(
  "%s is a 404 and never reaches the origin",
  async (path) => {
    const { access_token } = await guard.login("ada");
    const answer = await answerOf(guard.fetch(path, bearer(access_token)));
    expect(answer).toMatchObject({ status: 404, body: { code: "not_found" } });
    expect(guard.origin.received).toEqual([]);
  },
);

test.each([
  ["PUT", "/_auth/login", "GET, HEAD, POST"],
  ["GET", "/_auth/logout", "POST"],
  ["POST", "/_auth/session", "GET, HEAD, PATCH"],
  ["DELETE", "/_auth/health", "GET, HEAD"],
])("%s %s gets a 405 with the allowed methods", async (method, path, allow) => {
  expect(await answerOf(guard.fetch(path, { method }))).toMatchObject({
    status: 405,
    headers: { allow },
    body: { code: "method_not_allowed" },
  });
});

test("health says that the store answers", async () => {
  expect(await answerOf(guard.fetch("/_auth/health"))).toMatchObject({ status: 200, body: { status: "ok" } });
});
