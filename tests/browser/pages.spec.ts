// The guard's pages in a real browser, used as people use them.

import { beforeAll, expect, test } from "vitest";
import { useGuardedBrowser } from "../harness/guarded_browser.ts";
import { answerOf } from "../harness/guard.ts";
import { PASSWORD } from "../harness/origin.ts";

const MEMBERS = { headers: { "content-type": "text/html" }, body: "<title>Members</title><form method=post action=/_auth/logout><button>Sign out</button></form>" };

const { guard, newContext, url } = useGuardedBrowser();
beforeAll(async () => {
  guard.origin.reply = MEMBERS;
});

/** A browser of its own, with JavaScript switched off. */
async function visitor() {
  const context = await newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  const signIn = async (username: string, password = PASSWORD) => {
    await page.getByLabel("User name").fill(username);
    await page.getByLabel("Password").fill(password);
    // A click is over before the page that it leads to is there.
    await Promise.all([page.waitForEvent("load"), page.getByRole("button", { name: "Sign in" }).click()]);
  };
  return { page, signIn };
}

test("a second browser signs the first one out, which is told so and returns to its page", async () => {
  const [first, second] = [await visitor(), await visitor()];
  await first.page.goto(`${url}/members?page=2`);
  expect(new URL(first.page.url()).pathname).toBe("/_auth/login");
  await first.signIn("ada");
  expect([first.page.url(), await first.page.title()]).toEqual([`${url}/members?page=2`, "Members"]);

  await second.page.goto(`${url}`);
  await second.signIn("ada");
  expect(await second.page.title()).toBe("Members");

  await first.page.reload();
  expect(await first.page.getByRole("status").textContent()).toContain("you signed in elsewhere");
  await first.signIn("ada");
  expect(first.page.url()).toBe(`${url}/members?page=2`);
});

test("a wrong password is reported on the page, and the right one then leads on", async () => {
  const { page, signIn } = await visitor();
  await page.goto(`${url}/boats`);
  await signIn("ben", "wrong");
  expect(await page.getByRole("alert").textContent()).toContain("The user name or the password is wrong");
  expect(await page.getByLabel("User name").inputValue()).toBe("ben");
  expect(await page.getByLabel("Password").inputValue()).toBe("");
  await signIn("ben");
  expect(page.url()).toBe(`${url}/boats`);
});

test.each(["", "?reason=session_expired&redirect=/boats?page=2"])("the fragment of a link is restored after the login, even after a wrong password (%j)", async (query) => {
  const { page, signIn } = await visitor();
  await page.goto(`${url}${query === "" ? "/boats?page=2" : `/_auth/login${query}`}#row-7`);
  expect(new URL(page.url()).pathname).toBe("/_auth/login");
  await signIn("fragment", "wrong");
  await signIn("fragment");
  expect(page.url()).toBe(`${url}/boats?page=2#row-7`);
});

test("a link of 8 KB leads back to its target", async () => {
  const { page, signIn } = await visitor();
  const link = `${url}/boats?filter=${"%C3%A4b".repeat(1160)}`;
  expect(link.length).toBeGreaterThan(8100);
  await page.goto(link);
  await signIn("long");
  expect(page.url()).toBe(link);
});

test("an application may redirect to another site after the login", async () => {
  const { page, signIn } = await visitor();
  await page.goto(`${url}/boats`);
  // Another site to the browser.
  const elsewhere = `${guard.url}/_auth/health`;
  guard.origin.reply = { status: 302, headers: { location: elsewhere } };
  try {
    await signIn("leads-on");
    expect(page.url()).toBe(elsewhere);
  } finally {
    guard.origin.reply = MEMBERS;
  }
});

test("a form sent after the session has ended leads to the login page, which says when that was and leads back to the form", async () => {
  const { page, signIn } = await visitor();
  await page.goto(`${url}/form?step=2`);
  await signIn("form");
  guard.origin.reply = { headers: { "content-type": "text/html" }, body: "<form method=post action=/save><button>Save</button></form>" };
  try {
    await page.reload();
    await guard.login("form");
    await Promise.all([page.waitForEvent("load"), page.getByRole("button", { name: "Save" }).click()]);
  } finally {
    guard.origin.reply = MEMBERS;
  }
  expect(await page.getByRole("status").textContent()).toMatch(/^You were signed out here just now \(\w+ \d+, \d{4} at \d+:\d\d\s[AP]M UTC\), because you signed in elsewhere, with another device\.$/);
  await signIn("form");
  expect(page.url()).toBe(`${url}/form?step=2`);
});

test("a logout by a form leads to the login page, and the session has ended", async () => {
  const { page, signIn } = await visitor();
  await page.goto(`${url}`);
  await signIn("eva");
  const [cookie] = await page.context().cookies();
  expect(cookie).toMatchObject({ name: "__Host-session", httpOnly: true, secure: true, sameSite: "Lax", path: "/" });
  await page.getByRole("button", { name: "Sign out" }).click();
  expect(await page.getByRole("status").textContent()).toBe("You have signed out.");
  expect(await page.context().cookies()).toEqual([]);
  const stolen = await answerOf(guard.fetch("/", { headers: { cookie: `__Host-session=${cookie?.value}` } }));
  expect(stolen).toMatchObject({ status: 401, body: { code: "session_revoked" } });
});

test("the login page has labels, loads nothing from other sites, and keeps to its own Content-Security-Policy", async () => {
  const context = await newContext();
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
    // Without a referrer, Safari before 16.4 would send the form in a way that no site is known by.
    "referrer-policy": "same-origin",
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
  const context = await newContext({ viewport: { width, height } });
  const page = await context.newPage();
  const folder = process.env["SCREENSHOTS"];
  const look = async (at: string) => {
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(width);
    if (folder) await page.screenshot({ path: `${folder}/login-${at}-${name}.png` });
  };
  const user = `seen-on-${name}`;
  const signIn = async (password: string) => {
    await page.getByLabel("User name").fill(user);
    await page.getByLabel("Password").fill(password);
    await Promise.all([page.waitForEvent("load"), page.getByRole("button", { name: "Sign in" }).click()]);
  };
  await page.goto(`${url}/boats`);
  await signIn(PASSWORD);
  await guard.login(user);
  await page.reload();
  await look("superseded");
  await signIn("wrong");
  await look("wrong");
  expect(await page.evaluate("document.activeElement.id")).toBe("password");
});
