// Signing in at an identity provider by redirect: from a page to a certified provider and back, and all that can go wrong.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { answerOf, bearer, KEY, startGuard, type Guard } from "../harness/guard.ts";
import { HttpBrowser, type Page } from "../harness/http_browser.ts";
import { startOAuthProvider, type OAuthProvider } from "../harness/oauth_provider.ts";
import { CLIENT_SECRET, startOidcProvider, type OidcProvider } from "../harness/oidc_provider.ts";
import { attemptsOf, sessionOf, signInAt, signInUpToCallback, startSignIn } from "../harness/sign_in.ts";
import { keySet, makeKey } from "../harness/signing_keys.ts";

const SIGNER = makeKey("ES256", "client-key");

let idp: OidcProvider, strict: OidcProvider, hub: OAuthProvider;
/** A guard with one provider, to which a page leads straight on, and one with several. */
let guard: Guard, several: Guard;

beforeAll(async () => {
  [idp, strict, hub] = await Promise.all([startOidcProvider(), startOidcProvider(), startOAuthProvider("hub-client", "hub-secret")]);
  idp.people.set("ada", { email: "ada@harbour.example", email_verified: true, groups: ["crew"] });
  strict.people.set("ada", { email: "ada@HARBOUR.example", email_verified: true, userinfo: { nickname: "Countess" } });
  strict.people.set("ann", { email: "ann@harbour.example", email_verified: true });
  strict.people.set("mal", { email: "mal@evil.example", email_verified: true });
  strict.people.set("eve", { email: "Eve@harbour.example", email_verified: false, groups: ["guests"] });
  strict.people.set("max", { email: "max@harbour.example", email_verified: true, userinfo: { nickname: "x".repeat(3500) } });
  const routes = JSON.stringify([{ path: "/vault", access: "session", acr: ["strong"] }, { path: "/fresh", access: "session", max_age: "1 minute" }]);
  [guard, several] = await Promise.all([
    startSignIn([{ provider: idp, entry: { frontchannel_logout: true } }], { vars: { ROUTES: routes, SESSION_LIMIT: "0" }, clock: true }),
    startSignIn(
      [
        { provider: idp },
        {
          provider: strict,
          entry: {
            name: "strict", title: "Strict <ID>", client_authentication: "private_key_jwt", client_secret_name: undefined,
            pushed_authorization_requests: true, userinfo: true, claims: ["email", "nickname"],
            allow: [{ email_domain: "harbour.example" }, { groups: "guests" }], deny: { email: "eve@harbour.example" },
          },
          client: { token_endpoint_auth_method: "private_key_jwt", jwks: { keys: [publicHalf()] }, require_pushed_authorization_requests: true },
        },
      ],
      { vars: { SESSION_LIMIT_POLICY: "ask", SIGNING_KEYS: JSON.stringify({ keys: [KEY, ...(JSON.parse(keySet(SIGNER)) as { keys: object[] }).keys] }), HUB_SECRET: "hub-secret" }, others: [hub.entry()] },
    ),
  ]);
});
afterAll(() => Promise.all([guard, several, idp, strict, hub].map((it) => it[Symbol.asyncDispose]())));

function publicHalf() {
  const { d: _, ...half } = SIGNER.jwk;
  return half;
}

const login = (name: string, at: Guard, query = "redirect=/boats") => `${at.url}/_auth/login/${name}?${query}`;
const shows = (page: Page) => ({ status: page.status, title: page.title, links: Object.keys(page.links) });
/** The code of a failure, as its page tells it. */
const codeOn = (page: Page) => /<code>(\w+)<\/code>/.exec(page.text)?.[1];
/** Sets the guard's clock ahead. */
const shift = (hours: number) => guard.fetch("/_auth/health", { headers: { "x-clock": `${hours * 3_600_000}` } });
/** A line that the guard has logged. */
const logged = (at: Guard, text: string | RegExp) => expect.poll(() => at.log.join("\n")).toMatch(text);

describe("a sign-in", () => {
  test("leads from a page to the provider and back to it, with the user's identity", async () => {
    const browser = new HttpBrowser();
    const page = await browser.visit(`${guard.url}/boats?page=2`);
    expect(page.title).toBe("login");
    const asked = page.trail.map((url) => new URL(url)).find(({ origin }) => origin === idp.url)?.searchParams;
    expect(Object.fromEntries(asked ?? [])).toMatchObject({
      response_type: "code", scope: "openid profile email", code_challenge_method: "S256", redirect_uri: `${guard.url}/_auth/callback/idp`,
      state: expect.stringMatching(/^[\w-]{22,}$/), nonce: expect.stringMatching(/^[\w-]{22,}$/),
    });
    expect(attemptsOf(browser, guard)).toHaveLength(1);
    const there = await browser.answer(page, "ada");
    expect([there.url, there.status]).toEqual([`${guard.url}/boats?page=2`, 200]);
    expect(guard.origin.received.at(-1)?.headers).toMatchObject({ "x-auth-request-user": "idp|ada", "x-auth-request-email": "ada@harbour.example", "x-auth-request-groups": "crew" });
    expect(guard.origin.received.at(-1)?.headers.cookie ?? "").not.toContain("__Host-session");
    expect(sessionOf(browser, guard)).toMatchObject({ sub: "idp|ada", email: "ada@harbour.example", groups: ["crew"] });
    expect(sessionOf(browser, guard)).not.toHaveProperty("nonce");
    expect(attemptsOf(browser, guard)).toEqual([]);
    expect(idp.requests.filter((request) => request === "POST /token")).toHaveLength(1);
  });

  test("of somebody who is signed in at the provider needs no page, and begins a session of its own", async () => {
    const browser = new HttpBrowser();
    await signInAt(browser, `${guard.url}/a`, "ben");
    const { sid } = sessionOf(browser, guard) ?? {};
    browser.cookies(guard.url).delete("__Host-session");
    expect(await browser.visit(`${guard.url}/b`)).toMatchObject({ status: 200, url: `${guard.url}/b` });
    expect(sessionOf(browser, guard)?.["sid"]).not.toBe(sid);
  });

  test("at one of several providers begins with its button on the login page, with its own way to authenticate", async () => {
    const browser = new HttpBrowser();
    const choice = await browser.visit(`${several.url}/boats`);
    expect(shows(choice)).toEqual({ status: 200, title: "Sign in", links: ["Sign in with Harbour ID", "Sign in with Strict <ID>", "Sign in with Hub"] });
    expect(choice.text).not.toContain("password");
    const page = await browser.visit(new URL(choice.links["Sign in with Strict <ID>"] ?? "", choice.url).href, { from: choice.url });
    const sent = new URL(page.trail.find((url) => url.startsWith(`${strict.url}/auth?`)) ?? "").searchParams;
    expect([...sent.keys()].sort()).toEqual(["client_id", "request_uri"]);
    expect(await browser.answer(page, "ada")).toMatchObject({ status: 200, url: `${several.url}/boats` });
    expect(strict.requests).toContain("POST /request");
    expect(sessionOf(browser, several)).toMatchObject({ sub: "strict|ada", email: "ada@HARBOUR.example", nickname: "Countess" });
  });

  test("at a provider that knows OAuth only takes the user from its endpoint", async () => {
    const browser = new HttpBrowser();
    expect(await browser.visit(login("hub", several))).toMatchObject({ status: 200, url: `${several.url}/boats` });
    expect(sessionOf(browser, several)).toMatchObject({ sub: "hub|583231", email: "octo@hub.example", preferred_username: "octo" });
    expect(Object.fromEntries(hub.tokenRequest ?? [])).toMatchObject({ client_id: "hub-client", client_secret: "hub-secret", redirect_uri: `${several.url}/_auth/callback/hub` });
    const callback = new URL(`${several.url}/_auth/callback/hub?code=wrong`);
    const begun = await browser.visit(login("hub", several), { until: (url) => url.origin === hub.url });
    callback.searchParams.set("state", new URL(begun.url).searchParams.get("state") ?? "");
    browser.cookies(several.url).delete("__Host-session");
    const refused = await browser.visit(callback.href, { from: hub.url });
    expect([refused.status, codeOn(refused)]).toEqual([400, "sign_in_expired"]);
  });

  test("is not begun by what only looks at a link, nor from another site's form", async () => {
    const path = "/_auth/login/idp?redirect=/boats";
    const looks: RequestInit[] = [
      { headers: { "sec-purpose": "prefetch;prerender" } }, { headers: { "sec-fetch-dest": "image" } }, { headers: { "sec-fetch-dest": "iframe" } },
      { method: "POST", headers: { origin: "https://evil.example", "sec-fetch-site": "cross-site" }, body: new URLSearchParams({ redirect: "/" }) },
      { method: "HEAD" },
    ];
    for (const init of looks) {
      const { status, headers } = await guard.fetch(path, init);
      expect([400, 403, 405], JSON.stringify(init)).toContain(status);
      expect(headers.getSetCookie()).toEqual([]);
    }
    expect((await guard.fetch("/_auth/callback/idp?code=x&state=y", { method: "HEAD" })).status).toBe(405);
    expect((await guard.fetch("/_auth/login/nobody")).status).toBe(404);
    expect(await answerOf(guard.fetch("/boats"))).toMatchObject({ status: 401 });
    await using without = await startGuard();
    expect((await without.fetch(path)).status).toBe(404);
  });

  test("leads nowhere but to this site", async () => {
    for (const target of ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"]) {
      expect((await signInAt(new HttpBrowser(), login("idp", guard, `redirect=${encodeURIComponent(target)}`), "eva")).url).toBe(`${guard.url}/`);
    }
  });

  test("passes `login_hint` and `prompt` on", async () => {
    const browser = new HttpBrowser();
    await signInAt(browser, `${guard.url}/`, "ada");
    const page = await browser.visit(login("idp", guard, "prompt=login&login_hint=eva@harbour.example&state=mine"));
    expect(page).toMatchObject({ title: "login", fields: { user: "eva@harbour.example" } });
    expect(page.trail.filter((url) => url.startsWith(idp.url)).join()).not.toContain("state=mine");
  });

  test("begins a session whose ID token cannot be exchanged for another one", async () => {
    const browser = new HttpBrowser();
    await signInAt(browser, `${guard.url}/`, "once");
    const { hint } = await logoutUrl(browser);
    const exchanged = await answerOf(guard.fetch("/_auth/login", { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ id_token: hint }) }));
    expect(exchanged).toMatchObject({ status: 401, body: { code: "token_invalid", detail: "The token was used before." } });
  });
});

/** What a script is told that logs a browser out at the provider, too. */
async function logoutUrl(browser: HttpBrowser) {
  const cookie = [...browser.cookies(guard.url)].map((pair) => pair.join("=")).join("; ");
  const response = await guard.fetch("/_auth/logout?at=provider", { method: "POST", headers: { cookie, origin: guard.url, "sec-fetch-site": "same-origin" } });
  const { searchParams, origin } = new URL(((await response.json()) as { logout_url: string }).logout_url);
  return { status: response.status, cookies: response.headers.getSetCookie(), origin, searchParams, hint: searchParams.get("id_token_hint") ?? "" };
}

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

test("with SESSION_TTL_SHORT, whoever signs in chooses on the login page whether to stay signed in, also without scripts", async () => {
  await using brief = await startSignIn([{ provider: idp }], { vars: { SESSION_TTL: "30 days", SESSION_TTL_SHORT: "8 hours", SESSION_LIMIT: "0" } });
  for (const [chosen, hours] of [[{}, 8], [{ remember: "true" }, 30 * 24]] as const) {
    const browser = new HttpBrowser();
    const page = await browser.visit(`${brief.url}/boats`);
    expect([page.title, page.fields]).toEqual(["Sign in", { remember: "true", redirect: "/boats" }]);
    const [, action = ""] = /<button[^>]* formaction="([^"]*)">Sign in with Harbour ID<\/button>/.exec(page.text) ?? [];
    const there = await browser.visit(new URL(action, page.url).href, { form: { redirect: "/boats", ...chosen }, from: page.url });
    expect((await browser.answer(there, "ada")).url).toBe(`${brief.url}/boats`);
    const { exp, iat } = sessionOf(browser, brief) ?? {};
    expect((Number(exp) - Number(iat)) / 3600).toBe(hours);
  }
});

test("who may not in sees a page that says so, and offers another account", async () => {
  const browser = new HttpBrowser();
  const page = await signInAt(browser, login("strict", several), "mal");
  expect(shows(page)).toEqual({ status: 403, title: "This account cannot sign in here", links: ["Use another account", "Go to the home page"] });
  await logged(several, /allow.*sign_in_not_allowed/);
  expect(sessionOf(browser, several)).toBeUndefined();
  const other = await browser.visit(new URL(page.links["Use another account"] ?? "", page.url).href, { from: page.url });
  expect(await browser.answer(other, "ann")).toMatchObject({ status: 200, url: `${several.url}/boats` });
});

test("who is denied may not in, though they are allowed, too", async () => {
  const page = await signInAt(new HttpBrowser(), login("strict", several), "eve");
  expect([page.status, codeOn(page)]).toEqual([403, "sign_in_not_allowed"]);
  await logged(several, /deny\[0\].*sign_in_not_allowed/);
});

test("whose token does not fit into a cookie sees a page, and is not sent round", async () => {
  const browser = new HttpBrowser();
  const page = await signInAt(browser, login("strict", several), "max");
  expect([page.status, new URL(page.url).pathname, codeOn(page)]).toEqual([502, "/_auth/callback/strict", "issuer_unavailable"]);
  expect(sessionOf(browser, several)).toBeUndefined();
  await logged(several, /4,096 bytes/);
});

test("a rule's `acr` and `max_age` are asked of the provider, and checked", async () => {
  const browser = new HttpBrowser();
  await signInAt(browser, `${guard.url}/boats`, "step");
  const stronger = await browser.visit(`${guard.url}/vault`);
  expect(stronger.title, "although signed in at the provider").toBe("login");
  expect(await browser.answer(stronger, "step")).toMatchObject({ status: 200, url: `${guard.url}/vault` });
  expect(sessionOf(browser, guard)).toMatchObject({ acr: "strong" });
  const fresh = async (hours: number) => {
    const browser = new HttpBrowser();
    await signInAt(browser, `${guard.url}/boats`, "step");
    await shift(hours);
    const asked = await browser.visit(`${guard.url}/fresh`, { until: ({ origin }) => origin === idp.url });
    await shift(0);
    expect(new URL(asked.url).searchParams.get("max_age")).toBe("60");
    return browser.visit(asked.url);
  };
  expect(await fresh(0.025)).toMatchObject({ status: 200, url: `${guard.url}/fresh` });
  const old = await fresh(0.1);
  expect([old.status, codeOn(old)], "of a provider that has not asked its user again").toEqual([403, "sign_in_not_enough"]);
});

test("whose session limit asks chooses what to end, and is signed in", async () => {
  const [first, second] = [new HttpBrowser(), new HttpBrowser()];
  await signInAt(first, login("idp", several, "redirect=/first"), "limited");
  const ask = await signInAt(second, login("idp", several, "redirect=/second?a=b"), "limited");
  expect([ask.status, ask.title, ask.action]).toEqual([409, "You are signed in elsewhere", "/_auth/login/idp"]);
  expect(ask.fields).toMatchObject({ end: sessionOf(first, several)?.["sid"], redirect: "/second?a=b" });
  expect(await second.visit(new URL(ask.action ?? "", ask.url).href, { form: ask.fields, from: ask.url })).toMatchObject({ status: 200, url: `${several.url}/second?a=b` });
  const over = await answerOf(several.fetch("/", { headers: { cookie: `__Host-session=${first.cookies(several.url).get("__Host-session")}` } }));
  expect(over).toMatchObject({ status: 401, body: { code: "session_superseded" } });
  expect((await first.visit(`${several.url}/`)).text, "it is told, and not signed in again by itself").toContain("you signed in elsewhere");
});

describe("a logout", () => {
  test("at the provider, too, comes back to a page, and the next sign-in asks who it is", async () => {
    const browser = new HttpBrowser();
    await signInAt(browser, `${guard.url}/`, "leaver");
    const token = browser.cookies(guard.url).get("__Host-session") ?? "";
    const confirm = await browser.visit(`${guard.url}/_auth/logout?at=provider`, { form: {}, from: `${guard.url}/` });
    expect([confirm.title, new URL(confirm.url).origin]).toEqual(["logout", idp.url]);
    expect(await answerOf(guard.fetch("/", bearer(token)))).toMatchObject({ status: 401, body: { code: "session_revoked" } });
    const done = await browser.visit(confirm.action ?? "", { form: confirm.fields, from: confirm.url });
    expect([done.url, ...Object.values(shows(done))]).toEqual([`${guard.url}/_auth/logged-out`, 200, "Signed out", ["Sign in again"]]);
    expect(sessionOf(browser, guard)).toBeUndefined();
    expect((await browser.visit(new URL(done.links["Sign in again"] ?? "", done.url).href)).title).toBe("login");
  });

  test("tells a script where to go on to, with a hint of whose session it was", async () => {
    const browser = new HttpBrowser();
    await signInAt(browser, `${guard.url}/`, "scripted");
    const { status, origin, searchParams, hint, cookies } = await logoutUrl(browser);
    expect([status, origin, searchParams.get("post_logout_redirect_uri")]).toEqual([200, idp.url, `${guard.url}/_auth/logged-out`]);
    expect(JSON.parse(Buffer.from(hint.split(".")[1] ?? "", "base64url").toString())).toMatchObject({ sub: "scripted" });
    expect(cookies.join()).toContain("__Host-session=;");
    expect((await logoutUrl(new HttpBrowser())).hint, "of nobody").toBe("");
    expect(await logoutUrl(browser), "twice: the hint is kept no longer").toMatchObject({ status: 200, origin: idp.url, hint: "" });
    for (const query of ["at=elsewhere", "at=provider&scope=others"]) expect((await guard.fetch(`/_auth/logout?${query}`, { method: "POST" })).status).toBe(400);
  });

  test("of a provider that has no logout says that the user may still be signed in there", async () => {
    const browser = new HttpBrowser();
    const ask = await browser.visit(login("hub", several));
    if (ask.status === 409) await browser.visit(new URL(ask.action ?? "", ask.url).href, { form: ask.fields, from: ask.url });
    expect(sessionOf(browser, several)).toMatchObject({ sub: "hub|583231" });
    const done = await browser.visit(`${several.url}/_auth/logout?at=provider`, { form: {}, from: `${several.url}/` });
    expect([done.url, done.status]).toEqual([`${several.url}/_auth/logged-out?only=here`, 200]);
    expect(done.text).toContain("You may still be signed in at the service where you signed in.");
    expect(sessionOf(browser, several)).toBeUndefined();
  });

  test("here alone leads to the login page, which waits for the user", async () => {
    const browser = new HttpBrowser();
    await signInAt(browser, `${guard.url}/`, "local");
    const page = await browser.visit(`${guard.url}/_auth/logout`, { form: {}, from: `${guard.url}/` });
    expect(page).toMatchObject({ status: 200, url: `${guard.url}/_auth/login?reason=logged_out` });
    expect(page.text).toContain("You have signed out.");
    expect(Object.keys(page.links)).toEqual(["Sign in with Harbour ID"]);
  });

  test("at the provider ends the session here by the back channel", async () => {
    const browser = new HttpBrowser();
    await signInAt(browser, `${guard.url}/`, "backer");
    const token = browser.cookies(guard.url).get("__Host-session") ?? "";
    await idp.logOut(browser);
    expect(await answerOf(guard.fetch("/", bearer(token)))).toMatchObject({ status: 401, body: { code: "session_revoked" } });
    expect(idp.failures).toEqual([]);
  });

  test("at the provider ends the session here by a frame, if `iss` and `sid` name it", async () => {
    const browser = new HttpBrowser();
    await signInAt(browser, `${guard.url}/`, "framed");
    const { hint } = await logoutUrl(browser);
    const { sid } = JSON.parse(Buffer.from(hint.split(".")[1] ?? "", "base64url").toString()) as { sid: string };
    browser.cookies(guard.url).delete("__Host-session");
    await signInAt(browser, `${guard.url}/`, "framed");
    const token = browser.cookies(guard.url).get("__Host-session") ?? "";
    const frame = (query: Record<string, string>) => answerOf(guard.fetch(`/_auth/frontchannel-logout?${new URLSearchParams(query)}`, { headers: { "sec-fetch-dest": "iframe", "sec-fetch-site": "cross-site" } }));
    for (const query of [{ sid }, { iss: idp.url }, { iss: "https://evil.example", sid }]) expect((await frame(query as Record<string, string>)).status).toBe(400);
    expect((await frame({ iss: idp.url, sid: "guessed" })).status).toBe(200);
    expect((await guard.fetch("/", bearer(token))).status).toBe(200);
    const done = await frame({ iss: idp.url, sid });
    expect(done).toMatchObject({ status: 200, headers: { "cache-control": "no-store", "content-security-policy": expect.not.stringContaining("frame-ancestors") } });
    expect(await answerOf(guard.fetch("/", bearer(token)))).toMatchObject({ status: 401, body: { code: "session_revoked" } });
    expect((await several.fetch(`/_auth/frontchannel-logout?iss=${idp.url}&sid=${sid}`)).status, "where no entry says so").toBe(404);
  });
});
