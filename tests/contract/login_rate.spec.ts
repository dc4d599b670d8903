// How often somebody may try to log in.

import { expect, test } from "vitest";
import { answerOf, formInit, loginInit, startGuard, type Guard } from "../harness/guard.ts";

const from = (address: string) => ({ "cf-connecting-ip": address });
const attempt = (guard: Guard, fields: Record<string, unknown>, address: string) =>
  answerOf(guard.fetch("/_auth/login", loginInit(fields, from(address))));
let addresses = 0;
/** An address that no other attempt comes from. */
const elsewhere = () => `198.51.${Math.floor((addresses += 1) / 250)}.${addresses % 250}`;
const count = (statuses: number[]) =>
  statuses.reduce<Record<number, number>>((counts, status) => ({ ...counts, [status]: (counts[status] ?? 0) + 1 }), {});

test("ten attempts a minute pass without a setting, then even the right password does not", async () => {
  await using guard = await startGuard({ LOGIN_RATE: undefined });
  for (let i = 0; i < 10; i += 1) {
    expect(await attempt(guard, { username: "ada", password: "wrong" }, elsewhere())).toMatchObject({ status: 401 });
  }
  const checks = guard.origin.credentialChecks.length;
  const answer = await attempt(guard, { username: "ada" }, elsewhere());
  expect(answer).toMatchObject({
    status: 429,
    headers: { "cache-control": "no-store", "content-type": "application/problem+json", "retry-after": expect.stringMatching(/^([1-9]|[1-5]\d|60)$/) },
    body: { code: "too_many_attempts", detail: `Wait ${answer.headers["retry-after"]} seconds, and try again.` },
  });
  expect(answer.headers).not.toHaveProperty("set-cookie");
  expect(guard.origin.credentialChecks.length, "the origin was not asked").toBe(checks);
  expect(await attempt(guard, { username: "ben" }, elsewhere()), "others are not concerned").toMatchObject({ status: 200 });
});

test("a user that exists and one that does not get the same answers at the same time", async () => {
  await using guard = await startGuard({ LOGIN_RATE: "2 per hour" });
  guard.origin.approvals.set("exists", { sub: "exists" });
  const answers = async (username: string) => {
    const all = [];
    for (let i = 0; i < 3; i += 1) all.push(await attempt(guard, { username, password: "wrong" }, elsewhere()));
    return all.map(({ status, body }) => [status, (body as { code: string }).code]);
  };
  expect(await answers("exists")).toEqual([[401, "credentials_invalid"], [401, "credentials_invalid"], [429, "too_many_attempts"]]);
  expect(await answers("does not")).toEqual(await answers("neither"));
  expect(await answers("nor this one")).toEqual([[401, "credentials_invalid"], [401, "credentials_invalid"], [429, "too_many_attempts"]]);
});

test.each<[string, string, Record<string, string>]>([
  ["another case", "ada", { username: "ADA" }],
  ["another case of odd letters", "straße \u03c3\u03b1\u03c2", { username: "STRASSE \u03a3\u0391\u03a3" }],
  ["spaces around it", "ada", { username: " ada\u00a0" }],
  ["full-width letters", "ada", { username: "\uff41\uff24\uff41" }],
  ["other bytes", "\u00e9", { username: "e\u0301" }],
  ["another field", "ada", { email: "ada" }],
  ["another field beside the first", "ada", { username: "decoy", login: "Ada" }],
])("a user is counted as one in %s", async (_, username, fields) => {
  await using guard = await startGuard({ LOGIN_RATE: "1 per hour" });
  expect(await attempt(guard, { username }, elsewhere())).toMatchObject({ status: 200 });
  expect(await attempt(guard, fields, elsewhere())).toMatchObject({ status: 429 });
});

test("a name that is no text cannot be counted, and is refused before the origin is asked", async () => {
  await using guard = await startGuard({ LOGIN_RATE: "5 per hour" });
  expect(await attempt(guard, { username: ["ada"] }, elsewhere())).toMatchObject({ status: 400, body: { code: "bad_request" } });
  expect(guard.origin.credentialChecks).toEqual([]);
});

test("an address is counted whoever it tries, an IPv6 one by its /64", async () => {
  await using guard = await startGuard({ LOGIN_RATE: "2 per hour" });
  const statuses = async (...addresses: string[]) => {
    const all = [];
    for (const [i, address] of addresses.entries()) all.push((await attempt(guard, { username: `${addresses[0]} ${i}` }, address)).status);
    return all;
  };
  expect(await statuses("192.0.2.1", "192.0.2.1", "192.0.2.1", "::ffff:192.0.2.1", "192.0.2.2")).toEqual([200, 200, 429, 429, 200]);
  expect(await statuses("2001:db8:0:1::1", "2001:db8:0:1::2", "2001:DB8:0:1:f::3", "2001:db8:0:2::1")).toEqual([200, 200, 429, 200]);
});

test("who is stopped by the address cannot use up another user's attempts", async () => {
  await using guard = await startGuard({ LOGIN_RATE: "2 per hour" });
  for (const status of [401, 401, 429, 429]) {
    expect(await attempt(guard, { username: `victim ${status}`, password: "wrong" }, "192.0.2.9")).toMatchObject({ status });
  }
  for (const status of [200, 200, 429]) expect(await attempt(guard, { username: "victim 429" }, elsewhere())).toMatchObject({ status });
});

test("a form that comes too often gets the page again, and is told when to come back", async () => {
  await using guard = await startGuard({ LOGIN_RATE: "1 per hour" });
  const post = () => answerOf(guard.fetch("/_auth/login", formInit({ username: "ada" }, from(elsewhere()))));
  expect(await post()).toMatchObject({ status: 303 });
  const page = await post();
  expect(page).toMatchObject({ status: 429, headers: { "retry-after": expect.stringMatching(/^\d+$/), "content-type": "text/html; charset=utf-8" } });
  expect(page.body).toMatch(/Too many attempts to log in\. Wait \d+ seconds/);
});

test("the count begins anew when the window ends", async () => {
  await using guard = await startGuard({ LOGIN_RATE: "1 per 5 seconds" });
  expect(await attempt(guard, { username: "ada" }, elsewhere())).toMatchObject({ status: 200 });
  const again = async () => (await attempt(guard, { username: "ada" }, elsewhere())).status;
  expect(await again()).toBe(429);
  await expect.poll(again, { timeout: 10_000, interval: 200 }).toBe(200);
  expect(await again()).toBe(429);
});

test("of a hundred racing attempts on one user exactly as many pass as the rate says", { timeout: 60_000 }, async () => {
  await using guard = await startGuard({ LOGIN_RATE: "7 per hour" });
  const answers = await Promise.all(Array.from({ length: 100 }, () => attempt(guard, { username: "raced", password: "wrong" }, elsewhere())));
  expect(count(answers.map(({ status }) => status))).toEqual({ 401: 7, 429: 93 });
  expect(guard.origin.credentialChecks).toHaveLength(7);
});

test("of a hundred racing attempts from one address exactly as many pass as the rate says", { timeout: 60_000 }, async () => {
  await using guard = await startGuard({ LOGIN_RATE: "7 per hour" });
  const answers = await Promise.all(Array.from({ length: 100 }, (_, i) => attempt(guard, { username: `raced ${i}` }, "2001:db8::1")));
  expect(count(answers.map(({ status }) => status))).toEqual({ 200: 7, 429: 93 });
});

test("with Cloudflare's rate-limit binding, that one counts", async () => {
  await using guard = await startGuard({ LOGIN_RATE: "2 per minute" }, { limiter: 2 });
  const statuses = async () => {
    const all = [];
    for (let i = 0; i < 4; i += 1) all.push((await attempt(guard, { username: `bound ${addresses}` }, "192.0.2.77")).status);
    return all;
  };
  // The binding's windows follow the clock, and one may end between two attempts.
  const answers = await statuses();
  expect(answers.at(-1) === 429 || (await statuses()).at(-1) === 429, `${answers}`).toBe(true);
});

test("a binding of another period than the rate's stops every request, and the log says so", async () => {
  await using guard = await startGuard({ LOGIN_RATE: "2 per hour" }, { limiter: 2 });
  expect(await answerOf(guard.fetch("/"))).toMatchObject({ status: 500, body: { code: "misconfigured" } });
  await expect.poll(() => guard.log.join("\n")).toContain("LOGIN_RATE");
});
