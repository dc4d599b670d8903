// What comes back from an identity provider, in however many tabs, and what happens while the provider fails.

import { describe, expect, test } from "vitest";
import { answerOf } from "../harness/guard.ts";
import { HttpBrowser, type Page } from "../harness/http_browser.ts";
import { CLIENT_SECRET, startOidcProvider } from "../harness/oidc_provider.ts";
import { attemptsOf, sessionOf, signInAt, signInUpToCallback, startSignIn } from "../harness/sign_in.ts";
import { codeOn, guard, idp, logged, login, several, shift, shows, strict, useSignInPlaces } from "../harness/sign_in_places.ts";

useSignInPlaces();

describe("what comes back", () => {
  test("with consent refused is a page that offers another account; the provider's words are in the log only", async () => {
    const browser = new HttpBrowser();
    const denied = await browser.answer(await browser.visit(`${guard.url}/boats`), "dan", { refuse: true });
    expect(shows(denied)).toEqual({ status: 403, title: "You were not signed in", links: ["Try again", "Use another account", "Go to the home page"] });
    expect(denied.text).not.toContain("<b>no");
    expect(denied.headers).toMatchObject({ "cache-control": "no-store", "content-security-policy": expect.stringContaining("frame-ancestors 'none'"), "referrer-policy": "strict-origin" });
    await logged(guard, /access_denied.*sign_in_denied/);
    expect(attemptsOf(browser, guard)).toEqual([]);
    const other = await browser.visit(new URL(denied.links["Use another account"] ?? "", denied.url).href, { from: denied.url });
    expect(other.title).toBe("select_account");
    expect(await browser.answer(other, "dan")).toMatchObject({ status: 200, url: `${guard.url}/boats` });
  });

  test("twice, or by the back button, leads on, for who is signed in; in another browser it is a page that says so", async () => {
    const browser = new HttpBrowser();
    const callback = await signInUpToCallback(browser, `${guard.url}/boats`, "twice");
    const attempt = new Map(browser.cookies(guard.url));
    const stolen = await new HttpBrowser().visit(callback, { from: idp.url });
    expect([codeOn(stolen), ...Object.values(shows(stolen))]).toEqual(["sign_in_unknown", 400, "This sign-in was not begun here", ["Try again", "Go to the home page"]]);
    expect((await browser.visit(callback, { from: idp.url })).url).toBe(`${guard.url}/boats`);
    expect(await browser.visit(callback, { from: idp.url }), "without the attempt").toMatchObject({ status: 200, url: `${guard.url}/` });
    for (const [name, value] of attempt) browser.cookies(guard.url).set(name, value);
    expect((await browser.visit(`${guard.url}/_auth/login?redirect=/tide`)).trail, "the login page").toHaveLength(2);
    expect(await browser.visit(callback, { from: idp.url }), "with it, and a used code").toMatchObject({ status: 200, url: `${guard.url}/boats` });
    const restored = new HttpBrowser();
    for (const [name, value] of attempt) restored.cookies(guard.url).set(name, value);
    expect(codeOn(await restored.visit(callback, { from: idp.url })), "a code is good once").toBe("sign_in_expired");
    expect(sessionOf(restored, guard)).toBeUndefined();
  });

  test("in eight tabs at once signs in, in each", async () => {
    const browser = new HttpBrowser();
    const first = await signInUpToCallback(browser, `${guard.url}/tab-0`, "tabs");
    const others: string[] = [];
    for (let tab = 1; tab < 8; tab += 1) others.push(await signInUpToCallback(browser, `${guard.url}/tab-${tab}`, "tabs"));
    const pages = await Promise.all([first, ...others].map((callback) => browser.visit(callback, { from: idp.url })));
    expect(pages.map(({ url }) => new URL(url).pathname)).toEqual(Array.from({ length: 8 }, (_, tab) => `/tab-${tab}`));
    expect((await browser.visit(`${guard.url}/after`)).url).toBe(`${guard.url}/after`);
    expect(attemptsOf(browser, guard)).toEqual([]);
  });

  test("in tabs that were opened together begins one session, of the first that comes back", async () => {
    const browser = new HttpBrowser();
    const callbacks: string[] = [];
    for (const path of ["/one", "/two", "/three", "/four", "/fresh"]) callbacks.push(await signInUpToCallback(browser, `${guard.url}${path}`, "together"));
    const sessions: string[] = [];
    for (const callback of callbacks) {
      const page = await browser.visit(callback, { from: idp.url });
      sessions.push(`${new URL(page.url).pathname} ${String(sessionOf(browser, guard)?.["sid"])}`);
    }
    const [first = ""] = sessions;
    const session = first.replace("/one ", "");
    expect(sessions.slice(0, 4)).toEqual(["/one", "/two", "/three", "/four"].map((path) => `${path} ${session}`));
    expect(sessions[4], "where the route asks for more, another login counts").toMatch(/^\/fresh /);
    expect(sessions[4]).not.toContain(session);
    expect((await browser.visit(`${guard.url}/after`)).url, "it is no loop").toBe(`${guard.url}/after`);
  });

  test.each<[string, string, (url: URL) => void, number, string]>([
    ["without `iss`, which the provider says it sends", "idp", (url) => url.searchParams.delete("iss"), 400, "sign_in_mixed_up"],
    ["with another `iss`", "idp", (url) => url.searchParams.set("iss", "https://evil.example"), 400, "sign_in_mixed_up"],
    ["at another provider's callback", "idp", (url) => (url.pathname = "/_auth/callback/strict"), 400, "sign_in_mixed_up"],
    ["without `state`", "idp", (url) => url.searchParams.delete("state"), 400, "sign_in_malformed"],
    ["with another `state`", "idp", (url) => url.searchParams.set("state", "x".repeat(22)), 400, "sign_in_unknown"],
    ["with nothing", "idp", (url) => (url.search = ""), 400, "sign_in_malformed"],
    ["with two codes", "idp", (url) => url.searchParams.append("code", "x"), 400, "sign_in_malformed"],
    ["with a code and an error", "idp", (url) => url.searchParams.set("error", "access_denied"), 400, "sign_in_malformed"],
    ["with a code that the provider has not issued", "idp", (url) => url.searchParams.set("code", "x"), 400, "sign_in_expired"],
    ["with the provider asking for patience", "idp", (url) => (url.searchParams.delete("code"), url.searchParams.set("error", "temporarily_unavailable")), 503, "sign_in_unavailable"],
  ])("%s begins no session", async (_, name, change, status, code) => {
    const browser = new HttpBrowser();
    const callback = new URL(await signInUpToCallback(browser, login(name, several), "odd"));
    change(callback);
    const page = await browser.visit(callback.href, { from: idp.url });
    expect([page.status, codeOn(page)]).toEqual([status, code]);
    expect(page.links).toMatchObject({ "Go to the home page": "/" });
    expect(sessionOf(browser, several)).toBeUndefined();
  });

  test("after a night begins anew by itself and leads to its page", async () => {
    const browser = new HttpBrowser();
    const callback = await signInUpToCallback(browser, `${guard.url}/boats?page=3`, "night");
    await shift(9);
    const again = await browser.visit(callback, { from: idp.url, until: ({ pathname }) => pathname.startsWith("/_auth/login") });
    await shift(0);
    expect(await browser.visit(again.url)).toMatchObject({ status: 200, url: `${guard.url}/boats?page=3` });
  });

  test("three times within a minute without a session is a page instead of a loop", async () => {
    const browser = new HttpBrowser();
    for (let round = 0; round < 3; round += 1) {
      expect((await signInAt(browser, `${guard.url}/boats`, "loop")).url).toBe(`${guard.url}/boats`);
      // As of a browser that does not keep it.
      browser.cookies(guard.url).delete("__Host-session");
    }
    const page = await browser.visit(`${guard.url}/boats`);
    expect([page.status, codeOn(page), page.trail.length]).toEqual([400, "sign_in_loop", 2]);
    expect((await browser.visit(new URL(page.links["Try again"] ?? "", page.url).href, { from: page.url })).url).toBe(`${guard.url}/boats`);
  });

  test("to a tab whose attempt was given up for newer ones signs in anew, but not in a browser that has begun no others", async () => {
    const browser = new HttpBrowser();
    const [first = ""] = [await signInUpToCallback(browser, `${guard.url}/tab-0`, "crowd")];
    for (let tab = 1; tab < 9; tab += 1) await signInUpToCallback(browser, `${guard.url}/tab-${tab}`, "crowd");
    const page = await browser.visit(first, { from: idp.url });
    expect([page.url, page.trail.filter((url) => url.startsWith(`${idp.url}/auth`)).length]).toEqual([`${guard.url}/`, 1]);
    expect(codeOn(await new HttpBrowser().visit(first, { from: idp.url }))).toBe("sign_in_unknown");
  });

  test("never leaves more than some attempts in the browser", async () => {
    const browser = new HttpBrowser();
    for (let tab = 0; tab < 12; tab += 1) await browser.visit(login("idp", guard, `redirect=/${"long/".repeat(100)}${tab}`), { until: ({ origin }) => origin === idp.url });
    const kept = attemptsOf(browser, guard);
    expect(kept.length).toBeLessThan(9);
    expect([...browser.cookies(guard.url)].join("; ").length).toBeLessThan(6 * 1024);
  });
});

describe("the provider", () => {
  const html = "<html>An error that names secret-of-the-provider</html>";
  test.each<[string, number, string, RegExp, (answer: (status: number, headers: object, body: string) => void) => void]>([
    ["fails", 503, "sign_in_unavailable", /500/, (answer) => answer(500, { "content-type": "text/html" }, html)],
    ["redirects", 502, "sign_in_refused", /302|redirect/, (answer) => answer(302, { location: "https://evil.example/" }, "")],
    ["answers a page", 502, "sign_in_refused", /token request/, (answer) => answer(200, { "content-type": "text/html" }, html)],
    ["answers more than anybody reads", 503, "sign_in_unavailable", /more than/, (answer) => answer(200, { "content-type": "application/json" }, `{"id_token":"${"x".repeat(1 << 20)}"}`)],
    ["has no ID token", 502, "sign_in_refused", /id_token/, (answer) => answer(200, { "content-type": "application/json" }, `{"access_token":"x","token_type":"Bearer"}`)],
    ["answers an ID token of nobody", 502, "sign_in_token_invalid", /token/, (answer) => answer(200, { "content-type": "application/json" }, `{"id_token":"a.b.c"}`)],
  ])("whose token endpoint %s is a page, and the log says more", async (_, status, code, cause, reply) => {
    const browser = new HttpBrowser();
    const callback = await signInUpToCallback(browser, `${guard.url}/boats`, "unlucky");
    guard.log.length = 0;
    idp.interfere = (request, response) => {
      if (!request.url?.startsWith("/token")) return false;
      reply((status, headers, body) => response.writeHead(status, { ...headers }).end(body));
      return true;
    };
    const page = await browser.visit(callback, { from: idp.url });
    idp.interfere = undefined;
    expect([page.status, codeOn(page)]).toEqual([status, code]);
    await logged(guard, new RegExp(`(${cause.source}).*${code}`));
    const everything = guard.log.join("\n") + page.text;
    const { searchParams } = new URL(callback);
    for (const secret of [CLIENT_SECRET, searchParams.get("code") ?? "", "secret-of-the-provider"]) expect(everything).not.toContain(secret);
    expect((await browser.visit(new URL(page.links["Try again"] ?? "", page.url).href, { from: page.url })).url).toBe(`${guard.url}/boats`);
  });

  test("that nobody can reach is a page, and a moment after it is back, people sign in", async () => {
    const away = await startOidcProvider();
    await using fresh = await startSignIn([{ provider: away }]);
    await away.stop();
    const browser = new HttpBrowser();
    const page = await browser.visit(`${fresh.url}/boats`);
    expect([page.status, codeOn(page), page.title]).toEqual([503, "sign_in_unavailable", "Signing in does not work at the moment"]);
    expect(attemptsOf(browser, fresh)).toEqual([]);
    const kept = await browser.visit(`${fresh.url}/_auth/login/idp?redirect=/boats&remember=true`, { from: page.url });
    expect(kept.links["Try again"], "what was wished").toBe("/_auth/login/idp?redirect=/boats&remember=true");
    await logged(fresh, "metadata_not_fetched");
    const script = await answerOf(fresh.fetch("/_auth/login/idp", { headers: { "sec-fetch-mode": "cors" } }));
    expect(script).toMatchObject({ status: 503, body: { code: "sign_in_unavailable" } });
    await away.start();
    const again = new URL(page.links["Try again"] ?? "", page.url).href;
    await expect.poll(async () => (await browser.visit(again, { from: page.url })).title, { timeout: 10_000 }).toBe("login");
    expect(await signInAt(browser, again, "ada")).toMatchObject({ status: 200, url: `${fresh.url}/boats` });
    await away.stop();
    browser.cookies(fresh.url).delete("__Host-session");
    expect(await browser.visit(again, { until: ({ origin }) => origin === away.url }), "what is known of it serves").toMatchObject({ status: 0 });
  });

  test("that does not take the guard's secret is a page; the log has the cause and no secret; attempts that fail are counted", async () => {
    await using wrong = await startSignIn([{ provider: idp }], { vars: { PROVIDER_SECRET: "not-the-secret-of-the-guard", LOGIN_RATE_PER_ADDRESS: "2 per minute" } });
    const pages: Page[] = [];
    for (let round = 0; round < 3; round += 1) pages.push(await signInAt(new HttpBrowser(), `${wrong.url}/boats`, "ada"));
    expect(pages.map((page) => [page.status, codeOn(page)])).toEqual([[502, "sign_in_refused"], [502, "sign_in_refused"], [429, "too_many_attempts"]]);
    expect(Number(pages[2]?.headers["retry-after"])).toBeGreaterThan(0);
    await logged(wrong, /invalid_client.*sign_in_refused/);
    expect(wrong.log.join("\n")).not.toContain("not-the-secret");
  });
});
