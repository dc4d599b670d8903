// An application with an identity provider of its own, put behind the guard by settings alone: docs/tutorial-provider.md.

import { afterAll, beforeAll, expect, test } from "vitest";
import { adminApi, KEY, sessionsOf } from "../harness/admin_api.ts";
import { answerOf, bearer, startGuard, useGuard, type Guard } from "../harness/guard.ts";
import type { HttpBrowser } from "../harness/http_browser.ts";
import { APPLICATION, startOidcProvider, type OidcProvider } from "../harness/oidc_provider.ts";

const RESOURCE = "https://app.example.com";

let provider: OidcProvider;
beforeAll(async () => {
  provider = await startOidcProvider();
});
afterAll(() => provider[Symbol.asyncDispose]());

/** The settings that put it behind the guard. */
const settings = () => ({
  TRUSTED_ISSUERS: JSON.stringify([provider.entry(RESOURCE)]),
  ROUTES: JSON.stringify([{ path: "/bridge", access: "session", roles: ["captain"] }]),
  ADMIN_API_KEY: KEY,
  LOGIN_URL: undefined,
});
const guard = useGuard(settings);
beforeAll(() => provider.register({ backchannel_logout_uri: `${guard.url}/_auth/backchannel-logout`, backchannel_logout_session_required: true }, APPLICATION));

const { call } = adminApi(() => guard);
/** Logs a user in to the application, in a new browser unless one is given. */
const logIn = (user: string, browser?: HttpBrowser) => provider.logIn(user, { clientId: APPLICATION, resource: RESOURCE }, browser);

/** What comes of a request with this token: "passes", or the code of its refusal. */
async function visit(token: string, path = "/boats", where: Guard = guard) {
  const { status, body } = await answerOf(where.fetch(path, bearer(token)));
  return status === 200 ? "passes" : (body as { code: string }).code;
}

/** Waits until a second has begun: tokens tell the time of their login in whole ones. */
const passed = (second: number) => expect.poll(() => Date.now(), { interval: 20 }).toBeGreaterThan(second * 1000);

test("a second browser's first request ends the first, whose tokens stay refused, though they are good for an hour", async () => {
  const first = await logIn("ada");
  expect(await answerOf(guard.fetch("/boats", bearer(first.accessToken)))).toMatchObject({ status: 200 });
  expect(guard.origin.received.at(-1)?.headers).toMatchObject({ "x-auth-request-user": "ada", authorization: `Bearer ${first.accessToken}` });
  const second = await logIn("ada");
  expect(await visit(first.accessToken), "until the other makes a request").toBe("passes");

  expect(await visit(second.accessToken)).toBe("passes");
  expect(await visit(first.accessToken)).toBe("session_superseded");
  const refreshed = await first.refresh();
  expect([await visit(refreshed), await visit(await first.refresh())]).toEqual(["session_superseded", "session_superseded"]);
  expect([await visit(second.accessToken), await visit(await second.refresh())]).toEqual(["passes", "passes"]);
  const silent = await logIn("ada", first.browser);
  expect(await visit(silent.accessToken), "in the same session at the provider").toBe("session_superseded");

  await provider.logOut(first.browser);
  const anew = await logIn("ada", first.browser);
  expect([await visit(anew.accessToken), await visit(second.accessToken)]).toEqual(["passes", "session_superseded"]);
  expect((await call(sessionsOf("ada"))).body).toMatchObject({ sessions: [{ device: "other" }] });
});

test("a logout at the provider ends the session on its next request", async () => {
  const { accessToken, browser } = await logIn("ben");
  expect(await visit(accessToken)).toBe("passes");
  await provider.logOut(browser);
  expect(await visit(accessToken)).toBe("session_revoked");
  expect(provider.failures).toEqual([]);
});

test("a logout at the provider keeps out a session that the guard has never seen", async () => {
  const { accessToken, browser } = await logIn("una");
  await provider.logOut(browser);
  expect(await visit(accessToken)).toBe("session_revoked");
});

test("a role that is taken away is gone on the next request, whatever new tokens say, until it is given back", async () => {
  provider.roles.set("cleo", ["captain"]);
  const login = await logIn("cleo");
  expect(await visit(login.accessToken, "/bridge")).toBe("passes");
  const change = (rights: object | null) =>
    call("users/cleo", { method: "PATCH", headers: { "content-type": "application/merge-patch+json" }, body: JSON.stringify({ rights }) });
  expect((await change({ roles: [] })).status).toBeLessThan(300);
  expect([await visit(login.accessToken, "/bridge"), await visit(login.accessToken)]).toEqual(["access_denied", "passes"]);
  expect(await visit(await login.refresh(), "/bridge")).toBe("access_denied");
  expect((await change({ roles: null })).status).toBeLessThan(300);
  expect(await visit(login.accessToken, "/bridge")).toBe("passes");
});

test("a user who is blocked is out on the next request, and no new login helps, until it is lifted", async () => {
  const login = await logIn("dan");
  expect(await visit(login.accessToken)).toBe("passes");
  const block = (method: string, body?: object) =>
    call("users/dan/block", { method, ...(body ? { headers: { "content-type": "application/json" }, body: JSON.stringify(body) } : {}) });
  expect((await block("PUT", { reason: "chargeback" })).status).toBeLessThan(300);
  expect(await visit(login.accessToken)).toBe("session_revoked");
  await passed(Math.floor(Date.now() / 1000) + 1);
  const another = await logIn("dan");
  expect(await visit(another.accessToken)).toBe("user_blocked");
  expect((await block("DELETE")).status).toBeLessThan(300);
  expect(await visit(another.accessToken)).toBe("passes");
  expect(await visit(login.accessToken), "its session was ended").toBe("session_revoked");
});

test("with NOT_BEFORE, what was issued before is refused, and a new login passes", async () => {
  const before = await logIn("eve");
  const { iat } = JSON.parse(Buffer.from(before.accessToken.split(".")[1] ?? "", "base64url").toString()) as { iat: number };
  await passed(iat + 1);
  await using later = await startGuard({ ...settings(), NOT_BEFORE: new Date((iat + 1) * 1000).toISOString() });
  expect(await visit(before.accessToken, "/boats", later)).toBe("token_invalid");
  expect(await visit(await before.refresh(), "/boats", later), "of a session from before").not.toBe("passes");
  const after = await logIn("eve");
  expect(await visit(after.accessToken, "/boats", later)).toBe("passes");
});
