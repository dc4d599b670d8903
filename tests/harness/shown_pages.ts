// Every page that the guard shows to people, and how to get there. `browser/page_quality.spec.ts` looks at each, and
// `npm run screenshots` takes its picture. A new page is a new row of `SHOWN_PAGES`; rare ones are in `rare_pages.ts`.

import type { Page } from "playwright-core";
import { claimsOf } from "./trusted_issuer.ts";
import { has, isAt, LEADS_HOME, leadsToLogin, reaches, signsIn, tabTo, triesAgain, typePassword, use, type Job } from "./keyboard.ts";
import { click, comeWithToken, CREW_ONLY, FIREFOX, IPHONE, providerToken, signIn, signInAdmin, signInCrew, signInPhone, somebody, submit, type Stage } from "./stage.ts";
import { says } from "./words.ts";

/** A page of the guard. */
export interface ShownPage {
  /** In a file's name. */
  name: string;
  /** Its status; 200 if left out. */
  status?: number;
  /** A text by which it is known, by section and name in its language's file. */
  says?: [section: string, name: string];
  /** What it has that others have not, as a selector. */
  shows?: string;
  /** Is its picture part of the documentation? */
  isInDocs?: true;
  /** Is it of the few by which people do most? Then its job is done in every language. */
  isMain?: true;
  /** Is it seen seldom? Then it is looked at in English and from right to left only. */
  isRare?: true;
  /**
   * Opens it, whatever its language. Each time as somebody else, because what one visit does must not change the next.
   * Returns the tokens of the sessions that its job ends.
   */
  open(stage: Stage, page: Page): Promise<string[] | void>;
  /** What people come for: done by the keyboard alone, and without JavaScript. */
  job?: Job;
}

/** Somebody who is signed in here, on a phone, and in a session that a newer one has ended. Returns the phone's token. */
export async function signInTwice(stage: Stage, page: Page): Promise<string> {
  const name = somebody();
  await signIn(stage, page, name, IPHONE);
  stage.guard.origin.approvals.set(name, { sub: name, session_limit: 2, session_limit_policy: "evict-oldest" });
  await signIn(stage, page, name, FIREFOX);
  return signInPhone(stage, name);
}

/** Whose session a token is of. */
const userOf = (token: string | undefined) => (claimsOf(token ?? "") as { sub: string }).sub;

/** Types whose sessions are to end, and has them counted. */
export async function countByKeyboard(page: Page, token: string | undefined): Promise<void> {
  await tabTo(page, "#users");
  await page.keyboard.type(userOf(token));
  await use(page, "main form button");
  await says(page, "admin", "would_end");
  await has(page, "main li", 1);
}

/** Ends what was counted. */
async function endByKeyboard(page: Page): Promise<void> {
  await use(page, 'button[name="do"][value="end"]');
  await says(page, "admin", "has_ended");
}

/** The pages that people see most. */
export const SHOWN_PAGES: ShownPage[] = [
  {
    name: "sign-in",
    shows: "main:not(:has([role])) #password",
    isInDocs: true,
    isMain: true,
    open: async ({ url }, page) => void (await page.goto(`${url}/boats`)),
    job: signsIn("/boats"),
  },
  {
    name: "sign-in-wrong-password",
    status: 401,
    says: ["sign_in", "rejected"],
    shows: "#error + form #password",
    async open({ url }, page) {
      await page.goto(`${url}/boats`);
      await submit(page, somebody(), "wrong");
    },
    job: signsIn("/boats"),
  },
  {
    name: "sign-in-too-many-attempts",
    status: 429,
    says: ["sign_in", "too_many_attempts"],
    async open({ url }, page) {
      await page.goto(`${url}/boats`);
      const name = somebody();
      for (let attempts = 0; attempts < 3; attempts += 1) await submit(page, name, "wrong");
    },
  },
  {
    name: "sign-in-choose-session",
    status: 409,
    says: ["sign_in", "choose"],
    shows: "fieldset input:checked",
    isInDocs: true,
    async open(stage, page) {
      const name = somebody();
      const token = await signInPhone(stage, name);
      await page.goto(`${stage.url}/boats`);
      await submit(page, name);
      return [token];
    },
    job: {
      does: "ends the other session and signs in",
      async byKeyboard(stage, page, [token]) {
        await typePassword(page);
        await reaches(stage, page, "/boats", userOf(token));
      },
    },
  },
  {
    name: "signed-out-elsewhere",
    says: ["signed_out", "superseded_at"],
    shows: "[role=status] + .newcomer",
    isInDocs: true,
    async open(stage, page) {
      const name = somebody();
      stage.guard.origin.approvals.set(name, { sub: name, session_limit_policy: "evict-oldest" });
      await signIn(stage, page, name);
      await signInPhone(stage, name);
      await page.goto(`${stage.url}/boats`);
    },
    job: signsIn("/boats"),
  },
  {
    name: "signed-out",
    says: ["signed_out", "logged_out"],
    open: async ({ url }, page) => void (await page.goto(`${url}/_auth/logged-out`)),
    job: leadsToLogin("leads to the login page", 'main a[href="/_auth/login"]', "/_auth/login"),
  },
  {
    name: "sessions",
    shows: "main:has(li.row + li.row) #ended",
    isInDocs: true,
    isMain: true,
    async open(stage, page) {
      const token = await signInTwice(stage, page);
      await page.goto(`${stage.url}/_auth/sessions`);
      return [token];
    },
    job: {
      does: "ends all other sessions",
      async byKeyboard(_, page) {
        await use(page, "#others");
        isAt(page, "/_auth/sessions");
        await says(page, "sessions", "only_here");
        await has(page, "#ended li", 2);
      },
    },
  },
  {
    name: "admin",
    shows: "#users li + li",
    isInDocs: true,
    isMain: true,
    async open(stage, page) {
      await signInCrew(stage);
      await signInAdmin(stage, page);
      await page.goto(`${stage.url}/_auth/admin`);
    },
    job: {
      does: "finds a user and looks at the user's session",
      async byKeyboard(_, page) {
        await tabTo(page, "#q");
        await page.keyboard.type("crew-2");
        await use(page, "form button");
        isAt(page, "/_auth/admin?q=crew-2");
        // Of 24, from 0 on.
        const found = await page.locator("#users a").allTextContents();
        if (String(found) !== "crew-2,crew-20,crew-21,crew-22,crew-23") throw new Error(`it finds ${String(found)}`);
        await use(page, '#users a[href$="/crew-22"]');
        isAt(page, "/_auth/admin/users/crew-22");
        await says(page, "common", "last_used");
      },
    },
  },
  {
    name: "admin-user",
    shows: "#pages a[rel=next]",
    isInDocs: true,
    isMain: true,
    async open(stage, page) {
      await signInAdmin(stage, page);
      const name = somebody();
      stage.guard.origin.approvals.set(name, { sub: name, session_limit: 9, session_limit_policy: "evict-oldest" });
      for (let i = 0; i < 10; i += 1) await stage.guard.login(name, { "user-agent": i % 2 ? FIREFOX : IPHONE });
      const token = await signInPhone(stage, name);
      await page.goto(`${stage.url}/_auth/admin/users/${name}`);
      return [token];
    },
    job: {
      does: "ends a session",
      async byKeyboard(_, page, [token]) {
        const { sid } = claimsOf(token ?? "") as { sid: string };
        await use(page, `li button[value="${sid}"]`);
        isAt(page, `/_auth/admin/users/${userOf(token)}?ended=1`);
        await says(page, "admin", "done_ended");
        await has(page, `#ended li[id="${sid}"]`);
      },
    },
  },
  {
    name: "admin-end",
    shows: 'form:not(:has([aria-describedby])) button[value="count"]',
    isMain: true,
    async open(stage, page) {
      await signInAdmin(stage, page);
      const token = await signInPhone(stage, somebody());
      await page.goto(`${stage.url}/_auth/admin/end`);
      return [token];
    },
    job: {
      does: "counts what would end, and ends that",
      async byKeyboard(_, page, [token]) {
        await countByKeyboard(page, token);
        await endByKeyboard(page);
      },
    },
  },
  {
    name: "admin-end-counted",
    says: ["admin", "would_end"],
    shows: 'button[name="do"][value="end"]',
    async open(stage, page) {
      await signInAdmin(stage, page);
      const name = somebody();
      const token = await signInPhone(stage, name);
      await page.goto(`${stage.url}/_auth/admin/end`);
      await page.locator("#users").fill(name);
      await click(page, "main form button");
      return [token];
    },
    job: { does: "ends it", byKeyboard: (_, page) => endByKeyboard(page) },
  },
  {
    name: "sign-in-failed",
    status: 400,
    says: ["refusals", "sign_in_unknown"],
    open: async ({ url }, page) => void (await page.goto(`${url}/_auth/callback/idp?code=x&state=y`)),
    job: LEADS_HOME,
  },
  {
    name: "origin-away",
    status: 502,
    says: ["errors", "origin_away"],
    isInDocs: true,
    async open(stage, page) {
      await signIn(stage, page, somebody());
      stage.guard.origin.reply = { stream: (response) => void response.destroy() };
      await page.goto(`${stage.url}/boats?page=2`);
    },
    job: triesAgain("/boats?page=2"),
  },
  {
    name: "access-denied",
    status: 403,
    says: ["errors", "access_denied"],
    isInDocs: true,
    async open(stage, page) {
      await signIn(stage, page, somebody());
      await page.goto(stage.url + CREW_ONLY);
    },
    job: leadsToLogin("leads to where another user signs in", 'main a[href*="/_auth/login"]', `/_auth/login?redirect=${CREW_ONLY}`),
  },
  {
    name: "store-away",
    status: 503,
    says: ["errors", "store_away"],
    async open(stage, page) {
      await signIn(stage, page, somebody());
      await stage.guard.fault("check", "throw");
      await page.goto(`${stage.url}/boats`);
    },
    job: triesAgain("/boats"),
  },
  {
    name: "no-room",
    status: 409,
    says: ["errors", "too_many_sessions"],
    shows: "form fieldset",
    async open(stage, page) {
      const sub = somebody();
      const token = providerToken(stage.issuer, { sub });
      await (await stage.guard.fetch("/", { headers: { authorization: `Bearer ${token}`, "user-agent": IPHONE } })).text();
      await comeWithToken(stage, page, { sub });
      await page.goto(`${stage.url}/boats?page=2`);
      return [token];
    },
    job: {
      does: "ends the other session and goes on",
      async byKeyboard(stage, page, [token]) {
        await use(page, "main form button");
        await reaches(stage, page, "/boats?page=2", `idp|${userOf(token)}`);
      },
    },
  },
  {
    name: "another-site",
    status: 403,
    says: ["errors", "other_site"],
    async open({ url }, page) {
      await page.goto(`${url.replace("localhost", "127.0.0.1")}/_auth/logged-out`);
      await page.evaluate(`document.body.innerHTML = '<form method=post action="${url}/_auth/logout"><button>Go</button></form>'`);
      await click(page, "button");
    },
    job: LEADS_HOME,
  },
  {
    name: "not-found",
    status: 404,
    says: ["errors", "not_found"],
    open: async ({ url }, page) => void (await page.goto(`${url}/_auth/nothing`)),
    job: LEADS_HOME,
  },
  {
    name: "no-page",
    status: 405,
    says: ["errors", "no_page"],
    open: async ({ url }, page) => void (await page.goto(`${url}/_auth/refresh`)),
    job: LEADS_HOME,
  },
  {
    name: "misconfigured",
    status: 500,
    says: ["errors", "failed"],
    shows: "style[nonce]",
    open: async ({ brokenUrl }, page) => void (await page.goto(`${brokenUrl}/boats`)),
  },
];
