// Every page that the guard shows to people, and how to get there. `browser/page_quality.spec.ts` looks at each, and
// `npm run screenshots` takes its picture. A new page is a new row of `SHOWN_PAGES`.

import { randomBytes } from "node:crypto";
import type { Page } from "playwright-core";
import { startGuard, type Guard } from "./guard.ts";
import { API, CLIENT_ID, startIssuer, type Issuer } from "./identity_provider.ts";
import { PASSWORD } from "./origin.ts";

/** The guards that show the pages, and what stands around them. */
export interface Stage extends AsyncDisposable {
  guard: Guard;
  /** Its URL by a name from which browsers take `Secure` cookies without TLS. */
  url: string;
  issuer: Issuer;
  /** The URL of one whose settings are wrong. */
  brokenUrl: string;
}

/** A page of the guard. */
export interface ShownPage {
  /** In a file's name. */
  name: string;
  /** Is its picture part of the documentation? */
  isInDocs?: true;
  /** Opens it, whatever its language. Each time as somebody else, because what one visit does must not change the next. */
  open(stage: Stage, page: Page): Promise<void>;
  /** What people come for: done by the keyboard alone, and without JavaScript. Fails if it does not work. */
  job?: { does: string; byKeyboard(stage: Stage, page: Page): Promise<void> };
}

/** A language that `PAGES` adds, written from right to left. */
export const RTL = "ar";

const PAGES = {
  title: "Harbour Club",
  links: [{ text: { en: "Privacy", de: "Datenschutz", es: "Privacidad", fr: "Confidentialité", ar: "الخصوصية" }, href: "/privacy" }, { text: { en: "Help", de: "Hilfe", es: "Ayuda", fr: "Aide", ar: "مساعدة" }, href: "mailto:help@harbour.example" }],
  words: { ar: { sign_in: { title: "تسجيل الدخول", username: "اسم المستخدم", password: "كلمة المرور" }, common: { sign_in: "تسجيل الدخول" } } },
};

/** Where only members of the crew may go. */
const CREW_ONLY = "/crew";

/** Starts all that the pages need. */
export async function startStage(): Promise<Stage> {
  const issuer = await startIssuer();
  const access_tokens = { audience: API, session_claim: "sid" };
  const sign_in = { name: "idp", title: "Harbour ID", client_id: CLIENT_ID, client_secret_name: "IDP_SECRET" };
  const vars = {
    PAGES: JSON.stringify(PAGES),
    TRUSTED_ISSUERS: JSON.stringify([issuer.entry({ access_tokens, ...sign_in })]),
    IDP_SECRET: randomBytes(24).toString("base64url"),
    ROUTES: JSON.stringify([{ path: CREW_ONLY, access: "session", roles: ["crew"] }]),
    LOGIN_RATE: "2 per hour",
    SESSION_LIMIT_POLICY: "ask",
    ORIGIN_TIMEOUT: "5 seconds",
  };
  const guard = await startGuard(vars, { faultyObjects: true });
  const health = await guard.fetch("/_auth/health");
  if (health.status !== 200) throw new Error(guard.log.join("\n"));
  const broken = await startGuard({ SESSION_LIMIT: "none" });
  return {
    guard, issuer,
    url: guard.url.replace("127.0.0.1", "localhost"),
    brokenUrl: broken.url.replace("127.0.0.1", "localhost"),
    async [Symbol.asyncDispose]() {
      await Promise.all([guard[Symbol.asyncDispose](), broken[Symbol.asyncDispose](), issuer[Symbol.asyncDispose]()]);
    },
  };
}

export const IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1";
export const FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0";

let people = 0;
/** Somebody whom no other page knows. */
export const somebody = () => `person-${(people += 1)}`;

/** Signs somebody in, and gives the browser the cookie. Returns the session's `sid`. */
export async function signIn({ guard, url }: Stage, page: Page, username: string, userAgent = FIREFOX): Promise<string> {
  const { access_token, session } = await guard.login(username, { "user-agent": userAgent });
  await page.context().addCookies([{ name: "__Host-session", value: access_token, url: url.replace("http:", "https:"), secure: true, httpOnly: true, sameSite: "Lax" }]);
  return session.sid;
}

/** Signs an admin in, where many others are signed in. */
async function signInAdmin(stage: Stage, page: Page): Promise<void> {
  const name = somebody();
  stage.guard.origin.approvals.set(name, { sub: name, claims: { scope: "sessions:read sessions:revoke-admins" } });
  await signIn(stage, page, name);
  // Each may have one session, so the second login of the same asks.
  if (isCrewThere.has(stage)) return;
  isCrewThere.add(stage);
  for (let i = 0; i < 24; i += 1) await stage.guard.login(`crew-${i}`, { "user-agent": i % 3 ? FIREFOX : IPHONE });
}
const isCrewThere = new WeakSet<Stage>();

/** Fills in the form of the login page that is open, and sends it. */
async function submit(page: Page, username: string, password = PASSWORD): Promise<void> {
  await page.locator("#username").fill(username);
  await page.locator("#password").fill(password);
  await Promise.all([page.waitForEvent("load"), page.locator("main form button").first().click()]);
}

/** Presses Tab until what is looked for has the focus, which is to be seen there. */
export async function tabTo(page: Page, selector: string): Promise<void> {
  for (let pressed = 0; pressed < 40; pressed += 1) {
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

/** Fails unless the browser is at this path. */
function isAt(page: Page, path: string): void {
  const { pathname, search } = new URL(page.url());
  if (pathname + search !== path) throw new Error(`the browser is at ${page.url()} instead of ${path}`);
}

/** A job that follows the link or button which matches, and comes to a path. */
const follows = (does: string, selector: string, path: string, key = "Enter"): NonNullable<ShownPage["job"]> => ({
  does,
  async byKeyboard({ guard }, page) {
    guard.origin.reply = {};
    await tabTo(page, selector);
    await press(page, key);
    isAt(page, path);
  },
});

/** Types a name and a password, and sends them. */
const signsIn = (path: string, username = somebody): NonNullable<ShownPage["job"]> => ({
  does: "signs in",
  async byKeyboard(_, page) {
    await tabTo(page, "#username");
    await page.keyboard.press("Control+a");
    await page.keyboard.type(username());
    await tabTo(page, "#password");
    await page.keyboard.type(PASSWORD);
    await press(page, "Enter");
    isAt(page, path);
  },
});

const HOME = 'main a[href="/"]';

/** A session of a provider that has come to a full house. */
async function waitForRoom({ guard, issuer, url }: Stage, page: Page): Promise<void> {
  const sub = somebody();
  const token = () => issuer.accessToken({ sub, exp: Math.floor(Date.now() / 1000) + 600 });
  const visit = (userAgent: string) => guard.fetch("/", { headers: { authorization: `Bearer ${token()}`, "user-agent": userAgent } });
  await (await visit(IPHONE)).text();
  await page.context().setExtraHTTPHeaders({ authorization: `Bearer ${token()}` });
  await page.goto(`${url}/boats?page=2`);
}

/** All pages of the guard. */
export const SHOWN_PAGES: ShownPage[] = [
  {
    name: "sign-in",
    isInDocs: true,
    open: async ({ url }, page) => void (await page.goto(`${url}/boats`)),
    job: signsIn("/boats"),
  },
  {
    name: "sign-in-wrong-password",
    async open({ url }, page) {
      await page.goto(`${url}/boats`);
      await submit(page, somebody(), "wrong");
    },
    job: signsIn("/boats"),
  },
  {
    name: "sign-in-too-many-attempts",
    async open({ url }, page) {
      await page.goto(`${url}/boats`);
      const name = somebody();
      for (let attempts = 0; attempts < 3; attempts += 1) await submit(page, name, "wrong");
    },
  },
  {
    name: "sign-in-choose-session",
    isInDocs: true,
    async open({ guard, url }, page) {
      const name = somebody();
      await guard.login(name, { "user-agent": IPHONE });
      await page.goto(`${url}/boats`);
      await submit(page, name);
    },
    job: {
      does: "ends the other session and signs in",
      async byKeyboard(_, page) {
        await tabTo(page, "#password");
        await page.keyboard.type(PASSWORD);
        await press(page, "Enter");
        isAt(page, "/boats");
      },
    },
  },
  {
    name: "signed-out-elsewhere",
    isInDocs: true,
    async open(stage, page) {
      const name = somebody();
      const sid = await signIn(stage, page, name);
      await stage.guard.fetch("/_auth/login", { method: "POST", headers: { "content-type": "application/json", "user-agent": IPHONE }, body: JSON.stringify({ username: name, password: PASSWORD, end: [sid] }) });
      await page.goto(`${stage.url}/boats`);
    },
    job: signsIn("/boats"),
  },
  {
    name: "signed-out",
    open: async ({ url }, page) => void (await page.goto(`${url}/_auth/logged-out`)),
    job: follows("leads to the login page", 'main a[href="/_auth/login"]', "/_auth/login"),
  },
  {
    name: "sessions",
    isInDocs: true,
    async open(stage, page) {
      const name = somebody();
      const sid = await signIn(stage, page, name, IPHONE);
      stage.guard.origin.approvals.set(name, { sub: name, session_limit: 2, session_limit_policy: "evict-oldest" });
      await signIn(stage, page, name, FIREFOX);
      await stage.guard.login(name, { "user-agent": IPHONE });
      await page.goto(`${stage.url}/_auth/sessions`);
      if ((await page.locator("#ended").count()) !== 1) throw new Error(`${sid} has not ended`);
    },
    job: follows("ends all other sessions", "#others", "/_auth/sessions"),
  },
  {
    name: "admin",
    isInDocs: true,
    async open(stage, page) {
      await signInAdmin(stage, page);
      await page.goto(`${stage.url}/_auth/admin`);
    },
    job: {
      does: "finds a user",
      async byKeyboard(_, page) {
        await tabTo(page, "#q");
        await page.keyboard.type("crew-1");
        await press(page, "Enter");
        isAt(page, "/_auth/admin?q=crew-1");
        if ((await page.locator("#users li").count()) < 10) throw new Error("it does not find who begins with crew-1");
      },
    },
  },
  {
    name: "admin-user",
    isInDocs: true,
    async open(stage, page) {
      await signInAdmin(stage, page);
      const name = somebody();
      stage.guard.origin.approvals.set(name, { sub: name, session_limit: 8, session_limit_policy: "evict-oldest" });
      for (let i = 0; i < 10; i += 1) await stage.guard.login(name, { "user-agent": i % 2 ? IPHONE : FIREFOX });
      await page.goto(`${stage.url}/_auth/admin/users/${name}`);
    },
    job: {
      does: "ends a session",
      async byKeyboard(_, page) {
        await tabTo(page, "li button");
        await press(page, "Enter");
        if (!page.url().endsWith("?ended=1")) throw new Error(`the browser is at ${page.url()}`);
      },
    },
  },
  {
    name: "admin-end",
    async open(stage, page) {
      await signInAdmin(stage, page);
      await page.goto(`${stage.url}/_auth/admin/end`);
    },
    job: follows("counts what would end", "main form button", "/_auth/admin/end"),
  },
  {
    name: "admin-end-counted",
    async open(stage, page) {
      await signInAdmin(stage, page);
      const name = somebody();
      await stage.guard.login(name, { "user-agent": IPHONE });
      await page.goto(`${stage.url}/_auth/admin/end`);
      await page.locator("#users").fill(name);
      await Promise.all([page.waitForEvent("load"), page.locator("main form button").click()]);
    },
    job: follows("ends it", "main form button", "/_auth/admin/end"),
  },
  {
    name: "sign-in-failed",
    open: async ({ url }, page) => void (await page.goto(`${url}/_auth/callback/idp?code=x&state=y`)),
    job: follows("leads to the home page", HOME, "/_auth/login?redirect=/"),
  },
  {
    name: "origin-away",
    isInDocs: true,
    async open(stage, page) {
      await signIn(stage, page, somebody());
      stage.guard.origin.reply = { stream: (response) => void response.destroy() };
      await page.goto(`${stage.url}/boats?page=2`);
    },
    job: follows("tries again", 'main a[href="/boats?page=2"]', "/boats?page=2"),
  },
  {
    name: "access-denied",
    isInDocs: true,
    async open(stage, page) {
      await signIn(stage, page, somebody());
      await page.goto(stage.url + CREW_ONLY);
    },
    job: follows("leads to where another user signs in", 'main a[href*="/_auth/login"]', `/_auth/login?redirect=${CREW_ONLY}`),
  },
  {
    name: "store-away",
    async open(stage, page) {
      await signIn(stage, page, somebody());
      // It is asked once more if it was not reached.
      await stage.guard.fault("check", "throw", 2);
      await page.goto(`${stage.url}/boats`);
    },
    job: follows("tries again", 'main a[href="/boats"]', "/boats"),
  },
  {
    name: "no-room",
    open: waitForRoom,
    job: {
      does: "ends the other session and goes on",
      async byKeyboard(_, page) {
        await tabTo(page, "main form button");
        await press(page, "Enter");
        isAt(page, "/boats?page=2");
      },
    },
  },
  {
    name: "another-site",
    async open({ url }, page) {
      await page.goto(`${url.replace("localhost", "127.0.0.1")}/_auth/logged-out`);
      await page.evaluate(`document.body.innerHTML = '<form method=post action="${url}/_auth/logout"><button>Go</button></form>'`);
      await Promise.all([page.waitForEvent("load"), page.locator("button").click()]);
    },
    job: follows("leads to the home page", HOME, "/_auth/login?redirect=/"),
  },
  {
    name: "not-found",
    open: async ({ url }, page) => void (await page.goto(`${url}/_auth/nothing`)),
    job: follows("leads to the home page", HOME, "/_auth/login?redirect=/"),
  },
  {
    name: "no-page",
    open: async ({ url }, page) => void (await page.goto(`${url}/_auth/refresh`)),
  },
  {
    name: "misconfigured",
    open: async ({ brokenUrl }, page) => void (await page.goto(`${brokenUrl}/boats`)),
  },
];
