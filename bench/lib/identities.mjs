// Makes keys, tokens and sessions without the guard's code.

import { constants, createHash, createHmac, generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../../scripts/setup.mjs";

/** The `iss` and `aud` of the tokens. */
export const issuer = "https://guard.test";
export const audience = "https://members.test";

const day = 86_400;

/** Makes a key: its JWK for the guard, and a function that signs with it. */
export function makeKey(alg, rsa) {
  const hash = `sha${alg.slice(2)}`;
  if (alg.startsWith("HS")) {
    // A text secret, because some libraries accept no other.
    const secret = Buffer.from(randomBytes(Number(alg.slice(2)) / 8).toString("base64url"));
    return { jwk: { kty: "oct", k: secret.toString("base64url") }, signer: (text) => createHmac(hash, secret).update(text).digest() };
  }
  if (alg === "EdDSA") {
    const { privateKey, publicKey } = generateKeyPairSync("ed25519");
    return { ...jwks(publicKey), signer: (text) => sign(null, Buffer.from(text), privateKey) };
  }
  if (alg === "ES256") {
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const privateJwk = privateKey.export({ format: "jwk" });
    return { ...jwks(publicKey), privateJwk, signer: (text) => sign(hash, Buffer.from(text), { key: privateKey, dsaEncoding: "ieee-p1363" }) };
  }
  const { RSA_PKCS1_PSS_PADDING, RSA_PKCS1_PADDING, RSA_PSS_SALTLEN_DIGEST } = constants;
  const padding = alg.startsWith("PS") ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING;
  const pair = rsa ?? generateKeyPairSync("rsa", { modulusLength: 2048 });
  const key = { key: pair.privateKey, padding, saltLength: RSA_PSS_SALTLEN_DIGEST };
  return { ...jwks(pair.publicKey), signer: (text) => sign(hash, Buffer.from(text), key) };
}

function jwks(publicKey) {
  const jwk = publicKey.export({ format: "jwk" });
  return { jwk, publicJwk: jwk };
}

/** Encodes a value as JSON in base64url. */
export function encode(value) {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

const random = () => randomBytes(16).toString("base64url");

/** Makes a key for each algorithm. At least one must be able to sign, as the guard requires. */
export function makeKeys(algorithms) {
  return Object.fromEntries(algorithms.map((alg) => [alg, makeKey(alg)]));
}

/** The value of SIGNING_KEYS. With `asserts`, it has private keys, with which the guard signs assertions for the origin. */
export function signingKeys(keys, asserts = false) {
  return JSON.stringify({ keys: Object.entries(keys).map(([alg, { jwk, privateJwk }]) => ({ ...(asserts ? (privateJwk ?? jwk) : jwk), alg, kid: alg })) });
}

/** Makes a user, a session, and the claims of its token. */
export function makeUser(n) {
  const [sid, jti] = [random(), random()];
  const now = Math.floor(Date.now() / 1000);
  const sub = `m-${String(n).padStart(7, "0")}`;
  const claims = { iss: issuer, aud: audience, sub, sid, jti, email: `${sub}@rowing.example`, roles: ["member", "board"], iat: now, exp: now + day };
  return { sub, sid, claims, record: record(sid, jti, now) };
}

/** A session in its stored format; see `session.rs` in the core. */
function record(sid, jti, now) {
  const times = { created: now * 1000, seen: now * 1000, expires: (now + day) * 1000 };
  const agent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
  return JSON.stringify({ sid, jti, ...times, device: "desktop", user_agent: agent, place: "Berlin, DE" });
}

/** The session of a provider's token, as its first request begins it: see `Sid::of_provider` in the core. */
export function providerRecord({ sub, sid, record }) {
  const hash = createHash("sha256");
  for (const text of ["provider session", provider.issuer, sub, sid]) {
    const length = Buffer.alloc(8);
    length.writeBigUInt64BE(BigInt(Buffer.byteLength(text)));
    hash.update(length).update(text);
  }
  const session = JSON.parse(record);
  const own = { sid: hash.digest().subarray(0, 16).toString("base64url"), jti: "", issuer: provider.issuer, issuer_sid: sid };
  return JSON.stringify({ ...session, ...own, idle_expires: session.expires, deny_until: 99_999_999_999_999, readmit: true });
}

/** Signs a token in the guard's format. */
export function mint(claims, alg, { signer }) {
  const text = `${encode({ alg, typ: "at+jwt", kid: alg })}.${encode(claims)}`;
  return `${text}.${signer(text).toString("base64url")}`;
}

/** The identity provider whose access tokens a guard accepts, with the tests' HS256 key as its shared secret. */
export const provider = {
  issuer: "https://idp.test",
  subject_prefix: "",
  access_tokens: { audience, session_claim: "session_id", roles_claim: "roles", claims: ["email"], secret: "PROVIDER_SECRET", forward: false },
};

/** The text of that secret. */
export const providerSecret = ({ HS256: { jwk } }) => Buffer.from(jwk.k, "base64url").toString();

/** Signs a provider's access token of a user's session. */
export function mintProviders({ iss: _, sid: session_id, ...claims }, key) {
  return mint({ ...claims, iss: provider.issuer, session_id }, "HS256", key);
}

/** The lines of a script that `auth/build.rs` leaves in. */
function codeOf(name) {
  const lines = readFileSync(join(root, `auth/src/redis/${name}.lua`), "utf8").split("\n").map((line) => line.trim());
  return lines.filter((line) => line !== "" && !line.startsWith("--"));
}

/** The guard's script that checks a session, and its hash. */
export function checkScript() {
  const text = ["#!lua flags=allow-key-locking", ...["prelude", "touch", "check"].flatMap(codeOf)].join("\n");
  return { text, sha1: createHash("sha1").update(text).digest("hex") };
}

/** The key of a user's sessions in Redis. */
export function redisKey(sub) {
  return `guard:${Buffer.from(sub).toString("base64url")}`;
}
