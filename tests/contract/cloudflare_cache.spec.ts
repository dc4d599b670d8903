// Which requests to the origin bypass Cloudflare's cache: the `cf` options of their fetch.

import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { bearer, cookieOf, formInit, startGuard, useGuard } from "../harness/guard.ts";

/** Stands where the cache does. Of requests below `/seen`, it answers what it is told; all others go on. */
const CACHE = `
export default {
  async fetch(request) {
    if (!new URL(request.url).pathname.startsWith("/seen")) return fetch(request);
    return Response.json({ cf: request.cf ?? null, headers: [...request.headers].filter(([name]) => !/^(host|cf-|x-forwarded|mf-)/.test(name)) });
  },
};
`;

const ROUTES = JSON.stringify([
  { path: "/seen/public/*", access: "public" },
  { path: "/seen/optional/*", access: "optional" },
]);

const guard = useGuard({ ROUTES, SESSION_LIMIT: "0" }, { outbound: CACHE });
let token: string;
let cookie: string;
beforeAll(async () => {
  token = (await guard.login("ada")).access_token;
  cookie = cookieOf(await guard.fetch("/_auth/login", formInit({ username: "ada" })));
});
beforeEach(() => {
  guard.origin.received.length = 0;
});

async function seen(path: string, init: RequestInit = {}, of = guard) {
  const response = await of.fetch(path, init);
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${path}: ${response.status} ${text}`);
  return JSON.parse(text) as { cf: Record<string, unknown> | null; headers: [string, string][] };
}

/** What the runtime tells the cache for `fetch(…, { cache: "no-store" })`. */
async function noStore() {
  const script = `export default { fetch: () => fetch("http://origin.test/seen", { cache: "no-store" }) };`;
  const date = { compatibilityDate: "2026-10-20", modules: true };
  const miniflare = new Miniflare(convertV4MiniflareOptions({
    workers: [{ name: "plain", script, outboundService: "cache", ...date }, { name: "cache", script: CACHE, ...date }],
  }));
  try {
    const response = await miniflare.dispatchFetch("http://guard.test/");
    return ((await response.json()) as { cf: Record<string, unknown> }).cf;
  } finally {
    await miniflare.dispose();
  }
}

describe("a request that is not public bypasses Cloudflare's cache", () => {
  test.each<[string, string, () => RequestInit]>([
    ["with a session", "/seen/x", () => bearer(token)],
    ["with a session's cookie", "/seen/x.css", () => ({ headers: { cookie } })],
    ["with a body", "/seen/x", () => ({ method: "POST", body: "a=b", ...bearer(token) })],
    ["on an optional path with a session", "/seen/optional/x", () => bearer(token)],
    ["on an optional path without one", "/seen/optional/x", () => ({})],
    ["before another site's page asks", "/seen/x", () => ({ method: "OPTIONS", headers: { origin: "https://a.example", "access-control-request-method": "GET" } })],
  ])("%s", async (_, path, init) => {
    expect(await noStore()).toMatchObject({ cacheTtl: -1, cacheLevel: "bypass" });
    // Twice, because the second goes the short way.
    for (let time = 0; time < 3; time += 1) expect((await seen(path, init())).cf).toEqual(await noStore());
  });

  test("in monitor mode, where it would be refused", async () => {
    await using lenient = await startGuard({ MODE: "monitor", ROUTES }, { outbound: CACHE });
    expect((await seen("/seen/x", {}, lenient)).cf).toEqual(await noStore());
    expect((await seen("/seen/public/x", {}, lenient)).cf ?? {}).toEqual({});
  });

  test("and the origin gets the client's own Cache-Control, and no other", async () => {
    const names = ["cache-control", "pragma"];
    const said = async (headers: Record<string, string>) => (await seen("/seen/x", { headers: { ...headers, authorization: `Bearer ${token}` } })).headers.filter(([name]) => names.includes(name));
    expect(await said({})).toEqual([]);
    expect(await said({ "cache-control": "max-age=0, no-transform" })).toEqual([["cache-control", "max-age=0, no-transform"]]);
    expect(await said({ pragma: "no-cache" })).toEqual([["pragma", "no-cache"]]);
  });
});

describe("a request under a public rule uses Cloudflare's cache as it would without the guard", () => {
  test.each<[string, () => RequestInit]>([
    ["without a session", () => ({})],
    ["with a session", () => bearer(token)],
    ["with a session's cookie", () => ({ headers: { cookie } })],
  ])("%s, and carries neither an identity nor a credential of the guard", async (_, init) => {
    const { cf, headers } = await seen("/seen/public/app.css", init());
    expect(cf ?? {}).toEqual({});
    expect(JSON.stringify(headers)).not.toContain(token.split(".")[1]);
    expect(headers.filter(([name]) => /auth|cookie/i.test(name))).toEqual([]);
  });

  test("and carries the application's own cookies and credentials", async () => {
    const { headers } = await seen("/seen/public/app.css", { headers: { authorization: "Basic YWRhOnB3", cookie: `a=1; ${cookie}; b=2` } });
    expect(Object.fromEntries(headers)).toMatchObject({ authorization: "Basic YWRhOnB3", cookie: "a=1; b=2" });
  });

  test("unless it carries the guard's credential because of FORWARD_CREDENTIAL", async () => {
    await using open = await startGuard({ ROUTES, FORWARD_CREDENTIAL: "true" }, { outbound: CACHE });
    const { access_token } = await open.login("ada");
    expect((await seen("/seen/public/x", bearer(access_token), open)).cf).toEqual(await noStore());
    expect((await seen("/seen/public/x", {}, open)).cf ?? {}).toEqual({});
  });
});
