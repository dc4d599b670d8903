// A guard at which people sign in by redirect, at real providers, and what they do there.

import { randomBytes } from "node:crypto";
import { startGuard, type Guard, type GuardOptions, type Vars } from "./guard.ts";
import type { HttpBrowser, Page } from "./http_browser.ts";
import { CLIENT_SECRET, type OidcProvider } from "./oidc_provider.ts";

/** A provider at which people sign in. */
export interface SignInPlace {
  provider: OidcProvider;
  /** What differs in its entry of `TRUSTED_ISSUERS`. */
  entry?: { name?: string } & Record<string, unknown>;
  /** What differs in the guard's registration there. */
  client?: object;
}

/** How a guard with sign-in is started. */
export interface SignInOptions extends GuardOptions {
  vars?: Vars;
  /** Further entries of `TRUSTED_ISSUERS`. */
  others?: object[];
  /** Where browsers find the guard, if it is not its own URL. */
  site?: (url: string) => string;
}

/** Starts a guard and registers it at these providers, whose sign-in is called `idp` unless the entry says otherwise. */
export async function startSignIn(places: SignInPlace[], { vars = {}, others = [], site = (url) => url, ...options }: SignInOptions = {}): Promise<Guard> {
  const clients = places.map((place) => ({ ...place, id: `guard:${randomBytes(6).toString("base64url")}`, name: place.entry?.name ?? "idp" }));
  const entries = clients.map(({ provider, entry, id, name }) => ({
    issuer: provider.url, client_id: id, client_secret_name: "PROVIDER_SECRET", name, title: "Harbour ID", subject_prefix: `${name}|`, ...entry,
  }));
  const guard = await startGuard({ LOGIN_URL: undefined, TRUSTED_ISSUERS: JSON.stringify([...entries, ...others]), PROVIDER_SECRET: CLIENT_SECRET, ...vars }, options);
  const at = `${site(guard.url)}/_auth`;
  for (const { provider, id, name, client } of clients) {
    await provider.register({
      redirect_uris: [`${at}/callback/${name}`], post_logout_redirect_uris: [`${at}/logged-out`], grant_types: ["authorization_code"],
      token_endpoint_auth_method: "client_secret_basic",
      backchannel_logout_uri: `${guard.url}/_auth/backchannel-logout`, backchannel_logout_session_required: true, ...client,
    }, id);
  }
  return guard;
}

/** Is it where a provider sends browsers back to? */
export const isCallback = ({ pathname }: URL) => pathname.startsWith("/_auth/callback/");

/** Opens a page of the guard's, and signs in at the provider that it leads to. Returns the page that comes of it. */
export async function signInAt(browser: HttpBrowser, address: string, user: string): Promise<Page> {
  const page = await browser.visit(address);
  return isForm(page) ? browser.answer(page, user) : page;
}

/** The same, up to the moment when the provider sends the browser back. Returns the address of the callback. */
export async function signInUpToCallback(browser: HttpBrowser, address: string, user: string): Promise<string> {
  const page = await browser.visit(address, { until: isCallback });
  return (isForm(page) ? await browser.answer(page, user, { until: isCallback }) : page).url;
}

/** Is it a page of a provider? */
const isForm = ({ title }: Page) => ["login", "consent", "select_account"].includes(title);

/** The claims of the session cookie that a browser has of a guard; nothing if it has none. */
export function sessionOf(browser: HttpBrowser, guard: Guard): Record<string, unknown> | undefined {
  const token = browser.cookies(guard.url).get("__Host-session");
  return token === undefined ? undefined : (JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()) as Record<string, unknown>);
}

/** The attempts to sign in that a browser has of a guard. */
export const attemptsOf = (browser: HttpBrowser, guard: Guard) => [...browser.cookies(guard.url).keys()].filter((name) => /^__Host-guard-sign-in-(?!returns)/.test(name));

/** What a script is told that logs a browser out at the provider, too. */
export async function logoutUrl(browser: HttpBrowser, guard: Guard) {
  const cookie = [...browser.cookies(guard.url)].map((pair) => pair.join("=")).join("; ");
  const response = await guard.fetch("/_auth/logout?at=provider", { method: "POST", headers: { cookie, origin: guard.url, "sec-fetch-site": "same-origin" } });
  const { searchParams, origin } = new URL(((await response.json()) as { logout_url: string }).logout_url);
  return { status: response.status, cookies: response.headers.getSetCookie(), origin, searchParams, hint: searchParams.get("id_token_hint") ?? "" };
}
