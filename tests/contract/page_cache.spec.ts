// Which responses are kept out of the browser's caches, and that all others are unchanged.
// In a browser: browser/page_cache.spec.ts.

import { gzipSync } from "node:zlib";
import { beforeAll, beforeEach, expect, test } from "vitest";
import { bearer, startGuard, useGuard } from "../harness/guard.ts";
import { LOGIN_PATH } from "../harness/origin.ts";

const ROUTES = '[{"path": "/public/*", "access": "public"}, {"path": "/optional/*", "access": "optional"}]';

const guard = useGuard({ ROUTES });
let token: string;
beforeAll(async () => {
  token = (await guard.login("ada")).access_token;
});
beforeEach(() => {
  guard.origin.reply = { headers: { "cache-control": "max-age=60", "set-cookie": "theme=dark" }, body: "private" };
});

const NAVIGATES = { "sec-fetch-mode": "navigate", accept: "text/html" };
const ask = (path: string, headers: Record<string, string>, method = "GET") => guard.fetch(path, { method, headers });
const of = (answer: Response) => ({ status: answer.status, kept: answer.headers.get("cache-control"), cookies: answer.headers.getSetCookie() });

/** One cookie that is set twice and taken away. */
const CHANGES = [
  "theme=dark",
  ...["1; ", "2; ", "; Max-Age=0; "].map((text) => `__Host-session-guard-page=${text}Path=/; HttpOnly; Secure; SameSite=Lax`),
];
const UNKEPT = { status: 200, kept: "no-store", cookies: CHANGES };
const AS_IT_CAME = { status: 200, kept: "max-age=60", cookies: ["theme=dark"] };

test.each<[string, string, Record<string, string>, string]>([
  ["by a navigation", "/boats", NAVIGATES, "GET"],
  ["by a form", "/boats", { ...NAVIGATES, "sec-fetch-site": "same-origin" }, "POST"],
  ["by a browser that does not say so", "/boats", { accept: "text/html,application/xhtml+xml,*/*;q=0.8" }, "GET"],
  ["where everybody may, too", "/optional/x", NAVIGATES, "GET"],
])("a page that was requested with a session %s must not be cached, each time", async (_, path, headers, method) => {
  for (let n = 0; n < 4; n += 1) {
    expect([n, of(await ask(path, { ...headers, ...bearer(token).headers }, method))]).toEqual([n, UNKEPT]);
  }
});

test.each<[string, string, Record<string, string>, boolean]>([
  ["to a script", "/boats", { "sec-fetch-mode": "cors", accept: "text/html" }, true],
  ["to what asks for an image", "/boats", { "sec-fetch-mode": "no-cors", accept: "image/avif,image/webp" }, true],
  ["to a program", "/boats", { accept: "*/*" }, true],
  ["for everybody", "/public/x", NAVIGATES, true],
  ["without a session", "/optional/x", NAVIGATES, false],
])("the response %s is unchanged", async (_, path, headers, withToken) => {
  for (let n = 0; n < 4; n += 1) {
    expect([n, of(await ask(path, { ...headers, ...(withToken ? bearer(token).headers : {}) }))]).toEqual([n, AS_IT_CAME]);
  }
});

test("responses without a body and compressed responses arrive complete", async () => {
  const headers = { ...NAVIGATES, ...bearer(token).headers, "accept-encoding": "gzip" };
  guard.origin.reply = { status: 304, headers: { etag: '"1"', "set-cookie": "theme=dark" } };
  expect(of(await ask("/boats", { ...headers, "if-none-match": '"1"' }))).toEqual({ ...UNKEPT, status: 304 });
  const page = gzipSync("private ".repeat(1000));
  guard.origin.reply = { headers: { "content-encoding": "gzip", "content-type": "text/html" }, stream: (response) => void response.end(page) };
  const answer = await ask("/boats", headers);
  expect([answer.headers.get("content-encoding"), Buffer.from(await answer.arrayBuffer()).equals(page)]).toEqual(["gzip", true]);
});

test("monitor mode changes nothing", async () => {
  await using monitor = await startGuard({ MODE: "monitor", ORIGIN_URL: guard.origin.url, LOGIN_URL: guard.origin.url + LOGIN_PATH });
  const { access_token } = await monitor.login("ada");
  expect(of(await monitor.fetch("/boats", { headers: { ...NAVIGATES, ...bearer(access_token).headers } }))).toEqual(AS_IT_CAME);
});
