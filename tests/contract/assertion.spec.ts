// The assertion: the JWT by which the origin knows that the guard has said who the user is.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from "jose";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { answerOf, bearer, cookieOf, ISSUER, loginInit, startGuard, useGuard, type Guard, type Vars } from "../harness/guard.ts";
import { ada, forged } from "../harness/identity.ts";
import { keySet, makeKey } from "../harness/signing_keys.ts";

const ROUTES = JSON.stringify([{ path: "/open", access: "public" }, { path: "/maybe", access: "optional" }]);


const ASSERTION = "x-auth-request-assertion";
const keys = ["ES256", "EdDSA"].map((alg) => makeKey(alg));

/** The assertion of the last request, as an origin verifies it. */
async function verified(guard: Guard, audience = guard.origin.url) {
  const published = createRemoteJWKSet(new URL(`${guard.url}/.well-known/jwks.json`));
  return jwtVerify(assertionOf(guard) ?? "", published, { issuer: ISSUER, audience, typ: "guard-assertion+jwt", requiredClaims: ["sub", "sid", "exp"] });
}

const assertionOf = (guard: Guard) => guard.origin.received.at(-1)?.headers[ASSERTION] as string | undefined;

describe.each(keys)("an assertion by $alg", (key) => {
  const guard = useGuard({ SIGNING_KEYS: keySet(key), ROUTES });
  let token: string;
  let sid: string;
  beforeAll(async () => {
    guard.origin.approvals.set("ada", ada);
    ({ access_token: token, session: { sid } } = await guard.login("ada"));
  });
  beforeEach(() => {
    guard.origin.received.length = 0;
  });

  test("tells the origin who the user is, for a minute, and panva/jose verifies it with the published keys", async () => {
    await guard.fetch("/", { headers: { ...forged, ...bearer(token).headers } });
    const { payload, protectedHeader } = await verified(guard);
    expect(protectedHeader).toEqual({ alg: key.alg, typ: "guard-assertion+jwt", kid: key.kid });
    expect(payload).toEqual({ iss: ISSUER, aud: guard.origin.url, sub: "m-1", sid, email: "ada@example.com", iat: expect.any(Number), exp: (payload.iat ?? 0) + 60 });
    expect(payload.sub).toBe(guard.origin.received[0]?.headers["x-auth-request-user"]);
    expect(Math.abs((payload.iat ?? 0) - Date.now() / 1000)).toBeLessThan(20);
  });

  test("is signed once for many requests of a session, and differs for each session", async () => {
    const texts = new Set<string | undefined>();
    for (let n = 0; n < 20; n += 1) {
      await guard.fetch(`/${n}`, bearer(token));
      texts.add(assertionOf(guard));
    }
    // Two, if half its time passes meanwhile.
    expect(texts.size).toBeLessThanOrEqual(2);
    await guard.fetch("/", bearer((await guard.login("ben")).access_token));
    expect(texts.has(assertionOf(guard))).toBe(false);
    expect((await verified(guard)).payload).toMatchObject({ sub: "ben" });
  });

  test("is added for cookies and on optional paths, too, and never without a live session", async () => {
    const cookie = cookieOf(await guard.fetch("/_auth/login", loginInit({ username: "carla" })));
    const seen = async (path: string, headers: Record<string, string>) => {
      expect((await guard.fetch(path, { headers: { ...headers, [ASSERTION]: "forged" } })).status).toBe(200);
      return assertionOf(guard) === undefined ? undefined : (await verified(guard)).payload.sub;
    };
    expect(await seen("/", { cookie })).toBe("carla");
    expect(await seen("/maybe", { cookie })).toBe("carla");
    expect(await seen("/open", { cookie })).toBeUndefined();
    expect(await seen("/maybe", {})).toBeUndefined();
    await guard.login("carla");
    expect(await seen("/maybe", { cookie })).toBeUndefined();
  });

  test("is not accepted as an access token, and an access token not as an assertion", async () => {
    await guard.fetch("/", bearer(token));
    const refused = await answerOf(guard.fetch("/", bearer(assertionOf(guard) ?? "")));
    expect(refused).toMatchObject({ status: 401, body: { code: "token_invalid", detail: "The token is of another type." } });
    expect(guard.origin.received).toHaveLength(1);
    const published = createRemoteJWKSet(new URL(`${guard.url}/.well-known/jwks.json`));
    await expect(jwtVerify(token, published, { typ: "guard-assertion+jwt" })).rejects.toThrow(/"typ"/);
  });
});

test("without an asymmetric private key there is no assertion", async () => {
  await using guard = await startGuard({ SIGNING_KEYS: keySet(makeKey("HS256"), makeKey("RS256")) });
  await guard.fetch("/", bearer((await guard.login("ada")).access_token));
  expect(guard.origin.received[0]?.headers).toMatchObject({ "x-auth-request-user": "ada" });
  expect(assertionOf(guard)).toBeUndefined();
});

test("if the first key is symmetric, the second one signs assertions", async () => {
  await using guard = await startGuard({ SIGNING_KEYS: keySet(makeKey("HS256"), makeKey("EdDSA")) });
  const { access_token } = await guard.login("ada");
  expect(decodeProtectedHeader(access_token)).toMatchObject({ alg: "HS256" });
  await guard.fetch("/", bearer(access_token));
  expect(await verified(guard)).toMatchObject({ payload: { sub: "ada" }, protectedHeader: { alg: "EdDSA", kid: "key-EdDSA" } });
});

test("without ORIGIN_URL the audience is the host of the request", async () => {
  await using guard = await startGuard({ ORIGIN_URL: undefined, SIGNING_KEYS: keySet(makeKey("ES256")) });
  const { host } = new URL(guard.origin.url);
  const { access_token } = await guard.login("ada");
  await guard.fetch("/", { headers: { ...bearer(access_token).headers, host } });
  expect((await verified(guard, guard.origin.url)).payload).toMatchObject({ sub: "ada", aud: `http://${host}` });
});

test("keys rotate: the new key signs assertions at once, for old sessions, too", async () => {
  const folder = await mkdtemp(join(tmpdir(), "session-guard-assertions-"));
  const [before, after] = [makeKey("ES256", "before"), makeKey("EdDSA", "after")];
  const space: Vars = { REDIS_KEYSPACE: `rotating:${folder}:` };
  try {
    const first = await startGuard({ ...space, SIGNING_KEYS: keySet(before) }, { persist: folder });
    const { access_token } = await first.login("ada");
    await first.fetch("/", bearer(access_token));
    expect((await verified(first)).protectedHeader).toMatchObject({ kid: "before" });
    await first[Symbol.asyncDispose]();
    await using second = await startGuard({ ...space, SIGNING_KEYS: keySet(after, before) }, { persist: folder });
    expect((await second.fetch("/", bearer(access_token))).status).toBe(200);
    expect(await verified(second)).toMatchObject({ payload: { sub: "ada" }, protectedHeader: { alg: "EdDSA", kid: "after" } });
  } finally {
    await rm(folder, { recursive: true });
  }
});
