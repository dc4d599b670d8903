// A user's session from login to logout: it begins, is superseded or ended, and belongs to nobody else.

import { expect, test } from "vitest";
import { answerOf, bearer, loginInit, mint, PHONE, startGuard, useGuard } from "../harness/guard.ts";

const guard = useGuard();

/** The status and code of a request with this token. */
async function visit(token: string, to = guard) {
  const { status, body } = await answerOf(to.fetch("/", bearer(token)));
  return typeof body === "string" ? `${status}` : `${status} ${String(body["code"])}`;
}

test("a login begins a session that passes", async () => {
  const login = await guard.login("opens");
  expect(login).toMatchObject({ token_type: "Bearer", expires_in: 7 * 24 * 60 * 60, ended: [] });
  expect(await visit(login.access_token)).toBe("200");
});

test("a second login makes the first token get session_superseded on its next request", async () => {
  const first = await guard.login("superseded");
  expect(await visit(first.access_token)).toBe("200");
  const second = await guard.login("superseded", PHONE);
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

test("every login gets its own session id of 128 bits", async () => {
  const first = await guard.login("ids");
  const second = await guard.login("ids");
  expect(first.session.sid).toMatch(/^[\w-]{22}$/);
  expect(second.session.sid).not.toBe(first.session.sid);
});

test("a login after a logout begins a new session", async () => {
  const first = await guard.login("returns");
  await guard.fetch("/_auth/logout", { method: "POST", ...bearer(first.access_token) });
  const second = await guard.login("returns");
  expect(second.ended).toEqual([]);
  expect(await visit(second.access_token)).toBe("200");
  expect(await visit(first.access_token)).toBe("401 session_revoked");
});

test("a token whose session the store does not know is refused, and stays refused", async () => {
  const token = await mint({ sub: "never logged in" });
  expect(await visit(token)).toBe("401 session_unknown");
  expect(await visit(token)).toBe("401 session_unknown");
});

test("a session belongs to its own user only", async () => {
  const { session } = await guard.login("owner");
  const token = await mint({ sub: "thief", sid: session.sid });
  expect(await visit(token)).toBe("401 session_unknown");
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

test("a sub with separators, braces, newlines, 1 KB or any Unicode reaches no other user's session and breaks nothing", { timeout: 60_000 }, async () => {
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
