// The JWK Set at /.well-known/jwks.json, and key rotation.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRemoteJWKSet, importJWK, jwtVerify } from "jose";
import { beforeAll, describe, expect, test } from "vitest";
import { answerOf, AUDIENCE, bearer, ISSUER, startGuard, useGuard, type Guard, type LoggedIn } from "../harness/guard.ts";
import { ALGORITHMS, keySet, makeKey, makeKeys, type SigningKey } from "../harness/signing_keys.ts";

const { keys, keyOf } = makeKeys();
const guard = useGuard({ SIGNING_KEYS: keySet(...keys) });
let sid: string;
beforeAll(async () => {
  sid = (await guard.login("ada")).session.sid;
});

const parts = (token: string) => token.split(".") as [string, string, string];

describe("the key set", () => {
  test("is public, and contains public keys only", async () => {
    const answer = await answerOf(guard.fetch("/.well-known/jwks.json"));
    expect(answer).toMatchObject({
      status: 200,
      headers: { "content-type": "application/jwk-set+json", "cache-control": "public, max-age=300" },
    });
    const published = (answer.body as { keys: Record<string, unknown>[] }).keys;
    expect(published.map(({ alg }) => alg)).toEqual(ALGORITHMS.filter((alg) => !alg.startsWith("HS")));
    for (const key of published) {
      expect(key).toMatchObject({ use: "sig", kid: expect.any(String), kty: expect.stringMatching(/^(EC|OKP|RSA)$/) });
      for (const secret of ["d", "k", "p", "q", "dp", "dq", "qi"]) expect(key).not.toHaveProperty(secret);
    }
  });

  test.each(["ES256", "EdDSA"])("lets panva/jose verify the guard's %s tokens", async (alg) => {
    await using other = await startGuard({ SIGNING_KEYS: keySet(keyOf(alg)) });
    const { access_token, session } = await other.login("ada");
    const published = createRemoteJWKSet(new URL(`${other.url}/.well-known/jwks.json`));
    // What RFC 9068 requires, section 2.2.
    const requiredClaims = ["iss", "exp", "aud", "sub", "client_id", "iat", "jti"];
    const options = { issuer: ISSUER, audience: AUDIENCE, typ: "at+jwt", requiredClaims };
    const { payload, protectedHeader } = await jwtVerify(access_token, published, options);
    expect(protectedHeader).toEqual({ alg, typ: "at+jwt", kid: `key-${alg}` });
    expect(payload).toMatchObject({ sub: "ada", client_id: AUDIENCE, sid: session.sid, exp: expect.any(Number), iat: expect.any(Number) });
    expect(await answerOf(other.fetch("/", bearer(access_token)))).toMatchObject({ status: 200 });
  });

  test.each(["HS256", "HS384", "HS512"])("with %s is empty, and panva/jose verifies the guard's tokens with the secret", async (alg) => {
    const key = keyOf(alg);
    await using other = await startGuard({ SIGNING_KEYS: keySet(key) });
    const { access_token } = await other.login("ada");
    const { protectedHeader } = await jwtVerify(access_token, await importJWK(key.jwk, alg), { issuer: ISSUER, audience: AUDIENCE });
    expect(protectedHeader.alg).toBe(alg);
    const { body } = await answerOf(other.fetch("/.well-known/jwks.json"));
    expect(body).toEqual({ keys: [] });
  });
});

test("keys rotate: the first key signs, all verify, and a removed key's tokens are refused", async () => {
  const folder = await mkdtemp(join(tmpdir(), "session-guard-keys-"));
  const [before, after] = [makeKey("HS256", "before"), makeKey("ES256", "after")];
  const visit = async (guard: Guard, { access_token }: LoggedIn) => (await answerOf(guard.fetch("/", bearer(access_token)))).status;
  const withKeys = (...all: SigningKey[]) => startGuard({ SIGNING_KEYS: keySet(...all), SESSION_LIMIT: "0" }, { persist: folder });
  try {
    const first = await withKeys(before);
    const old = await first.login("ada");
    expect(await visit(first, old)).toBe(200);
    await first[Symbol.asyncDispose]();

    const both = await withKeys(after, before);
    const fresh = await both.login("ada");
    expect([await visit(both, old), await visit(both, fresh)]).toEqual([200, 200]);
    expect(JSON.parse(Buffer.from(parts(fresh.access_token)[0], "base64url").toString())).toMatchObject({ kid: "after" });
    await both[Symbol.asyncDispose]();

    await using last = await withKeys(after);
    expect([await visit(last, old), await visit(last, fresh)]).toEqual([401, 200]);
  } finally {
    await rm(folder, { recursive: true });
  }
});
