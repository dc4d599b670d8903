// Keys and tokens of every algorithm, made without the guard's code; tokens as odd as one likes.

import { constants, createHmac, generateKeyPairSync, randomBytes, sign as signWith, type KeyObject } from "node:crypto";

/** A JSON Web Key. */
export type Jwk = Record<string, unknown> & { kid: string; alg: string };

/** A key that signs, and its JWK as the guard is given it. */
export interface SigningKey {
  alg: string;
  kid: string;
  /** With the private half where the guard may sign with it. */
  jwk: Jwk;
  /** The public half in PEM, for those that have one. */
  pem?: string;
  sign(input: string): Buffer;
}

/** Every algorithm the guard verifies. */
export const ALGORITHMS = ["HS256", "HS384", "HS512", "ES256", "EdDSA", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512"];

/** Makes a key. RSA keys are given to the guard without their private half, as it needs none. */
export function makeKey(alg: string, kid = `key-${alg}`): SigningKey {
  const hash = `sha${alg.slice(2)}`;
  if (alg.startsWith("HS")) {
    const secret = randomBytes(64);
    const jwk = { kty: "oct", alg, kid, k: secret.toString("base64url") };
    return { alg, kid, jwk, sign: (input) => createHmac(hash, secret).update(input).digest() };
  }
  const { privateKey, publicKey } = makePair(alg);
  const isRsa = alg.startsWith("RS") || alg.startsWith("PS");
  const jwk = { ...(isRsa ? publicKey : privateKey).export({ format: "jwk" }), alg, kid };
  const pem = publicKey.export({ format: "pem", type: "spki" }).toString();
  return { alg, kid, jwk, pem, sign: (input) => signAsymmetric(alg, hash, privateKey, input) };
}

/** A key of every algorithm, and each by its algorithm. */
export function makeKeys() {
  const keys = ALGORITHMS.map((alg) => makeKey(alg));
  return { keys, keyOf: (alg: string) => keys.find((key) => key.alg === alg) as SigningKey };
}

/** The value of `SIGNING_KEYS` for these keys. */
export const keySet = (...keys: SigningKey[]) => JSON.stringify({ keys: keys.map(({ jwk }) => jwk) });

function makePair(alg: string): { privateKey: KeyObject; publicKey: KeyObject } {
  if (alg === "ES256") return generateKeyPairSync("ec", { namedCurve: "P-256" });
  if (alg === "EdDSA") return generateKeyPairSync("ed25519");
  return generateKeyPairSync("rsa", { modulusLength: 2048 });
}

function signAsymmetric(alg: string, hash: string, key: KeyObject, input: string): Buffer {
  const data = Buffer.from(input);
  if (alg === "EdDSA") return signWith(null, data, key);
  if (alg === "ES256") return signWith(hash, data, { key, dsaEncoding: "ieee-p1363" });
  if (alg.startsWith("RS")) return signWith(hash, data, key);
  return signWith(hash, data, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST });
}

/** One part of a token: JSON in base64url, or, of a text, that text in base64url as it stands. */
export function part(content: unknown): string {
  const text = typeof content === "string" ? content : JSON.stringify(content);
  return Buffer.from(text).toString("base64url");
}

/** A token of these parts, well signed. */
export function signed(key: SigningKey, header: unknown, claims: unknown): string {
  const input = `${part(header)}.${part(claims)}`;
  return `${input}.${key.sign(input).toString("base64url")}`;
}
