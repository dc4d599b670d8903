// The keys of a trusted issuer: fetching its JWK Set, and which keys are used.

import { describe, expect, test } from "vitest";
import { published, startIssuer, type Issuer } from "../harness/identity_provider.ts";
import { makeKey, type SigningKey } from "../harness/signing_keys.ts";
import { seconds, startTrustingGuard, useTrustedIssuer } from "../harness/trusted_issuer.ts";

const { issuer, guard, exchange, logIn, logOut, visit } = useTrustedIssuer();

/** A modulus as some write it: with the zero that ASN.1 has, and with padding. */
const asn1 = ({ n }: { n: string }) => ({ n: Buffer.concat([Buffer.alloc(1), Buffer.from(n, "base64url")]).toString("base64"), e: "AQAB" });

describe("the keys of a trusted issuer", () => {
  test.each(["ES256", "EdDSA", "RS512", "PS256"])("may be for %s", async (alg) => {
    await using other = await startIssuer(alg);
    await using guard = await startTrustingGuard(other);
    expect(await visit(await logIn(other.idToken({}), guard), guard)).toBe("passes");
  });

  test("are fetched once for many simultaneous logins", async () => {
    await using other = await startIssuer();
    await using guard = await startTrustingGuard(other, { SESSION_LIMIT: "0" });
    const all = await Promise.all(Array.from({ length: 20 }, () => exchange(other.idToken({}), {}, guard)));
    expect(all.map(({ status }) => status)).toEqual(all.map(() => 200));
    expect(other.fetches).toBe(1);
  });

  test("are not fetched again for every unknown kid", async () => {
    await using other = await startIssuer();
    await using guard = await startTrustingGuard(other);
    await logIn(other.idToken({}), guard);
    for (const kid of ["a", "b", "c"]) {
      expect(await exchange(other.idToken({}, { kid }), {}, guard)).toMatchObject({ status: 401, body: { code: "token_invalid" } });
    }
    expect(other.fetches).toBe(1);
  });

  test.each<[string, (good: object) => unknown[]]>([
    ["the same key twice", (good) => [good, good]],
    ["a key of another type under the same kid", (good) => [{ ...published(makeKey("ES256", "idp-1")) }, good]],
    ["another key of the same type under the same kid", (good) => [{ ...published(makeKey("RS256", "idp-1")) }, good]],
    ["keys of unknown type, use and curve", (good) => [null, 7, { kty: "new", kid: "idp-1" }, { ...good, use: "enc" }, { kty: "EC", crv: "P-521", kid: "idp-1", x: "AA", y: "AA" }, { kty: "oct", kid: "idp-1", k: "AAAA", alg: "HS256" }, good]],
    ["a key without kid", (good) => [{ ...good, kid: undefined }]],
    ["a key without alg and use", (good) => [{ ...good, alg: undefined, use: undefined }]],
    ["empty members and null", (good) => [{ ...good, alg: null, use: "", x5u: null }]],
    ["certificates", (good) => [{ ...good, x5c: ["MIIB"], x5t: "x", "x5t#S256": "x", x5u: "https://evil.example/", issuer: "https://idp.example/{tenantid}" }]],
    ["a modulus with a zero before it, and padding", (good) => [{ ...good, ...asn1(good as { n: string }) }]],
  ])("may hold %s", async (_, set) => {
    await using other = await startIssuer();
    await using guard = await startTrustingGuard(other, { SESSION_LIMIT: "0" }, { algorithms: ["RS256", "ES256"] });
    other.answer = { body: JSON.stringify({ keys: set(published(other.keys[0] as SigningKey)) }) };
    expect(await visit(await logIn(other.idToken({}), guard), guard)).toBe("passes");
    expect(other.fetches).toBe(1);
  });

  test.each<[string, Issuer["answer"]]>([
    ["application/jwk-set+json", { headers: { "content-type": "application/jwk-set+json; charset=UTF-8" } }],
    ["application/octet-stream", { headers: { "content-type": "application/octet-stream" } }],
    ["a text with a byte order mark", { headers: { "content-type": "text/plain" }, body: "\ufeff" }],
  ])("may come as %s", async (_, answer) => {
    await using other = await startIssuer();
    await using guard = await startTrustingGuard(other);
    other.answer = { ...answer, body: (answer?.body ?? "") + JSON.stringify({ keys: other.keys.map(published) }) };
    expect(await visit(await logIn(other.idToken({}, { kid: undefined }), guard), guard)).toBe("passes");
  });

  test("are fetched again soon after the first fetch failed", async () => {
    await using other = await startIssuer();
    await using guard = await startTrustingGuard(other);
    other.answer = { status: 500 };
    expect(await exchange(other.idToken({}), {}, guard)).toMatchObject({ status: 502 });
    other.answer = undefined;
    await expect.poll(async () => (await exchange(other.idToken({}), {}, guard)).status, { timeout: 10_000, interval: 100 }).toBe(200);
    expect(other.fetches).toBe(2);
  });

  test("that take two seconds are used, although the client that caused the fetch has disconnected", async () => {
    await using other = await startIssuer();
    await using guard = await startTrustingGuard(other);
    other.answer = { delay: 2_000 };
    const gone = new AbortController();
    const init = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ id_token: other.idToken({}) }), signal: gone.signal };
    const asked = fetch(`${guard.url}/_auth/login`, init);
    await expect.poll(() => other.fetches).toBe(1);
    gone.abort();
    await expect(asked).rejects.toThrow();
    expect(await exchange(other.idToken({}), {}, guard)).toMatchObject({ status: 200 });
    expect(other.fetches).toBe(1);
  });

  test("are kept while the issuer is down", async () => {
    await using other = await startIssuer();
    await using guard = await startTrustingGuard(other);
    await logIn(other.idToken({}), guard);
    other.answer = { status: 500 };
    await logIn(other.idToken({}), guard);
  });

  test.each<[string, Issuer["answer"]]>([
    ["an error", { status: 500 }],
    ["a redirect", { status: 302, headers: { location: "/elsewhere" } }],
    ["no JSON", { body: "<html>" }],
    ["no key of its algorithms", { body: '{"keys":[{"kty":"oct","kid":"idp-1","alg":"HS256","k":"AAAA"}]}' }],
    ["more than 256 KB", { body: JSON.stringify({ keys: [], pad: "x".repeat(256 * 1024) }) }],
  ])("that come as %s let nobody in, which differs from an invalid token", async (_, answer) => {
    await using other = await startIssuer();
    await using guard = await startTrustingGuard(other);
    other.answer = answer;
    expect(await exchange(other.idToken({}), {}, guard)).toMatchObject({ status: 502, body: { code: "issuer_unavailable" } });
    expect(await logOut(other.logoutToken({ sub: "u-1" }), guard)).toMatchObject({ status: 502 });
    await expect.poll(() => guard.log.join()).toMatch(/\/jwks.*keys_not_fetched/);
    expect(other.fetches).toBe(1);
  });
});
