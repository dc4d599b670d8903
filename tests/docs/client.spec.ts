// A client is generated from docs/openapi.yaml by the command that docs/http.md shows, compiled under strict options,
// and calls a running guard. This file is compiled with it, so what it does with answers is checked by their types.

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { beforeAll, describe, expect, expectTypeOf, test } from "vitest";
import { blocks, root } from "../harness/docs.ts";
import { useGuard } from "../harness/guard.ts";
import { ADMIN_API_KEY } from "../harness/openapi.ts";
import { PASSWORD } from "../harness/origin.ts";
import { freePort } from "../harness/redis.ts";
import { makeKey } from "../harness/signing_keys.ts";
import type * as Client from "../openapi/client/guard/client/index.js";
import type * as Sdk from "../openapi/client/guard/index.js";
import type * as Example from "../openapi/client/example.js";

const folder = `${root}tests/openapi/client`;
const [command = ""] = blocks("docs/http.md", "sh");
const load = <T>(path: string) => import(`${folder}/${path}`) as Promise<T>;

let api: typeof Sdk;
let createClient: typeof Client.createClient;

beforeAll(async () => {
  if (!existsSync(`${folder}/node_modules/.installed`)) throw new Error("The generator is not installed yet; `npm test` does it.");
  rmSync(`${folder}/guard`, { recursive: true, force: true });
  writeFileSync(`${folder}/example.ts`, blocks("docs/http.md", "ts").join("\n"));
  const [, ...args] = command.trim().replace(/^npx (--package \S+ )*/, "").split(" ");
  const here = args.map((arg) => (arg === "guard" ? `${folder}/guard` : arg));
  const { status, stdout, stderr } = spawnSync(`${folder}/node_modules/.bin/openapi-ts`, here, { cwd: root, encoding: "utf8" });
  expect({ status, stderr }, stdout).toEqual({ status: 0, stderr: "" });
  api = await load("guard/index.ts");
  ({ createClient } = await load<typeof Client>("guard/client/index.ts"));
});

test("the page's command names the versions that are tested", () => {
  const { devDependencies } = JSON.parse(readFileSync(`${folder}/package.json`, "utf8")) as { devDependencies: Record<string, string> };
  const named = [...command.matchAll(/--package (\S+)@(\S+)/g)].map(([, name = "", version = ""]) => [name, version]);
  expect(Object.fromEntries(named)).toEqual(devDependencies);
});

test("the client, the page's example and this file compile", () => {
  const { stdout, status } = spawnSync(`${root}node_modules/.bin/tsc`, ["--project", folder], { encoding: "utf8" });
  expect(status, stdout).toBe(0);
});

test("no name of the description is taken twice, or is one of the client's own", () => {
  const types = readFileSync(`${folder}/guard/types.gen.ts`, "utf8");
  expect([...types.matchAll(/export type (\w*\D\d) =/g)].map(([, name]) => name)).toEqual([]);
  expect(Object.keys(api)).not.toContain("client");
});

describe("a guard at work", () => {
  const keys = ["ES256", "EdDSA", "RS256"].map((alg) => makeKey(alg).jwk);
  const guard = useGuard({ ADMIN_API_KEY, SESSION_LIMIT: "0", SIGNING_KEYS: JSON.stringify({ keys }) });
  const as = (token: string) => createClient({ baseUrl: guard.url, auth: ({ scheme }) => (scheme === "bearer" ? token : undefined) });
  const anybody = () => createClient({ baseUrl: guard.url });
  const admin = () => createClient({ baseUrl: guard.url, auth: ({ key }) => (key === "adminKey" ? ADMIN_API_KEY : undefined) });

  test("a person logs in, sees the sessions, refreshes, keeps data and logs out", async () => {
    const body = { username: "ada", password: PASSWORD };
    const first = await api.login({ client: anybody(), body, throwOnError: true });
    await api.login({ client: anybody(), body, throwOnError: true });
    expectTypeOf(first.data.session.device).toEqualTypeOf<"mobile" | "tablet" | "desktop" | "agent" | "other">();
    const client = as(first.data.access_token);
    const all = await api.sessions({ client, throwOnError: true });
    expect(all.data.sessions.map(({ current }) => current)).toEqual([true, false]);
    const refreshed = await api.refresh({ client, throwOnError: true });
    expect(refreshed.data.session.sid).toBe(first.data.session.sid);
    const patched = await api.sessionData({ client, body: { theme: "dark", old: null }, headers: { "Content-Type": "application/json" } });
    expect(patched.data?.client_data).toEqual({ theme: "dark" });
    expect((await api.sessionData({ client, body: { theme: null } })).data?.client_data).toEqual({});
    expect((await api.session({ client, headers: { "X-Guard-Touch": "false" } })).data?.sid).toBe(first.data.session.sid);
    const other = all.data.sessions.find(({ current }) => !current);
    const ended = await api.endSession({ client, path: { sid: other?.sid ?? "" } });
    expectTypeOf(ended.data).toEqualTypeOf<void | undefined>();
    expect([ended.response?.status, ended.error]).toEqual([204, undefined]);
    const out = await api.logout({ client, query: { scope: "global" } });
    expect([out.response?.status, out.error]).toEqual([204, undefined]);
    const { error } = await api.session({ client });
    expect(error).toMatchObject({ status: 401, code: "session_revoked", type: "urn:session-guard:problem:session_revoked" });
  });

  test("a token that is sent in the header and in the cookie is one credential", async () => {
    const { access_token } = await guard.login("ada");
    const client = createClient({ baseUrl: guard.url, auth: () => access_token });
    expect((await api.session({ client })).response?.status).toBe(200);
    expect((await api.logout({ client })).response?.status).toBe(204);
  });

  test("a refusal is a problem of a known type, also where a page could have been the answer", async () => {
    const { error, response } = await api.login({ client: anybody(), body: { username: "ada", password: "wrong" } });
    expect(response?.headers.get("content-type")).toBe("application/problem+json");
    if (error?.code !== "credentials_invalid") throw new Error("other error");
    expectTypeOf(error.status).toEqualTypeOf<401>();
    expect(error.status).toBe(401);
    const missing = await api.session({ client: anybody() });
    expectTypeOf<"token_expired">().toMatchTypeOf<NonNullable<typeof missing.error>["code"]>();
    expect(missing.error?.code).toBe("token_missing");
  });

  test("someone with too many sessions chooses among those in the error", async () => {
    guard.origin.approvals.set("asked", { sub: "asked", session_limit: 1, session_limit_policy: "ask" });
    const body = { username: "asked", password: PASSWORD };
    await api.login({ client: anybody(), body, throwOnError: true });
    const { error } = await api.login({ client: anybody(), body });
    if (error?.code !== "session_limit") throw new Error("other error");
    const end = error.sessions?.map(({ sid }) => sid) ?? [];
    const { data } = await api.login({ client: anybody(), body: { ...body, end } });
    expect(data?.ended.map(({ sid }) => sid)).toEqual(end);
  });

  test("the page's example signs in, and says why it could not", async () => {
    const { signIn } = await load<typeof Example>("example.ts");
    expect((await signIn(guard.url, "grace", PASSWORD)).session).toMatchObject({ device: "other" });
    expect(await signIn(guard.url, "grace", "wrong")).toEqual({ says: "The login was not accepted. Check what was entered, and try again." });
    expect((await signIn(guard.url, "asked", PASSWORD)).choose).toHaveLength(1);
  });

  test("a backend begins, changes, blocks, lists and ends sessions, of users of any name", async () => {
    const client = admin();
    const path = { sub: "grace/ü ?&#%2f.." };
    const begun = await api.adminBegin({ client, path, body: { claims: null, roles: ["member"], data: null, session_limit: null, session_limit_policy: null, session_ttl: "15 minutes" } });
    expect(begun.error).toBeUndefined();
    const changed = await api.adminChangeUser({ client, path, body: { rights: { roles: null, scopes: ["boats:read"] } } });
    expect(changed.data?.sessions[0]?.rights).toEqual({ scopes: ["boats:read"] });
    await expect.poll(async () => (await api.adminUsers({ client, query: { limit: 40 } })).data?.users.map(({ sub }) => sub)).toContain(path.sub);
    const sid = begun.data?.session.sid ?? "";
    expect((await api.adminChange({ client, path: { ...path, sid }, body: { plan: "paid" } })).data?.data).toEqual({ plan: "paid" });
    expect((await api.adminEndMany({ client, body: { users: [path.sub], dry_run: true } })).data?.users).toEqual([{ sub: path.sub, sids: [sid] }]);
    expect((await api.adminEnd({ client, path: { ...path, sid } })).data).toEqual({ ended: 1, done: true });
    expect((await api.adminBlock({ client, path })).data).toMatchObject({ blocked: true, ended: 0 });
    expect((await api.adminBegin({ client, path })).error?.code).toBe("user_blocked");
    expect((await api.adminUnblock({ client, path })).response?.status).toBe(204);
    expect((await api.adminStats({ client: anybody() })).error?.status).toBe(401);
  });

  test("a service asks about a token with its key as a password, and ends it by an answer without a body", async () => {
    const client = createClient({ baseUrl: guard.url, auth: ({ key }) => (key === "adminKeyAsPassword" ? `service:${ADMIN_API_KEY}` : undefined) });
    const { access_token: token } = await guard.login("ada");
    const { data } = await api.introspect({ client, body: { token } });
    if (data?.active !== true) throw new Error("not active");
    expectTypeOf(data.exp).toEqualTypeOf<number>();
    expect(data.exp * 1000).toBeGreaterThan(Date.now());
    const revoked = await api.revoke({ client, body: { token } });
    expect([revoked.response?.status, revoked.error]).toEqual([200, undefined]);
    expect((await api.introspect({ client, body: { token } })).data).toEqual({ active: false });
    expect((await api.introspect({ client: anybody(), body: { token } })).error?.code).toBe("key_invalid");
  });

  test("the key set tells its keys apart by their type", async () => {
    const { data } = await api.keySet({ client: anybody(), throwOnError: true });
    expect(data.keys.map((key) => (key.kty === "RSA" ? key.n : key.crv).length)).toEqual([5, 7, 342]);
  });

  test("pages and scripts are texts", async () => {
    const [page, script, style] = await Promise.all([api.loginPage({ client: anybody() }), api.clientScript({ client: anybody() }), api.styleSheet({ client: anybody() })]);
    expectTypeOf(script.data).toEqualTypeOf<string | undefined>();
    expect([page.data?.slice(0, 9), typeof script.data, typeof style.data]).toEqual(["<!doctype", "string", "string"]);
  });
});

describe("a guard whose store is away", () => {
  const guard = useGuard(async () => ({ SESSION_STORE: "redis", UPSTASH_REDIS_REST_URL: `http://127.0.0.1:${await freePort()}`, UPSTASH_REDIS_REST_TOKEN: "t" }));

  test("the error says so, and when to come back", async () => {
    const { error, response } = await api.health({ client: createClient({ baseUrl: guard.url }) });
    expect(error?.code).toBe("store_unavailable");
    expect(Number(response?.headers.get("retry-after"))).toBeGreaterThan(0);
  });
});
