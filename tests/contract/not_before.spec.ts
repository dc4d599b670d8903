// NOT_BEFORE: nothing issued before that moment is good.

import { expect, test } from "vitest";
import { adminApi, KEY, sessionsOf, startGuardWithKey } from "../harness/admin_api.ts";
import { answerOf, bearer, cookieOf, loginInit, mint, startGuard } from "../harness/guard.ts";

test("what was issued before the moment is refused everywhere, and can still be logged out", async () => {
  // The clock passes the moment when the test says so.
  const moment = new Date(Math.ceil(Date.now() / 1000) * 1000 + 30_000);
  await using guard = await startGuardWithKey({ NOT_BEFORE: moment.toISOString() }, { clock: true });
  const { call } = adminApi(() => guard);
  const login = await guard.fetch("/_auth/login", loginInit({ username: "early" }));
  const cookie = cookieOf(login);
  const { access_token, session } = (await login.json()) as { access_token: string; session: { sid: string } };
  const refused = { status: 401, body: { code: "token_invalid", detail: expect.stringContaining("Log in again") } };
  const later = { "x-clock": "31000" };
  const withToken = { ...bearer(access_token).headers, ...later };
  expect(await answerOf(guard.fetch("/", { headers: withToken }))).toMatchObject(refused);
  for (const [method, path] of [["POST", "refresh"], ["GET", "session"], ["GET", "sessions"], ["POST", "logout?scope=others"], ["GET", "admin/users"]] as const) {
    expect(await answerOf(guard.fetch(`/_auth/${path}`, { method, headers: withToken })), path).toMatchObject(refused);
  }
  const introspect = { method: "POST", headers: { ...bearer(KEY).headers, ...later }, body: new URLSearchParams({ token: access_token }) };
  expect(await answerOf(guard.fetch("/_auth/introspect", introspect))).toMatchObject({ status: 200, body: { active: false } });
  const navigation = { headers: { cookie, "sec-fetch-mode": "navigate", ...later } };
  const page = await guard.fetch("/boats", navigation);
  expect([page.status, page.headers.get("location")]).toEqual([302, "/_auth/login?redirect=/boats&reason=token_invalid"]);
  // As another service with the key might, or a refresh before the deployment.
  const iat = Math.floor(moment.getTime() / 1000);
  const refreshed = await mint({ sub: "early", sid: session.sid, jti: "other", iat, exp: iat + 600 });
  expect(await answerOf(guard.fetch("/", { headers: { ...bearer(refreshed).headers, ...later } })), "a refreshed token").toMatchObject(refused);

  const live = async () => (await call(sessionsOf("early"))).body;
  expect(await live()).toMatchObject({ sessions: [{ sid: session.sid }] });
  const logout = await guard.fetch("/_auth/logout?scope=global", { method: "POST", headers: { cookie, "sec-fetch-site": "same-origin", ...later } });
  expect([logout.status, logout.headers.get("set-cookie")]).toEqual([204, expect.stringContaining("Max-Age=0")]);
  expect(await live()).toMatchObject({ sessions: [] });

  const again = await guard.login("early", later);
  for (let time = 0; time < 3; time++) {
    expect((await guard.fetch("/", { headers: { ...bearer(again.access_token).headers, ...later } })).status).toBe(200);
  }
});

test("a moment in the future stops every request, and the log says why", async () => {
  await using guard = await startGuard({ NOT_BEFORE: new Date(Date.now() + 3_600_000).toISOString() });
  expect(await answerOf(guard.fetch("/"))).toMatchObject({ status: 500, body: { code: "misconfigured" } });
  expect(guard.log.join()).toContain("NOT_BEFORE: ");
  expect(guard.log.join()).toContain("lies in the future");
});
