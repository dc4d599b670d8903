// `max_age` and `acr` in a rule of ROUTES: the login behind a session must be fresh, or strong, enough.

import { beforeEach, expect, test } from "vitest";
import { answerOf, bearer, cookieOf, formInit, useGuard } from "../harness/guard.ts";
import { refusalOf } from "../harness/websocket.ts";

const ROUTES = [
  { path: "/pay/*", access: "session", max_age: "5 minutes" },
  { path: "/wire/*", access: "session", acr: ["mfa", "key"] },
  { path: "/staff/*", access: "session", roles: ["staff"], max_age: "5 minutes" },
];
const guard = useGuard({ ROUTES: JSON.stringify(ROUTES), TOKEN_TTL: "1 hour", SESSION_LIMIT: "0", OVERLAP_SAFE_REQUESTS: "true" }, { clock: true });
const at = (minutes: number) => ({ "x-clock": String(minutes * 60_000) });
const REFUSED = { status: 401, body: { code: "insufficient_user_authentication" } };

beforeEach(async () => {
  await guard.fetch("/_auth/health", { headers: at(0) });
  guard.origin.received.length = 0;
});

test("a path that asks for a fresh login refuses an older one, also when the decision is cached, until the user has logged in again", async () => {
  const first = cookieOf(await guard.fetch("/_auth/login", formInit({ username: "payer" })));
  const visit = (path: string, minutes: number, headers: Record<string, string> = {}, cookie = first) => answerOf(guard.fetch(path, { headers: { cookie, ...at(minutes), ...headers } }));
  for (let time = 0; time < 4; time++) expect(await visit("/pay/x", 4)).toMatchObject({ status: 200 });
  guard.origin.received.length = 0;
  const old = await visit("/pay/x", 6);
  expect(old).toMatchObject({
    ...REFUSED,
    headers: { "cache-control": "no-store", "www-authenticate": expect.stringMatching(/^Bearer error="insufficient_user_authentication", error_description="[^"]+", max_age="300"$/) },
  });
  expect(await visit("/pay/y", 6, { "sec-fetch-mode": "cors" })).toMatchObject(REFUSED);
  expect(await refusalOf(`${guard.url}/pay/socket`, { cookie: first, origin: guard.url, ...at(6) })).toMatchObject(REFUSED);
  expect(guard.origin.received, "nothing has reached the origin").toEqual([]);
  expect(await visit("/boats", 6), "other paths").toMatchObject({ status: 200 });

  const navigation = await visit("/pay/x?a=1", 6, { "sec-fetch-mode": "navigate" });
  const page = navigation.headers["location"] ?? "";
  expect([navigation.status, page]).toEqual([302, expect.stringMatching(/^\/_auth\/login\?redirect=.*&reason=insufficient_user_authentication$/)]);
  const shown = await visit(page, 6);
  expect(shown, "a live session is not sent away").toMatchObject({ status: 200, body: expect.stringContaining("To go on, please sign in again.") });
  const again = await guard.fetch("/_auth/login", formInit({ username: "payer", redirect: "/pay/x?a=1" }, { cookie: first, ...at(6) }));
  expect([again.status, again.headers.get("location")]).toEqual([303, "/pay/x?a=1"]);
  expect(await visit("/pay/x", 10, {}, cookieOf(again))).toMatchObject({ status: 200 });
  expect(await visit("/pay/x", 10), "the old session has ended").toMatchObject({ body: { code: "session_superseded" } });
});

test("a refresh makes no login fresher, and what the token says of it counts", async () => {
  const seconds = Math.floor(Date.now() / 1000);
  guard.origin.approvals.set("strong", { sub: "strong", claims: { acr: "key", auth_time: seconds - 240 } });
  const { access_token } = await guard.login("strong");
  const visit = async (token: string, path: string, minutes: number) => (await guard.fetch(path, { headers: { ...bearer(token).headers, ...at(minutes) } })).status;
  expect([await visit(access_token, "/pay/x", 0), await visit(access_token, "/pay/x", 2), await visit(access_token, "/wire/x", 2)]).toEqual([200, 401, 200]);
  const refreshed = await answerOf(guard.fetch("/_auth/refresh", { method: "POST", headers: { ...bearer(access_token).headers, ...at(2) } }));
  const { access_token: newer } = refreshed.body as { access_token: string };
  expect([await visit(newer, "/pay/x", 2), await visit(newer, "/wire/x", 2)]).toEqual([401, 200]);
  const weak = await guard.login("weak", at(2));
  const refused = await answerOf(guard.fetch("/wire/x", bearer(weak.access_token)));
  expect(refused).toMatchObject({ ...REFUSED, headers: { "www-authenticate": expect.stringContaining('acr_values="mfa key"') } });
  expect(await answerOf(guard.fetch("/staff/x", { headers: { ...bearer(weak.access_token).headers, ...at(20) } })), "a login would be for nothing").toMatchObject({ status: 403, body: { code: "access_denied" } });
});
