// The page of GET sessions, on which users see where they are signed in, and its form, POST sessions.

import { expect, test } from "vitest";
import { answerOf, bearer, cookieOf, formInit, PHONE, useGuard } from "../harness/guard.ts";

const guard = useGuard({ SESSION_LIMIT: "0" });
const FIREFOX = { "user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0" };
const NAVIGATION = { "accept": "text/html,application/xhtml+xml", "sec-fetch-mode": "navigate", "sec-fetch-site": "same-origin" };

/** A browser that is signed in. */
async function signIn(user: string, headers: Record<string, string> = FIREFOX) {
  const cookie = cookieOf(await guard.fetch("/_auth/login", formInit({ username: user }, headers)));
  const open = (path = "sessions", more: Record<string, string> = {}) => answerOf(guard.fetch(`/_auth/${path}`, { headers: { ...NAVIGATION, cookie, ...more } }));
  const proof = async () => /name="proof" value="([^"]+)"/.exec((await open()).body as string)?.[1] ?? "";
  const send = async (form: string | Record<string, string>, more: Record<string, string> = {}) => {
    const body = typeof form === "string" ? form : new URLSearchParams({ proof: await proof(), ...form }).toString();
    return answerOf(guard.fetch("/_auth/sessions", { method: "POST", body, headers: { "content-type": "application/x-www-form-urlencoded", ...NAVIGATION, cookie, ...more } }));
  };
  const sid = (JSON.parse(Buffer.from(cookie.split(".")[1] ?? "", "base64url").toString()) as { sid: string }).sid;
  const isIn = async () => (await guard.fetch("/_auth/session", { headers: { cookie } })).status === 200;
  return { cookie, sid, open, proof, send, isIn };
}

const allIn = (browsers: { isIn(): Promise<boolean> }[]) => Promise.all(browsers.map((it) => it.isIn()));
/** The text of a page, without its tags. */
const textOf = (html: unknown) => String(html).replace(/<style.*?<\/style>|<[^>]+>/gs, " ").replace(/\s+/g, " ");

test("the page shows where a user is signed in, the browser itself first, and what ended lately and why", async () => {
  guard.origin.approvals.set("seen", { sub: "seen", data: { secret: "x" } });
  const [phone, here, gone] = [await signIn("seen", PHONE), await signIn("seen"), await signIn("seen")];
  await phone.send({ end: gone.sid });
  const { status, headers, body } = await here.open();
  expect(status).toBe(200);
  expect(headers).toMatchObject({ "content-type": "text/html; charset=utf-8", "cache-control": "no-store", "content-language": "en" });
  expect(headers["content-security-policy"]).toMatch(/default-src 'none'.*script-src 'self'.*frame-ancestors 'none'/);
  const text = textOf(body);
  expect(text).toMatch(/Firefox on Linux This device .*iPhone .*Last used just now .*Ended recently .*Firefox on Linux .*Signed out just now \(/);
  expect(body).not.toContain("secret");
  // It is the same list as that of programs.
  expect(await answerOf(guard.fetch("/_auth/sessions", { headers: { cookie: here.cookie, accept: "*/*", "sec-fetch-mode": "cors" } }))).toMatchObject({ body: { sessions: [{ sid: phone.sid }, { sid: here.sid, current: true }] } });
});

test("the page says why a session was ended, in the browser's language", async () => {
  guard.origin.approvals.set("one", { sub: "one", session_limit: 1 });
  await signIn("one", PHONE);
  const here = await signIn("one");
  const texts = { en: /because you signed in with a computer\./, "de-CH": /weil Sie sich mit einem Computer angemeldet haben\./, es: /porque iniciaste sesión con /, fr: /à la suite d’une connexion avec / };
  for (const [language, text] of Object.entries(texts)) expect(textOf((await here.open("sessions", { "accept-language": language })).body)).toMatch(text);
  const notMe = textOf((await here.open("sessions?not_me=true")).body);
  expect(notMe).toContain("If it was not you who signed in");
});

test("the form ends one session, several, the others, or all, and leads to the page again", async () => {
  const [a, b, c, d, e] = await Promise.all(Array.from({ length: 5 }, () => signIn("many")));
  if (!a || !b || !c || !d || !e) throw new Error("no browsers");
  const all = [a, b, c, d, e];
  expect(await a.send({ end: b.sid })).toMatchObject({ status: 303, headers: { location: "/_auth/sessions", "cache-control": "no-store" } });
  expect(await allIn(all)).toEqual([true, false, true, true, true]);
  expect((await a.send(`proof=${await a.proof()}&end=${c.sid}&end=${d.sid}`)).status).toBe(303);
  expect(await allIn(all)).toEqual([true, false, false, false, true]);
  // A second time, it is no error that they have ended.
  expect((await a.send({ end: b.sid })).status).toBe(303);
  const f = await signIn("many");
  expect(await e.send({ scope: "others", redirect: "/boats?id=1" })).toMatchObject({ status: 303, headers: { location: "/boats?id=1" } });
  expect(await allIn([a, e, f])).toEqual([false, true, false]);
  const g = await signIn("many");
  const everywhere = await e.send({ scope: "global" });
  expect(everywhere).toMatchObject({ status: 303, headers: { location: "/_auth/login?reason=logged_out" } });
  expect(everywhere.headers["set-cookie"]).toMatch(/^__Host-session=;.*Max-Age=0/);
  expect(await allIn([e, g])).toEqual([false, false]);
});

test("ending the browser's own session signs it out", async () => {
  const [here, other] = [await signIn("own"), await signIn("own")];
  const answer = await here.send({ end: here.sid });
  expect(answer).toMatchObject({ status: 303, headers: { location: "/_auth/login?reason=logged_out" } });
  expect(answer.headers["set-cookie"]).toMatch(/^__Host-session=;/);
  expect(await allIn([here, other])).toEqual([false, true]);
});

test("a form without its proof, with that of another session, or from another site ends nothing", async () => {
  const [here, other, stranger] = [await signIn("proof"), await signIn("proof"), await signIn("stranger")];
  const proof = await here.proof();
  const forms: [string, Record<string, string>?][] = [
    ["scope=global"],
    ["scope=global&proof="],
    [`scope=global&proof=${proof.slice(0, -2)}`],
    [`scope=global&proof=${await other.proof()}`],
    [`scope=global&proof=${await stranger.proof()}`],
    // The first counts.
    [`scope=global&proof=x&proof=${proof}`],
    [`scope=global&proof=${proof}&proof=x`],
    [`scope=global&proof=${proof}`, { "sec-fetch-site": "cross-site" }],
    [`scope=global&proof=${proof}`, { "sec-fetch-site": "same-site" }],
    [`scope=global&proof=${proof}`, { "sec-fetch-site": "none", "origin": "https://evil.example" }],
  ];
  for (const [form, headers] of forms) expect({ form, ...(await here.send(form, headers)) }).toMatchObject({ form, status: 403 });
  expect(await allIn([here, other, stranger])).toEqual([true, true, true]);
  expect((await here.send(`scope=others&proof=${proof}`)).status).toBe(303);
});

test("nobody ends the sessions of others", async () => {
  const [here, stranger] = [await signIn("me"), await signIn("them")];
  expect((await here.send({ end: stranger.sid })).status).toBe(303);
  expect((await here.send({ end: `${stranger.sid}`, redirect: "https://evil.example/" })).headers["location"]).toBe("/_auth/sessions");
  expect(await allIn([here, stranger])).toEqual([true, true]);
});

test("a form that does not say which sessions ends none", async () => {
  const [here, other] = [await signIn("vague"), await signIn("vague")];
  const proof = await here.proof();
  for (const form of [`end=${other.sid}&scope=others`, "scope=local", "scope=", "end=", "end=a%2Fb"]) expect({ form, ...(await here.send(`proof=${proof}&${form}`)) }).toMatchObject({ form, status: 400 });
  expect((await here.send(`proof=${proof}&scope=others`, { "content-type": "text/plain" })).status).toBe(400);
  // Nothing was chosen.
  expect((await here.send(`proof=${proof}&redirect=/`)).headers["location"]).toBe("/");
  expect(await allIn([here, other])).toEqual([true, true]);
});

test("without a session, the page and the form lead to the login page, and scripts are told", async () => {
  const gone = await signIn("gone");
  const other = await signIn("gone");
  const proof = await gone.proof();
  await other.send({ scope: "others" });
  expect(await answerOf(guard.fetch("/_auth/sessions", { headers: NAVIGATION }))).toMatchObject({ status: 302, headers: { location: "/_auth/login?redirect=/_auth/sessions" } });
  expect(await gone.open()).toMatchObject({ status: 302, headers: { location: "/_auth/login?redirect=/_auth/sessions&reason=session_revoked" } });
  const referer = `${guard.url}/_auth/sessions`;
  expect(await gone.send(`proof=${proof}&scope=global`, { referer })).toMatchObject({ status: 303, headers: { location: "/_auth/login?redirect=/_auth/sessions&reason=session_revoked" } });
  expect(await other.isIn()).toBe(true);
  // As the script of an open page asks.
  expect(await gone.open("sessions", { "sec-fetch-mode": "cors", "x-guard-touch": "false" })).toMatchObject({ status: 401, body: { code: "session_revoked" } });
});

test("a bearer token needs the proof, too", async () => {
  const login = await guard.login("bearer");
  const init = { method: "POST", body: "scope=global", headers: { ...bearer(login.access_token).headers, "content-type": "application/x-www-form-urlencoded" } };
  expect(await answerOf(guard.fetch("/_auth/sessions", init))).toMatchObject({ status: 403, body: { code: "cross_site" } });
});

test("the script of the pages is JavaScript that a browser keeps while it is the same", async () => {
  const { status, headers } = await answerOf(guard.fetch("/_auth/pages.js"));
  expect({ status, headers }).toMatchObject({ status: 200, headers: { "content-type": "text/javascript; charset=utf-8", "x-content-type-options": "nosniff" } });
  expect((await guard.fetch("/_auth/pages.js", { headers: { "if-none-match": headers["etag"] ?? "" } })).status).toBe(304);
});
