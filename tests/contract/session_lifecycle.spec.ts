// One user's sessions: begun, limited, superseded, ended.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { answerOf, bearer, loginInit, mint, startGuard, type Guard } from "../harness/guard.ts";

let guard: Guard;
beforeAll(async () => {
  guard = await startGuard();
});
afterAll(() => guard[Symbol.asyncDispose]());

const PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Mobile/15E148";

/** The status and code of a request with this token. */
async function visit(token: string, to = guard) {
  const { status, body } = await answerOf(to.fetch("/", bearer(token)));
  return typeof body === "string" ? `${status}` : `${status} ${String(body["code"])}`;
}

test("a login opens a session that passes", async () => {
  const login = await guard.login("opens");
  expect(login).toMatchObject({ token_type: "Bearer", expires_in: 7 * 24 * 60 * 60, ended: [] });
  expect(await visit(login.access_token)).toBe("200");
});

test("a second login makes the first token answer session_superseded on its very next request", async () => {
  const first = await guard.login("superseded");
  expect(await visit(first.access_token)).toBe("200");
  const second = await guard.login("superseded", { "user-agent": PHONE });
  const answer = await answerOf(guard.fetch("/", bearer(first.access_token)));
  expect(answer).toMatchObject({
    status: 401,
    headers: {
      "cache-control": "no-store",
      "content-type": "application/problem+json",
      "www-authenticate": expect.stringContaining('error="invalid_token"'),
    },
    body: {
      type: "urn:session-guard:problem:session_superseded",
      title: "A newer login took this session's place",
      status: 401,
      code: "session_superseded",
      detail: expect.stringMatching(/^This session was ended at \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ by a newer login from a phone\.$/),
    },
  });
  expect(second.ended.map(({ sid }) => sid)).toEqual([first.session.sid]);
  expect(await visit(second.access_token)).toBe("200");
  expect(await visit(first.access_token)).toBe("401 session_superseded");
});

test("one user's login does not touch another's session", async () => {
  const one = await guard.login("one");
  await guard.login("two");
  expect(await visit(one.access_token)).toBe("200");
});

test("every login has a session id of its own, of 128 bits", async () => {
  const first = await guard.login("ids");
  const second = await guard.login("ids");
  expect(first.session.sid).toMatch(/^[\w-]{22}$/);
  expect(second.session.sid).not.toBe(first.session.sid);
});

test("a logout ends the session, and its token answers session_revoked", async () => {
  const { access_token } = await guard.login("leaves");
  const answer = await answerOf(guard.fetch("/_auth/logout", { method: "POST", ...bearer(access_token) }));
  expect(answer).toMatchObject({
    status: 204,
    headers: {
      "cache-control": "no-store",
      "clear-site-data": '"storage"',
      "set-cookie": "__Host-session=; Path=/; HttpOnly; Secure; SameSite=Lax; Max-Age=0",
    },
  });
  expect(await visit(access_token)).toBe("401 session_revoked");
});

test("another site's form cannot log its visitor out, with or without the cookie", async () => {
  const { access_token } = await guard.login("stays");
  const told: Record<string, string>[] = [{ "sec-fetch-site": "cross-site" }, { origin: "https://evil.example" }];
  for (const headers of told.flatMap((it) => [it, { ...it, cookie: `__Host-session=${access_token}` }])) {
    const answer = await answerOf(guard.fetch("/_auth/logout", { method: "POST", headers }));
    expect(answer).toMatchObject({ status: 403, body: { code: "cross_site" } });
    expect(answer.headers).not.toHaveProperty("set-cookie");
    expect(answer.headers).not.toHaveProperty("clear-site-data");
  }
  expect(await visit(access_token)).toBe("200");
});

test("a logout with a token that is no good any more is no error", async () => {
  const { access_token } = await guard.login("leaves twice");
  for (const token of [access_token, access_token, "x.y.z"]) {
    const answer = await answerOf(guard.fetch("/_auth/logout", { method: "POST", ...bearer(token) }));
    expect(answer).toMatchObject({ status: 204 });
  }
});

test("a login after a logout opens a session again", async () => {
  const first = await guard.login("returns");
  await guard.fetch("/_auth/logout", { method: "POST", ...bearer(first.access_token) });
  const second = await guard.login("returns");
  expect(second.ended).toEqual([]);
  expect(await visit(second.access_token)).toBe("200");
  expect(await visit(first.access_token)).toBe("401 session_revoked");
});

test("GET session shows the caller's session with its private data", async () => {
  guard.origin.approvals.set("shown", { sub: "shown", data: { theme: "dark", list: [], none: {} } });
  const { access_token, session } = await guard.login("shown", { "user-agent": PHONE });
  const answer = await answerOf(guard.fetch("/_auth/session", bearer(access_token)));
  const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  expect(answer).toMatchObject({
    status: 200,
    headers: { "cache-control": "no-store" },
    body: {
      sid: session.sid,
      created_at: time,
      last_seen_at: time,
      expires_at: time,
      device: "mobile",
      user_agent: PHONE,
      data: { theme: "dark", list: [], none: {} },
    },
  });
});

test("GET session refuses whoever has no live session", async () => {
  const none = await answerOf(guard.fetch("/_auth/session"));
  expect(none).toMatchObject({ status: 401, body: { code: "token_missing" } });
  const first = await guard.login("not shown");
  await guard.login("not shown");
  const stale = await answerOf(guard.fetch("/_auth/session", bearer(first.access_token)));
  expect(stale).toMatchObject({ status: 401, body: { code: "session_superseded" } });
});

test("a token whose session the store has never heard of is refused, and stays refused", async () => {
  const token = await mint({ sub: "never logged in" });
  expect(await visit(token)).toBe("401 session_unknown");
  expect(await visit(token)).toBe("401 session_unknown");
});

test("a session belongs to its own user only", async () => {
  const { session } = await guard.login("owner");
  const token = await mint({ sub: "thief", sid: session.sid });
  expect(await visit(token)).toBe("401 session_unknown");
});

test("LOGOUT_ALL_SESSIONS ends every session of the user", async () => {
  await using all = await startGuard({ LOGOUT_ALL_SESSIONS: "true", SESSION_LIMIT: "0" });
  const [first, second, other] = [await all.login("ada"), await all.login("ada"), await all.login("bob")];
  await all.fetch("/_auth/logout", { method: "POST", ...bearer(first.access_token) });
  expect(await visit(second.access_token, all)).toBe("401 session_revoked");
  expect(await visit(other.access_token, all)).toBe("200");
});

test("the origin's answer may give a user another limit", async () => {
  guard.origin.approvals.set("two allowed", { sub: "two allowed", session_limit: 2 });
  const logins = [await guard.login("two allowed"), await guard.login("two allowed"), await guard.login("two allowed")];
  const visits = await Promise.all(logins.map(({ access_token }) => visit(access_token)));
  expect(visits).toEqual(["401 session_superseded", "200", "200"]);
});

describe.each([1, 3])("a hundred racing logins at limit %i", (limit) => {
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

test("a check never recreates an ended session, however many race with its end", async () => {
  await using sliding = await startGuard({ SESSION_IDLE_TIMEOUT: "2 seconds" });
  const { access_token, session } = await sliding.login("raced");
  const visits = { before: [] as string[], after: [] as string[] };
  let ended = false;
  const visitor = async () => {
    while (visits.after.length < 30) {
      const when = ended ? "after" : "before";
      visits[when].push(await visit(access_token, sliding));
    }
  };
  const visitors = Array.from({ length: 8 }, visitor);
  const seen = async () => {
    const { body } = await answerOf(sliding.fetch("/_auth/session", bearer(access_token)));
    return (body as Record<string, unknown>)["last_seen_at"];
  };
  await expect.poll(seen, { message: "checks move the idle deadline", timeout: 10_000 }).not.toBe(session["created_at"]);
  const logout = await sliding.fetch("/_auth/logout", { method: "POST", ...bearer(access_token) });
  ended = true;
  expect(logout.status).toBe(204);
  await Promise.all(visitors);
  expect(new Set(visits.after)).toEqual(new Set(["401 session_revoked"]));
  expect(["200", "401 session_revoked"]).toEqual(expect.arrayContaining([...new Set(visits.before)]));
});

const HOSTILE_SUBS = [
  "a:b", "guard:YWRh", ":", "users", ".users", "{a}", "a{b}c", "{}", "*", "?", "[a-z]",
  "a\nb", "a\r\nX-Auth-Request-User: root", "\t", "\u0000", "a\u0000b", " a", "a ", "a  b", "%00", "a%2Fb", "a/b", "../a", "..",
  "'; DROP TABLE session; --", '"', "\\", "\\u0000", "$1", "__proto__", "constructor", "health", "user:a",
  "é", "e\u0301", "日本語", "👩‍👩‍👧", "\u202eadmin", "\ufeffa", "\u{10ffff}", "\u007f", "\u0085", "\u2028",
  "ADA", "ada", "a".repeat(1024), "é".repeat(512), "𝒳".repeat(256), ":".repeat(1024), "\n".repeat(1024),
];

test("a sub of separators, braces, newlines, 1 KB or any Unicode reaches nobody else's session and breaks nothing", { timeout: 60_000 }, async () => {
  for (const [index, sub] of HOSTILE_SUBS.entries()) guard.origin.approvals.set(`hostile ${index}`, { sub });
  const login = (_: string, index: number) => guard.login(`hostile ${index}`);
  const first = await Promise.all(HOSTILE_SUBS.map(login));
  for (const [index, { access_token }] of first.entries()) {
    const sub = HOSTILE_SUBS[index] ?? "";
    guard.origin.received.length = 0;
    expect([sub, await visit(access_token)]).toEqual([sub, "200"]);
    const user = guard.origin.received[0]?.headers["x-auth-request-user"];
    expect(decodeURIComponent(String(user))).toBe(sub);
  }
  const second = await Promise.all(HOSTILE_SUBS.map(login));
  for (const [index, { access_token, ended }] of second.entries()) {
    const sids = [HOSTILE_SUBS[index], ended.map(({ sid }) => sid)];
    expect(sids).toEqual([HOSTILE_SUBS[index], [first[index]?.session.sid]]);
    expect(await visit(access_token)).toBe("200");
  }
});

test.each([
  ["longer than 1 KB", "a".repeat(1025)],
  ["empty", ""],
])("a sub that is %s is refused, and nobody is logged in", async (_, sub) => {
  guard.origin.approvals.set("unusable", { sub });
  const answer = await answerOf(guard.fetch("/_auth/login", loginInit({ username: "unusable" })));
  expect(answer).toMatchObject({ status: 502, body: { code: "origin_unavailable" } });
  expect(answer.headers).not.toHaveProperty("set-cookie");
});
