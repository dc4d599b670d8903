// Makes signing keys.

import { randomBytes } from "node:crypto";

/** The algorithms that a signing key can have. */
export const algorithms = ["HS256", "HS384", "HS512", "ES256", "EdDSA"];

/** Makes a private JWK. Its `kid` is its thumbprint (RFC 7638), so it is unique. */
export async function makeKey(alg) {
  const { calculateJwkThumbprint, exportJWK, generateKeyPair } = await import("jose");
  if (alg.startsWith("HS")) {
    const k = randomBytes(Number(alg.slice(2)) / 8).toString("base64url");
    const jwk = { kty: "oct", k };
    return { ...jwk, kid: await calculateJwkThumbprint(jwk), alg, use: "sig" };
  }
  const { privateKey } = await generateKeyPair(alg, { extractable: true });
  const jwk = await exportJWK(privateKey);
  return { ...jwk, kid: await calculateJwkThumbprint(jwk), alg, use: "sig" };
}
