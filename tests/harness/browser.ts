// A real browser: Chromium, as the machine has it.

import { existsSync } from "node:fs";
import { chromium, type Browser } from "playwright-core";

/** Chromium without the parts for windows, which takes half of the time. It keeps no pages to come back to. */
const HEADLESS_SHELL = "/usr/bin/chromium-headless-shell";

const PLACES = [
  process.env["CHROMIUM"] ?? "",
  HEADLESS_SHELL,
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/** Starts Chromium without a window, with more arguments; with its page cache, if pages are to come back from it. */
export async function startBrowser({ withPageCache = false, args: more = [] as string[] } = {}): Promise<Browser> {
  const executablePath = PLACES.find((place) => place !== "" && existsSync(place) && !(withPageCache && place === HEADLESS_SHELL));
  if (executablePath === undefined) {
    throw new Error("These tests need Chromium. Install it (Debian: apt install chromium), or set CHROMIUM to its path.");
  }
  const args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", ...more];
  const ignoreDefaultArgs = withPageCache ? ["--disable-back-forward-cache"] : [];
  return chromium.launch({ executablePath, args, ignoreDefaultArgs });
}
