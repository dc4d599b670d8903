// POST admin/sessions/end: ends sessions by what they have in common, or says which it would end.

import { describe, expect, test } from "vitest";
import { adminApi, eventually, KEY } from "../harness/admin_api.ts";
import { answerOf, bearer, cookieOf, formInit, PHONE, useGuard } from "../harness/guard.ts";

const guard = useGuard({ ADMIN_API_KEY: KEY, SESSION_LIMIT: "0", SESSION_IDLE_TIMEOUT: "10 minutes" }, { clock: true });
const { call, visit, withScope } = adminApi(() => guard);

interface Answer { ended?: number; would_end?: number; users?: { sub: string; sids: string[] }[]; spared: number; done: boolean; cursor?: string }

const end = (body: object | string, credential = KEY, headers: Record<string, string> = {}) =>
  call("sessions/end", { method: "POST", headers: { "content-type": "application/json", ...headers }, body: typeof body === "string" ? body : JSON.stringify(body) }, credential);
const ends = async (body: object, credential = KEY) => {
  const answer = await end(body, credential);
  expect(answer).toMatchObject({ status: 200, headers: { "cache-control": "no-store" } });
  return answer.body as unknown as Answer;
};
/** All pages together. */
async function pages(body: object, credential = KEY) {
  const all: Answer[] = [];
  for (let cursor: string | undefined; ; ) {
    const answer = await ends({ ...body, ...(cursor === undefined ? {} : { cursor }) }, credential);
    all.push(answer);
    if (answer.done) return all;
    expect(answer.cursor).toBeDefined();
    cursor = answer.cursor;
  }
}

describe("sessions end by what they have in common", () => {
  test.each<[string, object, string[]]>([
    ["a list of users", { users: ["ab", "ab", "nobody"] }, ["ab phone", "ab desktop"]],
    ["a class of device, of one user", { users: ["a"], devices: ["mobile"] }, ["a phone"]],
    ["two criteria that no session meets", { users: ["a", "ab"], issuers: ["https://idp.example"] }, []],
    ["an idle time", { users: ["a", "ab"], idle_longer_than: "4 minutes" }, ["a desktop", "ab phone", "ab desktop"]],
    ["a class of device, of everybody", { devices: ["mobile", "tablet"] }, ["a phone", "ab phone"]],
    ["a moment, of everybody", { created_before: "BETWEEN" }, ["a phone", "a desktop"]],
  ])("%s ends what it says and nothing else, as the dry run said", async (_, criteria, expected) => {
    await guard.fetch("/_auth/health", { headers: { "x-clock": "0" } });
    await pages({ all: true });
    const tokens = new Map<string, string>();
    const sids = new Map<string, string>();
    let between = "";
    for (const sub of ["a", "ab"]) {
      if (sub === "ab") {
        between = new Date(Date.now() + 60_000).toISOString();
        await guard.fetch("/_auth/health", { headers: { "x-clock": "120000" } });
      }
      for (const [device, headers] of [["phone", PHONE], ["desktop", { "user-agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140" }]] as const) {
        const { access_token, session } = await guard.login(sub, headers);
        tokens.set(`${sub} ${device}`, access_token);
        sids.set(session.sid, `${sub} ${device}`);
      }
    }
    // Used after five minutes, when the others have been idle for that long or for three.
    await guard.fetch("/", { headers: { ...bearer(tokens.get("a phone") ?? "").headers, "x-clock": "480000" } });
    await eventually(async () => (await call("stats")).body).toEqual({ users: 2, sessions: 4 });
    const body = JSON.parse(JSON.stringify(criteria).replace("BETWEEN", between)) as object;
    const said = await pages({ ...body, dry_run: true, limit: 1 });
    const named = said.flatMap(({ users = [] }) => users.flatMap(({ sub, sids: all }) => all.map((sid) => [sub, sids.get(sid)])));
    expect(named.map(([, name]) => name).sort()).toEqual([...expected].sort());
    for (const [sub, name] of named) expect(name?.split(" ")[0]).toBe(sub);
    expect(said.reduce((sum, it) => sum + (it.would_end ?? NaN), 0)).toBe(expected.length);
    const visits = async () => Object.fromEntries(await Promise.all([...tokens].map(async ([name, token]) => [name, await visit(token)] as const)));
    const done = await pages({ ...body, limit: 1 });
    expect(done.reduce((sum, it) => sum + (it.ended ?? NaN), 0)).toBe(expected.length);
    expect(done.every((it) => it.users === undefined && it.spared === 0)).toBe(true);
    expect(await visits()).toEqual(Object.fromEntries([...tokens.keys()].map((name) => [name, expected.includes(name) ? "session_revoked" : "passes"])));
    expect((await pages(body)).reduce((sum, it) => sum + (it.ended ?? NaN), 0), "once more, as after a lost answer").toBe(0);
  });
});

test("admins are spared without the right to end them, a dry run needs the right to see, and the caller stays", async () => {
  await guard.fetch("/_auth/health", { headers: { "x-clock": "0" } });
  await pages({ all: true });
  const ender = await withScope("ender", "sessions:revoke");
  const reader = await withScope("reader", "sessions:read sessions:revoke");
  const root = await withScope("root", "sessions:revoke-admins");
  const { access_token: user } = await guard.login("user");
  const users = ["user", "ender", "reader", "root"];
  expect(await end({ users, dry_run: true }, ender)).toMatchObject({ status: 403, body: { code: "access_denied", detail: expect.stringContaining("sessions:read") } });
  expect(await ends({ users, dry_run: true }, reader)).toMatchObject({ would_end: 1, users: [{ sub: "user" }], spared: 3 });
  expect(await end({ users }, user)).toMatchObject({ status: 403 });
  expect(await visit(user)).toBe("passes");
  expect(await ends({ users }, ender)).toMatchObject({ ended: 1, spared: 3, done: true });
  expect([await visit(user), await visit(ender), await visit(reader)]).toEqual(["session_revoked", "passes", "passes"]);
  expect(await ends({ users, devices: ["other"], dry_run: true })).toMatchObject({ would_end: 3, spared: 0 });
  expect(await ends({ users }, root)).toMatchObject({ ended: 2, spared: 0, done: true });
  expect([await visit(ender), await visit(reader), await visit(root)]).toEqual(["session_revoked", "session_revoked", "passes"]);
});

test("what names no session, or comes from another site, ends none", async () => {
  const { access_token } = await guard.login("stays");
  for (const body of ["", "{}", "[]", '{"users":[]}', '{"user":["stays"]}', '{"all":false}', '{"all":true,"cursor":"*"}', '{"all":true,"limit":0}', '{"devices":["phone"]}']) {
    expect([body, await end(body)]).toMatchObject([body, { status: 400, body: { code: "bad_request", detail: expect.stringMatching(/\w/) } }]);
  }
  expect(await end('{"all":true}', KEY, { "content-type": "text/plain" })).toMatchObject({ status: 400 });
  expect(await end(JSON.stringify({ users: Array.from({ length: 9000 }, (_, i) => `user-${i}`) }))).toMatchObject({ status: 400 });
  guard.origin.approvals.set("chief", { sub: "chief", claims: { scope: "sessions:revoke-admins" } });
  const cookie = cookieOf(await guard.fetch("/_auth/login", formInit({ username: "chief" })));
  const forged = { method: "POST", headers: { cookie, "content-type": "application/json", "sec-fetch-site": "cross-site" }, body: '{"all":true}' };
  expect(await answerOf(guard.fetch("/_auth/admin/sessions/end", forged))).toMatchObject({ status: 403, body: { code: "cross_site" } });
  expect(await answerOf(guard.fetch("/_auth/admin/sessions/end", { method: "POST", headers: { "content-type": "application/json" }, body: '{"all":true}' }))).toMatchObject({ status: 401 });
  expect(await call("sessions/end")).toMatchObject({ status: 405, headers: { allow: "POST" } });
  expect(await visit(access_token)).toBe("passes");
});
