// The page on which users see where they are signed in, in a browser.

import { expect, test } from "vitest";
import type { Page } from "playwright-core";
import { PHONE } from "../harness/guard.ts";
import { submitLogin, useGuardedBrowser } from "../harness/guarded_browser.ts";

const { guard, newContext, url } = useGuardedBrowser({ SESSION_LIMIT: "0" });

/** A browser that is signed in, on the page of its user's sessions. */
async function visit(user: string, { javaScriptEnabled = true } = {}): Promise<Page> {
  const page = await (await newContext({ javaScriptEnabled })).newPage();
  await page.goto(`${url}/_auth/sessions`);
  await submitLogin(page, user);
  await page.waitForURL(`${url}/_auth/sessions`);
  return page;
}

const items = (page: Page) => page.locator("form li");

test("by keyboard only and without JavaScript, users end sessions elsewhere", async () => {
  const page = await visit("keys", { javaScriptEnabled: false });
  expect(await page.locator("#only").textContent()).toBe("You are not signed in anywhere else.");
  const phone = await guard.login("keys", PHONE);
  await guard.login("keys");
  await page.reload();
  expect(await items(page).count()).toBe(3);
  expect(await items(page).first().textContent()).toMatch(/Chrome on Linux\s+This device\s+In use now/);
  const focused = () => page.evaluate("document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent");
  const press = async (name: string) => {
    for (let n = 0; n < 20 && (await focused()) !== name; n += 1) await page.keyboard.press("Tab");
    expect(await focused()).toBe(name);
    await Promise.all([page.waitForEvent("load"), page.keyboard.press("Enter")]);
  };
  await press("Sign out: iPhone");
  expect(page.url()).toBe(`${url}/_auth/sessions`);
  expect(await items(page).count()).toBe(2);
  expect(await page.locator("#ended li").textContent()).toMatch(/iPhone\s+Signed out just now \(/);
  expect((await guard.fetch("/_auth/session", { headers: { authorization: `Bearer ${phone.access_token}` } })).status).toBe(401);
  await press("Sign out everywhere else");
  expect(await items(page).count()).toBe(1);
  await press("Sign out: Headless Chrome on Linux (This device)");
  expect(await page.getByRole("status").textContent()).toBe("You have signed out.");
});

test("while it is open the page follows what happens, leaves the focus where it is, and goes when its session ends", async () => {
  const page = await visit("live");
  await page.clock.install();
  await page.reload();
  const everywhere = () => page.evaluate("document.activeElement === document.querySelector('li button')");
  await page.locator("li button").first().focus();
  const phone = await guard.login("live", PHONE);
  await page.clock.fastForward(15_000);
  await expect.poll(() => items(page).count()).toBe(2);
  expect(await everywhere()).toBe(true);
  await guard.fetch("/_auth/logout", { method: "POST", headers: { authorization: `Bearer ${phone.access_token}` } });
  await page.clock.fastForward(15_000);
  await expect.poll(() => page.locator("#ended li").count()).toBe(1);
  expect([await items(page).count(), await everywhere()]).toEqual([1, true]);
  expect(await page.locator("#only").isVisible()).toBe(true);
  const other = await guard.login("live");
  await guard.fetch("/_auth/logout?scope=others", { method: "POST", headers: { authorization: `Bearer ${other.access_token}` } });
  await page.waitForURL(/\/_auth\/login\?reason=session_revoked&redirect=%2F_auth%2Fsessions/);
  expect(await page.getByRole("status").textContent()).toMatch(/^You were signed out: your session was ended /);
});

test("over plain http, where the script is sent to the login page like a person, no login form takes the page's place", async () => {
  const page = await visit("plain");
  await page.clock.install();
  await page.reload();
  await page.route(`${url}/_auth/sessions`, (route) =>
    route.request().resourceType() === "fetch" ? route.fulfill({ status: 302, headers: { location: "/_auth/login" } }) : route.continue(),
  );
  await Promise.all([page.waitForEvent("load"), page.clock.fastForward(15_000)]);
  expect([await page.locator("#password").count(), await items(page).count()]).toEqual([0, 1]);
});

test("nobody can frame the page", async () => {
  const page = await visit("framed");
  guard.origin.reply = { body: `<iframe src="/_auth/sessions"></iframe>`, headers: { "content-type": "text/html" } };
  try {
    await page.goto(`${url}/frame`);
    await expect.poll(() => page.frames()[1]?.url()).toMatch(/^chrome-error:/);
  } finally {
    guard.origin.reply = {};
  }
});
