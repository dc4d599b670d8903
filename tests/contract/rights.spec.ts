// Rights that change at once: roles, scopes and claims that the admin API sets count on the next request, whatever the
// token says.

import { decodeJwt } from "jose";
import { beforeEach, describe, expect, test } from "vitest";
import { adminApi, KEY, sessionsOf } from "../harness/admin_api.ts";
import { answerOf, bearer, startGuard, useGuard, type LoggedIn } from "../harness/guard.ts";

const ROUTES = JSON.stringify([
  { path: "/admin/*", access: "session", roles: ["admin"] },
  { path: "/reports", access: "session", scopes: ["reports:read"] },
]);
const SETTINGS = { ADMIN_API_KEY: KEY, SESSION_LIMIT: "0", ROUTES };
const guard = useGuard(SETTINGS);
beforeEach(() => {
  guard.origin.received.length = 0;
});

const { call, remove, withScope } = adminApi(() => guard);

/** Changes rights: of a user, or of one session. */
const patch = (path: string, body: object, credential = KEY, at = guard) =>
  call(path, { method: "PATCH", headers: { "content-type": "application/merge-patch+json" }, body: JSON.stringify(body) }, credential, at);
const patchUser = (sub: string, rights: object | null, at = guard) => patch(`users/${sub}`, { rights }, KEY, at);
const patchSession = (sub: string, { session }: LoggedIn, rights: object | null, at = guard) => patch(`${sessionsOf(sub)}/${session.sid}`, { rights }, KEY, at);

let users = 0;
/** Logs in a new user whose token says this. */
async function logIn(approval: object = { roles: ["admin"] }, at = guard) {
  const sub = `user-${(users += 1)}`;
  at.origin.approvals.set(sub, { sub, ...approval });
  return { sub, login: await at.login(sub) };
}

/** How many requests make sure that a cached decision has followed another. */
const OFTEN = 4;

/** What comes of a request, each of the times that it is sent, and which groups the origin is told of. */
async function visits(login: LoggedIn, path: string, at = guard) {
  at.origin.received.length = 0;
  const codes = new Set<unknown>();
  for (let n = 0; n < OFTEN; n += 1) {
    const { status, body } = await answerOf(at.fetch(path, bearer(login.access_token)));
    codes.add(status === 200 ? "passes" : (body as { code: string }).code);
  }
  const groups = new Set(at.origin.received.map(({ headers }) => headers["x-auth-request-groups"]));
  return [...codes, ...groups].join(", ");
}

describe("a session's rights", () => {
  test("count from the next request on, in both directions, and the token counts again without them", async () => {
    const { sub, login } = await logIn({ roles: ["admin"], claims: { plan: "free" } });
    expect([await visits(login, "/x"), await visits(login, "/admin/x"), await visits(login, "/reports")]).toEqual(["passes, admin", "passes, admin", "access_denied"]);
    const answer = await patchSession(sub, login, { roles: ["crew", "b,c"], scopes: ["reports:read"], claims: { plan: null, team: "1" } });
    expect(answer).toMatchObject({ status: 200, body: { sid: login.session.sid, rights: { roles: ["crew", "b,c"], scopes: ["reports:read"], claims: { plan: null, team: "1" } } } });
    expect([await visits(login, "/x"), await visits(login, "/admin/x"), await visits(login, "/reports")]).toEqual(["passes, crew,b%2Cc", "access_denied", "passes, crew,b%2Cc"]);
    const { headers = {} } = guard.origin.received.at(-1) ?? {};
    expect(headers).toMatchObject({ "x-auth-request-claim-scope": "reports:read", "x-auth-request-claim-team": "1" });
    expect(headers).not.toHaveProperty("x-auth-request-claim-plan");
    expect(await patchSession(sub, login, { roles: [] })).toMatchObject({ body: { rights: { roles: [], scopes: ["reports:read"] } } });
    expect([await visits(login, "/x"), await visits(login, "/reports")]).toEqual(["passes, ", "passes, "]);
    expect((await patchSession(sub, login, null)).body).not.toHaveProperty("rights");
    expect([await visits(login, "/x"), await visits(login, "/admin/x"), await visits(login, "/reports")]).toEqual(["passes, admin", "passes, admin", "access_denied"]);
    expect(guard.origin.received.at(-1)?.headers ?? {}).not.toHaveProperty("x-auth-request-claim-team");
  });

  test("are one session's, or all of the user's, now and later: the last change counts", async () => {
    const { sub, login: first } = await logIn();
    const second = await guard.login(sub);
    await patchSession(sub, first, { roles: ["one"] });
    expect([await visits(first, "/x"), await visits(second, "/x")]).toEqual(["passes, one", "passes, admin"]);
    const answer = await patchUser(sub, { roles: ["all"] });
    expect(answer).toMatchObject({ status: 200, body: { sub, rights: { roles: ["all"] }, sessions: [{ rights: { roles: ["all"] } }, { rights: { roles: ["all"] } }] } });
    const third = await guard.login(sub);
    expect([await visits(first, "/x"), await visits(second, "/x"), await visits(third, "/x")]).toEqual(Array(3).fill("passes, all"));
    expect(await visits((await logIn()).login, "/x"), "another user").toBe("passes, admin");
    await patchSession(sub, first, { roles: null });
    expect([await visits(first, "/x"), await visits(third, "/x")]).toEqual(["passes, admin", "passes, all"]);
    expect((await patchUser(sub, null)).body).not.toHaveProperty("rights");
    expect(await visits(await guard.login(sub), "/x")).toBe("passes, admin");
  });

  test("are carried on by a refresh, whose token goes on saying what the first one said", async () => {
    const { sub, login } = await logIn();
    await patchUser(sub, { roles: [] });
    const refreshed = (await answerOf(guard.fetch("/_auth/refresh", { method: "POST", ...bearer(login.access_token) }))).body as unknown as LoggedIn;
    expect(decodeJwt(refreshed.access_token)).toMatchObject({ roles: ["admin"] });
    expect(await visits(refreshed, "/admin/x")).toBe("access_denied");
    await patchUser(sub, null);
    expect(await visits(refreshed, "/admin/x")).toBe("passes, admin");
  });

  test("are what services, the user and admins are told", async () => {
    const { sub, login } = await logIn({ claims: { scp: ["a"] }, roles: ["admin"] });
    await patchSession(sub, login, { roles: [], scopes: ["b", "c"] });
    const token = new URLSearchParams({ token: login.access_token });
    const { body } = await answerOf(guard.fetch("/_auth/introspect", { method: "POST", ...bearer(KEY), body: token }));
    expect(body).toMatchObject({ active: true, sub, roles: [], scope: "b c" });
    expect(body).not.toHaveProperty("scp");
    const rights = { roles: [], scopes: ["b", "c"] };
    expect((await answerOf(guard.fetch("/_auth/session", bearer(login.access_token)))).body).toMatchObject({ rights });
    expect((await call(sessionsOf(sub))).body).toMatchObject({ sub, sessions: [{ rights }] });
  });

  test("make and unmake an admin from the next call on", async () => {
    const admin = await withScope("was-admin", "sessions:read");
    const helper = await withScope("helper", "sessions:revoke");
    expect([(await call("users", {}, admin)).status, (await remove(sessionsOf("was-admin"), helper)).status]).toEqual([200, 403]);
    await patchUser("was-admin", { scopes: [] });
    expect(await call("users", {}, admin)).toMatchObject({ status: 403, body: { code: "access_denied" } });
    const { sub, login } = await logIn();
    await patchUser(sub, { scopes: ["sessions:read"] });
    expect(await call("users", {}, login.access_token)).toMatchObject({ status: 200 });
    expect(await remove(sessionsOf(sub), helper), "protected now").toMatchObject({ status: 403 });
    expect(await remove(sessionsOf("was-admin"), helper), "and protected no more").toMatchObject({ status: 200, body: { ended: 1 } });
  });
});

describe("a change of rights", () => {
  test("needs the key, whatever scopes a token has", async () => {
    const all = await withScope("all-scopes", "sessions:read sessions:revoke sessions:revoke-admins");
    const { sub, login } = await logIn();
    for (const path of [`users/${sub}`, `${sessionsOf(sub)}/${login.session.sid}`, "users/all-scopes"]) {
      expect(await patch(path, { rights: { scopes: ["sessions:revoke-admins"] } }, all)).toMatchObject({ status: 403, body: { code: "access_denied" } });
    }
    expect(await patch(`users/${sub}`, { rights: null }, login.access_token)).toMatchObject({ status: 403 });
    expect(await visits(login, "/admin/x")).toBe("passes, admin");
  });

  test.each<[string, object | string, string]>([
    ["no rights", {}, "rights: is required"],
    ["roles beside them", { rights: { roles: [] }, roles: [] }, "roles: unknown member"],
    ["roles in place of them", { roles: [] }, "roles: unknown member; expected `rights` alone"],
    ["a misspelt member", { rights: { role: [] } }, "rights.role: unknown member"],
    ["a scope with a space", { rights: { scopes: ["a b"] } }, "rights.scopes[0]: expected a scope"],
    ["a claim of the guard's", { rights: { claims: { sid: "x" } } }, "rights.claims.sid: is the guard's to set"],
    ["too much for the origin", { rights: { claims: { note: "é".repeat(1000) }, roles: ["é".repeat(500)] } }, "`note` is the largest"],
  ])("is refused with %s, and says what to change", async (_, body, why) => {
    const { sub, login } = await logIn();
    const answer = await patch(`users/${sub}`, body as object);
    expect(answer).toMatchObject({ status: 400, body: { code: "bad_request" } });
    expect((answer.body as { detail: string }).detail).toContain(why);
    expect(await visits(login, "/admin/x")).toBe("passes, admin");
  });

  test("finds no session that is over or another user's, and leaves private data alone", async () => {
    const { sub, login } = await logIn();
    expect(await patchSession("somebody-else", login, { roles: [] })).toMatchObject({ status: 404 });
    const path = `${sessionsOf(sub)}/${login.session.sid}`;
    expect(await patch(path, { roles: ["in the data"] })).toMatchObject({ status: 200, body: { data: { roles: ["in the data"] } } });
    expect(await visits(login, "/x")).toBe("passes, admin");
    expect(await patch(path, { rights: { roles: [] }, plan: "paid" })).toMatchObject({ status: 400 });
    await remove(path);
    expect(await patchSession(sub, login, { roles: [] })).toMatchObject({ status: 404 });
  });

  test("does not let out a response that was asked for with the earlier rights", async () => {
    await using ahead = await startGuard({ ...SETTINGS, OVERLAP_SAFE_REQUESTS: "true" });
    const { sub, login } = await logIn({ roles: ["admin"] }, ahead);
    for (const path of ["/admin/x", "/x"]) expect(await visits(login, path, ahead)).toBe("passes, admin");
    await patchSession(sub, login, { roles: ["crew"] }, ahead);
    ahead.origin.received.length = 0;
    ahead.origin.reply = { headers: { "x-guard-login": '{"sub":"root"}' }, body: "for the admin" };
    expect(JSON.stringify(await answerOf(ahead.fetch("/admin/x", bearer(login.access_token))))).toContain("access_denied");
    // Each answer of the origin says for whom it is.
    ahead.origin.reply = { stream: (response) => void response.end(String(ahead.origin.received.at(-1)?.headers["x-auth-request-groups"])) };
    for (let n = 0; n < OFTEN; n += 1) expect(await answerOf(ahead.fetch("/x", bearer(login.access_token)))).toMatchObject({ status: 200, body: "crew" });
    const told = ahead.origin.received.filter(({ target }) => target === "/x").map(({ headers }) => headers["x-auth-request-groups"]);
    expect(told.slice(-OFTEN), "and is asked once for each, once the rights are known").toEqual(Array(OFTEN).fill("crew"));
    await patchSession(sub, login, null, ahead);
    expect(await visits(login, "/admin/x", ahead)).toBe("passes, admin");
  });
});
