// The admin console in Chromium: by keyboard, with and without JavaScript, with long and hostile names.

import { describe, expect, test } from "vitest";
import { useGuardedBrowser } from "../harness/guarded_browser.ts";
import { bearer, PHONE, type LoggedIn } from "../harness/guard.ts";
import { PASSWORD } from "../harness/origin.ts";

const { guard, newContext, url } = useGuardedBrowser({ SESSION_LIMIT: "0" });
const LONG = `auth0|${"verylongname".repeat(16)}`;
const HOSTILE = '"><img src=x onerror=document.title=1>\u202eevil';
const FIREFOX = { "user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0" };

/** A browser in which an admin has signed in. */
async function admin(sub: string, options: Parameters<typeof newContext>[0] = {}) {
  guard.origin.approvals.set(sub, { sub, claims: { scope: "sessions:read sessions:revoke-admins" } });
  const page = await (await newContext(options)).newPage();
  await page.goto(`${url}/_auth/admin`);
  await page.getByLabel("User name").fill(sub);
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL(`${url}/_auth/admin`);
  return page;
}

test.each([["phone", 360, 640, "light"], ["desktop", 1280, 800, "dark"], ["phone", 360, 640, "dark"], ["desktop", 1280, 800, "light"]] as const)("on a %s nothing overflows, %i by %i, %s", { timeout: 60_000 }, async (name, width, height, colorScheme) => {
  for (const sub of [LONG, HOSTILE, "ada"]) for (const headers of [PHONE, FIREFOX]) await guard.login(sub, headers);
  for (let i = 0; i < 24; i += 1) await guard.login(`crew-${i}`, FIREFOX);
  const page = await admin("root", { viewport: { width, height }, colorScheme, javaScriptEnabled: false });
  const look = async (at: string) => {
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(width);
    const folder = process.env["SCREENSHOTS"];
    if (folder) await page.screenshot({ path: `${folder}/admin-${at}-${name}-${colorScheme}.png`, fullPage: true });
  };
  await look("users");
  for (const sub of ["ada", LONG, HOSTILE]) {
    await page.goto(`${url}/_auth/admin/users/${encodeURIComponent(sub)}`);
    for (const summary of await page.locator("summary").all()) await summary.click();
    await look(`user-${["ada", LONG].indexOf(sub)}`);
  }
  await page.goto(`${url}/_auth/admin/end`);
  await look("end-form");
  await page.getByLabel("Phone").check();
  await page.getByRole("button", { name: "Show what would end" }).click();
  await look("end-count");
  while (await page.getByRole("button", { name: "Go on" }).isVisible()) await page.getByRole("button", { name: "Go on" }).click();
  await look("end-counted");
  await page.goto(`${url}/_auth/admin?q=nobody`);
  await look("none");
});

test("by keyboard alone, an admin finds a user and ends a session, without JavaScript", async () => {
  await guard.login("keyboard user", FIREFOX);
  const page = await admin("root of keys", { javaScriptEnabled: false });
  const press = async (name: string) => {
    for (let i = 0; i < 60 && (await page.evaluate("document.activeElement.textContent")) !== name; i += 1) await page.keyboard.press("Tab");
    await Promise.all([page.waitForEvent("load"), page.keyboard.press("Enter")]);
  };
  await page.getByLabel("Search for a user").focus();
  await page.keyboard.type("keyboard");
  await Promise.all([page.waitForEvent("load"), page.keyboard.press("Enter")]);
  await press("keyboard user");
  expect(await page.getByRole("heading", { level: 1 }).textContent()).toContain("keyboard user");
  await press("End session");
  expect(await page.getByRole("status").textContent()).toBe("1 session was ended.");
});

test("with JavaScript, counting and ending go on by themselves", { timeout: 60_000 }, async () => {
  const names = Array.from({ length: 30 }, (_, i) => `part-${i}`);
  await Promise.all(names.map((name) => guard.login(name, PHONE)));
  const page = await admin("root of parts");
  await page.goto(`${url}/_auth/admin/end`);
  await page.getByLabel("Users, one ID per line").fill(names.join("\n"));
  await page.getByRole("button", { name: "Show what would end" }).click();
  await page.getByRole("button", { name: "End 30 sessions" }).click();
  await expect.poll(() => page.getByRole("status").textContent(), { timeout: 20_000 }).toBe("Ended: 30 sessions (30 users).");
});

test("a user's page shows eight sessions at a time, the newest first, each once, and ends those of later pages", async () => {
  const sids: string[] = [];
  for (let i = 0; i < 18; i += 1) sids.unshift((await guard.login("many sessions", i % 2 ? PHONE : FIREFOX)).session.sid);
  const page = await admin("root of many", { javaScriptEnabled: false });
  const go = (link: string) => Promise.all([page.waitForEvent("load"), page.locator("#pages").getByRole("link", { name: link }).click()]);
  const shown = async () => [await page.locator("li.row").evaluateAll((rows) => rows.map(({ id }) => id)), await page.locator("#pages a").allTextContents()];
  await page.goto(`${url}/_auth/admin/users/many%20sessions`);
  expect(await shown()).toEqual([sids.slice(0, 8), ["Next page"]]);
  await go("Next page");
  expect(await shown()).toEqual([sids.slice(8, 16), ["First page", "Next page"]]);
  await go("Next page");
  expect(await shown()).toEqual([sids.slice(16), ["First page"]]);
  await Promise.all([page.waitForEvent("load"), page.getByRole("button", { name: "End session" }).last().click()]);
  expect(await page.getByRole("status").textContent()).toBe("1 session was ended.");
  expect(await page.locator("#ended li").evaluateAll((rows) => rows.map(({ id }) => id))).toEqual(sids.slice(-1));
  await page.goto(`${url}/_auth/admin/users/many%20sessions?from=16`);
  await go("First page");
  expect(await shown()).toEqual([sids.slice(0, 8), ["Next page"]]);
});

describe("while it is open", () => {
  /** Opens a page of the console with a clock that this test moves. */
  const watch = async (sub: string, path: string) => {
    const page = await admin(sub);
    await page.clock.install();
    await page.goto(`${url}/_auth/admin${path}`);
    /** Waits until the page shows that. It asks every 15 seconds, and the index that it asks is written after a login's answer. */
    const becomes = (look: () => Promise<unknown>, what: unknown) =>
      expect.poll(async () => {
        await page.clock.fastForward(15_000);
        return look();
      }, { interval: 200, timeout: 10_000 }).toEqual(what);
    return { page, becomes };
  };
  const end = ({ access_token }: LoggedIn) => guard.fetch("/_auth/logout", { method: "POST", ...bearer(access_token) });

  test("the list shows who signs in and whose session ends elsewhere, counts both, and leaves alone what is being typed", async () => {
    const first = await guard.login("watched-ada", PHONE);
    const { page, becomes } = await watch("root of lists", "?q=watched-a");
    const numbers = async () => ((await page.locator("#counts").textContent()) ?? "").match(/\d+/g)?.map(Number) ?? [];
    const listed = async () => [await page.locator("#users a").allTextContents(), await numbers()];
    const [users = 0, sessions = 0] = await numbers();
    await page.getByLabel("Search for a user").press("End");
    await page.keyboard.type("nna");
    const second = await guard.login("watched-anna", FIREFOX);
    await becomes(listed, [["watched-a", "watched-ada", "watched-anna"], [users + 1, sessions + 1]]);
    expect(await page.locator("#users li").last().textContent()).toMatch(/1 session · Firefox on Linux · Last used just now/);
    await guard.login("watched-anna", PHONE);
    await becomes(listed, [["watched-a", "watched-ada", "watched-anna"], [users + 1, sessions + 2]]);
    await Promise.all([end(first), end(second)]);
    await becomes(listed, [["watched-a", "watched-anna"], [users, sessions]]);
    expect(await page.locator("#q:focus").inputValue()).toBe("watched-anna");
  });

  test("a user's page shows sessions that begin and end elsewhere, and leaves open what was opened", async () => {
    const first = await guard.login("watched-bea", PHONE);
    const { page, becomes } = await watch("root of pages", "/users/watched-bea");
    const shown = async () => [await page.locator("li.row strong").allTextContents(), await page.locator("#ended strong").allTextContents()];
    await page.locator("summary").first().click();
    await guard.login("watched-bea", FIREFOX);
    await becomes(shown, [["Firefox on Linux", "iPhone"], []]);
    expect(await page.locator(`[id="${first.session.sid}"] details[open]`).count()).toBe(1);
    await end(first);
    await becomes(shown, [["Firefox on Linux"], ["iPhone"]]);
  });
});
