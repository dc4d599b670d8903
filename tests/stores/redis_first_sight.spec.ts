// A provider's session in Redis: how often the store is asked.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, inject, test } from "vitest";
import { bearer, startGuard } from "../harness/guard.ts";
import { API, startIssuer } from "../harness/identity_provider.ts";
import { redisVars } from "../harness/redis.ts";
import { newUser, seconds } from "../harness/trusted_issuer.ts";

test("with READ_CONSISTENCY = nearest the primary is asked about a session that the replica does not know, and learns of its use", async () => {
  await using issuer = await startIssuer();
  const access_tokens = { audience: API, session_claim: "sid" };
  const vars = { ...redisVars(inject("restUrl")), READ_CONSISTENCY: "nearest", TRUSTED_ISSUERS: JSON.stringify([issuer.entry({ access_tokens })]) };
  await using guard = await startGuard(vars, { clock: true });
  const day = 86_400_000;
  const token = issuer.accessToken({ ...newUser(), exp: seconds() + 40 * 86_400 });
  const at = (days: number, path = "/") => guard.fetch(path, { headers: { ...bearer(token).headers, "x-clock": `${days * day}` } });
  const session = async (days: number) => (await (await at(days, "/_auth/session")).json()) as { created_at: string; expires_at: string };
  expect((await at(0)).status).toBe(200);
  const { created_at, expires_at } = await session(0);
  for (let days = 5; days <= 20; days += 5) {
    expect((await at(days)).status).toBe(200);
    await expect.poll(async () => (await session(days)).expires_at > expires_at, { interval: 100 }).toBe(true);
  }
  expect((await session(20)).created_at, "one session, which did not lapse after seven days").toBe(created_at);
});

test("a first sight, and each later request, asks for the user's sessions once", async () => {
  const { sub, sid } = newUser();
  const key = Buffer.from(`idp|${sub}`).toString("base64url");
  let asked = 0;
  const counting = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    // The key of the user's hash, in a body or in a path; the index names users otherwise.
    if (body.includes(`:${key}"`) || request.url!.includes(`%3A${key}/`)) asked += 1;
    const { authorization = "" } = request.headers;
    const answer = await fetch(inject("restUrl") + request.url, { method: request.method!, headers: { authorization }, ...(body.length > 0 ? { body } : {}) });
    response.writeHead(answer.status, { "content-type": "application/json" }).end(await answer.text());
  });
  await new Promise<void>((listening) => counting.listen(0, "127.0.0.1", listening));
  await using issuer = await startIssuer();
  const access_tokens = { audience: API, session_claim: "sid" };
  await using guard = await startGuard({
    ...redisVars(`http://127.0.0.1:${(counting.address() as AddressInfo).port}`),
    TRUSTED_ISSUERS: JSON.stringify([issuer.entry({ access_tokens })]),
  });
  const visit = async (token: string) => {
    const before = asked;
    const { status } = await guard.fetch("/", bearer(token));
    return [status, asked - before];
  };
  // Redis learns the scripts.
  const other = issuer.accessToken({ sub: "other", sid: "other" });
  for (let at = 0; at < 2; at += 1) await guard.fetch("/", bearer(other));
  const token = issuer.accessToken({ sub, sid });
  expect(await visit(token), "first sight").toEqual([200, 1]);
  expect(await visit(token), "the same token again").toEqual([200, 1]);
  expect(await visit(token), "by the cached decision").toEqual([200, 1]);
  expect(await visit(issuer.accessToken({ sub, sid })), "the provider's next token").toEqual([200, 1]);
  counting.close();
});
