// An identity provider over HTTP: it publishes keys, and signs ID tokens and logout tokens.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { makeKey, signed, type SigningKey } from "./signing_keys.ts";

/** What the guard is called there. */
export const CLIENT_ID = "members-site";

/** What it calls the application's API. */
export const API = "https://api.members.test";

const EVENT = "http://schemas.openid.net/event/backchannel-logout";

/** An identity provider. */
export interface Issuer extends AsyncDisposable {
  /** Its `iss`, and where it is. */
  url: string;
  /** The keys it publishes; the first signs. */
  keys: SigningKey[];
  /** How often somebody asked for them. */
  fetches: number;
  /** What it answers to that, instead of its keys. */
  answer: { status?: number; headers?: Record<string, string>; body?: string; hangs?: boolean; delay?: number } | undefined;
  /** An entry of `TRUSTED_ISSUERS`, changed by `changes`. */
  entry(changes?: object): object;
  /** An ID token, good but for the changes; `undefined` takes a claim away. */
  idToken(claims: object, header?: object, key?: SigningKey): string;
  /** An access token for the API, likewise, of a session of its own if none is named. */
  accessToken(claims: object, header?: object, key?: SigningKey): string;
  /** A logout token, likewise. */
  logoutToken(claims: object, header?: object, key?: SigningKey): string;
}

/** Starts one on a free port. */
export async function startIssuer(alg = "RS256"): Promise<Issuer> {
  const server = createServer(async (_, response) => {
    issuer.fetches += 1;
    const { status = 200, headers = {}, body, hangs = false, delay = 0 } = issuer.answer ?? {};
    if (hangs) return;
    await new Promise((resume) => setTimeout(resume, delay));
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(body ?? JSON.stringify({ keys: issuer.keys.map(published) }));
  });
  const now = () => Math.floor(Date.now() / 1000);
  const sign = (header: object, claims: object, key = issuer.keys[0] as SigningKey) =>
    signed(key, { alg: key.alg, kid: key.kid, ...header }, { iss: issuer.url, aud: CLIENT_ID, iat: now(), exp: now() + 60, ...claims });
  let tokens = 0;
  const issuer: Issuer = {
    url: "",
    keys: [makeKey(alg, "idp-1")],
    fetches: 0,
    answer: undefined,
    entry: (changes = {}) => ({
      issuer: issuer.url, audience: CLIENT_ID, jwks_uri: `${issuer.url}/jwks`, algorithms: [alg], subject_prefix: "idp|", ...changes,
    }),
    idToken: (claims, header = {}, key) => sign({ typ: "JWT", ...header }, { sub: "u-1", jti: `login-${(tokens += 1)}`, ...claims }, key),
    accessToken: (claims, header = {}, key) =>
      sign({ typ: "at+jwt", ...header }, { aud: API, client_id: CLIENT_ID, sub: "u-1", sid: `s-${(tokens += 1)}`, jti: `at-${(tokens += 1)}`, ...claims }, key),
    logoutToken: (claims, header = {}, key) =>
      sign({ typ: "logout+jwt", ...header }, { jti: `logout-${(tokens += 1)}`, events: { [EVENT]: {} }, ...claims }, key),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  issuer.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return issuer;
}

/** A key as providers publish it, without its private half. */
export function published({ jwk }: SigningKey) {
  const { d: _, ...half } = jwk;
  return { ...half, use: "sig" };
}
