// `session-guard doctor`: it finds each fault that is put there, and nothing where there is none.

import { randomBytes } from "node:crypto";
import { createServer, request, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ADMIN_API_KEY, call, type Called } from "../harness/cli.ts";
import { useFolder } from "../harness/commands.ts";
import { page, rows, section } from "../harness/docs.ts";
import { startGuard, useGuard } from "../harness/guard.ts";
import { redisVars } from "../harness/redis.ts";
import { startSite } from "../harness/site.ts";

const folder = useFolder();
const guard = useGuard({ ADMIN_API_KEY });

interface Finding {
  check: string;
  state: "ok" | "fault" | "note" | "unknown";
  says: string;
  advice?: string;
}

/** What the doctor finds, its exit status, and which checks have which state. */
async function examine(args: string[], called?: Called) {
  const { status, out, err } = await call(["doctor", "--json", ...args], called);
  const { findings } = JSON.parse(out || '{"findings":[]}') as { findings: Finding[] };
  const of = (state: Finding["state"]) => findings.filter((it) => it.state === state).map(({ check }) => check);
  const says = (check: string) => findings.filter((it) => it.check === check).map((it) => it.says).join("\n");
  return { status, err, findings, faults: of("fault"), notes: of("note"), unknown: of("unknown"), ok: of("ok"), says };
}

/** A wrangler.toml with these settings. */
async function configOf({ vars = {}, top = "", bound = true }: { vars?: Record<string, string>; top?: string; bound?: boolean } = {}) {
  const all = { ISSUER: "https://guard.test", AUDIENCE: "https://members.test", ...vars };
  const lines = Object.entries(all).map(([name, value]) => `${name} = ${JSON.stringify(value)}`);
  const objects = bound ? '[[durable_objects.bindings]]\nname = "USER_SESSIONS"\nclass_name = "UserSessions"\n[[migrations]]\ntag = "v1"\nnew_sqlite_classes = ["UserSessions"]\n' : "";
  const file = join(folder, `${randomBytes(4).toString("hex")}.toml`);
  await writeFile(file, `name = "t"\ncompatibility_date = "2026-10-20"\n${top}\n[vars]\n${lines.join("\n")}\n${objects}`);
  return file;
}

/** What a proxy before the guard does with an answer. */
type Change = (path: string, answer: { status: number; headers: Record<string, string | string[] | undefined>; body?: string; delay?: number }) => void;

/** A proxy before the guard that seeds a fault. */
async function startProxy(url: string, change: Change) {
  const { port, hostname } = new URL(url);
  const server = createServer((incoming: IncomingMessage, response: ServerResponse) => {
    const path = incoming.url ?? "/";
    const asking = request({ hostname, port, path, method: incoming.method, headers: incoming.headers }, (answer) => {
      const changed: Parameters<Change>[1] = { status: answer.statusCode ?? 0, headers: { ...answer.headers } };
      change(path, changed);
      setTimeout(() => {
        const { "content-length": _, ...headers } = changed.headers;
        response.writeHead(changed.status, changed.body === undefined ? changed.headers : headers);
        if (changed.body === undefined) answer.pipe(response);
        else response.end(changed.body);
      }, changed.delay ?? 0);
    });
    incoming.pipe(asking);
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

/** Only the guard is looked at. */
const alone = "--no-settings";

describe.concurrent("a guard", () => {
  test("that is well has no fault, and a person reads what was looked at", async () => {
    const found = await examine([guard.url, alone]);
    expect(found).toMatchObject({ status: 0, faults: [], unknown: [], ok: ["guard", "guarded", "admin key", "latency"], notes: ["clock", "keys"] });
    const { out, err } = await call(["doctor", guard.url, alone]);
    expect(out).toMatch(/^ok {5}guard {5}It answers, and so does its session store\.\n[^]*\nnote {3}keys {6}The guard signs with a shared secret,/);
    expect(err).toBe("\nNo fault was found.\n");
    expect(JSON.stringify([found, out])).not.toContain(ADMIN_API_KEY);
  });

  test("that cannot be reached, or is none", async () => {
    await using site = await startSite(() => 200);
    expect(await examine(["http://127.0.0.1:9", alone])).toMatchObject({ status: 3, unknown: ["guard"], faults: [] });
    expect(await examine(["https://no-such-host.invalid", alone])).toMatchObject({ status: 3, unknown: ["guard"] });
    expect(await examine([site.url, alone])).toMatchObject({ status: 1, faults: ["guard"] });
    expect(await examine([`${guard.url}/other`, alone])).toMatchObject({ status: 1 });
    expect(await call(["doctor", site.url, alone])).toMatchObject({ status: 1, out: expect.stringMatching(/^FAULT {2}guard {5}No guard answers at .*\n +→ /m), err: "\n1 fault found.\n" });
    expect(await call(["doctor", "http://127.0.0.1:9", alone])).toMatchObject({ status: 3, err: "\nNo fault was found, and one thing could not be found out.\n" });
    expect(await examine(["not a url", alone])).toMatchObject({ status: 2 });
    expect(await examine([alone])).toMatchObject({ status: 2 });
  });

  test("whose store does not answer", async () => {
    await using without = await startGuard({ ...redisVars("http://127.0.0.1:9"), STORE_TIMEOUT: "1 second" });
    expect(await examine([without.url, alone])).toMatchObject({ status: 1, faults: ["store"] });
  });

  test.each<[string, Record<string, string>, boolean]>([["a wrong setting", { SESSION_TTL: "soon" }, false], ["a missing binding", {}, true]])("that has %s", async (_, vars, withoutObjects) => {
    await using wrong = await startGuard(vars, { withoutObjects });
    expect(await examine([wrong.url, alone])).toMatchObject({ status: 1, faults: ["settings"] });
  });

  test.each<[string, string, Change]>([
    ["whose store is slow", "latency", (path, answer) => path.endsWith("/health") && (answer.delay = 900)],
    ["whose clock is ahead", "clock", (_, { headers }) => (headers["date"] = new Date(Date.now() + 90_000).toUTCString())],
    ["whose clock is behind", "clock", (_, { headers }) => (headers["date"] = new Date(Date.now() - 90_000).toUTCString())],
    ["whose keys are not published", "keys", (path, answer) => path.startsWith("/.well-known/") && Object.assign(answer, { status: 404, body: "Not found" })],
    ["that publishes a private key", "keys", (path, answer) => path.startsWith("/.well-known/") && Object.assign(answer, { body: '{"keys":[{"kty":"EC","kid":"k","d":"c2VjcmV0"}]}' })],
  ])("%s", async (_, check, change) => {
    await using proxy = await startProxy(guard.url, change);
    const found = await examine([proxy.url, alone]);
    expect(found).toMatchObject({ status: 1, faults: [check] });
    expect(JSON.stringify(found.findings)).not.toContain("c2VjcmV0");
  });

  test("whose clock is right, as far as it tells the time", async () => {
    await using proxy = await startProxy(guard.url, (_, { headers }) => (headers["date"] = new Date().toUTCString()));
    expect(await examine([proxy.url, alone])).toMatchObject({ status: 0, ok: expect.arrayContaining(["clock"]) });
  });

  test("that does not know the admin key", async () => {
    expect(await examine([guard.url, alone], { env: { ADMIN_API_KEY: "x".repeat(32) } })).toMatchObject({ status: 1, faults: ["admin key"] });
    expect(await examine([guard.url, alone], { env: { ADMIN_API_KEY: "" } })).toMatchObject({ status: 0 });
  });

  test("that takes passwords over plain http", async () => {
    await using lax = await startGuard({ REQUIRE_HTTPS: "false" });
    const there = (url: string) => ["http://members.example.org", alone, "--connect-to", new URL(url).host];
    expect(await examine(there(lax.url))).toMatchObject({ status: 1, faults: ["https"], notes: expect.arrayContaining(["admin key"]) });
    expect(await examine(there(guard.url))).toMatchObject({ faults: [], ok: expect.arrayContaining(["https"]) });
  });
});

describe("compared with its settings", { timeout: 120_000 }, () => {
  const good = async (vars = {}) => ["--config", await configOf({ vars })];

  test("a guard that lets through what needs a session", async () => {
    await using proxy = await startProxy(guard.url, (path, answer) => path.includes("doctor") && Object.assign(answer, { status: 200, body: "a page" }));
    expect(await examine([guard.url, ...(await good())])).toMatchObject({ status: 0, faults: [] });
    expect(await examine([proxy.url, ...(await good())])).toMatchObject({ status: 1, faults: ["guarded"] });
    expect(await examine([proxy.url, ...(await good({ ROUTES: '[{"path":"/*","access":"public"}]' }))])).toMatchObject({ faults: [], notes: expect.arrayContaining(["guarded"]) });
    expect(await examine([proxy.url, ...(await good({ MODE: "monitor" }))])).toMatchObject({ faults: [], notes: expect.arrayContaining(["guarded"]) });
  });

  test("a guard that does not hide LOGIN_URL", async () => {
    const { LOGIN_PATH } = await import("../harness/origin.ts");
    expect(await examine([guard.url, ...(await good({ LOGIN_URL: `https://guard.test${LOGIN_PATH}` }))])).toMatchObject({ status: 0, ok: expect.arrayContaining(["login"]) });
    expect(await examine([guard.url, ...(await good({ LOGIN_URL: "https://guard.test/other" }))])).toMatchObject({ status: 1, faults: ["login"] });
  });

  test("settings of another site are not held against it", async () => {
    expect(await examine([guard.url])).toMatchObject({ status: 0, notes: expect.arrayContaining(["settings"]), ok: expect.not.arrayContaining(["settings"]) });
  });
});

describe("settings", { timeout: 120_000 }, () => {
  test.each<[string, Parameters<typeof configOf>[0], string[], string]>([
    ["a wrong value", { vars: { SESSION_TTL: "soon" } }, ["settings"], "SESSION_TTL"],
    ["a secret among the variables", { vars: { ADMIN_API_KEY: "x".repeat(40) } }, ["settings"], "is a secret"],
    ["no binding", { bound: false }, ["binding"], "USER_SESSIONS is not bound"],
    ["a route that leaves paths open", { top: 'routes = [{ pattern = "a.rowing.org/", zone_name = "rowing.org" }]' }, ["route"], "does not cover what is below"],
    ["a route for https alone", { top: 'routes = [{ pattern = "https://a.rowing.org/*", zone_name = "rowing.org" }]\nworkers_dev = false' }, ["route"], "covers https only"],
  ])("with %s", async (_, given, faults, says) => {
    const found = await examine(["--config", await configOf(given)]);
    expect(found).toMatchObject({ status: 1, faults });
    expect(found.says(faults[0] ?? "")).toContain(says);
    expect(JSON.stringify(found)).not.toContain("xxxxxxxxxx");
  });

  test("that are valid, or only risky", async () => {
    expect(await examine(["--config", await configOf({ top: 'routes = [{ pattern = "a.rowing.org/*", zone_name = "rowing.org" }]\nworkers_dev = false' })])).toMatchObject({ status: 0, ok: ["settings"], notes: [] });
    expect(await examine(["--config", await configOf({ vars: { LOGIN_RATE: "off" }, top: 'routes = [{ pattern = "a.rowing.org/app/*", zone_name = "rowing.org" }]' })])).toMatchObject({ status: 0, notes: ["settings", "route", "route"] });
    expect(await examine(["--config", await configOf({ vars: { SESSION_STORE: "redis", UPSTASH_REDIS_REST_URL: "https://x.upstash.io" }, bound: false })], { env: { UPSTASH_REDIS_REST_TOKEN: "t" } })).toMatchObject({ status: 0, notes: expect.arrayContaining(["binding"]) });
    expect(await examine(["--config", "/no/such/file.toml"])).toMatchObject({ status: 1, faults: ["settings"] });
  });

  test("with an origin that has something at AUTH_PATH", async () => {
    await using taken = await startSite((path) => (path === "/_auth/login" ? 200 : 403));
    expect(await examine(["--config", await configOf({ vars: { ORIGIN_URL: taken.url } })])).toMatchObject({ status: 1, faults: ["AUTH_PATH"], ok: expect.arrayContaining(["origin"]) });
  });
});

describe.concurrent("the origin", () => {
  const look = (origin: string) => examine([guard.url, alone, "--origin", origin]);

  test("that answers past the guard", async () => {
    await using open = await startSite(() => 404);
    const found = await look(open.url);
    expect(found).toMatchObject({ status: 1, faults: ["origin"] });
    expect(open.asked.every(({ headers }) => headers["authorization"] === undefined && headers["cookie"] === undefined)).toBe(true);
  });

  test("that refuses what does not come through the guard, or cannot be reached", async () => {
    await using closed = await startSite(() => 403);
    expect(await look(closed.url)).toMatchObject({ status: 0, ok: expect.arrayContaining(["origin", "clock"]) });
    expect(await look("http://127.0.0.1:9")).toMatchObject({ status: 0, ok: expect.arrayContaining(["origin"]) });
  });

  test("that believes a header", async () => {
    await using trusting = await startProxy(guard.url, (_, answer) => (answer.status = 401));
    const server = createServer(({ headers }, response) => response.writeHead(headers["x-auth-request-user"] === undefined ? 401 : 200).end());
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    try {
      const found = await look(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
      expect(found).toMatchObject({ status: 1, faults: ["origin"] });
      expect(found.says("origin")).toContain("believes identity headers of anybody");
      expect(await look(trusting.url)).toMatchObject({ status: 0 });
    } finally {
      server.close();
    }
  });

  test("whose clock is off", async () => {
    await using late = await startProxy(guard.url, (_, { headers }) => (headers["date"] = new Date(Date.now() - 60_000).toUTCString()));
    expect(await look(late.url)).toMatchObject({ status: 1, faults: ["clock"] });
  });
});

test("colours are for terminals, unless NO_COLOR is set", async () => {
  const look = async (called?: Called) => (await call(["doctor", "http://127.0.0.1:9", alone], called)).out.includes("\u001b[");
  expect([await look(), await look({ answers: [] }), await look({ answers: [], env: { NO_COLOR: "1" } }), await look({ answers: [], env: { NO_COLOR: "" } })]).toEqual([false, true, false, true]);
});

test("the documentation has every check", () => {
  const told = rows(section("docs/command-line.md", "What the doctor looks for")).map(({ name }) => name);
  expect(told.toSorted()).toEqual(["AUTH_PATH", "admin key", "binding", "clock", "guard", "guarded", "https", "keys", "latency", "login", "origin", "platform", "proxy", "route", "settings", "store"].toSorted());
  expect(page("docs/command-line.md")).toContain("250 ms");
});
