// Where sessions are, as Cloudflare tells it (`request.cf`), on the pages that show it.

import { expect, test } from "vitest";
import type { Page } from "playwright-core";
import { PHONE } from "../harness/guard.ts";
import { submitLogin, useGuardedBrowser } from "../harness/guarded_browser.ts";
import { CF_HEADER } from "../harness/workerd.ts";

const { guard, newContext, url } = useGuardedBrowser({ SESSION_LIMIT: "0" });
const at = (city: string, country: string, timezone: string) => ({ [CF_HEADER]: JSON.stringify({ city, country, timezone }) });
const BERLIN = at("Berlin", "DE", "Europe/Berlin");
const PHONE_IN_OSAKA = { ...PHONE, ...at("Osaka", "JP", "Asia/Tokyo") };

/** A moment of today in Berlin, as a page writes it. */
const MOMENT = String.raw`\w+ \d+, \d{4} at \d+:\d\d\s[AP]M GMT\+[12]`;

/** A browser in Berlin in which somebody has signed in, at a page of the guard. */
async function visit(user: string, path: string): Promise<Page> {
  const page = await (await newContext({ extraHTTPHeaders: BERLIN })).newPage();
  await page.goto(`${url}${path}`);
  await submitLogin(page, user);
  await page.waitForURL(`${url}${path}`);
  return page;
}

const texts = async (page: Page, selector: string) => (await page.locator(selector).allTextContents()).map((text) => text.replaceAll(/\s+/g, " ").trim());

test("the sessions page shows where each session is, and was, in the visitor's language and time", async () => {
  const page = await visit("ada", "/_auth/sessions");
  await guard.login("ada", PHONE_IN_OSAKA);
  await page.reload();
  const [here, phone, ...others] = await texts(page, "li.row .session");
  expect([here, phone, others]).toEqual([
    expect.stringMatching(new RegExp(`^Headless Chrome on Linux This device Berlin, Germany · In use now Signed in: ${MOMENT}$`)),
    expect.stringMatching(new RegExp(`^iPhone Osaka, Japan · Last used just now Signed in: ${MOMENT}$`)),
    [],
  ]);
  const german = await (await newContext({ extraHTTPHeaders: BERLIN, locale: "de", storageState: await page.context().storageState() })).newPage();
  await german.goto(page.url());
  expect((await texts(german, "li.row .session small"))[0]).toMatch(/^Berlin, Deutschland · /);
  await Promise.all([page.waitForEvent("load"), page.locator("#others").click()]);
  expect(await texts(page, "#ended li")).toEqual([expect.stringMatching(new RegExp(`^iPhone Osaka, Japan Signed out just now \\(${MOMENT}\\)\\.$`))]);
});

test("who was signed out by a login elsewhere is told why, when, by what kind of device, by which, and where", async () => {
  guard.origin.approvals.set("bea", { sub: "bea", session_limit: 1 });
  const page = await visit("bea", "/_auth/sessions");
  await guard.login("bea", PHONE_IN_OSAKA);
  // The page hears of it by itself.
  await page.waitForURL(/_auth.login/);
  expect(await texts(page, "[role=status]")).toEqual([
    expect.stringMatching(new RegExp(`^You were signed out here just now \\(${MOMENT}\\), because you signed in elsewhere, with a phone\\.$`)),
  ]);
  expect(await texts(page, ".newcomer")).toEqual(["iPhone · Osaka, Japan"]);
});

test("the console shows where a user was seen last, and where each session is, and was", async () => {
  guard.origin.approvals.set("root", { sub: "root", claims: { scope: "sessions:read sessions:revoke-admins" } });
  await guard.login("cleo", PHONE_IN_OSAKA);
  const page = await visit("root", "/_auth/admin");
  await page.goto(`${url}/_auth/admin?q=cleo`);
  expect(await texts(page, "#users small")).toEqual(["1 session · iPhone · Osaka, Japan · Last used just now"]);
  await page.getByRole("link", { name: "cleo" }).click();
  await page.waitForURL(`${url}/_auth/admin/users/cleo`);
  expect(await texts(page, "li.row .session > small")).toEqual(["Osaka, Japan · Last used just now"]);
  await page.getByRole("button", { name: "End session: iPhone" }).click();
  await page.waitForURL(/ended=1/);
  expect(await texts(page, "#ended small")).toEqual(["Osaka, Japan", expect.stringMatching(new RegExp(`^Ended just now \\(${MOMENT}\\)\\.$`))]);
});
