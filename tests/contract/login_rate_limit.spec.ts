// LOGIN_RATE and LOGIN_RATE_PER_ADDRESS: how many login attempts are allowed.

import { expect, test } from "vitest";
import { answerOf, formInit, loginInit, startGuard, useGuard, type Guard } from "../harness/guard.ts";

const from = (address: string) => ({ "cf-connecting-ip": address });
const attempt = (guard: Guard, fields: Record<string, unknown>, address: string) =>
  answerOf(guard.fetch("/_auth/login", loginInit(fields, from(address))));
let addresses = 0;
/** An address that no other attempt comes from. */
const elsewhere = () => `198.51.${Math.floor((addresses += 1) / 250)}.${addresses % 250}`;
const count = (statuses: number[]) =>
  statuses.reduce<Record<number, number>>((counts, status) => ({ ...counts, [status]: (counts[status] ?? 0) + 1 }), {});

/** A guard that counts no attempts. */
const open = useGuard();

test("by default ten wrong attempts a minute are allowed, then even the right password is refused", async () => {
  await using guard = await startGuard({ LOGIN_RATE: undefined, LOGIN_RATE_PER_ADDRESS: undefined });
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

test("existing and unknown users get the same answers after the same attempts", async () => {
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
  ["no accents", "ren\u00e9", { username: "rene" }],
  ["a combining mark", "ada", { username: "a\u0308da" }],
  ["a soft hyphen", "ada", { username: "a\u00adda" }],
  ["a zero-width space", "ada", { username: "ada\u200b" }],
  ["a zero-width joiner", "ada", { username: "a\u200dda" }],
  ["a variation selector", "ada", { username: "ada\ufe0f" }],
  ["a Hangul filler", "ada", { username: "ada\u3164" }],
  ["a byte-order mark", "ada", { username: "\ufeffada" }],
  ["another direction", "ada", { username: "\u202eada" }],
  ["a control character", "ada", { username: "ada\u0000" }],
  ["a long s", "jess", { username: "je\u017fs" }],
  ["the Kelvin sign", "kim", { username: "\u212aim" }],
  ["a capital sharp s", "stra\u00dfe", { username: "STRA\u1e9eE" }],
  ["a dotted capital I", "ida", { username: "\u0130DA" }],
  ["a stroke", "s\u00f8ren", { username: "soren" }],
  ["a ligature", "finn", { username: "\ufb01nn" }],
  ["another field", "ada", { email: "ada" }],
  ["another field beside the first", "ada", { username: "decoy", login: "Ada" }],
  ["a field in another case", "ada", { Username: "ada" }],
  ["a field with a hyphen", "ada", { "user-name": "ada" }],
  ["a field with a soft hyphen", "ada", { "user\u00adname": "ada" }],
  ["a field with a long s", "ada", { "u\u017fername": "ada" }],
  ["a field of a nested form", "ada", { "session[email]": "ada" }],
])("attempts on one user are counted together in %s, and the origin gets the name as it was sent", async (_, username, fields) => {
  await using guard = await startGuard({ LOGIN_RATE: "1 per hour" });
  expect(await attempt(guard, { username, password: "wrong" }, elsewhere())).toMatchObject({ status: 401 });
  expect(await attempt(guard, fields, elsewhere())).toMatchObject({ status: 429 });
  open.origin.credentialChecks.length = 0;
  await attempt(open, { ...fields, password: "wrong" }, elsewhere());
  expect(open.origin.credentialChecks).toEqual([{ ...fields, password: "wrong" }]);
});

test("an attempt that names several users is refused before it is counted", async () => {
  await using guard = await startGuard({ LOGIN_RATE: "1 per hour" });
  const fields = Object.fromEntries(["user", "User", "USER", "_user", "user_"].map((name, i) => [name, `u${i}`]));
  expect(await attempt(guard, fields, elsewhere())).toMatchObject({ status: 400, body: { code: "bad_request" } });
  expect(await attempt(guard, { username: "u0" }, elsewhere())).toMatchObject({ status: 200 });
});

test("an empty field is not a user name", async () => {
  await using guard = await startGuard({ LOGIN_RATE: "1 per hour" });
  for (const name of ["ada", "ben", "eve"]) {
    expect(await attempt(guard, { username: name, email: "", password: "wrong" }, elsewhere())).toMatchObject({ status: 401 });
  }
});

test("thirty users at one address, and one user thirty times, log in with the right password", async () => {
  await using guard = await startGuard({ LOGIN_RATE: undefined, LOGIN_RATE_PER_ADDRESS: undefined });
  const office = "192.0.2.30";
  const statuses = await Promise.all(Array.from({ length: 30 }, async (_, i) => (await attempt(guard, { username: `colleague ${i}` }, office)).status));
  expect(count(statuses)).toEqual({ 200: 30 });
  for (let i = 0; i < 30; i += 1) expect(await attempt(guard, { username: "often" }, office)).toMatchObject({ status: 200 });
});

test("by default an address has a hundred attempts a minute, for any users", { timeout: 60_000 }, async () => {
  await using guard = await startGuard({ LOGIN_RATE_PER_ADDRESS: undefined });
  const statuses = await Promise.all(Array.from({ length: 120 }, async (_, i) => (await attempt(guard, { username: `u${i}`, password: "wrong" }, "192.0.2.31")).status));
  expect(count(statuses)).toEqual({ 401: 100, 429: 20 });
});

test("a successful attempt is not counted, and earlier failures still are", async () => {
  await using guard = await startGuard({ LOGIN_RATE: "3 per hour", LOGIN_RATE_PER_ADDRESS: "5 per hour" });
  const address = elsewhere();
  const statuses = [];
  for (const password of ["wrong", undefined, "wrong", undefined, undefined, "wrong", undefined]) {
    statuses.push((await attempt(guard, { username: "ada", ...(password === undefined ? {} : { password }) }, address)).status);
  }
  expect(statuses).toEqual([401, 200, 401, 200, 200, 401, 429]);
  for (const status of [401, 429]) expect(await attempt(guard, { username: `other ${status}`, password: "wrong" }, address), "three wrong, and one refused").toMatchObject({ status });
});

test("a login that the session limit refuses is not counted", async () => {
  await using guard = await startGuard({ LOGIN_RATE: "2 per hour", SESSION_LIMIT_POLICY: "deny" });
  expect(await attempt(guard, { username: "ada" }, elsewhere())).toMatchObject({ status: 200 });
  for (let i = 0; i < 4; i += 1) expect(await attempt(guard, { username: "ada" }, elsewhere())).toMatchObject({ status: 409 });
  for (const status of [401, 401, 429]) expect(await attempt(guard, { username: "ada", password: "wrong" }, elsewhere())).toMatchObject({ status });
});

test("an attempt that succeeds late does not add to the next window", async () => {
  await using guard = await startGuard({ LOGIN_RATE: "1 per second", ORIGIN_TIMEOUT: "30 seconds" });
  const late = attempt(guard, { username: "ada", slow: "1500" }, elsewhere());
  const wrong = async () => (await attempt(guard, { username: "ada", password: "wrong" }, elsewhere())).status;
  await expect.poll(() => guard.origin.credentialChecks.length).toBe(1);
  const outcomes: [number, number][] = [];
  const began = Date.now();
  while (Date.now() - began < 4000) outcomes.push([Date.now() - began, await wrong()]);
  expect(await late).toMatchObject({ status: 200 });
  const passed = outcomes.filter(([, status]) => status === 401).map(([at]) => at);
  const gaps = passed.slice(1).map((at, i) => at - (passed[i] ?? 0));
  expect(Math.min(...gaps), `passed at ${passed}`).toBeGreaterThan(900);
});

test("an attempt that fails because of the origin is counted", async () => {
  await using guard = await startGuard({ LOGIN_RATE: "2 per hour" });
  guard.origin.approvals.set("odd", {});
  for (const status of [502, 502, 429]) expect(await attempt(guard, { username: "odd" }, elsewhere())).toMatchObject({ status });
});

test("a rate-limited attempt is not counted itself", async () => {
  await using guard = await startGuard({ LOGIN_RATE: "2 per hour" });
  const held = [1, 2].map(() => attempt(guard, { username: "ada", slow: "1500" }, elsewhere()));
  await expect.poll(() => guard.origin.credentialChecks.length).toBe(2);
  for (let i = 0; i < 5; i += 1) expect(await attempt(guard, { username: "ada" }, elsewhere())).toMatchObject({ status: 429 });
  expect((await Promise.all(held)).map(({ status }) => status)).toEqual([200, 200]);
  expect(await attempt(guard, { username: "ada" }, elsewhere())).toMatchObject({ status: 200 });
});

test("a user name that is not a string is refused before the origin is asked", async () => {
  await using guard = await startGuard({ LOGIN_RATE: "5 per hour" });
  expect(await attempt(guard, { username: ["ada"] }, elsewhere())).toMatchObject({ status: 400, body: { code: "bad_request" } });
  expect(guard.origin.credentialChecks).toEqual([]);
});

test("attempts are counted by address whoever they are for, and by /64 for IPv6", async () => {
  await using guard = await startGuard({ LOGIN_RATE_PER_ADDRESS: "2 per hour" });
  const statuses = async (...addresses: string[]) => {
    const all = [];
    for (const [i, address] of addresses.entries()) all.push((await attempt(guard, { username: `${addresses[0]} ${i}`, password: "wrong" }, address)).status);
    return all;
  };
  expect(await statuses("192.0.2.1", "192.0.2.1", "192.0.2.1", "::ffff:192.0.2.1", "192.0.2.2")).toEqual([401, 401, 429, 429, 401]);
  expect(await statuses("2001:db8:0:1::1", "2001:db8:0:1::2", "2001:DB8:0:1:f::3", "2001:db8:0:2::1")).toEqual([401, 401, 429, 401]);
});

test("a rate-limited address cannot use up a user's attempts", async () => {
  await using guard = await startGuard({ LOGIN_RATE: "2 per hour", LOGIN_RATE_PER_ADDRESS: "2 per hour" });
  for (const status of [401, 401, 429, 429]) {
    expect(await attempt(guard, { username: `victim ${status}`, password: "wrong" }, "192.0.2.9")).toMatchObject({ status });
  }
  for (const status of [401, 401, 429]) expect(await attempt(guard, { username: "victim 429", password: "wrong" }, elsewhere())).toMatchObject({ status });
});

test("a rate-limited form login gets the page again, with the time to wait", async () => {
  await using guard = await startGuard({ LOGIN_RATE: "1 per hour" });
  const post = () => answerOf(guard.fetch("/_auth/login", formInit({ username: "ada", password: "wrong" }, from(elsewhere()))));
  expect(await post()).toMatchObject({ status: 401 });
  const page = await post();
  expect(page).toMatchObject({ status: 429, headers: { "retry-after": expect.stringMatching(/^\d+$/), "content-type": "text/html; charset=utf-8" } });
  expect(page.body).toMatch(/There were too many attempts to sign in\. Try again in (1 hour|\d+ minutes)\./);
});

test("the count starts again when the window ends", async () => {
  await using guard = await startGuard({ LOGIN_RATE: "1 per 5 seconds" });
  const again = async () => (await attempt(guard, { username: "ada", password: "wrong" }, elsewhere())).status;
  expect([await again(), await again()]).toEqual([401, 429]);
  await expect.poll(again, { timeout: 10_000, interval: 200 }).toBe(401);
  expect(await again()).toBe(429);
});

test("of a hundred simultaneous attempts on one user, exactly as many are allowed as the rate says", { timeout: 60_000 }, async () => {
  await using guard = await startGuard({ LOGIN_RATE: "7 per hour" });
  const answers = await Promise.all(Array.from({ length: 100 }, () => attempt(guard, { username: "raced", password: "wrong" }, elsewhere())));
  expect(count(answers.map(({ status }) => status))).toEqual({ 401: 7, 429: 93 });
  expect(guard.origin.credentialChecks).toHaveLength(7);
});

test("of a hundred simultaneous attempts from one address, exactly as many are allowed as the rate says", { timeout: 60_000 }, async () => {
  await using guard = await startGuard({ LOGIN_RATE_PER_ADDRESS: "7 per hour" });
  const answers = await Promise.all(Array.from({ length: 100 }, (_, i) => attempt(guard, { username: `raced ${i}`, password: "wrong" }, "2001:db8::1")));
  expect(count(answers.map(({ status }) => status))).toEqual({ 401: 7, 429: 93 });
});

test("of simultaneous right and wrong attempts, no more are wrong than the rate allows, and the right ones are not counted", { timeout: 60_000 }, async () => {
  await using guard = await startGuard({ LOGIN_RATE: "7 per hour", SESSION_LIMIT: "0" });
  const answers = await Promise.all(Array.from({ length: 100 }, (_, i) => attempt(guard, { username: "mixed", ...(i % 2 ? { password: "wrong" } : {}) }, elsewhere())));
  const { 401: wrong = 0 } = count(answers.map(({ status }) => status));
  expect(wrong).toBeLessThanOrEqual(7);
  for (let i = wrong; i < 7; i += 1) expect(await attempt(guard, { username: "mixed", password: "wrong" }, elsewhere())).toMatchObject({ status: 401 });
  expect(await attempt(guard, { username: "mixed", password: "wrong" }, elsewhere())).toMatchObject({ status: 429 });
});

test("with Cloudflare's rate-limit binding, the binding counts", async () => {
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

test("a binding with another period than the rate stops every request, and the log says so", async () => {
  await using guard = await startGuard({ LOGIN_RATE: "2 per hour" }, { limiter: 2 });
  expect(await answerOf(guard.fetch("/"))).toMatchObject({ status: 500, body: { code: "misconfigured" } });
  await expect.poll(() => guard.log.join("\n")).toContain("LOGIN_RATE");
});
