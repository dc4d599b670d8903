// Did a request come through the guard? Only the guard can sign X-Auth-Request-Assertion.

import { createHash } from "node:crypto";
import { createRemoteJWKSet, jwtVerify } from "jose";

/**
 * Makes two functions for the guard at `url`. `userOf` tells the user of a request by its headers, and
 * throws if it did not come through the guard. `checkAsker` throws if it is not the guard that asks about
 * the credentials in a body. `audience` is this origin, as ORIGIN_URL and LOGIN_URL name it.
 */
export function guardAt(url, issuer, audience) {
  // Fetched once and kept; anew, if a key is not among them.
  const keys = createRemoteJWKSet(new URL("/.well-known/jwks.json", url));
  // A member's own token is signed by the same key: the type tells it from an assertion.
  const read = async (headers, typ, requiredClaims) => {
    const rules = { issuer, audience, typ, algorithms: ["ES256", "EdDSA"], requiredClaims };
    return (await jwtVerify(headers["x-auth-request-assertion"] ?? "", keys, rules)).payload;
  };
  async function userOf(headers) {
    const payload = await read(headers, "guard-assertion+jwt", ["exp", "sub"]);
    const user = decodeURIComponent(headers["x-auth-request-user"] ?? "");
    if (payload.sub !== user) throw new Error("the assertion is about somebody else");
    return user;
  }
  async function checkAsker(headers, body) {
    const payload = await read(headers, "guard-login+jwt", ["exp", "body_sha256"]);
    const digest = createHash("sha256").update(body).digest("hex");
    if (payload.body_sha256 !== digest) throw new Error("the proof is of another login");
  }
  return { userOf, checkAsker };
}
