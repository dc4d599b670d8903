// Steps, and what is told of them.

import { createHash } from "node:crypto";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";

/** Steps on a page, with a picture after each. */
export class Steps {
  failures = 0;
  #count = 0;
  #page;
  #pictures;

  constructor(page, pictures) {
    rmSync(pictures, { recursive: true, force: true });
    mkdirSync(pictures, { recursive: true });
    this.#page = page;
    this.#pictures = pictures;
  }

  /** Does one thing, and says how it went. What it returns is said, too. */
  async take(name, act) {
    const began = performance.now();
    const tell = (how, detail) => console.log(`${how}  ${name} (${((performance.now() - began) / 1000).toFixed(1)} s)${detail ? `: ${detail}` : ""}`);
    this.#count += 1;
    try {
      tell("ok    ", await act());
    } catch (error) {
      this.failures += 1;
      tell("failed", error instanceof Error ? error.message : error);
    }
    await this.#page.screenshot({ path: join(this.#pictures, `${String(this.#count).padStart(2, "0")}.png`) });
  }
}

/** A page of a fresh browser profile, in which `init` runs before every page's own scripts. */
export async function newPage(browser, init) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  if (init) await context.addInitScript(init);
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  return page;
}

/** Fails the step if something is not so. */
export function demand(isSo, otherwise) {
  if (!isSo) throw new Error(otherwise);
}

/** Waits until something is so. */
export async function until(isSo, otherwise, seconds = 30) {
  for (const end = Date.now() + seconds * 1000; Date.now() < end; ) {
    if (await isSo()) return;
    await new Promise((again) => setTimeout(again, 50));
  }
  throw new Error(otherwise);
}

/** What tells two files apart. */
export const hash = (bytes) => createHash("sha256").update(bytes).digest("hex");

/** Signs in at the guard's own login page. */
export async function signIn(page, username = "ada", password = "harbour-lights") {
  await page.getByLabel("User name").fill(username);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
}

/** Signs in from elsewhere, which ends the session of the page. Returns when that was sent. */
export async function signInElsewhere(site) {
  const began = Date.now();
  const body = JSON.stringify({ username: "ada", password: "harbour-lights" });
  const login = await fetch(`${site}/_auth/login`, { method: "POST", headers: { "content-type": "application/json" }, body });
  demand(login.status === 200, `the login elsewhere was answered ${login.status}`);
  return began;
}

/** Fails unless the page is the guard's login page; returns what it says. */
export async function toldAtLogin(page) {
  await page.waitForURL((url) => url.pathname === "/_auth/login");
  return (await page.getByRole("status").textContent())?.trim();
}
