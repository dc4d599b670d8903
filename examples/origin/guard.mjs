// Did a request come through the guard? Only the guard can sign X-Auth-Request-Assertion.

import { createRemoteJWKSet, jwtVerify } from "jose";

/**
 * Makes a function that tells the user of a request by its headers, and throws if it did not come
 * through the guard at `url`. `audience` is this origin, as ORIGIN_URL names it.
 */
export function guardAt(url, issuer, audience) {
  // Fetched once and kept; anew, if a key is not among them.
  const keys = createRemoteJWKSet(new URL("/.well-known/jwks.json", url));
  // A member's own token is signed by the same key: the type tells it from an assertion.
  const rules = { issuer, audience, typ: "guard-assertion+jwt", algorithms: ["ES256", "EdDSA"], requiredClaims: ["exp", "sub"] };
  return async function userOf(headers) {
    const { payload } = await jwtVerify(headers["x-auth-request-assertion"] ?? "", keys, rules);
    const user = decodeURIComponent(headers["x-auth-request-user"] ?? "");
    if (payload.sub !== user) throw new Error("the assertion is about somebody else");
    return user;
  };
}
