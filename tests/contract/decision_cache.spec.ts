// The decision cache: a repeated request reuses an earlier decision, and whatever may have changed since still
// counts. Each test repeats a request often enough for the cache to be used.

import { request as httpRequest } from "node:http";
import { text } from "node:stream/consumers";
import { beforeAll, beforeEach, expect, test } from "vitest";
import { KEY } from "../harness/admin_api.ts";
import { answerOf, bearer, mint, startGuard, useGuard, type LoggedIn } from "../harness/guard.ts";

const guard = useGuard({ FORWARD_SESSION_DATA: "true", ADMIN_API_KEY: KEY });
let login: LoggedIn;
beforeAll(async () => {
  login = await guard.login("ada");
});
beforeEach(() => {
  guard.origin.received.length = 0;
});

/** How many requests make sure that one has followed another. */
const OFTEN = 4;

const visit = (path: string, { access_token: token }: LoggedIn, headers: Record<string, string> = {}) =>
  answerOf(guard.fetch(path, { headers: { ...bearer(token).headers, ...headers } }));

/** Sends headers that `fetch` cannot, each request over a connection of its own, and returns the status. */
function statusOf(path: string, headers: Record<string, string | string[]>) {
  const { port, hostname } = new URL(guard.url);
  return new Promise((resolve, reject) => {
    const request = httpRequest({ port, hostname, path, agent: false, headers: { ...bearer(login.access_token).headers, ...headers } });
    request.once("response", (response) => text(response).then(() => resolve(response.statusCode), reject));
    request.once("error", reject).end();
  });
}

/** Repeats a request until it is certain that it is followed. */
async function repeat(path: string, who = login, headers: Record<string, string> = {}) {
  for (let n = 0; n < OFTEN; n += 1) expect(await visit(path, who, headers)).toMatchObject({ status: 200 });
}

/** The values of a header, as the origin got it, in order. */
const valuesAtOrigin = (name: string) => guard.origin.received.map(({ headers }) => headers[name]);

test("an ended session is refused, however often its request was forwarded", async () => {
  const [first, other] = [await guard.login("ben"), await guard.login("cem")];
  await repeat("/boats", first);
  await repeat("/boats", other);
  await guard.login("ben");
  expect(await visit("/boats", first)).toMatchObject({ status: 401, body: { code: "session_superseded" } });
  expect(await visit("/boats", first)).toMatchObject({ status: 401, body: { code: "session_superseded" } });
  await guard.fetch("/_auth/logout", { method: "POST", ...bearer(other.access_token) });
  expect(await visit("/boats", other)).toMatchObject({ status: 401, body: { code: "session_revoked" } });
});

test("an expired token is refused, however often its request was forwarded", async () => {
  const { sid } = login.session;
  // Five seconds of leeway make it good for another two.
  const exp = Math.floor(Date.now() / 1000) - 3;
  const token = await mint({ sub: "ada", sid, jti: "short", iat: exp - 60, exp });
  const short = { ...login, access_token: token };
  await repeat("/boats", short);
  await expect.poll(() => visit("/boats", short), { timeout: 10_000 }).toMatchObject({ status: 401, body: { code: "token_expired" } });
});

test("an expired session is refused, although the store's reply is unchanged", async () => {
  await using short = await startGuard({ SESSION_TTL: "3 seconds" });
  const who = await short.login("ada");
  const ask = () => answerOf(short.fetch("/boats", bearer(who.access_token)));
  for (let n = 0; n < OFTEN; n += 1) expect(await ask()).toMatchObject({ status: 200 });
  await expect.poll(ask, { timeout: 10_000, interval: 200 }).toMatchObject({ status: 401 });
  expect(await ask()).toMatchObject({ body: { code: "session_expired" } });
});

test.each([
  ["plain values", (n: number) => `value-${n}`],
  ["lists", (n: number) => `a, ${n}`],
  ["values that come and go", (n: number) => `${n % 2}`],
  ["values of another alphabet", (n: number) => Buffer.from(`\u00e9-${n}`).toString("latin1")],
  ["values that are no UTF-8, and read alike", (n: number) => `\u00e9 ${String.fromCharCode(0xe0 + n)}`],
  ["values that are no UTF-8 now and then", (n: number) => (n % 4 === 3 ? "\u00e9" : "plain")],
  ["values too long to be remembered now and then", (n: number) => "x".repeat(n % 4 === 3 ? 9_000 : n)],
])("headers that differ between requests arrive as they were sent: %s", async (_, valueOf) => {
  const sent = Array.from({ length: 8 }, (_, n) => valueOf(n));
  for (const value of sent) expect(await visit("/headers", login, { "x-changing": value, "x-same": "same" })).toMatchObject({ status: 200 });
  const received = guard.origin.received.map(({ rawHeaders }) => rawHeaders[rawHeaders.findIndex((name) => name.toLowerCase() === "x-changing") + 1]);
  expect(received).toEqual(sent);
  expect(valuesAtOrigin("x-same")).toEqual(sent.map(() => "same"));
});

test("requests at the same time do not get each other's headers", async () => {
  await repeat("/at-once", login, { "x-number": "0" });
  guard.origin.received.length = 0;
  const numbers = Array.from({ length: 40 }, (_, n) => n);
  await Promise.all(numbers.map((n) => visit("/at-once", login, { "x-number": `${n}`, "x-double": `${2 * n}` })));
  const pairs = guard.origin.received.map(({ headers }) => [Number(headers["x-number"]), Number(headers["x-double"])]);
  expect(pairs.toSorted(([a = 0], [b = 0]) => a - b)).toEqual(numbers.map((n) => [n, 2 * n]));
});

test.each(["x-lines", "set-cookie"])("repeated headers stay separate and change with the request: %s", async (name) => {
  const sent = [["a", "b"], ["a", "b"], ["a", "b"], ["a", "c"], ["c", "d"], ["e"], ["a", "b"]];
  for (const values of sent) {
    expect(await statusOf("/lines", { [name]: values })).toBe(200);
  }
  const received = guard.origin.received.map(({ rawHeaders }) => rawHeaders.filter((_, at) => at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === name));
  expect(received).toEqual(sent);
});

test("an overlapped origin request has the headers of its own request, even if the session changes meanwhile", async () => {
  await using ahead = await startGuard({ OVERLAP_SAFE_REQUESTS: "true" });
  const { access_token: token } = await ahead.login("ada");
  const { headers } = bearer(token);
  const ask = async (path: string, number: number, accept: string) =>
    expect((await answerOf(ahead.fetch(path, { headers: { ...headers, accept, "x-number": `${number}` } }))).status).toBe(200);
  for (let n = 0; n < OFTEN; n += 1) await ask("/one", n, "a, b");
  const body = JSON.stringify({ changed: true });
  await ahead.fetch("/_auth/session", { method: "PATCH", headers: { ...headers, "content-type": "application/merge-patch+json" }, body });
  ahead.origin.received.length = 0;
  await ask("/two", 1, "a, c");
  await ask("/one", 7, "a, c");
  await ask("/two", 7, "a, c");
  expect(ahead.origin.received.map(({ target, headers }) => `${target} ${headers["x-number"]}`)).toEqual(["/two 1", "/one 7", "/two 7"]);
});

test("each body arrives with its own request, and a request without one gets none", async () => {
  const bodies = ["one", "", "a longer one", "", "", "x".repeat(10_000), "one", ""];
  for (const body of bodies) {
    const response = await guard.fetch("/bodies", { method: "POST", headers: { ...bearer(login.access_token).headers, "content-type": "text/plain" }, body });
    expect((await answerOf(response)).status).toBe(200);
  }
  expect(guard.origin.received.map(({ body }) => body.toString())).toEqual(bodies);
});

test("a forged identity header never reaches the origin, whatever its value and whenever it is sent", async () => {
  await repeat("/forged");
  for (const forged of ["bob", "eve", "mallory", "eve"]) await visit("/forged", login, { "x-auth-request-user": forged, X_Auth_Request_User: forged });
  const all = guard.origin.received.flatMap(({ rawHeaders }) => rawHeaders.filter((_, at) => /^x.auth.request.user$/i.test(rawHeaders[at - 1] ?? "") && at % 2 === 1));
  expect(all).toEqual(guard.origin.received.map(() => "ada"));
});

test("another cookie beside the same token is examined", async () => {
  const cookie = "theme=dark";
  await repeat("/cookies", login, { cookie });
  const two = `${cookie}; __Host-session=${(await guard.login("dan")).access_token}`;
  expect(await visit("/cookies", login, { cookie: two })).toMatchObject({ status: 400, body: { code: "bad_request" } });
  await visit("/cookies", login, { cookie: "theme=light" });
  expect(valuesAtOrigin("cookie")).toEqual([...Array(OFTEN).fill(cookie), "theme=light"]);
});

test("an application's own bearer token beside the session's cookie arrives as it was sent each time", async () => {
  const before = `theme=dark; __Host-session=${login.access_token}`;
  login = await guard.login("ada");
  const now = `theme=dark; __Host-session=${login.access_token}`;
  const sent = ["one", "one", "one", "two", "one", "two", "two"];
  const ask = async (authorization: string, cookies: string, method = "GET") =>
    (await guard.fetch("/own", { method, headers: { authorization, cookie: cookies } })).status;
  for (const token of sent) expect(await ask(`Bearer ${token}`, now)).toBe(200);
  expect(valuesAtOrigin("authorization")).toEqual(sent.map((token) => `Bearer ${token}`));
  expect(valuesAtOrigin("cookie")).toEqual(sent.map(() => "theme=dark"));
  expect(await ask("Bearer one", now, "POST"), "without a proof of the site").toBe(403);
  expect(await ask(`Bearer ${login.access_token}`, now, "POST"), "the token itself is one").toBe(200);
  expect(await ask("Bearer one", before), "its session is over").toBe(401);
  expect(await ask("Bearer one", now)).toBe(200);
});

test("an old cookie beside the token is checked each time, until its session is over", async () => {
  await using many = await startGuard({ SESSION_LIMIT: "0" });
  const [one, old] = [await many.login("ada"), await many.login("ada")];
  const ask = async () => (await many.fetch("/boats", { headers: { ...bearer(one.access_token).headers, cookie: `__Host-session=${old.access_token}` } })).status;
  for (let n = 0; n < OFTEN; n += 1) expect(await ask()).toBe(400);
  await many.fetch("/_auth/logout", { method: "POST", ...bearer(old.access_token) });
  for (let n = 0; n < OFTEN; n += 1) expect(await ask()).toBe(200);
  await many.fetch("/_auth/logout", { method: "POST", ...bearer(one.access_token) });
  for (let n = 0; n < OFTEN; n += 1) expect(await ask()).toBe(401);
});

test("hop-by-hop headers never reach the origin, whatever Connection names", async () => {
  for (const connection of ["close", "close", "close", "close, x-hop", "close, x-hop", "close"]) expect(await statusOf("/hops", { connection, "x-hop": "1" })).toBe(200);
  expect(valuesAtOrigin("x-hop")).toEqual(["1", "1", "1", undefined, undefined, "1"]);
});

test("the session's data is current", async () => {
  const said = async (step: number) => {
    const body = JSON.stringify({ step });
    const headers = { ...bearer(KEY).headers, "content-type": "application/merge-patch+json" };
    expect((await guard.fetch(`/_auth/admin/users/ada/sessions/${login.session.sid}`, { method: "PATCH", headers, body })).status).toBe(200);
    guard.origin.received.length = 0;
    await repeat("/data");
    await repeat("/other-data");
    return new Set(valuesAtOrigin("x-auth-request-data"));
  };
  for (let step = 1; step <= 3; step += 1) expect([...await said(step)]).toEqual([`{"step":${step}}`]);
});

test("a path has its own decision, whatever was forwarded before", async () => {
  await repeat("/boats");
  guard.origin.received.length = 0;
  for (let round = 0; round < OFTEN; round += 1) {
    expect(await visit("/boats/.", login)).toMatchObject({ status: 400, body: { code: "bad_request" } });
    expect(await visit("/boats?a=../..", login)).toMatchObject({ status: 200 });
    expect(await visit("/_auth/session", login)).toMatchObject({ status: 200, body: { sid: login.session.sid } });
  }
  expect(guard.origin.received.map(({ target }) => target)).toEqual(Array(OFTEN).fill("/boats?a=../.."));
});

test.each([
  ["where nothing is enforced", { MODE: "monitor" }],
  ["where a session is optional", { ROUTES: JSON.stringify([{ path: "/*", access: "optional" }]) }],
])("a request whose session has ended is forwarded without an identity each time, %s", async (_, vars) => {
  await using lenient = await startGuard(vars);
  const who = await lenient.login("ada");
  const ask = async () => (await answerOf(lenient.fetch("/boats", bearer(who.access_token)))).status;
  for (let n = 0; n < OFTEN; n += 1) expect(await ask()).toBe(200);
  await lenient.fetch("/_auth/logout", { method: "POST", ...bearer(who.access_token) });
  const other = await lenient.login("ben");
  await lenient.fetch("/_auth/logout", { method: "POST", ...bearer(other.access_token) });
  for (let n = 0; n < OFTEN; n += 1) {
    expect(await ask()).toBe(200);
    expect((await answerOf(lenient.fetch("/boats", bearer(other.access_token)))).status).toBe(200);
  }
  const seen = lenient.origin.received.map(({ headers }) => headers["x-auth-request-user"]);
  expect(seen).toEqual([...Array(OFTEN).fill("ada"), ...Array(2 * OFTEN).fill(undefined)]);
});

test("each path has its own rule, whatever was forwarded before", async () => {
  const routes = [
    { path: "/open/*", access: "public" },
    { path: "/staff/*", access: "session", roles: ["staff"] },
  ];
  await using ruled = await startGuard({ ROUTES: JSON.stringify(routes) });
  const who = await ruled.login("ada");
  const ask = async (path: string) => (await answerOf(ruled.fetch(path, bearer(who.access_token)))).status;
  for (let round = 0; round < OFTEN; round += 1) {
    expect(await ask(`/boats/${round}`)).toBe(200);
    expect(await ask(`/staff/${round}`)).toBe(403);
    expect(await ask(`/open/${round}`)).toBe(200);
    expect(await ask(`/boats/..%2fstaff/${round}`)).toBe(403);
    expect(await ask(`/_auth/nothing/${round}`)).toBe(404);
    expect(await ask("/internal/login")).toBe(404);
  }
  const seen = ruled.origin.received.map(({ target, headers }) => [target, headers["x-auth-request-user"]]);
  expect(seen).toEqual(Array.from({ length: OFTEN }, (_, round) => [[`/boats/${round}`, "ada"], [`/open/${round}`, undefined]]).flat());
});

test("each URL is forwarded as it was sent, however similar others are", async () => {
  const targets = ["/boats?a=1", "/boats?a=2", "/boats", "/boats/", "/boats?", "/boats?a=1", "/Boats", "/boats%20x?y='z'", "/boats?a=1"];
  for (let round = 0; round < OFTEN; round += 1) for (const target of targets) await visit(target, login);
  expect(guard.origin.received.map(({ target }) => target)).toEqual(Array(OFTEN).fill(targets).flat());
});

test("many paths and tokens do not exceed the cache's limit", async () => {
  const logins = await Promise.all(["eva", "fay", "gil"].map((name) => guard.login(name)));
  for (let round = 0; round < 3; round += 1) {
    for (const who of logins) for (let path = 0; path < 6; path += 1) await visit(`/many/${path}`, who);
  }
  const seen = guard.origin.received.map(({ target, headers }) => `${headers["x-auth-request-user"]} ${target}`);
  const expected = Array(3).fill(["eva", "fay", "gil"].flatMap((name) => Array.from({ length: 6 }, (_, path) => `${name} /many/${path}`))).flat();
  expect(seen).toEqual(expected);
});

test.each([
  ["plain values", (n: number) => `value-${n}`],
  ["lists", (n: number) => `a, ${n}`],
])("a request that fails while its headers are built leaves nothing in the cache: %s", async (_, valueOf) => {
  await using faulty = await startGuard({}, { faulty: true });
  const { access_token: token } = await faulty.login("ada");
  const ask = async (n: number, fault = 1_000) =>
    (await answerOf(faulty.fetch("/boats", { headers: { ...bearer(token).headers, "x-changing": valueOf(n), "x-fault-set": `${fault}` } }))).status;
  for (let n = 0; n < OFTEN; n += 1) expect(await ask(0)).toBe(200);
  faulty.origin.received.length = 0;
  for (const n of [1, 2]) {
    expect(await ask(n, n - 1)).toBe(500);
    expect(await ask(n)).toBe(200);
    expect(await ask(0)).toBe(200);
  }
  const seen = faulty.origin.received.map(({ headers }) => headers["x-changing"]);
  expect(seen).toEqual([1, 2].flatMap((n) => [valueOf(n), valueOf(0)]));
});

test("with any number of different cookies beside a token, each request sends its own to the origin", async () => {
  const other = await guard.login("hal");
  await repeat("/own", other, { cookie: "theme=dark" });
  guard.origin.received.length = 0;
  const sent = Array.from({ length: 60 }, (_, n) => `n=${n >> 1}; x=${Buffer.from((n % 4 < 2 ? "x" : "\u0436").repeat(100)).toString("latin1")}`);
  for (const rest of sent) {
    const cookie = `__Host-session=${login.access_token}; ${rest}`;
    expect(await answerOf(guard.fetch("/own", { headers: { cookie } }))).toMatchObject({ status: 200 });
  }
  await visit("/own", other, { cookie: "theme=dark" });
  const seen = guard.origin.received.map(({ headers }) => [headers["x-auth-request-user"], headers.cookie]);
  expect(seen).toEqual([...sent.map((rest) => ["ada", rest]), ["hal", "theme=dark"]]);
});

test.each([
  ["the token in both", (token: string) => ({ authorization: `Bearer ${token}`, cookie: `a=1; __Host-session=${token}` })],
  ["the scheme in capitals, and spaces", (token: string) => ({ authorization: `BEARER   ${token}` })],
  ["another cookie that ends like it", (token: string) => ({ cookie: `x__Host-session=no; __Host-session=${token}` })],
  ["another scheme beside the cookie", (token: string) => ({ authorization: "Basic YWRhOmFkYQ==", cookie: `__Host-session=${token}` })],
])("an ended session is refused wherever its token came, however often it was forwarded: %s", async (_, headersOf) => {
  const who = await guard.login("ina");
  const headers = headersOf(who.access_token);
  const ask = () => answerOf(guard.fetch("/boats", { headers }));
  for (let n = 0; n < OFTEN; n += 1) expect(await ask()).toMatchObject({ status: 200 });
  await guard.fetch("/_auth/logout", { method: "POST", ...bearer(who.access_token) });
  for (let n = 0; n < OFTEN; n += 1) expect(await ask()).toMatchObject({ status: 401, body: { code: "session_revoked" } });
});
