// SESSION_TTL_SHORT and "remember", and lifetimes that a login's answer sets for its own session.

import { beforeEach, describe, expect, test } from "vitest";
import { answerOf, bearer, formInit, loginInit, startGuard, useGuard, type LoggedIn } from "../harness/guard.ts";

const MINUTE = 60_000;
const KEY = "k".repeat(40);
const guard = useGuard({
  SESSION_TTL: "30 days",
  SESSION_TTL_SHORT: "8 hours",
  SESSION_LIMIT: "0",
  ADMIN_API_KEY: KEY,
  ROUTES: '[{"path": "/sign-in", "access": "public", "login": true}]',
}, { clock: true });
beforeEach(async () => {
  guard.origin.approvals.clear();
  guard.origin.credentialChecks.length = 0;
  guard.origin.reply = {};
  await guard.fetch("/sign-in", { headers: { "x-clock": "0" } });
});

/** How many hours a session lives. */
const hours = ({ session }: LoggedIn) => (Date.parse(String(session["expires_at"])) - Date.parse(String(session["created_at"]))) / 60 / MINUTE;
const DAYS = 24;
/** Does a cookie outlive the browser? */
const stays = (response: Response) => response.headers.getSetCookie().map((line) => / Max-Age=\d+/.test(line));

describe("the login page", () => {
  test("has a box, which stays checked after a wrong password", async () => {
    const page = async (response: Promise<Response>) => (await response).text();
    expect(await page(guard.fetch("/_auth/login"))).toMatch(/<input type="checkbox" name="remember" value="true"> Keep me signed in/);
    const again = formInit({ username: "ada", password: "wrong", remember: "true" });
    expect(await page(guard.fetch("/_auth/login", again))).toMatch(/<input type="checkbox" name="remember" value="true" checked>/);
    await using usual = await startGuard();
    expect(await page(usual.fetch("/_auth/login"))).not.toContain("remember");
  });

  test("has one box for a password and for providers, whose buttons ask for no password", async () => {
    const github = { provider: "github", client_id: "x", client_secret_name: "HUB_SECRET", subject_prefix: "github|" };
    await using both = await startGuard({ SESSION_TTL_SHORT: "8 hours", HUB_SECRET: "x", TRUSTED_ISSUERS: JSON.stringify([github]) });
    const page = await (await both.fetch("/_auth/login?redirect=/boats")).text();
    expect(page.match(/name="remember"/g)).toHaveLength(1);
    expect(page.match(/<form/g)).toHaveLength(1);
    expect(page).toContain(`formaction="/_auth/login/github" formnovalidate>Sign in with GitHub</button>`);
    const began = await both.fetch("/_auth/login/github", formInit({ username: "", password: "", redirect: "/boats", remember: "true" }));
    expect([began.status, new URL(began.headers.get("location") ?? "").host]).toEqual([303, "github.com"]);
  });

  test.each([[{}, false], [{ remember: "true" }, true]])("with the fields %j sets a cookie that outlives the browser: %s", async (fields, expected) => {
    const response = await guard.fetch("/_auth/login", formInit({ username: "ada", ...fields }));
    expect([response.status, stays(response)]).toEqual([303, [expected]]);
    expect(guard.origin.credentialChecks).toEqual([{ username: "ada", password: expect.any(String) }]);
  });
});

test.each<[object, object, number, boolean]>([
  [{}, {}, 8, false],
  [{ remember: false }, {}, 8, false],
  [{ remember: true }, {}, 30 * DAYS, true],
  [{ remember: true }, { remember: false }, 8, false],
  [{}, { remember: true }, 30 * DAYS, true],
  [{ remember: true }, { session_ttl: "2 days" }, 2 * DAYS, true],
  [{}, { session_ttl: "2 days" }, 8, false],
  [{}, { session_ttl: "1 hour" }, 1, false],
])("JSON with %j, answered with %j, begins a session of %i hours whose cookie outlives the browser: %s", async (fields, answer, expected, persistent) => {
  guard.origin.approvals.set("ada", { sub: "ada", ...answer });
  const response = await guard.fetch("/_auth/login", loginInit({ username: "ada", ...fields }));
  expect([response.status, stays(response)]).toEqual([200, [persistent]]);
  const loggedIn = (await response.json()) as LoggedIn;
  expect(hours(loggedIn)).toBe(expected);
  expect(loggedIn.expires_in).toBe(expected * 60 * 60);
});

test.each<[object, number, boolean]>([
  [{}, 8, false],
  [{ remember: true, session_ttl: "2 days" }, 2 * DAYS, true],
])("the origin's own login with %j begins a session of %i hours whose cookie outlives the browser: %s", async (said, expected, persistent) => {
  guard.origin.reply = { headers: { "x-guard-login": JSON.stringify({ sub: "own", ...said }) } };
  const response = await guard.fetch("/sign-in");
  expect(stays(response)).toEqual([persistent]);
  const [cookie = ""] = (response.headers.getSetCookie()[0] ?? "").split(";");
  const session = await answerOf(guard.fetch("/_auth/session", { headers: { cookie } }));
  expect(hours({ session: session.body } as unknown as LoggedIn)).toBe(expected);
});

test.each<[object, number]>([[{}, 30 * DAYS], [{ remember: false }, 8], [{ session_ttl: "2 days" }, 2 * DAYS]])("a backend's session with %j lives for %i hours", async (body, expected) => {
  const headers = { ...bearer(KEY).headers, "content-type": "application/json" };
  const answer = await answerOf(guard.fetch("/_auth/admin/users/bea/sessions", { method: "POST", headers, body: JSON.stringify(body) }));
  expect([answer.status, hours(answer.body as unknown as LoggedIn)]).toEqual([201, expected]);
});

test("a lifetime beyond SESSION_TTL lets nobody in, and the log says why", async () => {
  for (const member of ["session_ttl", "idle_timeout"]) {
    guard.origin.approvals.set("eve", { sub: "eve", [member]: "31 days" });
    expect(await answerOf(guard.fetch("/_auth/login", loginInit({ username: "eve" })))).toMatchObject({ status: 502 });
    await expect.poll(() => guard.log.join("\n")).toContain(`\`${member}\` must not be longer than SESSION_TTL`);
  }
  const bad = await answerOf(guard.fetch("/_auth/login", loginInit({ username: "eve", remember: "yes" })));
  expect(bad).toMatchObject({ status: 400, body: { detail: "`remember` must be `true` or `false`." } });
});

test("without SESSION_TTL_SHORT, `remember` is a field of the origin's, and every cookie stays", async () => {
  await using usual = await startGuard();
  const response = await usual.fetch("/_auth/login", loginInit({ username: "ada", remember: "yes" }));
  expect([response.status, stays(response)]).toEqual([200, [true]]);
  expect(usual.origin.credentialChecks).toMatchObject([{ username: "ada", remember: "yes" }]);
});

test("an idle timeout of its own ends one session and no other, and only use extends it", async () => {
  const begin = async (sub: string, answer = {}) => {
    guard.origin.approvals.set(sub, { sub, ...answer });
    const { access_token } = (await (await guard.fetch("/_auth/login", loginInit({ username: sub, remember: true }))).json()) as LoggedIn;
    return (path: string, after: number, more = {}) => guard.fetch(path, { headers: { ...bearer(access_token).headers, "x-clock": `${after * MINUTE}`, ...more } });
  };
  const [used, unused, watched, other] = [await begin("used", { idle_timeout: "10 minutes" }), await begin("unused", { idle_timeout: "10 minutes" }), await begin("watched", { idle_timeout: "10 minutes" }), await begin("other")];
  for (let after = 1; after < 40; after += 3) {
    expect([after, (await used("/x", after)).status]).toEqual([after, 200]);
    expect([after, (await watched("/_auth/session", after, { "x-guard-touch": "false" })).status]).toEqual([after, after < 10 ? 200 : 401]);
  }
  expect(await answerOf(unused("/x", 40))).toMatchObject({ status: 401, body: { code: "session_expired" } });
  expect((await other("/x", 40)).status).toBe(200);
  expect(await answerOf(used("/x", 50))).toMatchObject({ status: 401, body: { code: "session_expired" } });
  expect((await other("/x", 50)).status).toBe(200);
});
