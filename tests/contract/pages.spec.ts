// What PAGES and Accept-Language make of the guard's pages.

import { describe, expect, test } from "vitest";
import { answerOf, cookieOf, formInit, loginInit, PHONE, useGuard } from "../harness/guard.ts";

const PAGES = {
  title: "Harbour & Sons",
  logo: "https://cdn.example/logo.svg",
  accent: "#FD0",
  links: [{ text: { en: "Privacy", de: "Datenschutz", ar: "الخصوصية" }, href: "/privacy" }],
  languages: ["en", "de", "ar"],
  words: { ar: { sign_in: { title: "تسجيل الدخول" } }, de: { sign_in: { username: "Mitgliedsnummer" } } },
};

const guard = useGuard({ PAGES: JSON.stringify(PAGES), LOGIN_RATE: "3 per hour" });

async function loginPage(language?: string, query = "") {
  const headers = language === undefined ? {} : { "accept-language": language };
  const { status, body, headers: answered } = await answerOf(guard.fetch(`/_auth/login${query}`, { headers }));
  expect(status).toBe(200);
  const told = body as string;
  const [, lang, dir] = /<html lang="(.*?)" dir="(.*?)">/.exec(told) ?? [];
  const [, title] = /<title>(.*?)<\/title>/.exec(told) ?? [];
  return { body: told, lang, dir, title, headers: answered };
}

describe("the guard's pages", () => {
  test.each([
    [undefined, "en", "ltr", "Sign in"],
    ["de-AT,de;q=0.9,en;q=0.8", "de", "ltr", "Anmelden"],
    ["ja, en;q=0.1, ar;q=0.5", "ar", "rtl", "تسجيل الدخول"],
    ["fr", "en", "ltr", "Sign in"],
  ])("are in the language that the browser asks for: %j", async (asked, lang, dir, title) => {
    const page = await loginPage(asked);
    expect(page).toMatchObject({ lang, dir, title: `${title} · Harbour &#38; Sons` });
    expect([page.headers["content-language"], page.headers["vary"]]).toEqual([lang, "Accept-Language"]);
  });

  test("have the name, the logo, the colours and the links of the site", async () => {
    const { body, headers } = await loginPage("de");
    expect(body).toContain('<img src="https://cdn.example/logo.svg" alt="">');
    expect(body).toContain("<span>Harbour &#38; Sons</span>");
    expect(body).toContain('<a href="/privacy">Datenschutz</a>');
    expect(body).toContain("Mitgliedsnummer");
    expect(headers["content-security-policy"]).toBe("default-src 'none'; style-src 'self'; img-src https://cdn.example; base-uri 'none'; frame-ancestors 'none'");
    const [, href = ""] = /<link rel="stylesheet" href="(.*?)">/.exec(body) ?? [];
    const style = await answerOf(guard.fetch(href));
    expect(style.body).toContain(":root{--light-accent:#ffdd00;--light-on-accent:#000000;--light-edge:var(--line);--dark-accent:#ffdd00;--dark-on-accent:#000000;--dark-edge:#ffdd00;}");
    const again = await guard.fetch(href, { headers: { "if-none-match": style.headers["etag"] ?? "" } });
    expect(again.status).toBe(304);
  });

  test("name what happened, when and by what in each language", async () => {
    const cookie = cookieOf(await guard.fetch("/_auth/login", formInit({ username: "told" })));
    await guard.login("told", PHONE);
    const { body } = await answerOf(guard.fetch("/_auth/login", { headers: { cookie, "accept-language": "de-CH" } }));
    expect(body).toMatch(/Sie wurden hier gerade eben \(\d+\. \S+ \d{4} um \d\d:\d\d UTC\) abgemeldet, weil Sie sich woanders mit einem Smartphone angemeldet haben\./);
  });

  test("keep what was typed but for the password, and say when to try again", async () => {
    const { origin } = guard;
    origin.approvals.set("chooser", { sub: "chooser", session_limit: 1, session_limit_policy: "ask" });
    const { session } = await guard.login("chooser", PHONE);
    const send = (fields: Record<string, string>) => answerOf(guard.fetch("/_auth/login", formInit({ username: "chooser", redirect: "/boats?a=1&b=2", ...fields })));
    const asked = await send({});
    expect(asked).toMatchObject({ status: 409, body: expect.stringMatching(/name="end" value="[\w-]{22}" checked>/) });
    expect(asked.body).toContain("<bdi>iPhone</bdi></strong> <small>Last used just now</small>");
    const wrong = [await send({ password: "wrong-one", end: session.sid }), await send({ password: "wrong-one", end: session.sid }), await send({ password: "wrong-one", end: session.sid })];
    const limited = await send({ password: "wrong-one", end: session.sid });
    for (const { body } of [...wrong, limited]) {
      for (const kept of ['value="chooser"', `type="hidden" name="end" value="${session.sid}"`, 'name="redirect" value="/boats?a=1&#38;b=2"']) expect(body).toContain(kept);
      expect(body).not.toContain("wrong-one");
    }
    expect([limited.status, limited.body]).toEqual([429, expect.stringMatching(/too many attempts to sign in\. Try again in (1 hour|[56]\d minutes)\./)]);
  });

  test("tell somebody who may have no more sessions which there are, and offer none to end", async () => {
    guard.origin.approvals.set("denied", { sub: "denied", session_limit: 1, session_limit_policy: "deny" });
    await guard.login("denied", PHONE);
    const { status, body } = await answerOf(guard.fetch("/_auth/login", formInit({ username: "denied" })));
    expect([status, body]).toEqual([409, expect.stringContaining('<li class="session"><strong><bdi>iPhone</bdi></strong> <small>Last used just now</small></li>')]);
    expect(body).toContain("Sign out on one of them");
    expect(body).not.toContain('name="end"');
    const script = await answerOf(guard.fetch("/_auth/login", loginInit({ username: "denied" })));
    expect(script).toMatchObject({ status: 409, body: { code: "session_limit" } });
    expect(script.body).not.toHaveProperty("sessions");
  });
});
