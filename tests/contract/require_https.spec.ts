// REQUIRE_HTTPS: no token and no password over plain http, except on this machine.

import { beforeAll, beforeEach, expect, test } from "vitest";
import { answerOf, bearer, formInit, loginInit, startGuard, useGuard, type Guard } from "../harness/guard.ts";

const ROUTES = JSON.stringify([{ path: "/open/*", access: "public" }, { path: "/either", access: "optional" }]);
const HOST = "members.example.org:8080";
const NAVIGATION = { "sec-fetch-mode": "navigate", accept: "text/html" };

const guard = useGuard({ ROUTES });
let token: string;
beforeAll(async () => {
  ({ access_token: token } = await guard.login("ada"));
});
beforeEach(() => {
  guard.origin.received.length = guard.origin.credentialChecks.length = 0;
});

const there = (path: string, { headers, ...init }: RequestInit = {}, of: Guard = guard) =>
  answerOf(of.fetch(path, { ...init, headers: { ...Object.fromEntries(new Headers(headers)), host: HOST } }));

test.each<[string, string, () => RequestInit]>([
  ["a token", "/boats", () => bearer(token)],
  ["a cookie", "/boats", () => ({ headers: { cookie: `__Host-session=${token}` } })],
  ["no token where one is needed", "/boats", () => ({})],
  ["a token where none is needed", "/open/x", () => bearer(token)],
  ["a token where one may be", "/either", () => bearer(token)],
  ["a login", "/_auth/login", () => loginInit({ username: "ada" })],
  ["a logout", "/_auth/logout", () => ({ method: "POST", ...bearer(token) })],
  ["a question about the session", "/_auth/session", () => bearer(token)],
])("%s over http is refused, and reaches neither the origin nor the store", async (_, path, init) => {
  expect(await there(path, init())).toMatchObject({ status: 403, headers: { "cache-control": "no-store" }, body: { code: "https_required" } });
  expect([guard.origin.received, guard.origin.credentialChecks]).toEqual([[], []]);
});

test("a login by form over http is refused by a page, and reaches neither the origin nor the store", async () => {
  const page = await there("/_auth/login", formInit({ username: "ada" }, NAVIGATION));
  expect(page).toMatchObject({ status: 403, headers: { "cache-control": "no-store" }, body: expect.stringContaining("https_required") });
  expect(page.body).toContain("If you sent a password, change it.");
  expect([guard.origin.received, guard.origin.credentialChecks]).toEqual([[], []]);
});

test.each(["/boats?page=2&a=%2F", "/_auth/login?redirect=/boats"])("a navigation to %s is redirected to https", async (path) => {
  const answer = await there(path, { headers: NAVIGATION });
  expect(answer).toMatchObject({ status: 308, headers: { location: `https://members.example.org${path}`, "cache-control": "no-store" }, body: "" });
  expect(guard.origin.received).toEqual([]);
});

test.each<[string, string, RequestInit]>([
  ["what is for everybody", "/open/x", {}],
  ["what is for everybody, to who navigates", "/open/x", { headers: NAVIGATION }],
  ["what is for everybody, with a bearer token of the origin's", "/open/x", { headers: { authorization: "Bearer theirs" } }],
  ["what may be asked without a session", "/either", {}],
  ["the guard's health", "/_auth/health", {}],
])("%s is allowed over http", async (_, path, init) => {
  expect(await there(path, init)).toMatchObject({ status: 200 });
});

test("a session whose token came over http is still good over https", async () => {
  await there("/boats", bearer(token));
  expect((await guard.fetch("/boats", bearer(token))).status).toBe(200);
});

test("with REQUIRE_HTTPS = false everything is allowed over http", async () => {
  await using lenient = await startGuard({ REQUIRE_HTTPS: "false" });
  const login = await there("/_auth/login", loginInit({ username: "ben" }), lenient);
  expect(login).toMatchObject({ status: 200 });
  const { access_token } = login.body as { access_token: string };
  expect(await there("/boats", bearer(access_token), lenient)).toMatchObject({ status: 200 });
});

test("a refusal and a redirect are logged with their code", async () => {
  guard.log.length = 0;
  await there("/boats", bearer(token));
  await there("/boats", { headers: NAVIGATION });
  const lines = () => guard.log.map((line) => JSON.parse(line) as Record<string, unknown>).filter(({ code }) => code === "https_required");
  await expect.poll(lines).toMatchObject([{ decision: "refuse", status: 403 }, { decision: "refuse", status: 308 }]);
});
