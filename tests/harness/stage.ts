// The guards that show their pages to `browser/page_quality.spec.ts`, what stands around them, and who comes there.

import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Page } from "playwright-core";
import { KEY } from "./admin_api.ts";
import { startGuard, type Guard } from "./guard.ts";
import { API, CLIENT_ID, startIssuer, type Issuer } from "./identity_provider.ts";
import { PASSWORD } from "./origin.ts";

/** A guard, and its URL by a name from which browsers take `Secure` cookies without TLS. */
export interface Site {
  guard: Guard;
  url: string;
}

/** The guards that show the pages, and what stands around them. */
export interface Stage extends Site, AsyncDisposable {
  issuer: Issuer;
  /** One with a logo and colours, which turns away whoever has a session, asks whether to stay signed in, and counts refusals. */
  dressed: Site;
  /** The URL of one whose settings are wrong. */
  brokenUrl: string;
}

/** A language that `PAGES` adds, written from right to left. */
export const RTL = "ar";

export const PAGES = {
  title: "Harbour Club",
  links: [{ text: { en: "Privacy", de: "Datenschutz", es: "Privacidad", fr: "Confidentialité", ar: "الخصوصية" }, href: "/privacy" }, { text: { en: "Help", de: "Hilfe", es: "Ayuda", fr: "Aide", ar: "مساعدة" }, href: "mailto:help@harbour.example" }],
  words: { ar: { sign_in: { title: "تسجيل الدخول", username: "اسم المستخدم", password: "كلمة المرور" }, common: { sign_in: "تسجيل الدخول" } } },
};

/** Where only members of the crew may go. */
export const CREW_ONLY = "/crew";

/** The host, to a browser that is told so, of a site that is not on this machine. */
export const FAR_HOST = "members.harbour.test";

const LOGO = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 90 30"><path d="M5 25h80L70 5z" fill="#7a1f5c"/></svg>';

/** Analytics Engine's SQL API. */
async function startCounts() {
  const data = [{ code: "token_expired", requests: "1234", last: "2026-11-01 10:00:00" }, { code: "access_denied", requests: 7 }];
  const server = createServer((_, response) => void response.end(JSON.stringify({ data, rows: data.length })));
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  return server;
}

const siteOf = (guard: Guard): Site => ({ guard, url: guard.url.replace("127.0.0.1", "localhost") });

/** Starts all that the pages need. */
export async function startStage(): Promise<Stage> {
  const [issuer, counts] = await Promise.all([startIssuer(), startCounts()]);
  const access_tokens = { audience: API, session_claim: "sid" };
  const sign_in = { name: "idp", title: "Harbour ID", client_id: CLIENT_ID, client_secret_name: "IDP_SECRET" };
  const provider = issuer.entry({ access_tokens, ...sign_in });
  // Nobody listens there.
  const away = issuer.entry({ access_tokens, issuer: `${issuer.url}/away`, jwks_uri: "http://127.0.0.1:9/jwks", subject_prefix: "away|" });
  const common = { PAGES: JSON.stringify(PAGES), IDP_SECRET: randomBytes(24).toString("base64url"), ADMIN_API_KEY: KEY };
  const guard = await startGuard({
    ...common,
    TRUSTED_ISSUERS: JSON.stringify([provider]),
    ROUTES: JSON.stringify([{ path: CREW_ONLY, access: "session", roles: ["crew"] }]),
    LOGIN_RATE: "2 per hour",
    SESSION_LIMIT_POLICY: "ask",
    ORIGIN_TIMEOUT: "5 seconds",
  }, { faultyObjects: true });
  const dressed = await startGuard({
    ...common,
    PAGES: JSON.stringify({ ...PAGES, logo: "/logo.svg", accent: "#7a1f5c" }),
    TRUSTED_ISSUERS: JSON.stringify([provider, away]),
    ROUTES: JSON.stringify([{ path: "/logo.svg", access: "public" }]),
    SESSION_LIMIT_POLICY: "deny",
    SESSION_TTL_SHORT: "8 hours",
    ANALYTICS_ACCOUNT_ID: "0".repeat(32),
    ANALYTICS_API_TOKEN: "analytics-token",
    ANALYTICS_API_URL: `http://127.0.0.1:${(counts.address() as AddressInfo).port}`,
  });
  dressed.origin.reply = { headers: { "content-type": "image/svg+xml" }, body: LOGO };
  const broken = await startGuard({ SESSION_LIMIT: "none" });
  for (const it of [guard, dressed]) {
    const health = await it.fetch("/_auth/health");
    if (health.status !== 200) throw new Error(it.log.join("\n"));
  }
  return {
    ...siteOf(guard), issuer,
    dressed: siteOf(dressed),
    brokenUrl: siteOf(broken).url,
    async [Symbol.asyncDispose]() {
      counts.close();
      await Promise.all([guard, dressed, broken, issuer].map((it) => it[Symbol.asyncDispose]()));
    },
  };
}

export const IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1";
export const FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0";

let people = 0;
/** Somebody whom no other page knows. */
export const somebody = () => `person-${(people += 1)}`;

/** Begins a session of somebody's with a phone. Returns its token. */
export const signInPhone = async ({ guard }: Site, username: string) => (await guard.login(username, { "user-agent": IPHONE })).access_token;

/** Signs somebody in, and gives the browser the cookie. Returns the session's `sid`. */
export async function signIn({ guard, url }: Site, page: Page, username: string, userAgent = FIREFOX): Promise<string> {
  const { access_token, session } = await guard.login(username, { "user-agent": userAgent });
  await page.context().addCookies([{ name: "__Host-session", value: access_token, url: url.replace("http:", "https:"), secure: true, httpOnly: true, sameSite: "Lax" }]);
  return session.sid;
}

/** Signs an admin in. */
export async function signInAdmin(site: Site, page: Page): Promise<void> {
  const name = somebody();
  site.guard.origin.approvals.set(name, { sub: name, claims: { scope: "sessions:read sessions:revoke-admins" } });
  await signIn(site, page, name);
}

const isCrewThere = new WeakSet<Site>();
/** Signs many in. */
export async function signInCrew(site: Site): Promise<void> {
  // Each may have one session, so the second login of the same asks.
  if (isCrewThere.has(site)) return;
  isCrewThere.add(site);
  for (let i = 0; i < 24; i += 1) await site.guard.login(`crew-${i}`, { "user-agent": i % 3 ? FIREFOX : IPHONE });
}

/** Fills in the form of the login page that is open, and sends it. */
export async function submit(page: Page, username: string, password = PASSWORD): Promise<void> {
  await page.locator("#username").fill(username);
  await page.locator("#password").fill(password);
  await click(page, "main form button");
}

/** Clicks the first that matches, and waits for the page that it leads to. */
export async function click(page: Page, selector: string): Promise<void> {
  await Promise.all([page.waitForEvent("load"), page.locator(selector).first().click()]);
}

/** Blocks a user. */
export async function block({ guard }: Site, user: string, how: object): Promise<void> {
  const init = { method: "PUT", headers: { authorization: `Bearer ${KEY}`, "content-type": "application/json" }, body: JSON.stringify(how) };
  const { status } = await guard.fetch(`/_auth/admin/users/${encodeURIComponent(user)}/block`, init);
  if (status !== 200) throw new Error(`the block of ${user}: ${status}`);
}

/** Has the browser come with an access token of a provider’s. */
export async function comeWithToken({ issuer }: Stage, page: Page, claims: object): Promise<void> {
  await page.context().setExtraHTTPHeaders({ authorization: `Bearer ${providerToken(issuer, claims)}` });
}

/** An access token of a provider's, of a session not yet seen, good for ten minutes. */
export const providerToken = (issuer: Issuer, claims: object) => issuer.accessToken({ exp: Math.floor(Date.now() / 1000) + 600, ...claims });
