// Access tokens of every algorithm: which are accepted and which are refused.

import { createHmac } from "node:crypto";
import { importJWK, SignJWT } from "jose";
import { beforeAll, describe, expect, test } from "vitest";
import { answerOf, AUDIENCE, bearer, ISSUER, useGuard } from "../harness/guard.ts";
import { keySet, makeKey, makeKeys, part, signed, type SigningKey } from "../harness/signing_keys.ts";

const { keys, keyOf } = makeKeys();
const guard = useGuard({ SIGNING_KEYS: keySet(...keys) });
let sid: string;
beforeAll(async () => {
  sid = (await guard.login("ada")).session.sid;
});

const now = () => Math.floor(Date.now() / 1000);
const goodHeader = ({ alg, kid }: SigningKey) => ({ alg, typ: "at+jwt", kid });
const goodClaims = () => ({ iss: ISSUER, aud: AUDIENCE, sub: "ada", sid, jti: "j", iat: now(), exp: now() + 60 });

/** A token that is good but for what is changed; `undefined` takes a member away. */
const header = (changes: object) => (key: SigningKey) => signed(key, { ...goodHeader(key), ...changes }, goodClaims());
const claims = (changes: object) => (key: SigningKey) => signed(key, goodHeader(key), { ...goodClaims(), ...changes });
const parts = (token: string) => token.split(".") as [string, string, string];
const good = (key: SigningKey) => signed(key, goodHeader(key), goodClaims());
const rawHeader = (text: (json: string) => string) => (key: SigningKey) => signed(key, text(JSON.stringify(goodHeader(key))), goodClaims());
const rawClaims = (text: (json: string) => string) => (key: SigningKey) => signed(key, goodHeader(key), text(JSON.stringify(goodClaims())));

/** Another signature for the same token. */
const signature = (change: (bytes: Buffer) => Uint8Array) => (key: SigningKey) => {
  const [head, body, sig] = parts(good(key));
  return `${head}.${body}.${Buffer.from(change(Buffer.from(sig, "base64url"))).toString("base64url")}`;
};

const attacker = makeKey("ES256", "attacker");
const nested = (depth: number) => `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`;

/** A name, what makes the token from a key of the guard's, and the code it is refused with. */
const HOSTILE: [name: string, make: (key: SigningKey) => string, code?: string][] = [
  // The algorithm.
  ["alg none, no signature", (key) => `${part({ ...goodHeader(key), alg: "none" })}.${part(goodClaims())}.`],
  ["alg None, no signature", (key) => `${part({ ...goodHeader(key), alg: "None" })}.${part(goodClaims())}.`],
  ["alg nOnE, well signed", header({ alg: "nOnE" })],
  ["alg none, well signed", header({ alg: "none" })],
  ["no alg", header({ alg: undefined })],
  ["alg in lower case", (key) => header({ alg: key.alg.toLowerCase() })(key)],
  ["alg as a list", (key) => header({ alg: [key.alg] })(key)],
  ["alg null", header({ alg: null })],
  ["an algorithm that is not known", header({ alg: "ES256K" })],
  ["HMAC with the public key as its secret", (key) => {
    const input = `${part({ ...goodHeader(key), alg: "HS256" })}.${part(goodClaims())}`;
    return `${input}.${createHmac("sha256", key.pem ?? "").update(input).digest("base64url")}`;
  }],
  ["another key's algorithm", (key) => header({ alg: key.alg === "HS256" ? "RS256" : "HS256" })(key)],
  // The key.
  ["another key's kid", (key) => header({ kid: key.alg === "HS256" ? "key-ES256" : "key-HS256" })(key)],
  ["a kid that nobody has", header({ kid: "nobody" })],
  ["no kid, among several keys", header({ kid: undefined })],
  ["an empty kid", header({ kid: "" })],
  ["a kid that is a number", header({ kid: 0 })],
  ["a kid that is a list", (key) => header({ kid: [key.kid] })(key)],
  ["a kid that is a path", header({ kid: "../../../../dev/null" })],
  ["a kid that is a query", header({ kid: "x' UNION SELECT 'AAAA" })],
  ["a kid with a space after it", (key) => header({ kid: `${key.kid} ` })(key)],
  ["a stranger's key under our kid", (key) => signed(attacker, { ...goodHeader(key), alg: "ES256" }, goodClaims())],
  ["a stranger's key in the header", (key) => signed(attacker, { ...goodHeader(attacker), kid: key.kid, jwk: attacker.jwk }, goodClaims())],
  ["a stranger's key set by address", (key) => signed(attacker, { ...goodHeader(attacker), kid: key.kid, jku: "https://evil.example/jwks" }, goodClaims())],
  ["a stranger's certificate by address", (key) => signed(attacker, { ...goodHeader(attacker), kid: key.kid, x5u: "https://evil.example/c" }, goodClaims())],
  ["a stranger's certificate in the header", (key) => signed(attacker, { ...goodHeader(attacker), kid: key.kid, x5c: ["MIIB"] }, goodClaims())],
  // The header.
  ["a critical extension", header({ crit: ["exp"], exp: 1 })],
  ["an empty list of critical extensions", header({ crit: [] })],
  ["critical extensions null", header({ crit: null })],
  ["an unencoded payload", header({ b64: false, crit: ["b64"] })],
  ["b64 alone", header({ b64: true })],
  ["no typ", header({ typ: undefined })],
  ["typ JWT", header({ typ: "JWT" })],
  ["typ of a logout token", header({ typ: "logout+jwt" })],
  ["typ of an assertion for the origin", header({ typ: "guard-assertion+jwt" })],
  ["typ with a parameter", header({ typ: "at+jwt; x" })],
  ["typ as a list", header({ typ: ["at+jwt"] })],
  ["a nested token", header({ cty: "JWT" })],
  ["alg twice", rawHeader((json) => json.replace("{", '{"alg":"none",'))],
  ["alg twice, once escaped", rawHeader((json) => json.replace("{", '{"\\u0061lg":"none",'))],
  ["kid twice", rawHeader((json) => json.replace("{", '{"kid":"nobody",'))],
  ["typ twice", rawHeader((json) => json.replace("{", '{"typ":"JWT",'))],
  ["an unknown member twice", rawHeader((json) => json.replace("{", '{"x":1,"x":1,'))],
  ["a header that is a list", rawHeader((json) => `[${json}]`)],
  ["a header that is a text", rawHeader(JSON.stringify)],
  ["a header that is no JSON", rawHeader(() => "header")],
  ["an empty header", rawHeader(() => "")],
  ["a header with something after it", rawHeader((json) => `${json}{}`)],
  ["a header with a byte order mark", rawHeader((json) => `\ufeff${json}`)],
  ["a header that is nested deep", rawHeader((json) => json.replace("{", `{"x":${nested(100)},`))],
  // The form.
  ["nothing but dots", () => ".."],
  ["two parts", (key) => good(key).split(".").slice(0, 2).join(".")],
  ["four parts", (key) => `${good(key)}.x`],
  ["five parts, as if encrypted", (key) => `${good(key)}.x.y`],
  ["a dot after it", (key) => `${good(key)}.`],
  ["a dot before it", (key) => `.${good(key)}`],
  ["the JSON serialisation, flattened", (key) => {
    const [head, body, sig] = parts(good(key));
    return JSON.stringify({ protected: head, payload: body, signature: sig });
  }],
  ["the JSON serialisation, general", (key) => {
    const [head, body, sig] = parts(good(key));
    return JSON.stringify({ payload: body, signatures: [{ protected: head, signature: sig }] });
  }],
  ["a padded header", (key) => good(key).replace(".", "=.")],
  ["padded claims", (key) => good(key).replace(/\.(?=[^.]*$)/, "==.")],
  ["a padded signature", (key) => `${good(key)}==`],
  ["a space within", (key) => good(key).replace(".", " .")],
  ["a tab within", (key) => good(key).replace(".", "\t.")],
  ["a comma and another token", (key) => `${good(key)},${good(key)}`],
  ["the alphabet of plain base64", (key) => {
    const [head, body] = parts(claims({ x: "~~~???>>>" })(key)).map((it) => it.replaceAll("-", "+").replaceAll("_", "/"));
    return `${head}.${body}.${key.sign(`${head}.${body}`).toString("base64url")}`;
  }],
  ["claims that are not canonical", (key) => {
    const odd = `${part(`${JSON.stringify(goodClaims())}${" ".repeat((3 - (JSON.stringify(goodClaims()).length % 3) + 1) % 3)}`)}`;
    const last = String.fromCharCode(odd.charCodeAt(odd.length - 1) + 1);
    const input = `${part(goodHeader(key))}.${odd.slice(0, -1)}${last}`;
    return `${input}.${key.sign(input).toString("base64url")}`;
  }],
  ["percent-encoded dots", (key) => good(key).replaceAll(".", "%2E")],
  ["more than 8 KB", claims({ pad: "x".repeat(8192) })],
  // The signature.
  ["no signature", (key) => `${parts(good(key)).slice(0, 2).join(".")}.`],
  ["a signature of zeros", signature((bytes) => new Uint8Array(bytes.length))],
  ["a signature of ones", signature((bytes) => new Uint8Array(bytes.length).fill(255))],
  ["a signature cut short", signature((bytes) => bytes.subarray(1))],
  ["a signature with a byte more", signature((bytes) => Buffer.concat([bytes, Buffer.from([0])]))],
  ["a signature twice", signature((bytes) => Buffer.concat([bytes, bytes]))],
  ["a signature with one bit flipped", signature((bytes) => bytes.map((byte, i) => (i === 7 ? byte ^ 1 : byte)))],
  ["a signature backwards", signature((bytes) => bytes.reverse())],
  ["a signature of one byte", signature(() => Buffer.from([1]))],
  ["another token's signature", (key) => {
    const [head, body] = parts(good(key));
    return `${head}.${body}.${parts(claims({ sub: "eve" })(key))[2]}`;
  }],
  ["claims that were changed", (key) => {
    const [head, , sig] = parts(good(key));
    return `${head}.${part({ ...goodClaims(), sub: "eve" })}.${sig}`;
  }],
  ["a header that was changed", (key) => {
    const [, body, sig] = parts(good(key));
    return `${part({ ...goodHeader(key), x: 1 })}.${body}.${sig}`;
  }],
  // Times.
  ["no exp", claims({ exp: undefined })],
  ["exp null", claims({ exp: null })],
  ["exp as a text", () => claims({ exp: `${now() + 60}` })(keyOf("HS256"))],
  ["exp as a fraction", (key) => claims({ exp: now() + 60.5 })(key)],
  ["exp as a list", (key) => claims({ exp: [now() + 60] })(key)],
  ["exp below zero", claims({ exp: -1 })],
  ["exp beyond the calendar", claims({ exp: 1e15 })],
  ["exp with an exponent", rawClaims((json) => json.replace(/"exp":\d+/, '"exp":9e9'))],
  ["exp beyond every number", rawClaims((json) => json.replace(/"exp":\d+/, '"exp":1e999'))],
  ["exp in the past", (key) => claims({ exp: now() - 6 })(key), "token_expired"],
  ["exp long ago", claims({ exp: 1 }), "token_expired"],
  ["exp zero", claims({ exp: 0 }), "token_expired"],
  ["no iat", claims({ iat: undefined })],
  ["iat ahead", (key) => claims({ iat: now() + 30 })(key)],
  ["iat as a text", claims({ iat: "now" })],
  ["iat below zero", claims({ iat: -5 })],
  ["nbf ahead", (key) => claims({ nbf: now() + 30 })(key)],
  ["nbf as a text", claims({ nbf: "now" })],
  // Who and for whom.
  ["no iss", claims({ iss: undefined })],
  ["another iss", claims({ iss: "https://evil.example" })],
  ["iss with a slash more", claims({ iss: `${ISSUER}/` })],
  ["iss in upper case", claims({ iss: ISSUER.toUpperCase() })],
  ["iss as a list", claims({ iss: [ISSUER] })],
  ["no aud", claims({ aud: undefined })],
  ["another aud", claims({ aud: "https://evil.example" })],
  ["an empty list of aud", claims({ aud: [] })],
  ["aud with ours inside a text", claims({ aud: `${AUDIENCE} https://evil.example` })],
  ["aud as an object", claims({ aud: { [AUDIENCE]: true } })],
  ["aud with a number among ours", claims({ aud: [AUDIENCE, 1] })],
  ["no sub", claims({ sub: undefined })],
  ["an empty sub", claims({ sub: "" })],
  ["sub as a number", claims({ sub: 1 })],
  ["sub as a list", claims({ sub: ["ada"] })],
  ["sub null", claims({ sub: null })],
  ["sub over 1 KB", claims({ sub: "a".repeat(1025) })],
  ["no sid", claims({ sid: undefined })],
  ["an empty sid", claims({ sid: "" })],
  ["sid as a number", claims({ sid: 1 })],
  ["sid with a separator", claims({ sid: "a:b" })],
  ["sid with a slash", claims({ sid: "../x" })],
  ["a sid of nobody's", claims({ sid: "A".repeat(22) }), "session_unknown"],
  ["somebody else's sid", claims({ sub: "eve" }), "session_unknown"],
  ["no jti", claims({ jti: undefined })],
  ["jti as a number", claims({ jti: 1 })],
  // The claims as JSON.
  ["sub twice", rawClaims((json) => json.replace("{", '{"sub":"eve",'))],
  ["sub twice, once escaped", rawClaims((json) => json.replace("{", '{"s\\u0075b":"eve",'))],
  ["exp twice", rawClaims((json) => json.replace("{", '{"exp":1,'))],
  ["a public claim twice", rawClaims((json) => json.replace("{", '{"x":1,"x":2,'))],
  ["a member twice within a claim", rawClaims((json) => json.replace("{", '{"x":{"a":1,"a":2},'))],
  ["claims that are a list", rawClaims((json) => `[${json}]`)],
  ["claims that are no JSON", rawClaims(() => "claims")],
  ["no claims", rawClaims(() => "")],
  ["claims with something after them", rawClaims((json) => `${json},`)],
  ["claims with a comment", rawClaims((json) => json.replace("{", "{/**/"))],
  ["claims with a lone surrogate", rawClaims((json) => json.replace("{", '{"x":"\\ud800",'))],
  ["claims that are nested deep", rawClaims((json) => json.replace("{", `{"x":${nested(100)},`))],
  ["claims that are nested deeper than any stack", rawClaims((json) => json.replace("{", `{"x":${"[".repeat(3000)}`))],
];

test("there are at least 120 hostile tokens, each of its own name", () => {
  const names = new Set(HOSTILE.map(([name]) => name));
  expect(names.size).toBe(HOSTILE.length);
  expect(names.size).toBeGreaterThanOrEqual(120);
});

describe.each(keys)("$alg", (key) => {
  test("a good token passes, so that the others are refused only for what is wrong with them", async () => {
    for (const token of [good(key), claims({ aud: ["other", AUDIENCE] })(key), header({ typ: "application/at+jwt" })(key)]) {
      const answer = await answerOf(guard.fetch("/", bearer(token)));
      expect(answer).toMatchObject({ status: 200 });
    }
  });

  test.each(HOSTILE)("%s is refused, and never reaches the origin", async (_, make, code = "token_invalid") => {
    guard.origin.received.length = 0;
    const answer = await answerOf(guard.fetch("/", bearer(make(key))));
    expect(answer).toMatchObject({ status: 401, body: { code } });
    expect(guard.origin.received).toEqual([]);
  });
});

// The harness has no private half of RSA keys in JWK; Node's own signatures of those pass above.
test.each(keys.filter(({ alg }) => !/^[RP]S/.test(alg)))("a token that panva/jose signs by $alg passes", async (key) => {
  const token = await new SignJWT(goodClaims()).setProtectedHeader(goodHeader(key)).sign(await importJWK(key.jwk, key.alg));
  expect(await answerOf(guard.fetch("/", bearer(token)))).toMatchObject({ status: 200 });
});
