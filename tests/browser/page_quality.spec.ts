// What holds for every page of the guard: `harness/shown_pages.ts` lists them, and `harness/rare_pages.ts` the rare ones.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Browser, ConsoleMessage, Page, Response } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startBrowser } from "../harness/browser.ts";
import { bearer } from "../harness/guard.ts";
import { RARE_PAGES } from "../harness/rare_pages.ts";
import { SHOWN_PAGES, type ShownPage } from "../harness/shown_pages.ts";
import { FAR_HOST, RTL, startStage, type Stage } from "../harness/stage.ts";
import { namesIn, says } from "../harness/words.ts";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const WIDTHS = [{ width: 360, height: 740 }, { width: 1280, height: 800 }] as const;
/** Those of the pages but English. */
const LANGUAGES = ["de", "es", "fr", RTL];
const SCHEMES = ["light", "dark"] as const;
/** A folder for pictures, and whether only those of the documentation are taken. */
const { SCREENSHOTS: folder, SCREENSHOTS_OF: which } = process.env;

let stage: Stage;
let browser: Browser;
beforeAll(async () => {
  [stage, browser] = await Promise.all([startStage(), startBrowser({ args: [`--host-resolver-rules=MAP ${FAR_HOST} 127.0.0.1`] })]);
});
afterAll(() => Promise.all([stage[Symbol.asyncDispose](), browser.close()]));

/** What happened in a browser while a page was opened. */
interface Opened {
  page: Page;
  /** What it loaded. */
  responses: Response[];
  /** What it complained of. */
  complaints: string[];
  /** Of the sessions that its job ends. */
  tokens: string[];
}

/** Those who look at the pages, by what differs between them. */
const visitors = new Map<string, Promise<Page>>();

/** A browser profile as if new, whose one page is used again: to make another takes longer than most of what is done in it. */
async function visitor(locale: string, javaScriptEnabled: boolean): Promise<Page> {
  const name = `${locale} ${javaScriptEnabled}`;
  if (!visitors.has(name)) {
    const context = await browser.newContext({ locale, javaScriptEnabled });
    context.setDefaultTimeout(5000);
    visitors.set(name, context.newPage());
  }
  const page = (await visitors.get(name)) as Page;
  await Promise.all([page.context().clearCookies(), page.context().setExtraHTTPHeaders({}), page.emulateMedia({ colorScheme: null }), page.setViewportSize(WIDTHS[0])]);
  return page;
}

async function open(shown: ShownPage, locale = "en", javaScriptEnabled = true): Promise<Opened> {
  const page = await visitor(locale, javaScriptEnabled);
  const responses: Response[] = [];
  const complaints: string[] = [];
  const onResponse = (response: Response) => void responses.push(response);
  const onError = (error: Error) => void complaints.push(String(error));
  const onConsole = (message: ConsoleMessage) => {
    // A status that is no success is what some pages are for.
    if (!message.text().startsWith("Failed to load resource")) complaints.push(message.text());
  };
  page.on("response", onResponse).on("pageerror", onError).on("console", onConsole);
  stage.guard.origin.reply = {};
  let tokens: string[];
  try {
    tokens = (await shown.open(stage, page)) ?? [];
  } finally {
    stage.guard.origin.reply = {};
    page.off("response", onResponse).off("pageerror", onError).off("console", onConsole);
  }
  if (shown.says) await says(page, ...shown.says);
  expect(await page.locator(shown.shows ?? "main").count(), `${shown.shows} at ${page.url()}`).toBeGreaterThan(0);
  return { page, responses, complaints, tokens };
}

/** Does what people come for, and looks whether the sessions that it is to end have ended. */
async function doJob(shown: ShownPage, locale: string, javaScriptEnabled: boolean): Promise<void> {
  const { page, tokens } = await open(shown, locale, javaScriptEnabled);
  const answers = () => Promise.all(tokens.map(async (token) => (await stage.guard.fetch("/", bearer(token))).status));
  expect(await answers(), "before").toEqual(tokens.map(() => 200));
  await shown.job?.byKeyboard(stage, page, tokens);
  expect(await answers(), "afterwards").toEqual(tokens.map(() => 401));
}

/** Its rules for WCAG 2.2 AA are off, unless one asks for them. */
const AXE_OPTIONS = { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] };

/** What axe finds, in words. */
async function findings(page: Page): Promise<string[]> {
  if (await page.evaluate("typeof axe === 'undefined'")) await page.evaluate(AXE);
  const found = (await page.evaluate(`axe.run(document, ${JSON.stringify(AXE_OPTIONS)})`)) as { violations: { id: string; nodes: { html: string; failureSummary: string }[] }[] };
  return found.violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html}: ${node.failureSummary}`));
}

/** By how much what was shown has moved by itself (Layout Instability API). */
const shift = (page: Page) =>
  page.evaluate(`new Promise((resolve) => {
    let sum = 0;
    new PerformanceObserver((list) => list.getEntries().forEach(({ value, hadRecentInput }) => (sum += hadRecentInput ? 0 : value))).observe({ type: "layout-shift", buffered: true });
    requestAnimationFrame(() => requestAnimationFrame(() => resolve(sum)));
  })`);

const overflow = (page: Page) => page.evaluate("document.documentElement.scrollWidth - innerWidth");

async function takePicture(shown: ShownPage, page: Page, { width }: { width: number }, scheme: string): Promise<void> {
  const isWanted = folder !== undefined && (which !== "docs" || (shown.isInDocs && scheme === "light"));
  const suffix = which === "docs" ? "" : `-${scheme}`;
  if (isWanted) await page.screenshot({ path: `${folder}/${shown.name}-${width}${suffix}.png`, fullPage: which !== "docs" });
}

test("everything of which a page tells that a request was refused is among the pages", () => {
  const told = [...SHOWN_PAGES, ...RARE_PAGES].flatMap(({ says }) => (says?.[0] === "errors" ? [says[1]] : []));
  // The button of one of them; and what only a login is refused for, which the login page says.
  expect(namesIn("errors").filter((name) => !told.includes(name))).toEqual(["too_many_attempts", "go_on"]);
});

describe.each([...SHOWN_PAGES, ...RARE_PAGES])("the page $name", (shown) => {
  let opened: Promise<Opened> | undefined;
  /** In English, opened once for the tests that only look. */
  const inEnglish = () => (opened ??= open(shown));

  test("is read, seen and used by everybody, light and dark, on phones and desktops", async () => {
    const { page } = await inEnglish();
    expect(await shift(page)).toBe(0);
    expect(await page.evaluate("getComputedStyle(document.querySelector('main')).borderRadius"), "its style is there").toBe("12px");
    for (const colorScheme of SCHEMES) {
      await page.emulateMedia({ colorScheme });
      for (const viewport of WIDTHS) {
        await page.setViewportSize(viewport);
        expect(await findings(page)).toEqual([]);
        expect(await overflow(page)).toBeLessThanOrEqual(0);
        await takePicture(shown, page, viewport, colorScheme);
      }
    }
  });

  test("is under 20 KB with all that it loads, nothing of it from elsewhere, and cannot be framed", async () => {
    const { page, responses, complaints } = await inEnglish();
    expect(complaints).toEqual([]);
    const loaded = responses.slice(responses.findLastIndex((response) => response.request().isNavigationRequest()));
    const ofPage = loaded.filter((response) => !response.url().endsWith("/favicon.ico"));
    expect(ofPage.slice(1).map((response) => [response.url(), response.status()])).toEqual(ofPage.slice(1).map((response) => [response.url(), 200]));
    const sizes = await Promise.all(ofPage.map(async (response) => (await response.body()).length));
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(20 * 1024);
    const origin = new URL(page.url()).origin;
    expect(ofPage.filter((response) => new URL(response.url()).origin !== origin)).toEqual([]);
    expect(ofPage[0]?.status()).toBe(shown.status ?? 200);
    const headers = ofPage[0]?.headers() ?? {};
    expect(headers).toMatchObject({ "cache-control": "no-store", "x-content-type-options": "nosniff", "content-type": "text/html; charset=utf-8" });
    const policy = headers["content-security-policy"] ?? "";
    for (const directive of ["default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"]) expect(policy).toContain(directive);
    expect(policy).not.toMatch(/unsafe|\*|http:|data:/);
  });

  test.each(shown.isRare ? [RTL] : LANGUAGES)("speaks %s, and fits", async (language) => {
    const { page } = await open(shown, language);
    const { lang, dir } = (await page.evaluate("({ lang: document.documentElement.lang, dir: document.documentElement.dir })")) as { lang: string; dir: string };
    // Where the settings are wrong, nobody knows of other languages.
    const speaks = shown.name === "misconfigured" && language === RTL ? "en" : language;
    expect([lang, dir]).toEqual([speaks, speaks === RTL ? "rtl" : "ltr"]);
    expect(await findings(page)).toEqual([]);
    for (const viewport of WIDTHS) {
      await page.setViewportSize(viewport);
      expect(await overflow(page)).toBeLessThanOrEqual(0);
    }
  });

  test.runIf(shown.job)(`${shown.job?.does}, by the keyboard alone and without JavaScript`, () => doJob(shown, "en", false));

  test.each(shown.isMain ? LANGUAGES : [])(`${shown.job?.does}, by the keyboard alone, in %s and with JavaScript`, (language) => doJob(shown, language, true));
});
