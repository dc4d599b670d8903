// Identity headers: their names, their values and their encoding, and that clients cannot send them.

import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { answerOf, bearer, loginInit, startGuard, useGuard, type Guard } from "../harness/guard.ts";
import { startIssuer } from "../harness/identity_provider.ts";
import { ada, forged } from "../harness/identity.ts";
import { keySet, makeKey } from "../harness/signing_keys.ts";

const ROUTES = JSON.stringify([{ path: "/open", access: "public" }, { path: "/maybe", access: "optional" }]);


/** What the origin could take for an identity. */
function told(guard: Guard) {
  const headers = Object.entries(guard.origin.received.at(-1)?.headers ?? {});
  return Object.fromEntries(headers.filter(([name]) => /^(xauthrequest|xforwarded(user|email|groups|preferred)|remote)/.test(name.replaceAll(/[^a-z0-9]/g, ""))));
}

const common = (sid: string) => ({
  "x-auth-request-session": sid,
  "x-auth-request-claim-email": "ada@example.com",
  "x-auth-request-claim-name": "Ada W",
  "x-auth-request-claim-preferred-username": "ada",
  "x-auth-request-claim-roles": '["member","a,b"]',
  "x-auth-request-data": '{"theme":"dark"}',
});

describe.each([
  ["x-auth-request", { "x-auth-request-user": "m-1", "x-auth-request-email": "ada@example.com", "x-auth-request-groups": "member,a%2Cb" }],
  ["x-forwarded", { "x-forwarded-user": "m-1", "x-forwarded-email": "ada@example.com", "x-forwarded-groups": "member,a%2Cb", "x-forwarded-preferred-username": "ada" }],
  ["remote", { "remote-user": "m-1", "remote-email": "ada@example.com", "remote-groups": "member,a%2Cb", "remote-name": "Ada W" }],
])("with IDENTITY_HEADERS = %s", (preset, own) => {
  const guard = useGuard({ IDENTITY_HEADERS: preset, FORWARD_SESSION_DATA: "true", ROUTES });
  let token: string;
  let sid: string;
  beforeAll(async () => {
    guard.origin.approvals.set("ada", { ...ada, data: { theme: "dark" } });
    ({ access_token: token, session: { sid } } = await guard.login("ada"));
  });
  beforeEach(() => {
    guard.origin.received.length = 0;
  });

  test.each(["/private", "/maybe"])("the origin gets these headers, and no others, at %s", async (path) => {
    const { status } = await guard.fetch(path, { headers: { ...forged, ...bearer(token).headers } });
    expect(status).toBe(200);
    expect(told(guard)).toEqual({ ...own, ...common(sid) });
  });

  test.each([
    ["a public path, with a token", "/open", true],
    ["a public path, without one", "/open", false],
    ["an optional path, without a token", "/maybe", false],
  ])("no spelling of any preset's headers passes at %s", async (_, path, hasToken) => {
    const { status } = await guard.fetch(path, { headers: { ...forged, ...(hasToken ? bearer(token).headers : {}) } });
    expect(status).toBe(200);
    expect(told(guard)).toEqual({});
  });

  test("nor at an optional path with the token of an ended session", async () => {
    guard.origin.approvals.set("eve", { sub: "eve" });
    const { access_token } = await guard.login("eve");
    await guard.login("eve");
    const { status } = await guard.fetch("/maybe", { headers: { ...forged, ...bearer(access_token).headers } });
    expect(status).toBe(200);
    expect(told(guard)).toEqual({});
  });
});

/** A value as an origin reads it that takes headers for UTF-8; Node takes them for Latin-1. */
const utf8 = (value: unknown) => Buffer.from(String(value), "latin1").toString("utf8");

describe("values beyond ASCII", () => {
  const cyrillic = { sub: "жук", claims: { email: "зоя@пример.example", name: "Зоя ⚓ 😀 é х" }, roles: Array.from({ length: 90 }, (_, n) => `гребец-${n}`) };

  test("are UTF-8 with IDENTITY_ENCODING = utf8, and so is the session's data", async () => {
    await using guard = await startGuard({ IDENTITY_ENCODING: "utf8", FORWARD_SESSION_DATA: "true", IDENTITY_HEADERS: "remote" });
    guard.origin.approvals.set("zoe", { ...cyrillic, data: { тема: "тёмная" } });
    const { access_token } = await guard.login("zoe");
    for (const path of ["/a", "/b", "/b", "/b"]) expect((await guard.fetch(path, bearer(access_token))).status).toBe(200);
    for (const { headers } of guard.origin.received) {
      const told = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, utf8(value)]));
      expect(told).toMatchObject({
        "remote-user": "жук", "remote-email": "зоя@пример.example", "remote-name": "Зоя ⚓ 😀 é %D1%85", "remote-groups": cyrillic.roles.join(","),
        "x-auth-request-claim-roles": JSON.stringify(cyrillic.roles), "x-auth-request-data": '{"тема":"тёмная"}',
      });
    }
    expect(guard.origin.received).toHaveLength(4);
  });

  test("cannot end or forge a header", async () => {
    await using guard = await startGuard({ IDENTITY_ENCODING: "utf8" });
    const name = " \u0085é\r\nRemote-User: root\u0000\u007f\u2028%0d à";
    guard.origin.approvals.set("eve", { sub: "eve", claims: { name } });
    await guard.fetch("/", bearer((await guard.login("eve")).access_token));
    const { headers } = guard.origin.received[0] as { headers: Record<string, string> };
    expect(headers).not.toHaveProperty("remote-user");
    expect(decodeURIComponent(utf8(headers["x-auth-request-claim-name"]))).toBe(name);
  });

  const many = { ...cyrillic, roles: Array.from({ length: 120 }, (_, n) => `гребец-${n}`) };

  test.each([["percent", 502], ["utf8", 200]])("with IDENTITY_ENCODING = %s, a login with many roles gets %i, and a refusal says what is too large", async (encoding, expected) => {
    await using guard = await startGuard({ IDENTITY_ENCODING: encoding });
    guard.origin.approvals.set("zoe", many);
    const answer = await answerOf(guard.fetch("/_auth/login", loginInit({ username: "zoe" })));
    expect(answer.status).toBe(expected);
    if (expected === 200) {
      expect((await guard.fetch("/", bearer((answer.body as { access_token: string }).access_token))).status).toBe(200);
      return;
    }
    expect(answer.body).toMatchObject({ code: "origin_unavailable", detail: expect.stringContaining("too much") });
    await expect.poll(() => guard.log.join()).toMatch(/`roles` is the largest.*origin_unavailable/);
    expect(guard.log.join()).not.toContain("гребец");
  });

  test("are refused alike by the origin's own login, the admin API and an ID token", async () => {
    await using issuer = await startIssuer();
    const ADMIN_API_KEY = "0123456789abcdef0123456789abcdef";
    await using guard = await startGuard({ ADMIN_API_KEY, TRUSTED_ISSUERS: JSON.stringify([issuer.entry()]), ROUTES: JSON.stringify([{ path: "/enter", access: "public", login: true }]) });
    const named = async () => {
      await expect.poll(() => guard.log.join()).toMatch(/`roles` is the largest/);
      guard.log.length = 0;
    };
    guard.origin.reply = { headers: { "x-guard-login": JSON.stringify(many).replaceAll(/[^ -~]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`) } };
    expect(await answerOf(guard.fetch("/enter"))).toMatchObject({ status: 502, body: { code: "origin_unavailable" } });
    await named();
    const begin = { method: "POST", headers: { ...bearer(ADMIN_API_KEY).headers, "content-type": "application/json" }, body: JSON.stringify({ roles: many.roles }) };
    expect(await answerOf(guard.fetch("/_auth/admin/users/zoe/sessions", begin))).toMatchObject({ status: 400, body: { code: "bad_request", detail: expect.stringContaining("`roles`") } });
    await named();
    const exchange = loginInit({ password: undefined, id_token: issuer.idToken({ roles: many.roles }) });
    expect(await answerOf(guard.fetch("/_auth/login", exchange))).toMatchObject({ status: 502, body: { code: "issuer_unavailable", detail: expect.stringContaining("too much") } });
    await named();
  });

  test("up to the limit reach an ordinary origin", async () => {
    await using guard = await startGuard({ SIGNING_KEYS: keySet(makeKey("ES256")) });
    const roles = (count: number) => ({ sub: "жук", roles: Array.from({ length: count }, (_, n) => `гр-${n}`) });
    let [least, most] = [0, 400];
    while (most - least > 1) {
      const count = Math.floor((least + most) / 2);
      guard.origin.approvals.set("zoe", roles(count));
      const { status } = await guard.fetch("/_auth/login", loginInit({ username: "zoe" }));
      if (status === 200) least = count;
      else most = count;
    }
    guard.origin.approvals.set("zoe", roles(least));
    const { access_token } = await guard.login("zoe");
    expect((await guard.fetch("/", bearer(access_token))).status).toBe(200);
    const identity = Object.entries(told(guard)).map(([name, value]) => `${name}: ${value}\r\n`).join("");
    expect(identity.length).toBeGreaterThan(7_500);
    expect(identity.length).toBeLessThanOrEqual(8 * 1024);
  });
});

test("headers with similar names pass", async () => {
  await using guard = await startGuard();
  const headers = { ...bearer((await guard.login("ada")).access_token).headers, "x-auth": "a", "not-remote-user": "b", "x-request-id": "c" };
  await guard.fetch("/", { headers });
  expect(guard.origin.received[0]?.headers).toMatchObject({ "x-auth": "a", "not-remote-user": "b", "x-request-id": "c" });
});

const keys = ["ES256", "EdDSA"].map((alg) => makeKey(alg));
