// A page used by the keyboard alone.

import type { Page } from "playwright-core";
import { PASSWORD } from "./origin.ts";
import { somebody, type Site, type Stage } from "./stage.ts";
import { says } from "./words.ts";

/** What people come to a page for. */
export interface Job {
  does: string;
  /** Does it by the keyboard alone, and fails if it does not work. Gets the tokens of the sessions that it is to end. */
  byKeyboard(stage: Stage, page: Page, tokens: string[]): Promise<void>;
}

/** Presses Tab until what is looked for has the focus, which is to be seen there. */
export async function tabTo(page: Page, selector: string): Promise<void> {
  for (let pressed = 0; pressed < 60; pressed += 1) {
    const focused = page.locator(`${selector}:focus`);
    if ((await focused.count()) === 1) {
      const outline = await focused.evaluate("element => getComputedStyle(element).outlineStyle");
      if (outline === "none") throw new Error(`${selector}: that it has the focus is not to be seen`);
      return;
    }
    await page.keyboard.press("Tab");
  }
  throw new Error(`${selector} does not get the focus by Tab`);
}

/** Presses a key, and waits for the page that it leads to. */
export async function press(page: Page, key: string): Promise<void> {
  await Promise.all([page.waitForEvent("load"), page.keyboard.press(key)]);
}

/** Goes to a button or link by Tab, and presses it. */
export async function use(page: Page, selector: string): Promise<void> {
  await tabTo(page, selector);
  await press(page, "Enter");
}

/** Fails unless the browser is at this path. */
export function isAt(page: Page, path: string): void {
  const { pathname, search } = new URL(page.url());
  if (pathname + search !== path) throw new Error(`the browser is at ${page.url()} instead of ${path}`);
}

/** Fails unless the page has this. */
export async function has(page: Page, selector: string, count = 1): Promise<void> {
  const found = await page.locator(selector).count();
  if (found !== count) throw new Error(`the page at ${page.url()} has ${found} of ${selector} instead of ${count}`);
}

/** Fails unless the browser shows what the origin answers at this path, to this user if one is named. */
export async function reaches({ guard }: Site, page: Page, path: string, user?: string): Promise<void> {
  isAt(page, path);
  const shown = await page.locator("body").textContent();
  if (shown !== "the origin's answer") throw new Error(`${path} shows ${shown}`);
  const asked = guard.origin.received.findLast(({ target }) => target === path);
  const asks = asked?.headers["x-auth-request-user"];
  if (user !== undefined && asks !== user) throw new Error(`the origin is asked by ${String(asks)} instead of ${user}`);
}

/** Follows the link that matches, and comes to a login page. */
export const leadsToLogin = (does: string, selector: string, path: string): Job => ({
  does,
  async byKeyboard(_, page) {
    await use(page, selector);
    isAt(page, path);
    await has(page, "#password");
  },
});

/** The link to the home page, where nobody comes who is not signed in. */
export const HOME = 'main a[href="/"]';
export const LEADS_HOME = leadsToLogin("leads to the home page", HOME, "/_auth/login?redirect=/");

/** Follows the link to a page that is there now. */
export const triesAgain = (path: string): Job => ({
  does: "tries again",
  async byKeyboard(stage, page) {
    await use(page, `main a[href="${path}"]`);
    await reaches(stage, page, path);
  },
});

/** Types a name and a password, and sends them. */
export const signsIn = (path: string): Job => ({
  does: "signs in",
  async byKeyboard(stage, page) {
    const name = somebody();
    await says(page, "sign_in", "title");
    await tabTo(page, "#username");
    await page.keyboard.press("Control+a");
    await page.keyboard.type(name);
    await typePassword(page);
    await reaches(stage, page, path, name);
  },
});

/** Types the password, and sends it. */
export async function typePassword(page: Page): Promise<void> {
  await tabTo(page, "#password");
  await page.keyboard.type(PASSWORD);
  await press(page, "Enter");
}
