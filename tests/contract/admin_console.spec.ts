// The admin console, as an admin without JavaScript uses it. In Chromium: browser/admin_console.spec.ts.

import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { adminApi, eventually, KEY } from "../harness/admin_api.ts";
import { answerOf, cookieOf, formInit, startGuard, type Guard } from "../harness/guard.ts";

const ACCOUNT = "0123456789abcdef0123456789abcdef";
const READ = "sessions:read";
const ALL = "sessions:read sessions:revoke-admins";
/** What a list of sessions or a page of a user must not run. */
const HOSTILE = '"><img src=x onerror=alert(1)>\u202e/../?#%2F';

/** Analytics Engine's SQL API, which answers what `rows` has. */
const sql = { asked: [] as { url: string; authorization: string; query: string }[], status: 200, rows: [] as object[] };
let server: Server;
let guard: Guard;
beforeAll(async () => {
  server = createServer(async (request, response) => {
    let query = "";
    for await (const chunk of request as AsyncIterable<Buffer>) query += chunk.toString();
    sql.asked.push({ url: request.url ?? "", authorization: request.headers.authorization ?? "", query });
    response.writeHead(sql.status).end(JSON.stringify({ data: sql.rows, rows: sql.rows.length }));
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  guard = await startGuard(
    {
      ADMIN_API_KEY: KEY,
      SESSION_LIMIT: "0",
      ANALYTICS_ACCOUNT_ID: ACCOUNT,
      ANALYTICS_API_TOKEN: "analytics-token",
      ANALYTICS_DATASET: "my_dataset",
      ANALYTICS_API_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v4`,
    },
    { clock: true },
  );
});
afterAll(async () => {
  await guard[Symbol.asyncDispose]();
  server.close();
});

const { visit, createSession, call } = adminApi(() => guard);
const NAVIGATION = { accept: "text/html", "sec-fetch-mode": "navigate", "sec-fetch-site": "same-origin", "sec-fetch-dest": "document" };
const plain = (html: string) => html.replaceAll(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code))).replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&quot;", '"').replaceAll("&amp;", "&");

/** Somebody with these scopes who uses the console in a browser. */
async function admin(sub: string, scope: string) {
  guard.origin.approvals.set(sub, { sub, claims: { scope } });
  const cookie = cookieOf(await guard.fetch("/_auth/login", formInit({ username: sub })));
  const open = async (path = "", headers: Record<string, string> = {}) => {
    const { status, headers: got, body } = await answerOf(guard.fetch(`/_auth/admin${path}`, { headers: { ...NAVIGATION, cookie, ...headers } }));
    return { status, headers: got, text: plain(String(body)), html: String(body) };
  };
  const proofOn = async (path: string) => / name="proof" value="([^"]+)"/.exec((await open(path)).html)?.[1] ?? "";
  const send = async (path: string, fields: Record<string, string>, headers: Record<string, string> = {}) => {
    const { status, headers: got, body } = await answerOf(
      guard.fetch(`/_auth/admin${path}`, { method: "POST", headers: { ...NAVIGATION, cookie, ...headers }, body: new URLSearchParams(fields) }),
    );
    return { status, headers: got, html: String(body), text: plain(String(body)), code: (body as { code?: string }).code };
  };
  return { cookie, open, proofOn, send };
}

/** The users that a page lists, in its order. */
const listed = (html: string) => [...html.matchAll(/<a href="\/_auth\/admin\/users\/([^"]+)"/g)].map(([, name = ""]) => decodeURIComponent(name));
/** The fields of the last form of a page. */
const fieldsOf = (html: string) =>
  Object.fromEntries([...(html.split("<form").pop() ?? "").matchAll(/<(?:input type="hidden"|button) name="([^"]*)" value="([^"]*)"/g)].map(([, name = "", value = ""]) => [name, plain(value)]));
const pathOf = (sub: string) => `/users/${encodeURIComponent(sub).replaceAll(".", "%2E")}`;

describe("who may see the console", () => {
  test("nobody without a session, nobody without the scope, and no API key", async () => {
    const { status, headers } = await answerOf(guard.fetch("/_auth/admin", { headers: NAVIGATION }));
    expect({ status, to: headers["location"] }).toEqual({ status: 302, to: "/_auth/login?redirect=/_auth/admin" });
    const nobody = await admin("nobody", "openid");
    const revoker = await admin("only revoker", "sessions:revoke-admins");
    for (const path of ["", "/users/ada", "/end"]) {
      expect([path, (await nobody.open(path)).status, (await revoker.open(path)).status]).toEqual([path, 403, 403]);
      const { status } = await answerOf(guard.fetch(`/_auth/admin${path}`, { headers: { authorization: `Bearer ${KEY}` } }));
      expect([path, status]).toEqual([path, 401]);
    }
  });

  test("a reader sees users and no buttons, and forms of the reader's do nothing", async () => {
    const { access_token, session } = await guard.login("seen by a reader");
    const reader = await admin("reader", READ);
    const page = await reader.open(pathOf("seen by a reader"));
    expect(page.text).toContain(session.sid);
    expect(page.html).not.toMatch(/<button/);
    expect((await reader.open()).html).not.toContain("/admin/end");
    expect((await reader.open("/end")).status).toBe(403);
    const root = await admin("root of reader", ALL);
    // The proof of another session, and even one's own would not help.
    const proof = await root.proofOn(pathOf("seen by a reader"));
    for (const fields of [{ end: session.sid }, { do: "end-all" }, { do: "block" }]) {
      expect((await reader.send(pathOf("seen by a reader"), { ...fields, proof })).status).toBe(403);
    }
    expect(await visit(access_token)).toBe("passes");
  });
});

test("lists everybody who is signed in once, page by page, also by how their names begin", { timeout: 60_000 }, async () => {
  const names = [...Array.from({ length: 45 }, (_, i) => `list-${i}`), "list", "lis", "list\u00e9", "LIST-1", "lisu"];
  await Promise.all(names.map((name) => guard.login(name)));
  await guard.login("list-7");
  const root = await admin("root of lists", ALL);
  const pages = async (query: string) => {
    const all: string[] = [];
    for (let path = query; ; ) {
      const { html } = await root.open(path);
      const users = listed(html);
      expect(users.length).toBeLessThanOrEqual(21);
      expect(users, "each page in the order of the names").toEqual([...users].sort());
      all.push(...users);
      const next = / href="\/_auth\/admin([^"]+)" rel="next"/.exec(html)?.[1];
      if (next === undefined) return all;
      path = plain(next);
    }
  };
  const begin = (start: string) => names.filter((name) => name.startsWith(start)).sort();
  const found = async (start: string) => (await pages(`?q=${encodeURIComponent(start)}`)).sort();
  await eventually(() => found("list")).toEqual(begin("list"));
  for (const start of ["l", "li", "lis", "list-", "list-1", "list-44", "list\u00e9", "LIST"]) {
    expect([start, (await found(start)).filter((name) => name !== start)]).toEqual([start, begin(start).filter((name) => name !== start)]);
  }
  const everybody = await pages("");
  expect(everybody.filter((name) => names.includes(name)).sort()).toEqual([...names].sort());
  expect(new Set(everybody).size).toBe(everybody.length);
  // A user who is not signed in is found by the whole name.
  const { html, text } = await root.open("?q=nobody-at-all");
  expect(listed(html)).toEqual(["nobody-at-all"]);
  expect(text).toContain("Not signed in");
  expect((await root.open("?cursor=*")).status).toBe(400);
});

test("a user's page ends one session, all, and blocks, with the proof of the page alone", async () => {
  const sub = "managed/user";
  const [one, two, three] = [await guard.login(sub), await guard.login(sub), await guard.login(sub)];
  const root = await admin("root of users", ALL);
  const path = pathOf(sub);
  const proof = await root.proofOn(path);
  const visits = () => Promise.all([one, two, three].map(({ access_token }) => visit(access_token)));
  const end = { end: one.session.sid };
  for (const forged of ["", "A".repeat(43), await (await admin("other root", ALL)).proofOn(path)]) {
    expect(await root.send(path, { ...end, proof: forged })).toMatchObject({ status: 403 });
  }
  expect(await root.send(path, { ...end, proof }, { "sec-fetch-site": "cross-site" })).toMatchObject({ status: 403 });
  expect(await root.send(path, end)).toMatchObject({ status: 403 });
  expect(await visits()).toEqual(["passes", "passes", "passes"]);

  expect(await root.send(path, { ...end, proof })).toMatchObject({ status: 303, headers: { location: "/_auth/admin/users/managed%2Fuser?ended=1" } });
  expect(await visits()).toEqual(["session_revoked", "passes", "passes"]);
  expect((await root.open(`${path}?ended=1`)).text).toContain("1 session was ended.");
  expect(await root.send(path, { ...end, proof })).toMatchObject({ headers: { location: "/_auth/admin/users/managed%2Fuser?ended=0" } });
  expect(await root.send(path, { do: "end-all", proof })).toMatchObject({ headers: { location: "/_auth/admin/users/managed%2Fuser?ended=2" } });
  expect(await visits()).toEqual(["session_revoked", "session_revoked", "session_revoked"]);
  const after = await root.open(path);
  expect(after.text).toContain("Not signed in");
  expect(after.text).toContain("Ended recently");

  expect(await root.send(path, { do: "block", reason: "<b>spam", for: "1 day", proof })).toMatchObject({ status: 303 });
  const blocked = await root.open(path);
  expect(blocked.text).toContain("Reason: <b>spam");
  expect(blocked.html).not.toContain("<b>spam");
  await expect(guard.login(sub)).rejects.toThrow("403");
  expect(await root.send(path, { do: "unblock", proof })).toMatchObject({ status: 303 });
  await guard.login(sub);
  expect(await root.send(path, { do: "nothing", proof })).toMatchObject({ status: 400 });
});

test("nobody blocks themselves, and who may not end admins' sessions ends none", async () => {
  const ender = await admin("ender", "sessions:read sessions:revoke");
  const root = await admin("root of all", ALL);
  const own = await root.proofOn(pathOf("root of all"));
  expect((await root.open(pathOf("root of all"))).html).not.toContain('value="block"');
  expect(await root.send(pathOf("root of all"), { do: "block", proof: own })).toMatchObject({ status: 403 });
  await guard.login("plain user");
  const proof = await ender.proofOn(pathOf("plain user"));
  expect((await ender.open(pathOf("root of all"))).text).toContain("You cannot end sessions of admins.");
  for (const fields of [{ do: "end-all" }, { do: "block" }]) {
    expect(await ender.send(pathOf("root of all"), { ...fields, proof })).toMatchObject({ status: 403 });
  }
  expect((await root.open()).status).toBe(200);
  expect(await ender.send(pathOf("plain user"), { do: "end-all", proof })).toMatchObject({ status: 303 });
});

test("many sessions are counted first, and end as they were counted, part by part", { timeout: 60_000 }, async () => {
  const names = Array.from({ length: 30 }, (_, i) => `many-${i}`);
  const logins = await Promise.all(names.map((name) => guard.login(name)));
  const root = await admin("root of many", ALL);
  const proof = await root.proofOn("/end");
  const users = [...names, "root of many"].join("\r\n");
  const answers: Awaited<ReturnType<typeof root.send>>[] = [];
  const run = async (fields: Record<string, string>) => {
    for (let form = fields; answers.length < 20; form = fieldsOf(answers.at(-1)?.html ?? "")) {
      const answer = await root.send("/end", form);
      expect(answer.status).toBe(200);
      answers.push(answer);
      if (!answer.html.includes("data-go-on")) return answer;
    }
    throw new Error("it does not end");
  };
  const counted = await run({ proof, users, devices: "other", do: "count" });
  expect(answers.length).toBeGreaterThan(1);
  expect(counted.text).toContain("Would end: 30 sessions (30 users).");
  expect(counted.text).toContain("Among them: many-");
  const late = await guard.login("many-0");
  expect(await visit(logins[0]?.access_token ?? "")).toBe("passes");
  const ended = await run(fieldsOf(counted.html));
  expect(ended.text).toContain("Ended: 30 sessions (30 users).");
  expect(new Set(await Promise.all(logins.map(({ access_token }) => visit(access_token))))).toEqual(new Set(["session_revoked"]));
  expect(await visit(late.access_token)).toBe("passes");
  expect((await root.open()).status).toBe(200);
  const wrong = await root.send("/end", { proof, all: "true", idle_days: "3" });
  expect(wrong).toMatchObject({ status: 400, html: expect.stringContaining('value="3"') });
  expect(await root.send("/end", { all: "true", do: "end" })).toMatchObject({ status: 403 });
});

test("names and user agents are shown as they are, and run nothing", async () => {
  const userAgent = '<script>alert(1)</script>"\' onload=x';
  const { body } = await createSession(HOSTILE, { user_agent: userAgent });
  const root = await admin("root of hostile", ALL);
  const page = await root.open(pathOf(HOSTILE));
  expect(page.status).toBe(200);
  expect(page.text).toContain(userAgent);
  expect(page.html).not.toMatch(/<script>|<img/);
  // What turns around the text behind it is not shown: one name could look like another.
  expect(page.html).not.toContain("\u202e");
  expect(page.headers["content-security-policy"]).toMatch(/^default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'$/);
  expect(page.headers).toMatchObject({ "cache-control": "no-store", vary: "Accept-Language" });
  await eventually(async () => listed((await root.open(`?q=${encodeURIComponent(HOSTILE.slice(0, 8))}`)).html)).toContain(HOSTILE);
  const proof = await root.proofOn(pathOf(HOSTILE));
  expect(await root.send(pathOf(HOSTILE), { end: (body as unknown as { session: { sid: string } }).session.sid, proof })).toMatchObject({ status: 303 });
  const long = "x".repeat(1024);
  await createSession(long, {});
  expect((await root.open(pathOf(long))).status).toBe(200);
});

test("shows rights, in every language, and does not count as use when a script asks", async () => {
  await createSession("with rights", {});
  await call("users/with%20rights", { method: "PATCH", headers: { "content-type": "application/json" }, body: '{"rights":{"roles":["editor"]}}' });
  const root = await admin("root of rights", ALL);
  expect((await root.open(pathOf("with rights"))).text).toContain('{"roles":["editor"]}');
  for (const [language, word] of [["en", "Who is signed in"], ["de", "Wer angemeldet ist"], ["es", "Quién tiene la sesión iniciada"], ["fr", "Qui est connecté"]] as const) {
    const { text, headers } = await root.open("", { "accept-language": language, "x-guard-touch": "false" });
    expect([headers["content-language"], text.includes(word)]).toEqual([language, true]);
  }
});

test("shows how often requests were refused, as the dataset tells, and asks once a minute", async () => {
  const root = await admin("root of counts", ALL);
  let clock = 120_000;
  const later = () => ({ "x-clock": String((clock += 61_000)) });
  sql.rows = [{ code: "token_expired", requests: "1234", last: new Date(Date.now() + clock).toISOString().slice(0, 19).replace("T", " ") }, { code: "access_denied", requests: 7 }];
  const { text } = await root.open("", later());
  expect(text).toMatch(/token_expired<\/code><\/td><td>1,234<\/td>/);
  expect(text).toContain("access_denied");
  expect(sql.asked.at(-1)).toEqual({ url: `/v4/accounts/${ACCOUNT}/analytics_engine/sql`, authorization: "Bearer analytics-token", query: expect.stringContaining("FROM my_dataset") });
  const asked = sql.asked.length;
  await root.open();
  expect(sql.asked.length).toBe(asked);
  sql.status = 403;
  expect((await root.open("", later())).text).toContain("The numbers cannot be read right now.");
  expect(guard.log.filter((line) => line.includes("refusal_counts_not_read") && line.includes("ANALYTICS_API_TOKEN")).length).toBe(1);
  expect(guard.log.join("\n")).not.toContain("analytics-token");
  Object.assign(sql, { status: 200, rows: [{ code: "<script>", requests: 1 }] });
  expect((await root.open("", later())).text).toContain("The numbers cannot be read right now.");
  await guard.fetch("/_auth/health", { headers: { "x-clock": "0" } });
});
