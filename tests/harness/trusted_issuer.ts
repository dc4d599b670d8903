// Logins by ID token and logouts at the identity provider, at a guard that trusts it.

import { afterAll, beforeAll, expect } from "vitest";
import { answerOf, bearer, startGuard, useGuard, type Guard, type LoggedIn } from "./guard.ts";
import { startIssuer, type Issuer } from "./identity_provider.ts";

/** A guard that trusts this identity provider. */
export function startTrustingGuard(issuer: Issuer, vars: Record<string, string> = {}, changes = {}) {
  return startGuard({ TRUSTED_ISSUERS: JSON.stringify([issuer.entry(changes)]), ...vars });
}

/** An identity provider and a guard that trusts it, for all tests of a file, and what is done there; at the usual guard, unless another is given. */
export function useTrustedIssuer() {
  let provider: Issuer;
  beforeAll(async () => {
    provider = await startIssuer();
  });
  afterAll(() => provider[Symbol.asyncDispose]());
  const issuer = new Proxy({} as Issuer, { get: (_, name) => Reflect.get(provider, name) as unknown });
  const guard = useGuard(() => ({ TRUSTED_ISSUERS: JSON.stringify([issuer.entry()]), SESSION_LIMIT: "0" }));

  /** Sends an ID token to the login endpoint. */
  const exchange = (id_token: string, fields = {}, at: Guard = guard) =>
    answerOf(at.fetch("/_auth/login", { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ id_token, ...fields }) }));
  return {
    issuer,
    guard,
    exchange,
    /** The access token that an ID token is exchanged for. */
    async logIn(id_token: string, at: Guard = guard) {
      const answer = await exchange(id_token, {}, at);
      expect(answer).toMatchObject({ status: 200 });
      return (answer.body as unknown as LoggedIn).access_token;
    },
    /** Sends a logout token to the back-channel logout endpoint. */
    logOut: (logout_token: string, at: Guard = guard) =>
      answerOf(at.fetch("/_auth/backchannel-logout", { method: "POST", body: new URLSearchParams({ logout_token, state: "ignored" }) })),
    /** What comes of a request with this access token: "passes", or the code of its refusal. */
    async visit(token: string, at: Guard = guard) {
      const { status, body } = await answerOf(at.fetch("/", bearer(token)));
      return status === 200 ? "passes" : (body as { code: string }).code;
    },
  };
}

/** The claims of a token, unverified. */
export const claimsOf = (token: string) => JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()) as object;

/** The present, in seconds. */
export const seconds = () => Math.floor(Date.now() / 1000);

/** Claims that hold moments are made when they are sent: a table is made long before. */
export const atSending = (claims: object | (() => object)) => (typeof claims === "function" ? (claims() as object) : claims);

let subjects = 0;
/** A user of the identity provider whom no other test knows. */
export const newUser = () => ({ sub: `u-${(subjects += 1)}`, sid: `idp-session-${subjects}` });
