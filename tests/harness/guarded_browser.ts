// A guard and a browser that visits it.

import { afterAll, beforeAll } from "vitest";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { startBrowser } from "./browser.ts";
import { useGuard, type Vars } from "./guard.ts";
import { PASSWORD } from "./origin.ts";

/** A guard and a browser for all tests of a file; with its page cache, if pages are to come back from it. */
export function useGuardedBrowser(vars: Vars = {}, options: { withPageCache?: boolean } = {}) {
  const guard = useGuard(vars);
  let browser: Browser;
  beforeAll(async () => {
    browser = await startBrowser(options);
  });
  afterAll(() => browser.close());
  return {
    guard,
    /** A browser profile of its own. */
    newContext: (options?: BrowserContextOptions) => browser.newContext(options),
    /** The guard's URL by a name from which browsers take `Secure` cookies without TLS. */
    url: { toString: () => guard.url.replace("127.0.0.1", "localhost") },
  };
}

/** Fills in the login page that is open, and sends it. */
export async function submitLogin(page: Page, username: string): Promise<void> {
  await page.getByLabel("User name").fill(username);
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in" }).click();
}

/** A script by which a page counts the WebSockets that it has opened. */
export const COUNT_OPENED = `globalThis.opened = 0;
globalThis.WebSocket = class extends WebSocket {
  constructor(...args) {
    super(...args);
    this.addEventListener("open", () => globalThis.opened++);
  }
};`;
