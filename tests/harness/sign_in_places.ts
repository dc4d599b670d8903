// The providers and guards of the tests about signing in, which all of these need.

import { afterAll, beforeAll, expect } from "vitest";
import { KEY, type Guard } from "./guard.ts";
import type { Page } from "./http_browser.ts";
import { startOAuthProvider, type OAuthProvider } from "./oauth_provider.ts";
import { startOidcProvider, type OidcProvider } from "./oidc_provider.ts";
import { startSignIn } from "./sign_in.ts";
import { keySet, makeKey } from "./signing_keys.ts";

const SIGNER = makeKey("ES256", "client-key");

export let idp: OidcProvider, strict: OidcProvider, hub: OAuthProvider;
/** A guard with one provider, to which a page leads straight on, and one with several. */
export let guard: Guard, several: Guard;

/** Starts them before the tests of a file, and ends them afterwards. */
export function useSignInPlaces() {
  beforeAll(async () => {
    [idp, strict, hub] = await Promise.all([startOidcProvider(), startOidcProvider(), startOAuthProvider("hub-client", "hub-secret")]);
    idp.people.set("ada", { email: "ada@harbour.example", email_verified: true, groups: ["crew"] });
    strict.people.set("ada", { email: "ada@HARBOUR.example", email_verified: true, userinfo: { nickname: "Countess" } });
    strict.people.set("ann", { email: "ann@harbour.example", email_verified: true });
    strict.people.set("mal", { email: "mal@evil.example", email_verified: true });
    strict.people.set("eve", { email: "Eve@harbour.example", email_verified: false, groups: ["guests"] });
    strict.people.set("max", { email: "max@harbour.example", email_verified: true, userinfo: { nickname: "x".repeat(3500) } });
    const routes = JSON.stringify([{ path: "/vault", access: "session", acr: ["strong"] }, { path: "/fresh", access: "session", max_age: "1 minute" }]);
    [guard, several] = await Promise.all([
      startSignIn([{ provider: idp, entry: { frontchannel_logout: true } }], { vars: { ROUTES: routes, SESSION_LIMIT: "0" }, clock: true }),
      startSignIn(
        [
          { provider: idp },
          {
            provider: strict,
            entry: {
              name: "strict", title: "Strict <ID>", client_authentication: "private_key_jwt", client_secret_name: undefined,
              pushed_authorization_requests: true, userinfo: true, claims: ["email", "nickname"],
              allow: [{ email_domain: "harbour.example" }, { groups: "guests" }], deny: { email: "eve@harbour.example" },
            },
            client: { token_endpoint_auth_method: "private_key_jwt", jwks: { keys: [publicHalf()] }, require_pushed_authorization_requests: true },
          },
        ],
        { vars: { SESSION_LIMIT_POLICY: "ask", SIGNING_KEYS: JSON.stringify({ keys: [KEY, ...(JSON.parse(keySet(SIGNER)) as { keys: object[] }).keys] }), HUB_SECRET: "hub-secret" }, others: [hub.entry()] },
      ),
    ]);
  });
  afterAll(() => Promise.all([guard, several, idp, strict, hub].map((it) => it[Symbol.asyncDispose]())));
}

function publicHalf() {
  const { d: _, ...half } = SIGNER.jwk;
  return half;
}

/** Where the sign-in at a provider begins. */
export const login = (name: string, at: Guard, query = "redirect=/boats") => `${at.url}/_auth/login/${name}?${query}`;
/** What a page shows, in short. */
export const shows = (page: Page) => ({ status: page.status, title: page.title, links: Object.keys(page.links) });
/** The code of a failure, as its page tells it. */
export const codeOn = (page: Page) => /<code>(\w+)<\/code>/.exec(page.text)?.[1];
/** Sets the guard's clock ahead. */
export const shift = (hours: number) => guard.fetch("/_auth/health", { headers: { "x-clock": `${hours * 3_600_000}` } });
/** A line that the guard has logged. */
export const logged = (at: Guard, text: string | RegExp) => expect.poll(() => at.log.join("\n")).toMatch(text);
