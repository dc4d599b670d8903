// One session for several subdomains in a real browser, over TLS. Over plain HTTP: contract/subdomains.spec.ts.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { startBrowser } from "../harness/browser.ts";
import { startGuard, type Guard } from "../harness/guard.ts";
import { submitLogin } from "../harness/guarded_browser.ts";
import { startOidcProvider } from "../harness/oidc_provider.ts";
import { startSignIn } from "../harness/sign_in.ts";

let guard: Guard;
let browser: Browser;
let port: number;
const site = (name: string) => `https://${name}.harbour.test:${port}`;
/** The domain itself, which is one of the hosts. */
const apex = () => `https://harbour.test:${port}`;

/** A port that nobody listens at. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  return port;
}

/** A key, and a certificate that nobody trusts. */
function selfSigned() {
  const folder = mkdtempSync(join(tmpdir(), "session-guard-tls-"));
  try {
    const [key, certificate] = [join(folder, "key.pem"), join(folder, "certificate.pem")];
    execFileSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=harbour.test", "-addext", "subjectAltName=DNS:*.harbour.test", "-keyout", key, "-out", certificate], { stdio: "ignore" });
    return { key: readFileSync(key, "utf8"), certificate: readFileSync(certificate, "utf8") };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

beforeAll(async () => {
  port = await freePort();
  const SITE_HOSTS = ["app.", "api.", "www.", ""].map((name) => `${name}harbour.test:${port}`).join(", ");
  const vars = { COOKIE_DOMAIN: "harbour.test", SITE_HOSTS, ROUTES: JSON.stringify([{ path: "/open", access: "public" }]) };
  [guard, browser] = await Promise.all([startGuard(vars, { port, tls: selfSigned() }), startBrowser({ args: ["--host-resolver-rules=MAP *.harbour.test 127.0.0.1, MAP harbour.test 127.0.0.1"] })]);
});
afterAll(async () => {
  await browser.close();
  await guard[Symbol.asyncDispose]();
});

/** A browser profile, whose pages are those of an application that answers CORS for its own hosts. */
async function profile(): Promise<BrowserContext> {
  guard.origin.reply = { headers: { "content-type": "text/html", "access-control-allow-origin": site("app"), "access-control-allow-credentials": "true" }, body: `<title>Members</title><form id="out" method="post" action="${site("www")}/_auth/logout"></form>` };
  return browser.newContext({ ignoreHTTPSErrors: true });
}

/** What a page's script is answered, or that it may not know. */
const ask = (page: Page, url: string, method = "GET") =>
  page.evaluate(
    async ([there, how]) => fetch(there, { method: how, credentials: "include" }).then(({ status }) => status, () => "nothing"),
    [url, method] as const,
  );

test("a login at app. counts at api. and www., and a logout at www. ends it at all", async () => {
  const context = await profile();
  const page = await context.newPage();
  await page.goto(`${site("app")}/_auth/login?redirect=${encodeURIComponent(`${site("www")}/boats#row-7`)}`);
  await submitLogin(page, "ada");
  await page.waitForURL(`${site("www")}/boats#row-7`);
  const [cookie, ...more] = await context.cookies();
  expect(cookie).toMatchObject({ name: "__Secure-session", domain: ".harbour.test", path: "/", secure: true, httpOnly: true, sameSite: "Lax" });
  expect(more).toEqual([]);
  await page.goto(`${site("app")}/boats`);
  expect([await ask(page, `${site("api")}/boats`), await ask(page, `${site("api")}/boats`, "POST"), await ask(page, `${site("api")}/_auth/session`)]).toEqual([200, 200, 200]);
  // A page of another named host, and a script that another host serves, hear of the end.
  const listener = await context.newPage();
  guard.origin.reply = { headers: { "content-type": "text/html" }, body: `<title>Listener</title><script src="${site("api")}/_auth/client.js"></script>` };
  const opened = listener.waitForEvent("websocket").then((socket) => socket.waitForEvent("framesent", { timeout: 1 }).catch(() => socket));
  await listener.goto(`${site("app")}/list?a=b#c`);
  await opened;
  await page.goto(`${site("www")}/boats`);
  await page.evaluate(async () => fetch("/_auth/logout", { method: "POST" }));
  await listener.waitForURL(`${site("api")}/_auth/login?reason=session_revoked&redirect=${encodeURIComponent(`${site("app")}/list?a=b#c`)}`);
  expect(await context.cookies()).toEqual([]);
  for (const name of ["app", "api", "www"]) {
    await page.goto(`${site(name)}/boats`);
    expect(page.url()).toBe(`${site(name)}/_auth/login?redirect=/boats`);
  }
  await context.close();
});

test("of the domain itself and of one host alone, older cookies of the name are replaced by one", async () => {
  const context = await profile();
  const flags = { name: "__Secure-session", value: "x.y.z", secure: true, httpOnly: true };
  await context.addCookies([{ ...flags, url: apex() }, { ...flags, url: site("app") }, { ...flags, domain: ".harbour.test", path: "/" }]);
  expect((await context.cookies()).map(({ domain }) => domain).sort()).toEqual([".harbour.test", "app.harbour.test", "harbour.test"]);
  const page = await context.newPage();
  for (const origin of [apex(), site("app")]) {
    await page.goto(`${origin}/_auth/login?redirect=/boats`);
    await submitLogin(page, "dee");
    await page.waitForURL(`${origin}/boats`);
  }
  const kept = await context.cookies();
  expect(kept.map(({ domain }) => domain)).toEqual([".harbour.test"]);
  await page.goto(`${apex()}/boats`);
  expect(page.url()).toBe(`${apex()}/boats`);
  expect(await page.evaluate(async () => (await fetch("/_auth/logout", { method: "POST" })).status)).toBe(204);
  expect(await context.cookies()).toEqual([]);
  await context.close();
});

test("all hosts sign in by the one callback that the provider knows", async () => {
  await using provider = await startOidcProvider();
  const here = await freePort();
  const at = (name: string) => `https://${name}.harbour.test:${here}`;
  const vars = { COOKIE_DOMAIN: "harbour.test", SITE_HOSTS: ["app", "api"].map((name) => `${name}.harbour.test:${here}`).join(", ") };
  const place = { provider, entry: { redirect_uri: `${at("app")}/_auth/callback/idp` } };
  await using hub = await startSignIn([place], { vars, site: () => at("app"), port: here, tls: selfSigned() });
  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  const page = await context.newPage();
  await page.goto(`${at("api")}/boats?a=b`);
  await page.getByLabel("User").fill("ada");
  await page.getByRole("button", { name: "Go on" }).click();
  await page.getByRole("button", { name: "Go on" }).click();
  await page.waitForURL(`${at("api")}/boats?a=b`);
  expect(hub.origin.received.map(({ target, headers }) => [target, headers["x-auth-request-user"]])).toContainEqual(["/boats?a=b", "idp|ada"]);
  expect((await context.cookies()).map(({ name, domain }) => [name, domain])).toContainEqual(["__Secure-session", ".harbour.test"]);
  await context.close();
});

test("a page of a subdomain that is not named can change nothing, sign nobody out, and is not led to", async () => {
  const context = await profile();
  const page = await context.newPage();
  await page.goto(`${site("app")}/_auth/login?redirect=${encodeURIComponent(`${site("evil")}/open`)}`);
  await submitLogin(page, "ben");
  await page.waitForURL(`${site("app")}/`);
  guard.origin.received.length = 0;
  await page.goto(`${site("evil")}/open`);
  expect(guard.origin.received[0]?.headers).not.toHaveProperty("cookie");
  expect([await ask(page, `${site("api")}/boats`, "POST"), await ask(page, `${site("www")}/_auth/logout`, "POST"), await ask(page, `${site("api")}/_auth/session`), await ask(page, `${site("evil")}/boats`)]).toEqual(["nothing", "nothing", "nothing", 401]);
  expect(guard.origin.received.filter(({ method }) => method === "POST")).toEqual([]);
  const [answer] = await Promise.all([page.waitForResponse(/_auth.logout/), page.evaluate("document.querySelector('#out').submit()")]);
  expect(answer.status()).toBe(403);
  await page.waitForURL(/_auth.logout/);
  await page.goto(`${site("www")}/boats`);
  expect(page.url()).toBe(`${site("www")}/boats`);
  // What it sets under the name, if it is no token, keeps nobody out.
  await page.goto(`${site("evil")}/open`);
  await page.evaluate("document.cookie = '__Secure-session=x.y.z; Secure; Path=/boats; Domain=harbour.test'");
  await page.goto(`${site("www")}/boats`);
  expect(page.url()).toBe(`${site("www")}/boats`);
  await context.close();
});
