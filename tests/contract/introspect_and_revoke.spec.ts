// POST introspect (RFC 7662) and POST revoke (RFC 7009).

import { randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { answerOf, AUDIENCE, bearer, ISSUER, mint, startGuard, useGuard } from "../harness/guard.ts";

const KEY = randomBytes(24).toString("base64url");
const guard = useGuard({ ADMIN_API_KEY: KEY });

const post = (path: string, fields: Record<string, string> | [string, string][], headers: Record<string, string> = bearer(KEY).headers, at = guard) =>
  answerOf(at.fetch(`/_auth/${path}`, { method: "POST", headers, body: new URLSearchParams(fields) }));
const visit = async (token: string) => {
  const { status, body } = await answerOf(guard.fetch("/", bearer(token)));
  return status === 200 ? "passes" : (body as { code: string }).code;
};
const INACTIVE = { status: 200, headers: { "cache-control": "no-store", "content-type": "application/json" }, body: { active: false } };

test.each([
  ["the key for asking", "INTROSPECTION_KEY", 200, 401],
  ["the admin API key", "ADMIN_API_KEY", 200, 200],
  ["a key that is neither", "", 401, 401],
])("with %s, tokens can be introspected, and only the admin API key ends sessions", async (_, which, asked, ended) => {
  const keys: Record<string, string> = { INTROSPECTION_KEY: randomBytes(24).toString("base64url"), ADMIN_API_KEY: KEY };
  await using both = await startGuard(keys);
  const { access_token, session } = await both.login("ada");
  const { headers } = bearer(keys[which] ?? "wrong");
  expect(await post("introspect", { token: access_token }, headers, both)).toMatchObject({ status: asked, body: asked === 200 ? { active: true, sid: session.sid } : { code: "key_invalid" } });
  const admin = (path: string, method: string) => answerOf(both.fetch(`/_auth/admin/${path}`, { method, headers }));
  for (const [path, method] of [["users", "GET"], ["stats", "GET"], ["users/ada/sessions", "DELETE"], ["sessions?everybody=true", "DELETE"]] as const) {
    if (ended === 401) expect(await admin(path, method), path).toMatchObject({ status: 401 });
  }
  expect(await post("revoke", { token: access_token }, headers, both)).toMatchObject({ status: ended });
  expect((await both.fetch("/", bearer(access_token))).status).toBe(ended === 200 ? 401 : 200);
});

test("with only the introspection key set, nothing can be revoked", async () => {
  await using only = await startGuard({ INTROSPECTION_KEY: KEY });
  const { access_token } = await only.login("ada");
  expect(await post("introspect", { token: access_token }, undefined, only)).toMatchObject({ status: 200, body: { active: true } });
  expect(await post("revoke", { token: access_token }, undefined, only)).toMatchObject({ status: 404, body: { code: "not_found" } });
});

describe("introspect", () => {
  test("returns the claims of a token whose session is live, and is never cached", async () => {
    guard.origin.approvals.set("shown", { sub: "u-1", claims: { email: "ada@example.com", scopes: ["boats:read", "boats:write"] }, roles: ["member"] });
    const { access_token, session } = await guard.login("shown");
    const now = Math.floor(Date.now() / 1000);
    const answer = await post("introspect", { token: access_token, token_type_hint: "access_token" });
    expect(answer).toMatchObject({
      status: 200,
      headers: { "cache-control": "no-store", "content-type": "application/json" },
      body: {
        active: true, sub: "u-1", sid: session.sid, iss: ISSUER, aud: AUDIENCE, client_id: AUDIENCE, jti: expect.stringMatching(/^[\w-]{22}$/), token_type: "Bearer",
        scope: "boats:read boats:write", email: "ada@example.com", roles: ["member"],
      },
    });
    const { exp, iat } = answer.body as unknown as { exp: number; iat: number };
    expect([exp - iat, Math.abs(iat - now) < 30]).toEqual([7 * 24 * 60 * 60, true]);
  });

  test("accepts the key as the password of HTTP Basic, with any user name", async () => {
    const { access_token } = await guard.login("basic");
    const authorization = `Basic ${Buffer.from(`billing:${KEY}`).toString("base64")}`;
    expect(await post("introspect", { token: access_token }, { authorization })).toMatchObject({ status: 200, body: { active: true, sub: "basic" } });
  });

  test("ends the session of an old token, because that is reuse", async () => {
    const { access_token, session } = await guard.login("robbed");
    const { access_token: current } = (await (await guard.fetch("/_auth/refresh", { method: "POST", ...bearer(access_token) })).json()) as { access_token: string };
    const old = await mint({ sub: "robbed", sid: session.sid, jti: "of-old", iat: Math.floor(Date.now() / 1000) - 60 });
    expect(await post("introspect", { token: old })).toMatchObject({ status: 200, body: { active: false } });
    expect(await post("introspect", { token: current })).toMatchObject({ status: 200, body: { active: false } });
  });

  test.each<[string, () => Promise<string>]>([
    ["that is no token", async () => "x.y.z"],
    ["that is the key itself", async () => KEY],
    ["that is empty", async () => ""],
    ["that has expired", () => mint({ exp: 1 })],
    ["for another audience", () => mint({ aud: "others" })],
    ["of a session that nobody has begun", () => mint({ sub: "never here" })],
    ["of a session that is over", async () => {
      const { access_token } = await guard.login("leaves");
      await guard.fetch("/_auth/logout", { method: "POST", ...bearer(access_token) });
      return access_token;
    }],
    ["of a session that was superseded", async () => {
      const { access_token } = await guard.login("twice");
      await guard.login("twice");
      return access_token;
    }],
  ])("says only that a token %s is not active", async (_, make) => {
    const answer = await post("introspect", { token: await make() });
    expect(answer).toMatchObject(INACTIVE);
    expect(answer.body).toEqual({ active: false });
  });

  test("answers store_unavailable during an outage, and never that the token is not active", async () => {
    const { access_token } = await guard.login("outage");
    const away = { SESSION_STORE: "redis", UPSTASH_REDIS_REST_URL: "http://127.0.0.1:9", UPSTASH_REDIS_REST_TOKEN: "t" };
    await using cut = await startGuard({ ADMIN_API_KEY: KEY, ...away });
    for (const path of ["introspect", "revoke"]) {
      expect(await post(path, { token: access_token }, undefined, cut)).toMatchObject({ status: 503, body: { code: "store_unavailable" } });
    }
  });
});

describe("revoke", () => {
  test("ends the token's session, and no other", async () => {
    await using guard = await startGuard({ ADMIN_API_KEY: KEY, SESSION_LIMIT: "0" });
    const [one, other] = [await guard.login("ada"), await guard.login("ada")];
    const codes = async () =>
      Promise.all([one, other].map(async ({ access_token }) => (await answerOf(guard.fetch("/", bearer(access_token)))).body));
    const answer = await post("revoke", { token: one.access_token }, undefined, guard);
    expect(answer).toMatchObject({ status: 200, headers: { "cache-control": "no-store" }, body: "" });
    expect(await codes()).toEqual([expect.objectContaining({ code: "session_revoked" }), "the origin's answer"]);
    expect(await post("revoke", { token: one.access_token }, undefined, guard), "once more").toMatchObject({ status: 200 });
  });

  test.each<[string, () => Promise<string>]>([
    ["that is no token", async () => "x.y.z"],
    ["of a session that nobody has begun", () => mint({ sub: "never here" })],
    ["of a stranger's session", async () => mint({ sub: "thief", sid: (await guard.login("owner")).session.sid })],
  ])("of a token %s is not an error", async (_, make) => {
    expect(await post("revoke", { token: await make() })).toMatchObject({ status: 200, body: "" });
  });

  test.each([
    ["that has expired", { iat: 1, exp: 2 }],
    ["that was refreshed long ago", {}],
    ["that is not good yet", { nbf: Math.floor(Date.now() / 1000) + 600 }],
  ])("of a genuine token %s ends its session", async (_, claims) => {
    const { access_token, session } = await guard.login("late");
    const token = await mint({ sub: "late", sid: session.sid, jti: "of-old", ...claims });
    expect(await post("revoke", { token })).toMatchObject({ status: 200, body: "" });
    expect(await visit(access_token)).toBe("session_revoked");
  });

  test("of a token with a forged signature ends nothing", async () => {
    const { access_token } = await guard.login("signed");
    const forged = `${access_token.slice(0, access_token.lastIndexOf("."))}.${"A".repeat(43)}`;
    expect(await post("revoke", { token: forged })).toMatchObject({ status: 200 });
    expect(await visit(access_token)).toBe("passes");
  });
});

describe.each(["introspect", "revoke"])("%s", (path) => {
  test.each<[string, Record<string, string>]>([
    ["no key", {}],
    ["another key", bearer(`${KEY}x`).headers],
    ["the key as a name", { authorization: `Basic ${Buffer.from(`${KEY}:`).toString("base64")}` }],
    ["the key as a cookie", { cookie: `__Host-session=${KEY}` }],
  ])("refuses callers with %s", async (_, headers) => {
    const { access_token } = await guard.login("untouched");
    const answer = await post(path, { token: access_token }, headers);
    expect(answer).toMatchObject({ status: 401, headers: { "www-authenticate": "Bearer", "cache-control": "no-store" }, body: { code: "key_invalid" } });
    expect(JSON.stringify(answer.body)).not.toContain("sub");
    expect(await visit(access_token)).toBe("passes");
  });

  test("refuses users who are only logged in", async () => {
    const { access_token } = await guard.login("somebody");
    expect(await post(path, { token: access_token }, bearer(access_token).headers)).toMatchObject({ status: 401, body: { code: "key_invalid" } });
  });

  test.each<[string, RequestInit]>([
    ["JSON", { body: '{"token":"x"}', headers: { "content-type": "application/json" } }],
    ["no token", { body: new URLSearchParams({ a: "b" }) }],
    ["two tokens", { body: new URLSearchParams([["token", "a"], ["token", "a"]]) }],
  ])("with %s is a bad request", async (_, { body, headers }) => {
    const init = { method: "POST", body, headers: { ...(headers as Record<string, string>), ...bearer(KEY).headers } } as RequestInit;
    expect(await answerOf(guard.fetch(`/_auth/${path}`, init))).toMatchObject({ status: 400, body: { code: "bad_request" } });
  });

  test("is a 404 if no key is set", async () => {
    await using without = await startGuard();
    expect(await post(path, { token: "x" }, undefined, without)).toMatchObject({ status: 404, body: { code: "not_found" } });
    expect(await post(path, { token: "x" }, bearer("").headers, without)).toMatchObject({ status: 404 });
  });

  test("accepts no other method", async () => {
    expect(await answerOf(guard.fetch(`/_auth/${path}`))).toMatchObject({ status: 405, headers: { allow: "POST" } });
  });
});

test("the key never reaches the origin or the log", async () => {
  const { access_token } = await guard.login("quiet");
  guard.log.length = 0;
  await post("introspect", { token: access_token });
  await post("revoke", { token: access_token });
  expect(guard.log.join("\n")).not.toContain(KEY);
  expect(JSON.stringify(guard.origin.received)).not.toContain(KEY);
});
