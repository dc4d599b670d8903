// The guard's pages in a real browser, used as people use them.

import { afterAll, beforeAll, expect, test } from "vitest";
import type { Browser } from "playwright-core";
import { startBrowser } from "./harness/browser.ts";
import { answerOf, startGuard, type Guard } from "./harness/guard.ts";
import { PASSWORD } from "./harness/origin.ts";

let guard: Guard;
let browser: Browser;
let url: string;
beforeAll(async () => {
  [guard, browser] = await Promise.all([startGuard(), startBrowser()]);
  guard.origin.reply = { headers: { "content-type": "text/html" }, body: "<title>Members</title><form method=post action=/_auth/logout><button>Sign out</button></form>" };
  // Browsers take `Secure` cookies from this name without TLS.
  url = guard.url.replace("127.0.0.1", "localhost");
});
afterAll(async () => {
  await browser.close();
  await guard[Symbol.asyncDispose]();
});

/** A browser of its own, with JavaScript switched off. */
async function visitor() {
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  const signIn = async (username: string, password = PASSWORD) => {
    await page.getByLabel("User name").fill(username);
    await page.getByLabel("Password").fill(password);
    // A click is over before the page that it leads to is there.
    await Promise.all([page.waitForEvent("load"), page.getByRole("button", { name: "Sign in" }).click()]);
  };
  return { page, signIn };
}

test("of two browsers the second signs the first one out, which is told so and comes back to where it was", async () => {
  const [first, second] = [await visitor(), await visitor()];
  await first.page.goto(`${url}/members?page=2`);
  expect(new URL(first.page.url()).pathname).toBe("/_auth/login");
  await first.signIn("ada");
  expect([first.page.url(), await first.page.title()]).toEqual([`${url}/members?page=2`, "Members"]);

  await second.page.goto(url);
  await second.signIn("ada");
  expect(await second.page.title()).toBe("Members");

  await first.page.reload();
  expect(await first.page.getByRole("status").textContent()).toContain("you signed in elsewhere");
  await first.signIn("ada");
  expect(first.page.url()).toBe(`${url}/members?page=2`);
});

test("a wrong password is answered on the page, and the right one then leads on", async () => {
  const { page, signIn } = await visitor();
  await page.goto(`${url}/boats`);
  await signIn("ben", "wrong");
  expect(await page.getByRole("alert").textContent()).toContain("The login was not accepted");
  expect(await page.getByLabel("Password").inputValue()).toBe("");
  await signIn("ben");
  expect(page.url()).toBe(`${url}/boats`);
});

test("a sign-out by a form leads to the login page, and the session is over", async () => {
  const { page, signIn } = await visitor();
  await page.goto(url);
  await signIn("eva");
  const [cookie] = await page.context().cookies();
  expect(cookie).toMatchObject({ name: "__Host-session", httpOnly: true, secure: true, sameSite: "Lax", path: "/" });
  await page.getByRole("button", { name: "Sign out" }).click();
  expect(await page.getByRole("status").textContent()).toBe("You have signed out.");
  expect(await page.context().cookies()).toEqual([]);
  const stolen = await answerOf(guard.fetch("/", { headers: { cookie: `__Host-session=${cookie?.value}` } }));
  expect(stolen).toMatchObject({ status: 401, body: { code: "session_revoked" } });
});

test("the login page is labelled, loads nothing from elsewhere, and breaks none of its own rules", async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  const complaints: string[] = [];
  const loaded: string[] = [];
  page.on("console", (message) => complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("request", (request) => loaded.push(new URL(request.url()).pathname));
  const response = await page.goto(`${url}/_auth/login?reason=session_expired`);
  expect(loaded.filter((path) => path !== "/favicon.ico")).toEqual(["/_auth/login", "/_auth/style.css"]);
  expect(complaints.filter((text) => !text.includes("favicon"))).toEqual([]);
  expect(response?.headers()).toMatchObject({
    "cache-control": "no-store",
    "content-security-policy": expect.stringContaining("frame-ancestors 'none'"),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
  });
  expect(await page.locator("body").ariaSnapshot()).toBe(
    [
      "- main:",
      '  - heading "Sign in" [level=1]',
      "  - status: Your session has expired.",
      "  - text: User name",
      '  - textbox "User name"',
      "  - text: Password",
      '  - textbox "Password"',
      '  - button "Sign in"',
    ].join("\n"),
  );
});

test.each([["phone", 360, 640], ["desktop", 1280, 800]])("on a %s nothing overflows", async (name, width, height) => {
  const context = await browser.newContext({ viewport: { width, height } });
  const page = await context.newPage();
  await page.goto(`${url}/_auth/login?reason=session_superseded`);
  expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(width);
  const folder = process.env["SCREENSHOTS"];
  if (folder) await page.screenshot({ path: `${folder}/login-${name}.png` });
});
