// The guard renews the cookie's token on the way of an ordinary request. No page and no client here has code for it:
// they keep cookies, and nothing else.

import { decodeJwt } from "jose";
import { beforeEach, describe, expect, inject, test } from "vitest";
import { gunzipSync, gzipSync } from "node:zlib";
import { answerOf, bearer, cookieOf, formInit, mint, startGuard, useGuard, type Guard } from "../harness/guard.ts";

const isRedis = inject("store") === "redis";
const MINUTE = 60_000;
const ROUTES = JSON.stringify([
  { path: "/public/*", access: "public" },
  { path: "/optional/*", access: "optional" },
  { path: "/staff/*", access: "session", roles: ["staff"] },
  { path: "/sign-in", access: "session", login: true },
]);
const SETTINGS = { TOKEN_TTL: "15 minutes", SESSION_LIMIT: "0", ROUTES };

/** A browser's jar for one site, whose requests come so many milliseconds after the first. */
function makeJar(guard: Guard, cookie = "") {
  const jar = {
    cookie,
    /** The `Set-Cookie` lines of the session cookie, one for each renewal. */
    renewals: [] as string[],
    async fetch(path: string, after?: number, init: RequestInit = {}) {
      const clock = after === undefined ? {} : { "x-clock": `${after}` };
      const response = await guard.fetch(path, { ...init, headers: { ...init.headers, ...clock, cookie: jar.cookie } });
      const line = sessionLine(response);
      if (line !== undefined) [jar.cookie = ""] = (jar.renewals.push(line), line.split(";"));
      return response;
    },
  };
  return jar;
}
const sessionLine = (response: Response) => response.headers.getSetCookie().find((line) => line.startsWith("__Host-session="));
const tokenIn = (cookie: string) => cookie.slice(cookie.indexOf("=") + 1).split(";")[0] ?? "";

describe("over hours", () => {
  const guard = useGuard({ ...SETTINGS, SESSION_TTL: "3 hours" }, { clock: true });

  /** A request after 8 minutes, which the origin answers when it is released. */
  async function startSlow(cookie: string) {
    let release = (): void => undefined;
    guard.origin.reply = { after: () => new Promise<void>((resume) => (release = resume)) };
    const received = guard.origin.received.length;
    const slow = guard.fetch("/slow", { headers: { cookie, "x-clock": `${8 * MINUTE}` } });
    await expect.poll(() => guard.origin.received.length).toBe(received + 1);
    guard.origin.reply = {};
    return { slow, release: () => release() };
  }

  const enter = async (name: string) => {
    await guard.fetch("/public/x", { headers: { "x-clock": "0" } });
    return makeJar(guard, cookieOf(await guard.fetch("/_auth/login", formInit({ username: name }))));
  };

  test("somebody who visits a page now and then stays signed in until the session ends, and no longer", async () => {
    const jar = await enter("lasting");
    const sid = decodeJwt(tokenIn(jar.cookie))["sid"];
    guard.log.length = guard.origin.received.length = 0;
    for (let after = 0; after < 180; after += 9) expect([after, (await jar.fetch("/page", after * MINUTE)).status]).toEqual([after, 200]);
    expect(jar.renewals.length).toBeGreaterThanOrEqual(18);
    expect(new Set(guard.origin.received.map(({ headers }) => headers["x-auth-request-session"]))).toEqual(new Set([sid]));
    expect(guard.log.filter((line) => line.includes("session.refreshed")).length).toBe(jar.renewals.length);
    // Never for longer than the session, and the last token of a session is not renewed.
    const last = decodeJwt(tokenIn(jar.cookie));
    const [, age = ""] = /Max-Age=(\d+)$/.exec(jar.renewals.at(-1) ?? "") ?? [];
    expect(Number(age)).toBeLessThanOrEqual(15 * 60);
    const ends = Math.floor((Number(last.exp) * 1000 - Date.now()) / MINUTE);
    expect(ends).toBeLessThanOrEqual(180);
    expect((await jar.fetch("/page", 179 * MINUTE)).status).toBe(200);
    expect(await answerOf(jar.fetch("/page", 181 * MINUTE))).toMatchObject({ status: 401 });
  });

  test("a token in the first half of its life is not renewed, and the answer is the origin's", async () => {
    const jar = await enter("young");
    guard.origin.reply = { headers: { "cache-control": "public, max-age=60" } };
    for (const after of [0, 1, 2, 3, 4, 5, 6, 7]) {
      expect((await jar.fetch("/asset.js", after * MINUTE)).headers.get("cache-control")).toBe("public, max-age=60");
    }
    expect(jar.renewals).toEqual([]);
    // Although the decision about this very request is cached by now.
    expect((await jar.fetch("/asset.js", 8 * MINUTE)).headers.get("cache-control")).toBe("no-store");
    expect(jar.renewals).toHaveLength(1);
    for (const after of [9, 10, 11]) expect((await jar.fetch("/asset.js", after * MINUTE)).status).toBe(200);
    expect(jar.renewals).toHaveLength(1);
    guard.origin.reply = {};
  });

  test("a browser that loses every answer stays signed in as long as its token lasts, and can go on", async () => {
    const jar = await enter("losing");
    const old = jar.cookie;
    for (const after of [8, 9, 10, 12, 14]) {
      expect((await jar.fetch("/x", after * MINUTE)).status).toBe(200);
      jar.cookie = old;
    }
    expect(new Set(jar.renewals.map((line) => decodeJwt(tokenIn(line)).jti)).size).toBe(1);
    await jar.fetch("/x", 14 * MINUTE);
    for (const after of [15, 20, 25]) expect((await jar.fetch("/x", after * MINUTE)).status).toBe(200);
  });

  test.each([
    ["it was renewed again meanwhile", true, false],
    ["nobody has renewed since", false, true],
  ])("a late answer sets the cookie only if that is still the newest: %s", async (_, isReplaced, isSet) => {
    const jar = await enter("late");
    const { slow, release } = await startSlow(jar.cookie);
    if (isReplaced) {
      for (const after of [8, 9, 17, 18]) expect((await jar.fetch("/x", after * MINUTE)).status).toBe(200);
      expect(new Set(jar.renewals).size).toBe(2);
    } else {
      await guard.fetch("/public/x", { headers: { "x-clock": `${10 * MINUTE}` } });
    }
    release();
    const answer = await slow;
    expect(answer.status).toBe(200);
    expect(sessionLine(answer) !== undefined).toBe(isSet);
    expect((await jar.fetch("/x", 18 * MINUTE)).status).toBe(isReplaced ? 200 : 401);
  });

  test("a logout while a renewal's answer is on its way leaves the browser without a cookie", async () => {
    const jar = await enter("leaves");
    const { slow, release } = await startSlow(jar.cookie);
    const left = await jar.fetch("/_auth/logout", 8 * MINUTE + 5000, { method: "POST", headers: { "sec-fetch-site": "same-origin" } });
    expect(sessionLine(left)).toMatch(/Max-Age=0$/);
    release();
    const answer = await slow;
    expect([answer.status, answer.headers.getSetCookie()]).toEqual([401, []]);
  });

  test("an idle session ends, whatever its token's age", async () => {
    await using idle = await startGuard({ ...SETTINGS, SESSION_IDLE_TIMEOUT: "5 minutes" }, { clock: true });
    await idle.fetch("/public/x", { headers: { "x-clock": "0" } });
    const jar = makeJar(idle, cookieOf(await idle.fetch("/_auth/login", formInit({ username: "idle" }))));
    for (const after of [4, 8, 12, 16]) expect((await jar.fetch("/x", after * MINUTE)).status).toBe(200);
    expect(jar.renewals.length).toBe(2);
    expect(await answerOf(jar.fetch("/x", 22 * MINUTE))).toMatchObject({ status: 401, body: { code: "session_expired" } });
    expect(jar.renewals.length).toBe(2);
  });
});

describe("an answer", () => {
  const guard = useGuard(SETTINGS);
  beforeEach(() => {
    guard.origin.reply = {};
  });

  /** The cookie of a new session, with a token that is past half of its life. */
  const aged = async (name = "ada", on: Guard = guard) => {
    const { session } = await on.login(name);
    const now = Math.floor(Date.now() / 1000);
    return `__Host-session=${await mint({ sub: name, sid: session.sid, jti: "old", iat: now - 600, exp: now + 300 })}`;
  };
  /** What sets the cookie of this session anew. */
  const RENEWED = /^__Host-session=[\w-]+\.[\w-]+\.[\w-]+; Path=\/; HttpOnly; Secure; SameSite=Lax; Max-Age=(8\d\d|900)$/;

  test.each<[string, RequestInit, object, object]>([
    ["a page", { headers: { "sec-fetch-mode": "navigate" } }, {}, { status: 200, body: "the origin's answer" }],
    ["an asset for shared caches", {}, { headers: { "cache-control": "public, s-maxage=600", "cdn-cache-control": "max-age=600", "surrogate-control": "max-age=600" } }, { status: 200 }],
    ["a stream", {}, { stream: (response: { write(text: string): void; end(text: string): void }) => (response.write("one "), setTimeout(() => response.end("two"), 50)) }, { status: 200, body: "one two" }],
    ["a refusal of the origin's", {}, { status: 403, body: "not you" }, { status: 403, body: "not you" }],
    ["a failure of the origin's", { method: "POST", body: "x", headers: { "sec-fetch-site": "same-origin" } }, { status: 500 }, { status: 500 }],
    ["a redirect", {}, { status: 302, headers: { location: "/next" } }, { status: 302, headers: { location: "/next" } }],
    ["the answer to HEAD", { method: "HEAD" }, { headers: { etag: '"1"' } }, { status: 200, headers: { etag: '"1"' } }],
    ["an answer that nothing has changed", { headers: { "if-none-match": '"1"' } }, { status: 304, headers: { etag: '"1"' } }, { status: 304, headers: { etag: '"1"' } }],
    ["a part", { headers: { range: "bytes=0-3" } }, { status: 206, headers: { "content-range": "bytes 0-3/9" }, body: "part" }, { status: 206, body: "part", headers: { "content-range": "bytes 0-3/9" } }],
    ["an answer without a body", {}, { status: 204 }, { status: 204 }],
    ["an answer to somebody where everybody may", {}, {}, { status: 200 }],
  ])("%s carries the new cookie, and nobody keeps it", async (name, init, reply, expected) => {
    guard.origin.reply = { ...reply, headers: { ...(reply as { headers?: object }).headers, "set-cookie": "theme=dark" } };
    const headers = { ...init.headers, cookie: await aged() };
    const response = await guard.fetch(name.endsWith("may") ? "/optional/x" : "/x", { ...init, headers });
    const cookies = response.headers.getSetCookie();
    const answer = await answerOf(response);
    expect(answer).toMatchObject(expected);
    expect(answer.headers).toMatchObject({ "cache-control": "no-store" });
    for (const name of ["cdn-cache-control", "surrogate-control"]) expect(answer.headers).not.toHaveProperty(name);
    expect([cookies[0], cookies.at(-1)]).toEqual(["theme=dark", expect.stringMatching(RENEWED)]);
  });

  test("a compressed body stays as it is", async () => {
    const body = gzipSync("private ".repeat(1000));
    guard.origin.reply = { headers: { "content-encoding": "gzip" }, stream: (response) => void response.end(body) };
    const response = await guard.fetch("/x", { headers: { cookie: await aged(), "accept-encoding": "gzip" } });
    expect(sessionLine(response)).toMatch(RENEWED);
    expect(gunzipSync(Buffer.from(await response.arrayBuffer())).length).toBe(8000);
  });

  test("a WebSocket's handshake carries it, too", async () => {
    const handshake = new Promise<string[]>((resolve) => {
      void aged("talks").then(async (cookie) => {
        const { WebSocket } = await import("ws");
        const socket = new WebSocket(`${guard.url.replace("http", "ws")}/chat`, { headers: { cookie, "sec-fetch-site": "same-origin" } });
        socket.on("upgrade", ({ headers }) => resolve(headers["set-cookie"] ?? []));
        socket.on("open", () => socket.send("hello"));
        socket.on("message", (data) => (expect(String(data)).toBe("hello"), socket.terminate()));
      });
    });
    expect(await handshake).toEqual([expect.stringMatching(RENEWED)]);
  });

  test("requests that race get the same cookie, and both tokens pass", async () => {
    const cookie = await aged("races");
    const answers = await Promise.all(Array.from({ length: 30 }, () => guard.fetch("/x", { headers: { cookie } })));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    const tokens = new Set(answers.map((answer) => tokenIn(sessionLine(answer) ?? "")));
    expect(tokens.size).toBe(1);
    const [renewed = ""] = tokens;
    for (const token of [renewed, tokenIn(cookie), renewed]) {
      expect((await guard.fetch("/x", { headers: { cookie: `__Host-session=${token}` } })).status).toBe(200);
    }
    expect(decodeJwt(renewed)).toMatchObject({ sub: "races", sid: decodeJwt(tokenIn(cookie))["sid"] });
  });

  test.each<[string, string, (cookie: string) => RequestInit, number]>([
    ["for whose path the user lacks a role", "/staff/x", (cookie) => ({ headers: { cookie } }), 403],
    ["for everybody's path", "/public/x", (cookie) => ({ headers: { cookie } }), 200],
    ["from another site", "/x", (cookie) => ({ method: "POST", headers: { cookie, "sec-fetch-site": "cross-site" } }), 403],
    ["with a bearer token", "/x", (cookie) => bearer(tokenIn(cookie)), 200],
    ["with the same token as bearer and cookie", "/x", (cookie) => ({ headers: { cookie, ...bearer(tokenIn(cookie)).headers } }), 200],
    ["to an endpoint of the guard's", "/_auth/session", (cookie) => ({ headers: { cookie } }), 200],
  ])("to a request %s sets no cookie", async (_, path, make, status) => {
    const cookie = await aged("not");
    const response = await guard.fetch(path, make(cookie));
    expect([response.status, response.headers.getSetCookie()]).toEqual([status, []]);
    const session = await answerOf(guard.fetch("/_auth/session", { headers: { cookie } }));
    expect(session.status).toBe(200);
  });

  test("that logs in or out, or sets the cookie itself, has the last word", async () => {
    guard.origin.reply = { headers: { "x-guard-logout": "true" } };
    const left = await guard.fetch("/sign-in", { headers: { cookie: await aged("leaves") } });
    expect(left.headers.getSetCookie()).toEqual([expect.stringMatching(/^__Host-session=; .*Max-Age=0$/)]);
    guard.origin.reply = { headers: { "x-guard-login": '{"sub":"other"}' } };
    const entered = await guard.fetch("/sign-in", { headers: { cookie: await aged("changes") } });
    expect(entered.headers.getSetCookie()).toHaveLength(1);
    expect(decodeJwt(tokenIn(sessionLine(entered) ?? ""))).toMatchObject({ sub: "other" });
    guard.origin.reply = { headers: { "set-cookie": "__Host-session=of-another-service; Secure; Path=/" } };
    const own = await guard.fetch("/x", { headers: { cookie: await aged("own") } });
    expect(own.headers.getSetCookie()).toEqual(["__Host-session=of-another-service; Secure; Path=/"]);
    guard.origin.reply = { headers: { "x-guard-session-data": '{"a":1}' } };
    const changed = await guard.fetch("/sign-in", { headers: { cookie: await aged("data") } });
    expect(sessionLine(changed)).toMatch(RENEWED);
  });

  test("with two cookies of the session renews one, and the session lives on", async () => {
    const [old, cookie] = [await aged("twice"), await aged("twice")];
    const sid = decodeJwt(tokenIn(cookie))["sid"] as string;
    const now = Math.floor(Date.now() / 1000);
    const older = await mint({ sub: "twice", sid, jti: "older", iat: now - 700, exp: now + 200 });
    expect(old).not.toBe(cookie);
    const first = await guard.fetch("/x", { headers: { cookie: `__Host-session=${older}; ${cookie}` } });
    expect(sessionLine(first)).toMatch(RENEWED);
    const renewed = (sessionLine(first) ?? "").split(";")[0];
    for (let n = 0; n < 3; n += 1) {
      const next = await guard.fetch("/x", { headers: { cookie: `__Host-session=${older}; ${renewed}` } });
      expect([next.status, sessionLine(next)]).toEqual([200, undefined]);
    }
  });

  test.each<[string, Record<string, string>]>([
    ["in monitor mode", { MODE: "monitor" }],
    ["while the origin is asked ahead", { OVERLAP_SAFE_REQUESTS: "true" }],
  ])("%s carries the new cookie", async (_, settings) => {
    await using other = await startGuard({ ...SETTINGS, ...settings });
    const response = await other.fetch("/x", { headers: { cookie: await aged("ada", other) } });
    expect([response.status, sessionLine(response)]).toEqual([200, expect.stringMatching(RENEWED)]);
  });

  test("is the origin's where tokens live as long as their sessions", async () => {
    await using usual = await startGuard({});
    const response = await usual.fetch("/x", { headers: { cookie: await aged("ada", usual) } });
    expect([response.status, response.headers.getSetCookie()]).toEqual([200, []]);
  });

  test.runIf(!isRedis)("goes on without the cookie if the store fails, hangs or is slow", async () => {
    await using faulty = await startGuard({ ...SETTINGS, STORE_TIMEOUT: "30 seconds" }, { faultyObjects: true });
    const cookie = await aged("ada", faulty);
    for (const how of ["throw", "hold"] as const) {
      await faulty.fault("refresh", how);
      const start = Date.now();
      const response = await faulty.fetch("/x", { headers: { cookie } });
      expect([how, response.status, response.headers.getSetCookie()]).toEqual([how, 200, []]);
      if (how === "hold") expect(Date.now() - start).toBeGreaterThanOrEqual(990);
    }
    await faulty.release();
    await expect.poll(async () => sessionLine(await faulty.fetch("/x", { headers: { cookie } }))).toMatch(RENEWED);
    expect(faulty.log.join("\n")).toContain("store_unavailable");
  });
});

test("a cookie that ends with the browser stays one, and one that stays does", async () => {
  await using guard = await startGuard({ TOKEN_TTL: "15 minutes", SESSION_TTL: "30 days", SESSION_TTL_SHORT: "1 hour" }, { clock: true });
  await guard.fetch("/", { headers: { "x-clock": "0" } });
  for (const [fields, age, hours] of [[{}, /^$/, 1], [{ remember: "true" }, /^; Max-Age=(8\d\d|900)$/, 30 * 24]] as const) {
    const response = await guard.fetch("/_auth/login", formInit({ username: "ada", ...fields }));
    const line = /^__Host-session=[\w.-]+; Path=\/; HttpOnly; Secure; SameSite=Lax/;
    expect((sessionLine(response) ?? "").replace(line, "")).toMatch(age);
    const jar = makeJar(guard, cookieOf(response));
    const session = (await answerOf(jar.fetch("/_auth/session"))).body as { created_at: string; expires_at: string };
    expect(Date.parse(session.expires_at) - Date.parse(session.created_at)).toBe(hours * 60 * MINUTE);
    await jar.fetch("/x", 8 * MINUTE);
    expect((jar.renewals[0] ?? "").replace(line, "")).toMatch(age);
    await guard.fetch("/", { headers: { "x-clock": "0" } });
  }
});
