// Sign-in by redirect in a real browser, at a certified provider: mostly as people without JavaScript use it.

import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { Browser, Page } from "playwright-core";
import { startBrowser } from "../harness/browser.ts";
import type { Guard } from "../harness/guard.ts";
import { startOidcProvider, type OidcProvider } from "../harness/oidc_provider.ts";
import { startSignIn } from "../harness/sign_in.ts";

const MEMBERS = "<title>Members</title><a href=/other>Other</a>"
  + "<form method=post action=/_auth/logout><button>Sign out here</button></form>"
  + "<form method=post action=/_auth/logout?at=provider><button>Sign out everywhere</button></form>";
const HOUR = 3_600_000;

let provider: OidcProvider;
let browser: Browser;
let guard: Guard;
let url: string;

/** By a name from which browsers take `Secure` cookies without TLS, and which is another site than the provider. */
const site = (url: string) => url.replace("127.0.0.1", "localhost");
const start = (vars: Record<string, string> = {}) =>
  startSignIn([{ provider, entry: { deny: { groups: "banned" }, scope: "openid email profile" } }], {
    site, clock: true, vars: { SESSION_LIMIT: "0", ROUTES: '[{"path": "/wires", "access": "session", "acr": ["strong"]}, {"path": "/bank", "access": "session", "max_age": "10 minutes"}]', ...vars },
  });

beforeAll(async () => {
  [provider, browser] = await Promise.all([startOidcProvider(), startBrowser()]);
  guard = await start();
  url = site(guard.url);
  provider.people.set("mallory", { email: "mallory@example.com", groups: ["banned"] });
});
afterAll(() => Promise.all([browser.close(), guard[Symbol.asyncDispose]()]).then(() => provider[Symbol.asyncDispose]()));
beforeEach(() => serve());

const serve = (body = "") => void (guard.origin.reply = { headers: { "content-type": "text/html" }, body: MEMBERS + body });
const open = async (javaScriptEnabled = false) => (await browser.newContext({ javaScriptEnabled })).newPage();
const isAtProvider = (page: Page) => new URL(page.url()).origin === provider.url;
/** Clicks, and waits for the page that it leads to. */
const press = (page: Page, name: string, role: "button" | "link" = "button") => Promise.all([page.waitForEvent("load"), page.getByRole(role, { name }).click()]);
/** Where a page is, as its title, or the code of the failure that it tells. */
const shown = async (page: Page) => ((await page.getByRole("alert").count()) > 0 ? await page.locator(".code").textContent() : await page.title());

/** Answers what the provider asks, until it sends the browser back. */
async function answer(page: Page, user: string) {
  expect(isAtProvider(page), page.url()).toBe(true);
  while (isAtProvider(page)) {
    if (["login", "select_account"].includes(await page.title())) await page.getByLabel("User").fill(user);
    await press(page, "Go on");
  }
}

async function signIn(page: Page, user: string, path = "/boats") {
  await page.goto(`${url}${path}`);
  await answer(page, user);
}

/** The page fits a phone and a desktop. */
async function fits(page: Page, name: string) {
  const folder = process.env["SCREENSHOTS"];
  for (const [width, height] of [[360, 640], [1280, 800]] as const) {
    await page.setViewportSize({ width, height });
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(width);
    if (folder) await page.screenshot({ path: `${folder}/sign-in-${name}-${width}.png` });
  }
}

test("a page leads to the provider, and from there back to it", async () => {
  const page = await open();
  await signIn(page, "ada", "/boats?page=2&q=a%26b");
  expect([page.url(), await page.title()]).toEqual([`${url}/boats?page=2&q=a%26b`, "Members"]);
  expect(guard.origin.received.at(-1)?.headers).toMatchObject({ "x-auth-request-user": "idp|ada" });
  const names = (await page.context().cookies(url)).map(({ name }) => name);
  expect(names.filter((name) => /sign-in-(?!returns)/.test(name)), "the attempt is over").toEqual([]);
});

test("somebody who has signed out finds a button, which signs in without a question while the provider knows them", async () => {
  const page = await open();
  await signIn(page, "ben");
  await press(page, "Sign out here");
  expect(await page.getByRole("status").textContent()).toBe("You have signed out.");
  expect(await page.getByRole("main").ariaSnapshot()).toContain('link "Sign in with Harbour ID"');
  await press(page, "Sign in with Harbour ID", "link");
  expect(page.url()).toBe(`${url}/`);
  expect(await shown(page)).toBe("Members");
});

test("who refuses at the provider is told so on a page that fits, and tries again", async () => {
  const page = await open(true);
  await page.goto(`${url}/boats`);
  await press(page, "Refuse");
  expect(await shown(page)).toContain("sign_in_denied");
  expect(await page.locator("body").textContent(), "what the provider says is not shown").not.toContain("said");
  await fits(page, "denied");
  await press(page, "Try again", "link");
  await page.getByLabel("User").fill("cleo");
  await press(page, "Go on");
  expect(await page.title()).toBe("consent");
  await press(page, "Refuse");
  expect(await shown(page)).toContain("sign_in_denied");
  await press(page, "Try again", "link");
  await answer(page, "cleo");
  expect([page.url(), await shown(page)]).toEqual([`${url}/boats`, "Members"]);
});

test("a person who may not in is offered another account, which may", async () => {
  const page = await open(true);
  await signIn(page, "mallory");
  expect(await shown(page)).toContain("sign_in_not_allowed");
  expect(await page.context().cookies(url)).not.toContainEqual(expect.objectContaining({ name: "__Host-session" }));
  expect(guard.log.join("\n")).toContain("sign_in_not_allowed");
  await fits(page, "not-allowed");
  await press(page, "Use another account", "link");
  expect(await page.title()).toBe("select_account");
  await answer(page, "dan");
  expect([page.url(), await shown(page)]).toEqual([`${url}/boats`, "Members"]);
});

test("a page that asks for a stronger login gets it on the way", async () => {
  const page = await open();
  await signIn(page, "eva");
  await page.goto(`${url}/wires?to=7`);
  expect(isAtProvider(page), await shown(page) ?? "").toBe(true);
  await answer(page, "eva");
  expect([page.url(), await shown(page)]).toEqual([`${url}/wires?to=7`, "Members"]);
});

/** Lets the guard's clock go ahead of it by so much, and the provider's if it is told to. */
async function at<T>(page: Page, ahead: number, run: () => Promise<T>, providerToo = false): Promise<T> {
  const { now } = Date;
  if (providerToo) Date.now = () => now() + ahead;
  await page.setExtraHTTPHeaders({ "x-clock": String(ahead) });
  try {
    return await run();
  } finally {
    Date.now = now;
    await page.setExtraHTTPHeaders({ "x-clock": "0" });
    await guard.fetch("/_auth/health", { headers: { "x-clock": "0" } });
  }
}

test("a page that asks for a fresh login has the provider ask again", async () => {
  const page = await open();
  await signIn(page, "gil", "/bank");
  expect(await shown(page)).toBe("Members");
  await at(page, HOUR / 2, async () => {
    await page.goto(`${url}/bank`);
    expect(await page.title(), "the provider asks though it knows the user").toBe("login");
    await answer(page, "gil");
    expect([page.url(), await shown(page)]).toEqual([`${url}/bank`, "Members"]);
  }, true);
});

test("a sign-in that was left open overnight begins anew by itself, and leads where it was to lead", async () => {
  const page = await open();
  await at(page, -9 * HOUR, () => page.goto(`${url}/boats?page=3`));
  await answer(page, "hal");
  expect([page.url(), await shown(page)]).toEqual([`${url}/boats?page=3`, "Members"]);
});

test("a page that was left open overnight leads through the provider to where its link leads", async () => {
  const page = await open();
  await signIn(page, "ida");
  await at(page, 8 * 24 * HOUR, async () => {
    await press(page, "Other", "link");
    expect(isAtProvider(page)).toBe(true);
    await answer(page, "ida");
    expect([page.url(), await shown(page)]).toEqual([`${url}/other`, "Members"]);
  }, true);
});

test("two tabs that begin at the same time both get where they were to go, in any order", async () => {
  const first = await open();
  const second = await first.context().newPage();
  await Promise.all([first.goto(`${url}/boats?tab=1`), second.goto(`${url}/boats?tab=2`)]);
  await answer(second, "jon");
  await answer(first, "jon");
  expect([first.url(), second.url()]).toEqual([`${url}/boats?tab=1`, `${url}/boats?tab=2`]);
  for (const page of [first, second]) {
    await page.reload();
    expect(await shown(page)).toBe("Members");
  }
});

test("all tabs of a browser that is opened again sign in at once, while the provider knows the user", async () => {
  const first = await open();
  await signIn(first, "jon");
  const tabs = await Promise.all(Array.from({ length: 10 }, () => first.context().newPage()));
  await first.context().clearCookies({ name: "__Host-session" });
  await Promise.all(tabs.map((page, i) => page.goto(`${url}/boats?tab=${i}`)));
  expect(await Promise.all(tabs.map(shown))).toEqual(tabs.map(() => "Members"));
});

test("the fragment of a link is kept while the provider asks nothing", async () => {
  const page = await open();
  await signIn(page, "joe");
  await page.context().clearCookies({ name: "__Host-session" });
  await page.goto(`${url}/boats?page=2#row-7`);
  expect([page.url(), await shown(page)]).toEqual([`${url}/boats?page=2#row-7`, "Members"]);
});

test("a tab whose attempt is gone goes on if another tab has signed in", async () => {
  const gone = await open();
  const context = gone.context();
  await gone.goto(`${url}/boats`);
  const [attempt] = (await context.cookies(url)).map(({ name }) => name);
  await context.clearCookies({ name: attempt ?? "" });
  const tab = await context.newPage();
  await signIn(tab, "kay");
  await answer(gone, "kay");
  expect([new URL(gone.url()).origin, await shown(gone)]).toEqual([url, "Members"]);
});

test("the provider's page as a bookmark leads to a page that signs in", async () => {
  const page = await open();
  const asked = page.waitForRequest((request) => request.url().startsWith(`${provider.url}/auth`));
  await page.goto(`${url}/boats`);
  const bookmark = (await asked).url();
  const later = await open();
  await later.goto(bookmark);
  await answer(later, "lou");
  expect(await shown(later)).toContain("sign_in_unknown");
  await press(later, "Try again", "link");
  expect([later.url(), await shown(later)]).toEqual([`${url}/`, "Members"]);
});

test("the Back button after a sign-in, and the address that it led through once more, do no harm", async () => {
  const page = await open();
  await page.goto(`${url}/boats`);
  await page.getByLabel("User").fill("kim");
  await press(page, "Go on");
  const callback = page.waitForRequest((request) => request.url().includes("/_auth/callback/"));
  await press(page, "Go on");
  expect(await shown(page)).toBe("Members");
  // The provider does not know its form any more.
  await page.goBack().catch(() => {});
  await page.goForward();
  expect([page.url(), await shown(page)]).toEqual([`${url}/boats`, "Members"]);
  await page.goto((await callback).url());
  expect(await shown(page)).toBe("Members");
});

test("after a logout at both, neither the Back button nor a link leads in without the provider's question", async () => {
  const page = await open();
  await signIn(page, "lea");
  await press(page, "Sign out everywhere");
  expect([isAtProvider(page), await page.title()]).toEqual([true, "logout"]);
  await press(page, "Sign out");
  expect(new URL(page.url()).pathname).toBe("/_auth/logged-out");
  expect(await page.getByRole("status").textContent()).toMatch(/signed out/);
  expect(await page.context().cookies(url)).toEqual([]);
  await page.goto(`${url}/boats`);
  expect([isAtProvider(page), await page.title()]).toEqual([true, "login"]);
  await page.goBack();
  expect(new URL(page.url()).pathname, "no page of the user's").not.toBe("/boats");
});

test("a page that is open is told of a logout at the provider, and says so", async () => {
  const page = await open(true);
  serve('<script src="/_auth/client.js" async></script>');
  const opened = page.waitForEvent("websocket");
  await signIn(page, "mia");
  await (await opened).waitForEvent("framereceived", { timeout: 1 }).catch(() => {});
  const other = await page.context().newPage();
  await other.goto(`${provider.url}/session/end`);
  await press(other, "Sign out");
  await page.waitForURL(/_auth\/login\?reason=session_revoked/);
  expect(await page.getByRole("status").textContent()).toMatch(/signed out/);
  expect(await page.getByRole("link", { name: "Sign in with Harbour ID" }).count()).toBe(1);
  expect(provider.failures.filter((it) => !it.startsWith("SessionNotFound"))).toEqual([]);
});

test("a provider that is restarted in the middle is asked again, and one that is away is a page with a way on", async () => {
  const page = await open(true);
  await page.goto(`${url}/boats`);
  await provider.stop();
  await provider.start();
  await page.getByLabel("User").fill("nia");
  await press(page, "Go on");
  provider.interfere = ({ url = "" }, response) => url.startsWith("/token") && void response.destroy() === undefined;
  await press(page, "Go on");
  expect(await shown(page)).toContain("sign_in_unavailable");
  await fits(page, "away");
  provider.interfere = undefined;
  await press(page, "Try again", "link");
  expect([page.url(), await shown(page)]).toEqual([`${url}/boats`, "Members"]);
});

test("who has too many sessions chooses on the way back which to end", async () => {
  await using few = await start({ SESSION_LIMIT: "1", SESSION_LIMIT_POLICY: "ask" });
  few.origin.reply = guard.origin.reply;
  const [first, second] = [await open(), await open(true)];
  for (const page of [first, second]) {
    await page.goto(`${site(few.url)}/boats`);
    await answer(page, "ora");
  }
  expect(await shown(first)).toBe("Members");
  expect(await second.title()).toBe("You are signed in elsewhere");
  await fits(second, "limit");
  await second.getByRole("checkbox").check();
  await press(second, "Sign in");
  expect([second.url(), await shown(second)]).toEqual([`${site(few.url)}/boats`, "Members"]);
  await first.reload();
  expect(await first.getByRole("status").textContent()).toMatch(/signed in elsewhere|signed out/);
});

test("a browser that keeps no session is not sent around without end", async () => {
  const page = await open(true);
  await signIn(page, "pia");
  for (let times = 0; times < 3; times += 1) {
    await page.context().clearCookies({ name: "__Host-session" });
    await page.goto(`${url}/boats`);
    if ((await shown(page)) !== "Members") break;
  }
  expect(await shown(page)).toContain("sign_in_loop");
  await fits(page, "loop");
  await press(page, "Try again", "link");
  expect([page.url(), await shown(page)]).toEqual([`${url}/boats`, "Members"]);
});

test("an answer of the provider that this browser has not asked for is a page that fits", async () => {
  const page = await open(true);
  await page.goto(`${url}/_auth/callback/idp?state=AAAAAAAAAAAAAAAAAAAAAA&code=stolen`);
  expect(await shown(page)).toContain("sign_in_unknown");
  await fits(page, "unknown");
  expect(await page.locator("body").textContent()).not.toContain("stolen");
});
