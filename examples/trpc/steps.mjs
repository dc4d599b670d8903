// What somebody does with the application, from the login to being signed out elsewhere.

import { demand, signIn, signInElsewhere, toldAtLogin, until } from "../lib/told.mjs";

/** How long a stream may go on after its session's end, in milliseconds. */
const MOST_LATE = 2_000;

/** Takes all steps. */
export async function use(page, steps, { site }) {
  await steps.take("without a session, the login page, and a 401 for what a script asks", async () => {
    await page.goto(site);
    demand(new URL(page.url()).pathname === "/_auth/login", `it is ${page.url()}`);
    const asked = await page.request.get(`${site}/trpc/who?batch=1&input={}`, { headers: { "trpc-accept": "application/jsonl" } });
    demand(asked.status() === 401, `it was answered ${asked.status()}`);
  });
  await steps.take("a login leads to the application, which knows who it is", async () => {
    await signIn(page);
    return isAda(page);
  });
  await steps.take("of two questions in one request, the quick one is answered first", async () => {
    const asked = page.waitForRequest((request) => request.url().includes("/trpc/slow,quick"));
    await page.getByRole("button", { name: "Ask both" }).click();
    await asked;
    await until(async () => (await page.locator("#answers").innerText()).includes("slow"), "no slow answer");
    const text = (await page.locator("#answers").innerText()).trim();
    const [, quick, slow] = /^quick after (\d+) ms\. slow after (\d+) ms\.$/.exec(text) ?? [];
    demand(Number(slow) - Number(quick) > 1_000, text);
    return text;
  });
  await steps.take("a note is written, and read", async () => {
    await page.getByLabel("Note").fill("Größe 100% #1 🐙");
    await page.getByRole("button", { name: "Write" }).click();
    await page.getByText("m-001: Größe 100% #1 🐙").waitFor();
  });
  await steps.take("the tide comes line by line, as it is sent", () => watch(page));
  await steps.take("a login elsewhere breaks the stream, as a lost connection would", async () => {
    // The page loads itself again soon, so what it saw is kept here.
    const before = await page.evaluate(() => window.tried.ends.length);
    const began = await signInElsewhere(site);
    const seen = await page.waitForFunction((before) => window.tried.ends.length > before && window.tried, before, { timeout: 10_000, polling: 20 });
    const { lines, ends } = await seen.jsonValue();
    const { how, at, path } = ends[before];
    demand(path.includes("tide") && how === "broken", `${path} came to an end that is ${how}`);
    demand(at - began <= MOST_LATE, `it went on for ${at - began} ms`);
    const last = Math.max(...lines.map(({ came }) => came - began));
    demand(last <= MOST_LATE, `data came for ${last} ms`);
    return `${at - began} ms after the login was sent`;
  });
  await steps.take("the application notices, asks again, and the login page says why", () => toldAtLogin(page));
  await steps.take("a new login leads back, and the tide goes on", async () => {
    await signIn(page);
    await isAda(page);
    return watch(page);
  });
  await steps.take("a log out in another tab breaks it, too", async () => {
    const before = await page.evaluate(() => window.tried.ends.length);
    const other = await page.context().newPage();
    await other.goto(site);
    await isAda(other);
    const began = Date.now();
    await other.evaluate(() => fetch("/_auth/logout", { method: "POST" }));
    const seen = await page.waitForFunction((before) => window.tried.ends.length > before && window.tried.ends[before], before, { timeout: 10_000, polling: 20 });
    const { how, at } = await seen.jsonValue();
    await other.close();
    demand(how === "broken" && at - began <= MOST_LATE, `${how} after ${at - began} ms`);
    await page.waitForURL((url) => url.pathname === "/_auth/login");
    return `${at - began} ms after it was sent`;
  });
}

async function isAda(page) {
  await until(async () => (await page.locator("#who").innerText()) === "Ada Winter", "it does not know who it is");
  return "Ada Winter";
}

/** Watches the tide for two seconds. */
async function watch(page) {
  await page.getByRole("button", { name: "Watch" }).click();
  await until(async () => (await page.evaluate(() => window.tried.lines.length)) >= 8, "no eight lines");
  const lines = await page.evaluate(() => window.tried.lines);
  const latest = Math.max(...lines.map(({ sent, came }) => came - sent));
  demand(latest < 1_000, `a line came ${latest} ms after it was sent`);
  return `${lines.length} lines, none later than ${latest} ms`;
}
