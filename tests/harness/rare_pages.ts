// Pages that few people see, and states of others: after a refusal, with other settings.

import type { Page } from "playwright-core";
import { has, HOME, isAt, LEADS_HOME, leadsToLogin, reaches, signsIn, tabTo, typePassword, use } from "./keyboard.ts";
import { countByKeyboard, signInTwice, type ShownPage } from "./shown_pages.ts";
import { block, click, comeWithToken, FAR_HOST, IPHONE, providerToken, signInAdmin, signInCrew, signInPhone, somebody, submit, type Stage } from "./stage.ts";
import { says } from "./words.ts";

const ANOTHER_USER = leadsToLogin("leads to where another user signs in", 'main a[href*="/_auth/login"]', "/_auth/login?redirect=/boats");

/** Comes with a provider's token of a user who is blocked. */
const openBlocked = (how: object) => async (stage: Stage, page: Page) => {
  const sub = somebody();
  await block(stage, `idp|${sub}`, how);
  await comeWithToken(stage, page, { sub });
  await page.goto(`${stage.url}/boats`);
};

/** Whose page of the console is open. */
const userOfPage = (page: Page) => decodeURIComponent(new URL(page.url()).pathname.split("/").pop() ?? "");

const PAGES: Omit<ShownPage, "isRare">[] = [
  {
    name: "sign-in-remember",
    shows: 'header:has(img) + main [name="remember"]:not(:checked)',
    open: async ({ dressed }, page) => void (await page.goto(`${dressed.url}/boats`)),
    job: {
      does: "signs in and stays signed in",
      async byKeyboard(_, page) {
        await tabTo(page, "#username");
        await page.keyboard.type(somebody());
        await tabTo(page, '[name="remember"]');
        await page.keyboard.press("Space");
        await page.keyboard.press("Shift+Tab");
        await typePassword(page);
        isAt(page, "/boats");
        const cookies = await page.context().cookies();
        if (!cookies.some(({ name, expires }) => name === "__Host-session" && expires > 0)) throw new Error("the cookie ends with the browser");
      },
    },
  },
  {
    name: "sign-in-full",
    status: 409,
    says: ["sign_in", "full"],
    shows: "#error + ul li",
    async open({ dressed }, page) {
      const name = somebody();
      await signInPhone(dressed, name);
      await page.goto(`${dressed.url}/boats`);
      await submit(page, name);
    },
  },
  {
    name: "sign-in-blocked",
    status: 403,
    says: ["sign_in", "blocked"],
    async open(stage, page) {
      const name = somebody();
      await block(stage, name, {});
      await page.goto(`${stage.url}/boats`);
      await submit(page, name);
    },
    job: signsIn("/boats"),
  },
  {
    name: "sign-in-provider-away",
    status: 503,
    says: ["refusals", "sign_in_unavailable"],
    open: async ({ url }, page) => void (await page.goto(`${url}/_auth/login/idp`)),
    job: LEADS_HOME,
  },
  {
    name: "signed-out-only-here",
    says: ["signed_out", "only_here"],
    open: async ({ url }, page) => void (await page.goto(`${url}/_auth/logged-out?only=here`)),
    job: leadsToLogin("leads to the login page", 'main a[href="/_auth/login"]', "/_auth/login"),
  },
  {
    name: "sessions-not-me",
    says: ["sessions", "not_me"],
    shows: ".error + form > #others",
    async open(stage, page) {
      const token = await signInTwice(stage, page);
      await page.goto(`${stage.url}/_auth/sessions?not_me=true`);
      return [token];
    },
    job: {
      does: "ends all other sessions first",
      async byKeyboard(_, page) {
        await use(page, "#others");
        await says(page, "sessions", "only_here");
      },
    },
  },
  {
    name: "no-room-and-no-choice",
    status: 409,
    says: ["errors", "sign_out_first"],
    shows: "main > .sessions",
    async open(stage, page) {
      const sub = somebody();
      await stage.dressed.guard.fetch("/", { headers: { authorization: `Bearer ${providerToken(stage.issuer, { sub })}`, "user-agent": IPHONE } });
      await comeWithToken(stage, page, { sub });
      await page.goto(`${stage.dressed.url}/boats`);
    },
  },
  { name: "blocked", status: 403, says: ["errors", "blocked"], open: openBlocked({}), job: ANOTHER_USER },
  { name: "blocked-until", status: 403, says: ["errors", "blocked_until"], open: openBlocked({ for: "30 days" }), job: ANOTHER_USER },
  {
    name: "provider-away",
    status: 502,
    says: ["errors", "provider_away"],
    async open(stage, page) {
      await comeWithToken(stage, page, { iss: `${stage.issuer.url}/away` });
      await page.goto(`${stage.dressed.url}/boats`);
    },
  },
  {
    name: "unreadable",
    status: 400,
    says: ["errors", "unreadable"],
    async open(stage, page) {
      await signInAdmin(stage, page);
      await page.goto(`${stage.url}/_auth/admin?cursor=!`);
    },
    job: {
      does: "leads to the home page",
      async byKeyboard(stage, page) {
        await use(page, HOME);
        await reaches(stage, page, "/");
      },
    },
  },
  {
    name: "plain-http",
    status: 403,
    says: ["errors", "plain_http"],
    shows: "style[nonce]",
    async open({ url }, page) {
      await page.goto(`${url}/_auth/logged-out`);
      const { port } = new URL(url);
      await page.evaluate(`document.body.innerHTML = '<form method=post action="http://${FAR_HOST}:${port}/_auth/login"><button>Go</button></form>'`);
      await click(page, "button");
    },
  },
  {
    name: "admin-refusals",
    shows: "#refused table",
    async open({ dressed }, page) {
      await signInAdmin(dressed, page);
      await page.goto(`${dressed.url}/_auth/admin`);
    },
  },
  {
    name: "admin-user-blocked",
    says: ["admin", "blocked_why"],
    shows: '#block button[value="unblock"]',
    async open(stage, page) {
      await signInAdmin(stage, page);
      const name = somebody();
      await block(stage, name, { reason: "spam, ticket 4711", for: "30 days" });
      await page.goto(`${stage.url}/_auth/admin/users/${name}`);
    },
    job: {
      does: "lifts the block",
      async byKeyboard({ guard }, page) {
        await use(page, '#block button[value="unblock"]');
        await says(page, "admin", "done_unblocked");
        await guard.login(userOfPage(page));
      },
    },
  },
  {
    name: "admin-user-to-block",
    shows: "#block details[open]",
    async open(stage, page) {
      await signInAdmin(stage, page);
      const name = somebody();
      const token = await signInPhone(stage, name);
      await page.goto(`${stage.url}/_auth/admin/users/${name}`);
      for (const summary of await page.locator("summary").all()) await summary.click();
      return [token];
    },
    job: {
      does: "blocks a user for a day",
      async byKeyboard(_, page) {
        await tabTo(page, "#for");
        await page.keyboard.press("ArrowDown");
        await page.keyboard.press("ArrowDown");
        await use(page, 'button[value="block"]');
        await says(page, "admin", "done_blocked");
        await says(page, "admin", "blocked_until");
      },
    },
  },
  {
    name: "admin-end-wrong",
    status: 400,
    says: ["admin", "many_wrong"],
    shows: '#error + form button[value="count"]',
    async open(stage, page) {
      await signInAdmin(stage, page);
      await page.goto(`${stage.url}/_auth/admin/end`);
      await click(page, "main form button");
    },
    job: {
      does: "counts what is filled in then",
      async byKeyboard(stage, page) {
        await countByKeyboard(page, await signInPhone(stage, somebody()));
      },
    },
  },
  {
    name: "admin-end-part",
    says: ["admin", "counting"],
    shows: "form[data-go-on]",
    async open(stage, page) {
      await signInCrew(stage);
      await signInAdmin(stage, page);
      // It goes on by itself.
      await page.route("**/pages.js", (route) => route.fulfill({ contentType: "text/javascript", body: "" }));
      await page.goto(`${stage.url}/_auth/admin/end`);
      await page.locator('[name="all"]').check();
      await click(page, "main form button");
      await page.unroute("**/pages.js");
    },
    job: {
      does: "goes on counting until all is counted",
      async byKeyboard(_, page) {
        for (let parts = 1; (await page.locator("form[data-go-on]").count()) === 1 && parts < 40; parts += 1) await use(page, "main form button");
        await says(page, "admin", "would_end");
        await has(page, 'button[name="do"][value="end"]');
      },
    },
  },
];

/** They are looked at like all others, but not in every language. */
export const RARE_PAGES: ShownPage[] = PAGES.map((page) => ({ ...page, isRare: true }));
