// The Back button after a session has ended, in a real browser with a page cache. The headers:
// contract/page_cache.spec.ts.

import { beforeEach, describe, expect, test } from "vitest";
import { COUNT_OPENED, submitLogin, useGuardedBrowser } from "../harness/guarded_browser.ts";

const { guard, newContext, url } = useGuardedBrowser({ ROUTES: '[{"path": "/shell", "access": "public"}]' }, { withPageCache: true });

const FORM = "<form method=post action=/_auth/logout><button>Sign out</button></form><a href=/other>Other</a>";
const CLIENT = '<script src="/_auth/client.js" async></script>';
let users = 0;
const serve = (headers: Record<string, string>, body = "") => {
  guard.origin.reply = { headers: { "content-type": "text/html", ...headers }, body: `<title>Private</title>${FORM}${body}` };
};
beforeEach(() => serve({}));

/** A browser of its own, in which somebody has signed in and sees a page. */
async function visitor(path = "/boats") {
  const user = `visitor-${(users += 1)}`;
  const page = await (await newContext()).newPage();
  await page.addInitScript("addEventListener('pageshow', ({ persisted }) => { globalThis.persisted = persisted })");
  await page.addInitScript(COUNT_OPENED);
  await page.goto(`${url}/boats`);
  await submitLogin(page, user);
  await page.waitForURL(`${url}/boats`);
  if (path !== "/boats") await page.goto(`${url}${path}`);
  // Playwright's own `goBack` waits for a load, which a kept page has had.
  const back = async () => {
    const before = page.url();
    await page.evaluate("history.back()").catch(() => {});
    await expect.poll(() => page.url()).not.toBe(before);
    await page.waitForFunction("globalThis.persisted !== undefined");
  };
  return { user, page, back };
}

/** The ways of an origin to say what is to be kept of its pages. */
const KEPT: [string, Record<string, string>][] = [
  ["nothing", {}],
  ["no-store", { "cache-control": "no-store" }],
  ["an hour", { "cache-control": "private, max-age=3600" }],
];

describe.each(KEPT)("a page that the origin lets caches keep for %j", (_, headers) => {
  test.each([["without client.js", ""], ["with client.js", CLIENT]])("is not shown again after a logout by a form, %s", async (_, body) => {
    serve(headers, body);
    const { page, back } = await visitor();
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.waitForURL(`${url}/_auth/login?*`);
    await back();
    await expect.poll(() => page.title()).toBe("Sign in");
  });

  test("is not shown again after a newer login, coming back from the login page", async () => {
    serve(headers);
    const { user, page, back } = await visitor();
    await guard.login(user);
    await page.getByRole("link", { name: "Other" }).click();
    await page.waitForURL(({ pathname }) => pathname === "/_auth/login");
    await back();
    await expect.poll(() => page.title()).toBe("Sign in");
  });

  test.each([
    ["from another page behind the guard", () => `${url}/other`],
    ["from another site", () => `${guard.origin.url}/elsewhere`],
    ["from an empty page", () => "about:blank"],
  ])("is not shown again after a newer login, coming back %s", async (_, elsewhere) => {
    serve(headers);
    const { user, page, back } = await visitor();
    await page.goto(elsewhere());
    await guard.login(user);
    await back();
    await expect.poll(() => page.title()).toBe("Sign in");
  });
});

test("client.js reloads a page that comes back from the browser's page cache", async () => {
  serve({}, CLIENT);
  const { page, back } = await visitor("/shell");
  // Once it listens, it knows that somebody is signed in.
  await expect.poll(() => page.evaluate("globalThis.opened")).toBe(1);
  await page.goto("about:blank");
  guard.origin.received.length = 0;
  await back();
  await expect.poll(() => guard.origin.received.map(({ target }) => target)).toContain("/shell");
});

test("going back within a live session loads the page again", async () => {
  const { page, back } = await visitor();
  await page.goto(`${url}/other`);
  guard.origin.received.length = 0;
  await back();
  await expect.poll(() => guard.origin.received.map(({ target }) => target)).toContain("/boats");
  expect(await page.title()).toBe("Private");
});

test("this leaves no cookie in the browser, and nothing reaches the origin", async () => {
  const { page } = await visitor();
  await page.goto(`${url}/other`);
  expect((await page.context().cookies()).map(({ name }) => name)).toEqual(["__Host-session"]);
  expect(guard.origin.received.filter(({ headers }) => headers.cookie !== undefined)).toEqual([]);
});
