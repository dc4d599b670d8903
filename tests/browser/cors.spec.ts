// Applications on other origins in a real browser. Over plain HTTP: contract/cors.spec.ts.

import { afterAll, beforeAll, expect, test } from "vitest";
import type { Browser } from "playwright-core";
import { startBrowser } from "../harness/browser.ts";
import { startGuard, type Guard } from "../harness/guard.ts";
import { PASSWORD, startOrigin, type Origin } from "../harness/origin.ts";

let guard: Guard;
let browser: Browser;
let applications: Origin;
let url: string;
/** The one with credentials is of the guard's site, the other is not. */
let [app, spa] = ["", ""];
beforeAll(async () => {
  applications = await startOrigin();
  applications.reply = { headers: { "content-type": "text/html" }, body: "<title>Application</title>" };
  [app, spa] = [applications.url.replace("127.0.0.1", "localhost"), applications.url];
  const ALLOWED_ORIGINS = JSON.stringify([spa, { origin: app, credentials: true }]);
  [guard, browser] = await Promise.all([startGuard({ ALLOWED_ORIGINS }), startBrowser()]);
  url = guard.url.replace("127.0.0.1", "localhost");
});
afterAll(async () => {
  await browser.close();
  await applications[Symbol.asyncDispose]();
  await guard[Symbol.asyncDispose]();
});

interface Init {
  method?: string;
  headers?: Record<string, string>;
  body?: string;
  credentials?: "include";
}

/** Asks from a page at an origin. What it may not read is an error. */
async function asker(origin: string) {
  const page = await (await browser.newContext()).newPage();
  await page.goto(`${origin}/page`);
  return (path: string, init: Init = {}) =>
    page.evaluate(
      async ([there, options]) => {
        try {
          const answer = await fetch(there, options);
          return { status: answer.status, challenge: answer.headers.get("www-authenticate"), body: (await answer.json().catch(() => null)) as Record<string, unknown> | null };
        } catch (error) {
          return { error: String(error) };
        }
      },
      [url + path, init] as const,
    );
}

const login = (username: string) => ({ method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ username, password: PASSWORD }) });

test("an origin without credentials logs in, reads refusals and uses its token, and no cookie", async () => {
  const ask = await asker(spa);
  expect(await ask("/boats")).toMatchObject({ status: 401, challenge: "Bearer", body: { code: "token_missing" } });
  const entered = await ask("/_auth/login", login("spa"));
  expect(entered).toMatchObject({ status: 200 });
  const headers = { authorization: `Bearer ${String((entered as { body: Record<string, unknown> }).body["access_token"])}` };
  expect(await ask("/_auth/session", { headers: { ...headers, "x-guard-touch": "false" } })).toMatchObject({ status: 200 });
  expect(await ask("/_auth/session", { credentials: "include" })).toEqual({ error: expect.stringContaining("TypeError") });
  expect(await ask("/_auth/logout", { method: "POST", headers })).toMatchObject({ status: 204 });
  expect(await ask("/_auth/session", { headers })).toMatchObject({ status: 401, body: { code: "session_revoked" } });
});

test("a same-site origin with credentials uses the cookie", async () => {
  const ask = await asker(app);
  const credentials = "include" as const;
  expect(await ask("/_auth/login", { ...login("app"), credentials })).toMatchObject({ status: 200 });
  expect(await ask("/_auth/session", { credentials })).toMatchObject({ status: 200 });
  expect(await ask("/_auth/logout", { method: "POST", credentials })).toMatchObject({ status: 204 });
  expect(await ask("/_auth/session", { credentials })).toMatchObject({ status: 401, body: { code: "token_missing" } });
});

test("an origin that is not allowed reads nothing", async () => {
  const ask = await asker(guard.origin.url);
  expect(await ask("/boats")).toEqual({ error: expect.stringContaining("TypeError") });
  expect(await ask("/_auth/login", login("evil"))).toEqual({ error: expect.stringContaining("TypeError") });
});
