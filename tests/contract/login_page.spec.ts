// The login page: who is redirected to it, what it says, and where it leads.

import { beforeEach, describe, expect, test } from "vitest";
import { answerOf, bearer, cookieOf, formInit, mint, PHONE, startGuard, useGuard } from "../harness/guard.ts";

const WHEN = String.raw`just now \(\w+ \d+, \d{4} at \d+:\d\d\s[AP]M UTC\)`;
const guard = useGuard();

beforeEach(() => {
  guard.origin.received.length = 0;
});

const cookieOfLogin = async (username: string, at = guard) => cookieOf(await at.fetch("/_auth/login", formInit({ username })));

/** What the page says to somebody with this cookie, without tags. */
async function said(cookie: string | undefined, query = "", at = guard) {
  const headers = cookie === undefined ? {} : { cookie };
  const { status, body } = await answerOf(at.fetch(`/_auth/login${query}`, { headers }));
  expect(status).toBe(200);
  return /<p class="notice" role="status">(.*?)<\/p>/.exec(body as string)?.[1];
}

describe("the login page", () => {
  test("says when, and by what kind of device, the user was signed out", async () => {
    const cookie = await cookieOfLogin("superseded");
    await guard.login("superseded", PHONE);
    const told = expect.stringMatching(new RegExp(`^You were signed out here ${WHEN}, because you signed in elsewhere, with a phone\\.$`));
    expect(await said(cookie, "?reason=session_superseded")).toEqual(told);
    expect(await said(cookie)).toEqual(told);
    // The query is anybody's to write.
    expect(await said(cookie, "?reason=session_expired")).toEqual(told);
    expect(await said(`a=b; ${cookie}`, "?reason=%3Cb%3E")).toEqual(told);
  });

  test("says when a session was ended", async () => {
    const cookie = await cookieOfLogin("revoked");
    const token = cookie.split("=")[1] ?? "";
    expect((await guard.fetch("/_auth/logout", { method: "POST", ...bearer(token) })).status).toBe(204);
    expect(await said(cookie, "?reason=session_revoked")).toMatch(new RegExp(`^You were signed out: your session was ended ${WHEN}\\.$`));
  });

  test("says when a session expired", async () => {
    await using brief = await startGuard({ SESSION_IDLE_TIMEOUT: "1 second" });
    const cookie = await cookieOfLogin("idle", brief);
    await expect.poll(() => said(cookie, "?reason=session_expired", brief), { timeout: 10_000 }).toMatch(new RegExp(`^Your session expired ${WHEN}\\.$`));
  });

  test("says nothing of this to a user with a live session, whatever the query says, and does not count as a use", async () => {
    await using brief = await startGuard({ SESSION_IDLE_TIMEOUT: "2 seconds" });
    const cookie = await cookieOfLogin("live", brief);
    expect(await said(cookie, "?reason=session_superseded", brief)).toBeUndefined();
    await expect.poll(() => said(cookie, "?reason=session_superseded", brief), { timeout: 10_000 }).toMatch(/^Your session expired/);
  });

  test("says only that the user has signed out after a logout", async () => {
    const cookie = await cookieOfLogin("out");
    await guard.login("out");
    expect(await said(cookie, "?reason=logged_out")).toBe("You have signed out.");
  });

  test.each<[string, () => Promise<string | undefined>]>([
    ["no cookie", async () => undefined],
    ["a forged one", async () => "__Host-session=a.b.c"],
    ["one of a session that nobody began", async () => `__Host-session=${await mint({})}`],
    ["two that differ", async () => `__Host-session=${await mint({})}; __Host-session=${await mint({})}`],
  ])("says with %s what the query says, in its own words", async (_, cookie) => {
    expect(await said(await cookie(), "?reason=session_superseded")).toBe("You were signed out here because you signed in elsewhere.");
    expect(await said(await cookie(), "?reason=%3Cscript%3E")).toBeUndefined();
    expect(await said(await cookie())).toBeUndefined();
  });
});

describe("a form that is sent after the session has ended", () => {
  const send = (headers: Record<string, string>) => guard.fetch("/save?x=1", { method: "POST", body: "a=b", headers });
  /** As browsers say it today, and as Safari before 16.4 says it. */
  const BROWSERS = [
    ["today", () => ({ "sec-fetch-mode": "navigate", "sec-fetch-site": "same-origin", origin: guard.url })],
    ["Safari before 16.4", () => ({ accept: "text/html,application/xhtml+xml,*/*;q=0.8", origin: guard.url })],
  ] as const;

  test.each(BROWSERS)("redirects to the login page with the reason, and from there back to the form's page (%s)", async (_, browser) => {
    const cookie = await cookieOfLogin("form");
    await guard.login("form");
    const sent = await send({ ...browser(), cookie, referer: `${guard.url}/form?step=2` });
    expect([sent.status, sent.headers.get("location"), sent.headers.get("cache-control")]).toEqual([
      303,
      "/_auth/login?redirect=/form?step=2&reason=session_superseded",
      "no-store",
    ]);
    const gone = await send({ ...browser(), referer: `${guard.url}/form` });
    expect([gone.status, gone.headers.get("location")]).toEqual([303, "/_auth/login?redirect=/form"]);
    expect(guard.origin.received).toEqual([]);
  });

  test.each(["https://evil.example/form", "", "about:client"])("leads back to / with the referrer %j", async (referer) => {
    const sent = await send({ ...BROWSERS[0][1](), ...(referer === "" ? {} : { referer }) });
    expect([sent.status, sent.headers.get("location")]).toEqual([303, "/_auth/login?redirect=/"]);
  });

  test("is a 401 for a script, and a 403 with the cookie from another site", async () => {
    const cookie = await cookieOfLogin("script");
    expect(await answerOf(send({ "sec-fetch-mode": "cors", "sec-fetch-site": "same-origin" }))).toMatchObject({ status: 401 });
    expect(await answerOf(send({ "sec-fetch-mode": "navigate", "sec-fetch-site": "cross-site", cookie }))).toMatchObject({ status: 403 });
  });
});

describe("a deep link through the login page", () => {
  const ask = async (path: string) => {
    const sent = await guard.fetch(path, { headers: { "sec-fetch-mode": "navigate" } });
    expect(sent.status).toBe(302);
    return new URL(sent.headers.get("location") ?? "", guard.url);
  };
  /** Where the browser is after it has come to the page by this link and signed in. */
  const follow = async (path: string) => {
    const page = await ask(path);
    expect(page.href.length).toBeLessThan(16_000);
    const { body } = await answerOf(guard.fetch(page.pathname + page.search));
    const [, field = ""] = /name="redirect" value="([^"]*)"/.exec(body as string) ?? [];
    const redirect = field.replaceAll("&#38;", "&").replaceAll("&#34;", '"').replaceAll("&#39;", "'");
    return (await guard.fetch("/_auth/login", formInit({ username: "deep", redirect }))).headers.get("location");
  };

  test.each([
    ["of 2,049 bytes", `/a?b=${"c".repeat(2044)}`],
    ["of 8 KB", `/a?b=${"c".repeat(8187)}`],
    ["of escapes", `/a?b=${"%E2%9A%93".repeat(300)}&c=%2F+d`],
    ["with a backslash in its query", String.raw`/a?b=c\d`],
  ])("%s leads back to its target", async (_, path) => {
    expect(await follow(path)).toBe(path);
  });

  test("that is longer leads back to its path without the query", async () => {
    expect(await follow(`/boats/7?b=${"c".repeat(9000)}`)).toBe("/boats/7");
    expect(await follow(`/boats/7?${"&".repeat(6000)}`)).toBe("/boats/7");
  });
});
