// SESSION_LIMIT and SESSION_LIMIT_POLICY: how many sessions a user may have, and what happens beyond that.

import { describe, expect, test } from "vitest";
import { answerOf, bearer, cookieOf, formInit, loginInit, mint, PHONE, startGuard, useGuard, type Guard, type LoggedIn } from "../harness/guard.ts";

const TABLET = { "user-agent": "Mozilla/5.0 (iPad; CPU OS 18_0 like Mac OS X) Mobile/15E148" };
const DESKTOP = { "user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0" };

type Answer = Awaited<ReturnType<typeof answerOf>>;

const tryLogin = (guard: Guard, fields: Record<string, unknown>, headers = {}) => answerOf(guard.fetch("/_auth/login", loginInit(fields, headers)));
const passes = async (guard: Guard, token: string) => (await guard.fetch("/", bearer(token))).status === 200;
const sids = (answer: Answer) => ((answer.body as { sessions?: { sid: string }[] }).sessions ?? []).map(({ sid }) => sid);

/** How many of these logins passed, and their tokens' sessions that are live. */
async function outcome(guard: Guard, answers: Answer[]) {
  const tokens = answers.filter(({ status }) => status === 200).map(({ body }) => (body as unknown as LoggedIn).access_token);
  const live = await Promise.all(tokens.map((token) => passes(guard, token)));
  return { accepted: tokens.length, live: live.filter(Boolean).length };
}

describe("with the policy deny", () => {
  const guard = useGuard({ SESSION_LIMIT: "2", SESSION_LIMIT_POLICY: "deny" });

  test("refuses the login beyond the limit, and neither shows nor ends the other sessions", async () => {
    const [one, two] = [await guard.login("ada"), await guard.login("ada")];
    const third = await tryLogin(guard, { username: "ada" });
    expect(third).toMatchObject({ status: 409, headers: { "cache-control": "no-store", "content-type": "application/problem+json" }, body: { code: "session_limit" } });
    expect(third.body).not.toHaveProperty("sessions");
    expect(third.headers).not.toHaveProperty("set-cookie");
    expect(await Promise.all([one, two].map(({ access_token }) => passes(guard, access_token)))).toEqual([true, true]);
    await guard.fetch("/_auth/logout", { method: "POST", ...bearer(one.access_token) });
    expect((await tryLogin(guard, { username: "ada" })).status).toBe(200);
  });

  test("ignores `end`", async () => {
    const sessions = [await guard.login("end"), await guard.login("end")];
    const answer = await tryLogin(guard, { username: "end", end: sessions.map(({ session }) => session.sid) });
    expect(answer).toMatchObject({ status: 409, body: { code: "session_limit" } });
  });

  test("answers a wrong password first", async () => {
    await guard.login("wrong");
    await guard.login("wrong");
    expect(await tryLogin(guard, { username: "wrong", password: "x" })).toMatchObject({ status: 401, body: { code: "credentials_invalid" } });
  });

  test("shows the login page again, with the reason", async () => {
    await guard.login("page");
    await guard.login("page");
    const page = await answerOf(guard.fetch("/_auth/login", formInit({ username: "page" })));
    expect(page).toMatchObject({ status: 409, headers: { "content-type": "text/html; charset=utf-8" } });
    expect(page.body).toContain('role="alert"');
    expect(page.body).not.toContain('name="end"');
  });

  test("lets exactly two of a hundred simultaneous logins in, and they stay", async () => {
    const all = await Promise.all(Array.from({ length: 100 }, () => tryLogin(guard, { username: "race" })));
    expect(await outcome(guard, all)).toEqual({ accepted: 2, live: 2 });
    expect(new Set(all.map(({ status }) => status))).toEqual(new Set([200, 409]));
  });
});

describe("with the policy ask", () => {
  const guard = useGuard({ SESSION_LIMIT: "2", SESSION_LIMIT_POLICY: "ask" });

  test("lists the live sessions, and the login is repeated with those to end", async () => {
    const one = await guard.login("ada", PHONE);
    const two = await guard.login("ada", DESKTOP);
    const asked = await tryLogin(guard, { username: "ada" });
    expect(asked).toMatchObject({
      status: 409,
      body: { code: "session_limit", detail: expect.stringContaining("`end`"), sessions: [{ sid: one.session.sid, device: "mobile" }, { sid: two.session.sid, device: "desktop" }] },
    });
    expect(await passes(guard, one.access_token)).toBe(true);
    const again = await tryLogin(guard, { username: "ada", end: [one.session.sid] });
    expect(again).toMatchObject({ status: 200, body: { ended: [{ sid: one.session.sid }] } });
    expect([await passes(guard, one.access_token), await passes(guard, two.access_token)]).toEqual([false, true]);
    const answer = await answerOf(guard.fetch("/", bearer(one.access_token)));
    expect(answer.body).toMatchObject({ code: "session_superseded" });
  });

  test("asks again if the named sessions make no room, and ends nothing", async () => {
    const [mine, other] = [[await guard.login("again"), await guard.login("again")], await guard.login("stranger")];
    for (const end of [[], ["A".repeat(22)], [other.session.sid]]) {
      const answer = await tryLogin(guard, { username: "again", end });
      expect(answer.status).toBe(409);
      expect(sids(answer)).toEqual(mine.map(({ session }) => session.sid));
    }
    for (const { access_token } of [...mine, other]) expect(await passes(guard, access_token)).toBe(true);
  });

  test("ends all that are named, even if one would do", async () => {
    const mine = [await guard.login("all"), await guard.login("all")];
    const named = mine.map(({ session }) => session.sid);
    expect(await tryLogin(guard, { username: "all", end: named })).toMatchObject({ status: 200, body: { ended: named.map((sid) => ({ sid })) } });
  });

  test("asks on the login page, which contains no password, and then logs the user in", async () => {
    const one = await guard.login("page", PHONE);
    await guard.login("page", DESKTOP);
    const page = await answerOf(guard.fetch("/_auth/login", formInit({ username: "page", redirect: "/boats" })));
    expect(page.status).toBe(409);
    expect(page.body).toContain(`name="end" value="${one.session.sid}"`);
    expect(page.body).toContain("Last used just now");
    expect(page.body).toContain('value="/boats"');
    expect(page.body).not.toContain("correct horse");
    const entered = await guard.fetch("/_auth/login", formInit({ username: "page", redirect: "/boats", end: one.session.sid }));
    expect([entered.status, entered.headers.get("location")]).toEqual([303, "/boats"]);
    expect((await guard.fetch("/", { headers: { cookie: cookieOf(entered) } })).status).toBe(200);
  });

  test("keeps the limit when a hundred simultaneous logins end the same session", async () => {
    const [one, two] = [await guard.login("race"), await guard.login("race")];
    const all = await Promise.all(Array.from({ length: 100 }, () => tryLogin(guard, { username: "race", end: [one.session.sid] })));
    expect(await outcome(guard, all)).toEqual({ accepted: 1, live: 1 });
    expect([await passes(guard, one.access_token), await passes(guard, two.access_token)]).toEqual([false, true]);
  });

  test.each(["s", ["a:b"], [7], {}])("refuses `end` when it is %j", async (end) => {
    expect(await tryLogin(guard, { username: "ada", end })).toMatchObject({ status: 400, body: { code: "bad_request", detail: expect.stringContaining("`end`") } });
  });
});

describe("limits by class of device", () => {
  const guard = useGuard({ SESSION_LIMIT: "mobile=1, desktop=2, other=0" });

  test("each class has its own limit, and a class that is not named has a limit of one", async () => {
    const logins = [];
    for (const device of [PHONE, PHONE, DESKTOP, DESKTOP, DESKTOP, TABLET, TABLET, {}, {}, {}]) logins.push(await guard.login("ada", device));
    const live = await Promise.all(logins.map(({ access_token }) => passes(guard, access_token)));
    expect(live).toEqual([false, true, false, true, true, false, true, true, true, true]);
  });

  test("a hundred simultaneous logins leave exactly as many as each class allows", async () => {
    const devices = Array.from({ length: 100 }, (_, i) => (i % 2 ? PHONE : DESKTOP));
    const all = await Promise.all(devices.map((device) => tryLogin(guard, { username: "race" }, device)));
    expect(await outcome(guard, all)).toEqual({ accepted: 100, live: 3 });
  });
});

/** The status and code of a request with this token. */
async function visit(token: string, to: Guard) {
  const { status, body } = await answerOf(to.fetch("/", bearer(token)));
  return typeof body === "string" ? `${status}` : `${status} ${String(body["code"])}`;
}

test("the login response may give a user another limit", async () => {
  await using guard = await startGuard();
  guard.origin.approvals.set("two allowed", { sub: "two allowed", session_limit: 2 });
  const logins = [await guard.login("two allowed"), await guard.login("two allowed"), await guard.login("two allowed")];
  const visits = await Promise.all(logins.map(({ access_token }) => visit(access_token, guard)));
  expect(visits).toEqual(["401 session_superseded", "200", "200"]);
});

describe.each([1, 3])("a hundred simultaneous logins at limit %i", (limit) => {
  test(`leave exactly ${limit} live, and every other one superseded`, { timeout: 60_000 }, async () => {
    await using racing = await startGuard({ SESSION_LIMIT: `${limit}` });
    const logins = await Promise.all(Array.from({ length: 100 }, () => racing.login("racer")));
    const visits = await Promise.all(logins.map(({ access_token }) => visit(access_token, racing)));
    const counts: Record<string, number> = {};
    for (const answer of visits) counts[answer] = (counts[answer] ?? 0) + 1;
    // Beyond twenty tombstones the oldest are forgotten.
    expect(counts).toEqual({
      "200": limit,
      "401 session_superseded": 20,
      "401 session_unknown": 80 - limit,
    });
    const ended = logins.flatMap((login) => login.ended.map(({ sid }) => sid));
    expect([new Set(ended).size, ended.length], "each was ended once").toEqual([100 - limit, 100 - limit]);
  });
});

test("the login endpoint sets limit and policy for a user", async () => {
  await using guard = await startGuard();
  guard.origin.approvals.set("many", { sub: "many", session_limit: 3 });
  guard.origin.approvals.set("phones", { sub: "phones", session_limit: "mobile=2", session_limit_policy: "deny" });
  guard.origin.approvals.set("asked", { sub: "asked", session_limit_policy: "ask" });
  const tokens = [];
  for (let n = 0; n < 4; n += 1) tokens.push((await guard.login("many")).access_token);
  expect(await Promise.all(tokens.map((token) => passes(guard, token)))).toEqual([false, true, true, true]);
  for (const expected of [200, 200, 409]) expect((await tryLogin(guard, { username: "phones" }, PHONE)).status).toBe(expected);
  await guard.login("asked");
  expect(await tryLogin(guard, { username: "asked" })).toMatchObject({ status: 409, body: { sessions: [{ device: "other" }] } });
});

test("with no limit, a hundred simultaneous logins all stay", async () => {
  await using guard = await startGuard({ SESSION_LIMIT: "0", SESSION_LIMIT_POLICY: "deny" });
  const all = await Promise.all(Array.from({ length: 100 }, () => tryLogin(guard, { username: "ada" })));
  expect(await outcome(guard, all)).toEqual({ accepted: 100, live: 100 });
});

test.each<[string, Record<string, string>, string]>([
  ["no hints", {}, "desktop"],
  ["a platform that is Android's", { "sec-ch-ua-platform": '"Android"', "sec-ch-ua-mobile": "?0" }, "tablet"],
  ["the hint of a phone", { "sec-ch-ua-mobile": "?1" }, "mobile"],
  ["a form factor", { "sec-ch-ua-form-factors": '"XR"' }, "other"],
])("the class of a device is detected by %s, too", async (_, hints, device) => {
  await using guard = await startGuard();
  const headers = { "user-agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/145.0.0.0 Safari/537.36", ...hints };
  expect((await guard.login("ada", headers)).session).toMatchObject({ device });
});

describe("the session that a login comes with", () => {
  const cookieFor = async (guard: Guard, username: string, headers = {}) => cookieOf(await guard.fetch("/_auth/login", formInit({ username }, headers)));
  const visit = async (guard: Guard, headers: Record<string, string>) => {
    const { status, body } = await answerOf(guard.fetch("/", { headers }));
    return status === 200 ? "passes" : (body as { code: string }).code;
  };

  test.each(["deny", "ask", "evict-oldest"])("is replaced, whatever the policy: %s", async (policy) => {
    await using guard = await startGuard({ SESSION_LIMIT_POLICY: policy });
    const cookie = await cookieFor(guard, "ada");
    const again = await guard.fetch("/_auth/login", formInit({ username: "ada" }, { cookie }));
    expect([again.status, await visit(guard, { cookie }), await visit(guard, { cookie: cookieOf(again) })]).toEqual([303, "session_superseded", "passes"]);
    const byToken = await tryLogin(guard, { username: "ada" }, { cookie: cookieOf(again) });
    const { access_token, session } = byToken.body as unknown as LoggedIn;
    expect(byToken).toMatchObject({ status: 200 });
    expect(await tryLogin(guard, { username: "ada" }, bearer(access_token).headers)).toMatchObject({ status: 200, body: { ended: [{ sid: session.sid }] } });
  });

  test("is replaced before the oldest, and also if there is room or no limit", async () => {
    for (const limit of ["2", "3", "0"]) {
      await using guard = await startGuard({ SESSION_LIMIT: limit });
      const [oldest, own] = [await guard.login("ada"), await cookieFor(guard, "ada")];
      const again = await guard.fetch("/_auth/login", formInit({ username: "ada" }, { cookie: own }));
      expect([limit, again.status, await passes(guard, oldest.access_token), await visit(guard, { cookie: own })]).toEqual([limit, 303, true, "session_superseded"]);
    }
  });

  test("is replaced also beside the token of an ended session, and by an expired token", async () => {
    await using guard = await startGuard({ SESSION_LIMIT_POLICY: "deny" });
    const gone = await guard.login("ada");
    await guard.fetch("/_auth/logout", { method: "POST", ...bearer(gone.access_token) });
    const cookie = await cookieFor(guard, "ada");
    const again = await tryLogin(guard, { username: "ada" }, { cookie, ...(bearer(gone.access_token).headers as Record<string, string>) });
    expect(again).toMatchObject({ status: 200 });
    const { sid } = (again.body as unknown as LoggedIn).session;
    const expired = await mint({ sub: "ada", sid, iat: 1000, exp: 2000 });
    expect(await tryLogin(guard, { username: "ada" }, { cookie: `__Host-session=${expired}` })).toMatchObject({ status: 200, body: { ended: [{ sid }] } });
  });

  test("is not replaced by a login that fails", async () => {
    await using guard = await startGuard();
    const cookie = await cookieFor(guard, "ada");
    expect((await guard.fetch("/_auth/login", formInit({ username: "ada", password: "wrong" }, { cookie }))).status).toBe(401);
    expect(await visit(guard, { cookie })).toBe("passes");
  });

  test.each<[string, (guard: Guard, live: LoggedIn) => Promise<string> | string]>([
    ["a stranger's token of the same session", async (_, { session }) => (await mint({ sub: "ada", sid: session.sid }, { kid: "other" }))],
    ["a token of no session", () => mint({ sub: "ada" })],
    ["a token of a session that is over", async (guard) => {
      const { access_token } = await guard.login("gone");
      await guard.fetch("/_auth/logout", { method: "POST", ...bearer(access_token) });
      return access_token;
    }],
    ["another user's token", async (guard) => (await guard.login("eve")).access_token],
  ])("makes no room for another login if it is %s", async (_, make) => {
    await using guard = await startGuard({ SESSION_LIMIT_POLICY: "deny" });
    const live = await guard.login("ada");
    const token = await make(guard, live);
    for (const headers of [bearer(token).headers, { cookie: `__Host-session=${token}` }]) {
      expect(await tryLogin(guard, { username: "ada" }, headers)).toMatchObject({ status: 409, body: { code: "session_limit" } });
    }
    expect(await passes(guard, live.access_token)).toBe(true);
  });

  test("is ended if it is another user's and its cookie is replaced, because nobody could use it", async () => {
    await using guard = await startGuard({ SESSION_LIMIT_POLICY: "deny" });
    const cookie = await cookieFor(guard, "ada");
    const next = await cookieFor(guard, "ben", { cookie });
    expect([await visit(guard, { cookie }), await visit(guard, { cookie: next })]).toEqual(["session_revoked", "passes"]);
    expect(await tryLogin(guard, { username: "ada" })).toMatchObject({ status: 200 });
  });

  test("stays if it is another user's and its token came otherwise, or the login fails", async () => {
    await using guard = await startGuard({ SESSION_LIMIT_POLICY: "deny" });
    const { access_token } = await guard.login("ada");
    expect(await tryLogin(guard, { username: "ben" }, bearer(access_token).headers)).toMatchObject({ status: 200 });
    const cookie = await cookieFor(guard, "eve");
    expect(await tryLogin(guard, { username: "ben" }, { cookie })).toMatchObject({ status: 409 });
    expect([await passes(guard, access_token), await visit(guard, { cookie })]).toEqual([true, "passes"]);
  });
});

test.concurrent.each(["deny", "ask"])("with the policy %s, a session whose last token has expired does not count, and a refreshed one does", { timeout: 60_000 }, async (policy) => {
  await using guard = await startGuard({ TOKEN_TTL: "4 seconds", SESSION_LIMIT_POLICY: policy });
  const [lost, kept] = [await guard.login("lost"), await guard.login("kept")];
  expect(await tryLogin(guard, { username: "lost" })).toMatchObject({ status: 409 });
  const began = Date.now();
  await expect.poll(() => Date.now() - began, { timeout: 10_000 }).toBeGreaterThan(2500);
  const refreshed = await answerOf(guard.fetch("/_auth/refresh", { method: "POST", ...bearer(kept.access_token) }));
  expect(refreshed).toMatchObject({ status: 200 });
  const at = Date.now();
  await expect.poll(async () => (await tryLogin(guard, { username: "lost" })).status, { timeout: 30_000, interval: 250 }).toBe(200);
  expect(Date.now() - began, "its token was good for so long").toBeGreaterThan(4000);
  const still = await tryLogin(guard, { username: "kept" });
  expect([still.status, Date.now() - at < 8000]).toEqual(Date.now() - at < 8000 ? [409, true] : [still.status, false]);
  await expect.poll(async () => (await tryLogin(guard, { username: "kept" })).status, { timeout: 30_000, interval: 250 }).toBe(200);
  expect(await answerOf(guard.fetch("/", bearer(lost.access_token)))).toMatchObject({ status: 401 });
});
