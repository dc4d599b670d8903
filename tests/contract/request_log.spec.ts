// The log line of each request, Server-Timing and Analytics Engine, all without secrets.

import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { beforeEach, describe, expect, test } from "vitest";
import { bearer, formInit, KEY, loginInit, mint, startGuard, useGuard, type Guard, type Vars } from "../harness/guard.ts";
import { CF_HEADER } from "../harness/workerd.ts";

const ROUTES = JSON.stringify([
  { path: "/open/*", access: "public" },
  { path: "/admin/*", access: "session", roles: ["admin"] },
]);

const guard = useGuard({ ROUTES, SESSION_LIMIT: "0" });
beforeEach(() => {
  guard.log.length = 0;
  guard.origin.reply = {};
});

type Line = Record<string, unknown>;
const linesOf = (of: Guard) => of.log.map((line) => JSON.parse(line) as Line).filter((line) => "decision" in line);

/** The line for the one request that is made. */
async function lineOf(send: () => Promise<unknown>, of = guard): Promise<Line> {
  of.log.length = 0;
  await send();
  await expect.poll(() => linesOf(of)).toHaveLength(1);
  return linesOf(of)[0] ?? {};
}

/** A request with a session, as Cloudflare hands it over. */
async function inColo(of: Guard, colo: string, headers: Record<string, string> = {}) {
  const response = await of.fetch("/x", { headers: { ...headers, [CF_HEADER]: JSON.stringify({ colo }) } });
  return response.text();
}

/** As docs/logs.md says it, by the secret of the key that signs. */
const hmac = (key: Buffer, text: string) => createHmac("sha256", key).update(text).digest();
const hash = (text: string) => hmac(hmac(Buffer.from(KEY.k, "base64url"), "session-guard: names in the log"), text).toString("hex").slice(0, 32);
const ms = expect.any(Number);

describe("the log line", () => {
  test("of a forwarded request has its rule, the hashes of user and session, and the times", async () => {
    const { access_token, session } = await guard.login("ada");
    const line = await lineOf(() => guard.fetch("/x", { method: "PUT", ...bearer(access_token) }));
    expect(line).toEqual({
      level: "info",
      decision: "forward",
      route: "/*",
      user: hash("ada"),
      session: hash(session.sid),
      status: 200,
      method: "PUT",
      verify_ms: ms,
      store_ms: ms,
      origin_ms: ms,
    });
  });

  test("of a public request has no user", async () => {
    const line = await lineOf(() => guard.fetch("/open/x"));
    expect(line).toEqual({ level: "info", decision: "forward", route: "/open/*", status: 200, method: "GET", origin_ms: ms });
  });

  test("of a request that is refused without a store call has the code", async () => {
    const line = await lineOf(() => guard.fetch("/admin/x"));
    expect(line).toMatchObject({ decision: "refuse", code: "token_missing", route: "/admin/*", status: 401 });
    expect(line).not.toHaveProperty("store_ms");
  });

  test("of a redirect to the login page has the reason", async () => {
    const line = await lineOf(() => guard.fetch("/x", { headers: { "sec-fetch-mode": "navigate" } }));
    expect(line).toMatchObject({ decision: "refuse", code: "token_missing", status: 302 });
  });

  test("of an ended session has the hashes of user and session, and the store's time", async () => {
    const token = await mint({ sub: "nobody" });
    const line = await lineOf(() => guard.fetch("/x", bearer(token)));
    expect(line).toMatchObject({ decision: "refuse", code: "session_unknown", user: hash("nobody"), status: 401, store_ms: ms });
    expect(line).not.toHaveProperty("origin_ms");
  });

  test("of a missing role has the rule", async () => {
    const { access_token } = await guard.login("ada");
    expect(await lineOf(() => guard.fetch("/admin/x", bearer(access_token)))).toMatchObject({ decision: "refuse", code: "access_denied", route: "/admin/*", status: 403 });
  });

  test("of a guard endpoint has the endpoint, and the code if it failed", async () => {
    expect(await lineOf(() => guard.fetch("/_auth/health"))).toMatchObject({ decision: "answer", route: "health", status: 200 });
    const wrong = loginInit({ username: "ada", password: "wrong" });
    expect(await lineOf(() => guard.fetch("/_auth/login", wrong))).toMatchObject({ decision: "answer", route: "login", code: "credentials_invalid", status: 401 });
    const form = formInit({ username: "ada", password: "wrong" });
    expect(await lineOf(() => guard.fetch("/_auth/login", form))).toMatchObject({ route: "login", code: "credentials_invalid", status: 401 });
    expect(await lineOf(() => guard.fetch("/_auth/sessions/a-sid", { method: "DELETE" }))).toMatchObject({ route: "sessions/{sid}", code: "token_missing" });
  });

  test("of an origin that did not answer has the failure beside the decision", async () => {
    await using away = await startGuard({ ORIGIN_URL: "http://127.0.0.1:9" });
    const { access_token } = await away.login("ada");
    expect(await lineOf(() => away.fetch("/x", bearer(access_token)), away)).toMatchObject({ decision: "forward", code: "origin_unavailable", status: 502 });
  });

  test("has the Cloudflare data center", async () => {
    expect(await lineOf(() => inColo(guard, "FRA"))).toMatchObject({ colo: "FRA" });
  });

  test("has the trace and the ray, if the request has them", async () => {
    const trace = "0af7651916cd43dd8448eb211c80319c";
    const headers = { traceparent: `00-${trace}-b7ad6b7169203331-01`, "cf-ray": "8f1c3a5b7d9e-FRA" };
    expect(await lineOf(() => guard.fetch("/open/x", { headers }))).toMatchObject({ trace, ray: "8f1c3a5b7d9e-FRA" });
    const odd = { traceparent: `00-${"x".repeat(32)}-b7ad6b7169203331-01` };
    expect(await lineOf(() => guard.fetch("/open/x", { headers: odd }))).not.toHaveProperty("trace");
  });
});

test("traceparent and tracestate reach the origin as they were sent", async () => {
  const headers = { traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", tracestate: "a=1,b=2" };
  await guard.fetch("/open/x", { headers });
  expect(guard.origin.received.at(-1)?.headers).toMatchObject(headers);
});

test("users and sessions are logged unhashed with LOG_IDENTITY = plain", async () => {
  await using plain = await startGuard({ LOG_IDENTITY: "plain" });
  const { access_token, session } = await plain.login("ada");
  expect(await lineOf(() => plain.fetch("/x", bearer(access_token)), plain)).toMatchObject({ user: "ada", session: session.sid });
});

test("no log line contains a token, cookie, query, body or user, whatever happens", async () => {
  guard.origin.approvals.set("hidden-user", { sub: "hidden-user", data: { a: "hidden-data" } });
  const { access_token, session } = await guard.login("hidden-user");
  const cookie = { cookie: `a=hidden-cookie; __Host-session=${access_token}` };
  await guard.fetch("/x?token=hidden-query", { method: "POST", headers: cookie, body: "hidden-body" });
  await guard.fetch("/x?token=hidden-query", { method: "POST", headers: { ...cookie, "sec-fetch-site": "same-origin" }, body: "hidden-body" });
  await guard.fetch("/hidden-path?token=hidden-query", { headers: { authorization: "Bearer hidden-bearer" } });
  await guard.fetch("/_auth/login?redirect=hidden-query", loginInit({ username: "hidden-user", password: "hidden-password" }));
  await guard.fetch("/_auth/logout", { method: "POST", ...bearer(access_token) });
  await guard.fetch("/x", bearer(access_token));
  await expect.poll(() => linesOf(guard)).toHaveLength(7);
  const [, payload = "", signature = ""] = access_token.split(".");
  for (const hidden of ["hidden", payload, signature, session.sid]) expect(guard.log.join("\n")).not.toContain(hidden);
});

test.each<[string, Vars, string[]]>([
  ["all", {}, ["forward", "refuse"]],
  ["refusals", { REQUEST_LOG: "refusals" }, ["refuse"]],
  ["off", { REQUEST_LOG: "off" }, []],
])("REQUEST_LOG = %s logs these requests only", async (_, vars, expected) => {
  await using one = await startGuard({ ...vars, ROUTES });
  await one.fetch("/open/x");
  await one.fetch("/x");
  // An event comes after both, so that what has not been logged by then never is.
  await one.login("ada");
  await expect.poll(() => one.log.join()).toContain("session.created");
  expect(linesOf(one).map(({ decision }) => decision).filter((it) => it !== "answer")).toEqual(expected);
});

test("Server-Timing has the times beside the origin's own, if it is switched on", async () => {
  await using timed = await startGuard({ SERVER_TIMING: "true" });
  const { access_token } = await timed.login("ada");
  timed.origin.reply = { headers: { "server-timing": "db;dur=5" }, stream: (response) => void setTimeout(() => response.end("x"), 30) };
  const timing = (await timed.fetch("/x", bearer(access_token))).headers.get("server-timing");
  expect(timing).toMatch(/^db;dur=5, guard-verify;dur=\d+, guard-store;dur=\d+, guard-origin;dur=[1-9]\d+$/);
  expect((await guard.fetch("/open/x")).headers.has("server-timing")).toBe(false);
});

/** The rows of the documentation's table with this first heading, by their first two cells. */
function documented(heading: string): string[][] {
  const text = readFileSync(new URL("../../docs/logs.md", import.meta.url), "utf8");
  const table = text.split(/\n\n/).find((part) => part.startsWith(`| ${heading} |`));
  return (table ?? "").split("\n").flatMap((row) => [...row.matchAll(/^\| `(\w+)` \| `?([^`|]*)/g)].map(([, name = "", what = ""]) => [name, what]));
}

test("the documentation lists every member of the log lines, and no other", async () => {
  const { access_token } = await guard.login("ada");
  const headers = { traceparent: `00-${"a".repeat(32)}-b7ad6b7169203331-01`, "cf-ray": "1-FRA", authorization: `Bearer ${access_token}` };
  const lines = [await lineOf(() => inColo(guard, "FRA", headers)), await lineOf(() => guard.fetch("/x"))];
  expect(new Set(documented("member").map(([name]) => name))).toEqual(new Set(lines.flatMap(Object.keys)));
});

describe("with the Analytics Engine", () => {
  interface Point {
    indexes: string[];
    blobs: string[];
    doubles: number[];
  }
  const analysed = useGuard({ REQUEST_LOG: "all", ROUTES }, { analytics: true });

  /** The line and the data point for the one request that is made. */
  async function both(send: () => Promise<unknown>) {
    const line = await lineOf(send, analysed);
    const points = () => analysed.log.map((it) => JSON.parse(it) as { point?: Point }).flatMap(({ point }) => point ?? []);
    await expect.poll(points).toHaveLength(1);
    return { line, point: points()[0] };
  }

  test("a data point has what the log line has, in the documented columns", async () => {
    const { access_token } = await analysed.login("ada");
    await expect.poll(() => analysed.log.filter((it) => it.includes("point")).length).toBe(1);
    const { line, point } = await both(() => inColo(analysed, "FRA", { authorization: `Bearer ${access_token}` }));
    const columns = documented("column");
    expect(columns).toHaveLength((point?.blobs.length ?? 0) + (point?.doubles.length ?? 0));
    for (const [column = "", name = ""] of columns) {
      const [, kind, number] = /^(blob|double)(\d+)$/.exec(column) ?? [];
      const value = (kind === "blob" ? point?.blobs : point?.doubles)?.[Number(number) - 1];
      expect([column, name, value]).toEqual([column, name, line[name] ?? ""]);
    }
  });

  test.each([
    ["/open/x", "forward"],
    ["/x", "token_missing"],
  ])("a request for %s is indexed by %s", async (path, index) => {
    const { point } = await both(() => analysed.fetch(path));
    expect(point?.indexes).toEqual([index]);
  });
});
