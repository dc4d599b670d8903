// Signing in at an identity provider by redirect: from a page to a certified provider and back, and who may.

import { describe, expect, test } from "vitest";
import { answerOf, startGuard } from "../harness/guard.ts";
import { HttpBrowser } from "../harness/http_browser.ts";
import { attemptsOf, logoutUrl, sessionOf, signInAt, startSignIn } from "../harness/sign_in.ts";
import { codeOn, guard, hub, idp, logged, login, several, shift, shows, strict, useSignInPlaces } from "../harness/sign_in_places.ts";

useSignInPlaces();

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
    const { hint } = await logoutUrl(browser, guard);
    const exchanged = await answerOf(guard.fetch("/_auth/login", { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ id_token: hint }) }));
    expect(exchanged).toMatchObject({ status: 401, body: { code: "token_invalid", detail: "The token was used before." } });
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
