// Verifies tokens in the Workers runtime: with the guard's wasm, or by hand with WebCrypto. The clock does not advance
// during computation in workerd, so the driver measures from outside.

import { Verifier } from "../../.cache/bench-verify/bindings/guard.js";

/**
 * The keys and tokens, which the driver sends once.
 * @typedef {object} Load
 * @property {string} issuer
 * @property {string} audience
 * @property {(JsonWebKey & { alg: string, kid: string })[]} keys for the guard, as in SIGNING_KEYS
 * @property {(JsonWebKey & { alg: string, kid: string })[]} publicKeys for WebCrypto
 * @property {Record<string, string[]>} tokens by algorithm, more than the guard caches
 */

/** @type {Load | undefined} */
let load;
/** @type {Verifier | undefined} */
let verifier;
/** @type {Map<string, { alg: string, key: CryptoKey }>} by `kid` */
const cryptoKeys = new Map();
/** @type {Record<string, number>} the index of the next token, by way and algorithm */
const next = {};

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** @type {Record<string, SubtleCryptoImportKeyAlgorithm>} */
const parameters = {
  HS256: { name: "HMAC", hash: "SHA-256" },
  HS384: { name: "HMAC", hash: "SHA-384" },
  HS512: { name: "HMAC", hash: "SHA-512" },
  ES256: { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" },
  EdDSA: { name: "Ed25519" },
  RS256: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" },
  RS384: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-384" },
  RS512: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-512" },
  PS256: { name: "RSA-PSS", hash: "SHA-256" },
  PS384: { name: "RSA-PSS", hash: "SHA-384" },
  PS512: { name: "RSA-PSS", hash: "SHA-512" },
};
/** @type {Record<string, SubtleCryptoSignAlgorithm>} */
const verifying = Object.fromEntries(
  Object.entries(parameters).map(([alg, { name, hash }]) => [
    alg,
    name === "ECDSA" && hash !== undefined ? { name, hash } : name === "RSA-PSS" ? { name, saltLength: Number(alg.slice(2)) / 8 } : { name },
  ]),
);

export default {
  /**
   * `PUT /` stores the load. `POST /WAY/ALG/N` verifies N tokens.
   * @param {Request} request
   * @returns {Promise<Response>}
   */
  async fetch(request) {
    const { pathname } = new URL(request.url);
    if (request.method === "PUT") {
      await storeLoad(/** @type {Load} */ (await request.json()));
      return new Response();
    }
    const [, way = "", alg = "", n = ""] = pathname.split("/");
    if (load === undefined || verifier === undefined) return new Response("No load", { status: 409 });
    const tokens = load.tokens[alg] ?? [];
    const now = Date.now();
    let at = next[`${way}/${alg}`] ?? 0;
    for (let left = Number(n); left > 0; left--) {
      const token = tokens[at] ?? "";
      if (way !== "cached") at = (at + 1) % tokens.length;
      if (way === "webcrypto") await verifyByHand(load, token, now);
      else verifier.verify(token, now);
    }
    next[`${way}/${alg}`] = at;
    return new Response();
  },
};

/**
 * Imports the keys, once for all tokens.
 * @param {Load} sent
 */
async function storeLoad(sent) {
  load = sent;
  verifier = new Verifier(sent.issuer, sent.audience, JSON.stringify({ keys: sent.keys }));
  for (const jwk of sent.publicKeys) {
    const algorithm = parameters[jwk.alg];
    if (algorithm === undefined) throw new Error(jwk.alg);
    cryptoKeys.set(jwk.kid, { alg: jwk.alg, key: await crypto.subtle.importKey("jwk", jwk, algorithm, false, ["verify"]) });
  }
}

/**
 * Verifies a token with WebCrypto, and all claims that the guard checks.
 * @param {Load} load
 * @param {string} token
 * @param {number} now
 */
async function verifyByHand({ issuer, audience }, token, now) {
  const [header = "", payload = "", signature = "", ...more] = token.split(".");
  if (more.length > 0) throw new Error("malformed");
  const { alg, kid, typ } = JSON.parse(decoder.decode(decode(header)));
  const claims = JSON.parse(decoder.decode(decode(payload)));
  const known = cryptoKeys.get(kid);
  const algorithm = verifying[alg];
  if (known === undefined || algorithm === undefined || known.alg !== alg || typ !== "at+jwt") throw new Error("key or type");
  const signed = encoder.encode(token.slice(0, header.length + 1 + payload.length));
  if (!(await crypto.subtle.verify(algorithm, known.key, decode(signature), signed))) throw new Error("signature");
  const { iss, aud, sub, sid, jti, iat, exp } = claims;
  if (iss !== issuer || ![aud].flat().includes(audience)) throw new Error("issuer or audience");
  if (![sub, sid, jti].every((claim) => typeof claim === "string")) throw new Error("claims");
  if (!(iat * 1000 <= now + 5000 && now < exp * 1000 + 5000)) throw new Error("times");
}

/**
 * @param {string} part
 * @returns {Uint8Array}
 */
function decode(part) {
  // @ts-expect-error The types lack it; the runtime has it.
  return Uint8Array.fromBase64(part, { alphabet: "base64url" });
}
