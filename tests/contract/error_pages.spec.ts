// Refusals of people who navigate are pages, with the status, the headers and the log line that programs get, too.

import type { ServerResponse } from "node:http";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { answerOf, cookieOf, formInit, PHONE, startGuard, useGuard } from "../harness/guard.ts";
import { API, startIssuer } from "../harness/identity_provider.ts";

const OPENED = { "sec-fetch-mode": "navigate", "sec-fetch-dest": "document", accept: "text/html" };
const SCRIPT = { "sec-fetch-mode": "cors", accept: "application/json" };
const ROUTES = [{ path: "/crew", access: "session", roles: ["crew-of-the-night"] }, { path: "/read", access: "session", scopes: ["logs:read"] }];

const guard = useGuard({ ROUTES: JSON.stringify(ROUTES), ORIGIN_TIMEOUT: "1 second" });
beforeEach(() => {
  guard.log.length = 0;
  guard.origin.reply = {};
});

const signedIn = async () => cookieOf(await guard.fetch("/_auth/login", formInit({ username: "ada" })));

const REFUSED: [name: string, method: string, path: string, status: number, title: string, reply?: object][] = [
  ["an origin that breaks off", "GET", "/boats", 502, "This site does not answer", { stream: (response: ServerResponse) => void response.destroy() }],
  ["an origin that hangs", "GET", "/boats", 504, "This site does not answer", { hangs: true }],
  ["a missing role", "GET", "/crew", 403, "You do not have access to this page"],
  ["a missing scope", "GET", "/read", 403, "You do not have access to this page"],
  ["a form for a missing role", "POST", "/crew", 403, "You do not have access to this page"],
  ["a path that the guard does not have", "GET", "/_auth/nothing", 404, "There is no such page"],
  ["a path that the console does not have", "GET", "/_auth/admin/", 404, "There is no such page"],
  ["a method that an endpoint does not have", "GET", "/_auth/refresh", 405, "This address is not a page"],
];

describe("a person who navigates", () => {
  test.each(REFUSED)("is told of %s by a page, and a script by problem details", async (_, method, path, status, title, reply = {}) => {
    const cookie = await signedIn();
    const same = { cookie, "sec-fetch-site": "same-origin" };
    guard.origin.reply = reply;
    const ask = async (headers: Record<string, string>) => {
      guard.log.length = 0;
      const answer = await answerOf(guard.fetch(`${path}?secret-of=the-query`, { method, headers: { ...same, ...headers } }));
      // The log comes through a pipe of its own.
      return vi.waitFor(() => {
        const log = guard.log.flatMap((lines) => lines.split("\n")).map((line) => JSON.parse(line) as Record<string, unknown>);
        const told = log.find((line) => line["decision"] !== undefined);
        expect(told).toBeDefined();
        return { ...answer, told };
      });
    };
    const [page, problem] = [await ask({ ...OPENED, "cf-ray": "8f2a1b3c4d5e6f70-FRA" }), await ask(SCRIPT)];
    expect([page.status, problem.status]).toEqual([status, status]);
    expect(page.body).toContain(`<h1>${title}</h1>`);
    const { code } = problem.body as { code: string };
    expect(page.body).toMatch(new RegExp(`<code dir="ltr">${code} \\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z 8f2a1b3c4d5e6f70-FRA</code>`));
    for (const name of ["cache-control", "www-authenticate", "allow", "retry-after"]) expect(page.headers[name], name).toBe(problem.headers[name]);
    expect(page.told).toMatchObject({ code, status });
    for (const quiet of ["crew-of-the-night", "logs:read", guard.origin.url, "127.0.0.1"]) expect(page.body, quiet).not.toContain(quiet);
  });

  test.each<[string, Record<string, string>]>([
    ["a script that takes any page", { "sec-fetch-mode": "cors", accept: "text/html" }],
    ["a frame", { ...OPENED, "sec-fetch-dest": "iframe" }],
    ["curl", { accept: "*/*" }],
  ])("is told apart from %s", async (_, headers) => {
    const { headers: answered } = await answerOf(guard.fetch("/_auth/nothing", { headers }));
    expect(answered["content-type"]).toBe("application/problem+json");
  });

  test("gets no page if a proxy asks, or if nothing is enforced", async () => {
    const key = "k".repeat(32);
    await using asked = await startGuard({ FORWARD_AUTH_KEY: key, ROUTES: JSON.stringify(ROUTES), MODE: "monitor" });
    const proxy = { "x-guard-proxy-key": key, "x-original-url": "https://boats.test/_auth/x" };
    const answers = [await asked.fetch("/_auth/verify", { headers: { ...OPENED, ...proxy } }), await asked.fetch("/_auth/nothing", { headers: OPENED })];
    expect(answers.map((answer) => answer.headers.get("content-type"))).toEqual(Array(2).fill("application/problem+json"));
  });

  test("is told that the settings are wrong without a word of them, in a style that comes with the page", async () => {
    await using broken = await startGuard({ SESSION_LIMIT: "none-of-your-business" });
    const { status, headers, body } = await answerOf(broken.fetch("/boats", { headers: { ...OPENED, "accept-language": "de" } }));
    expect([status, body]).toEqual([500, expect.stringContaining("<h1>Etwas ist schiefgegangen</h1>")]);
    const [, nonce] = /<style nonce="([\w-]{22})">/.exec(body as string) ?? [];
    expect(headers["content-security-policy"]).toContain(`style-src 'nonce-${nonce}'`);
    expect(body).not.toContain("none-of-your-business");
    expect(broken.log.join()).toContain("none-of-your-business");
  });
});

describe("somebody who was signed out by another device", () => {
  test("is told which device, and is led through a login to where the others are ended; the old token alone ends none", async () => {
    const cookie = cookieOf(await guard.fetch("/_auth/login", formInit({ username: "taken" })));
    const { access_token } = await guard.login("taken", PHONE);
    const { body } = await answerOf(guard.fetch("/_auth/login?reason=session_superseded", { headers: { cookie, ...OPENED } }));
    expect(body).toContain("<bdi>iPhone</bdi>");
    const [, href = ""] = /<a href="([^"]+)">That was not me<\/a>/.exec(body as string) ?? [];
    expect(href).toBe("/_auth/login?redirect=/_auth/sessions?not_me=true");
    const ending = await guard.fetch("/_auth/sessions", { method: "POST", headers: { cookie, ...OPENED, "sec-fetch-site": "same-origin" }, body: new URLSearchParams({ scope: "others" }) });
    expect(ending.status).not.toBe(200);
    expect((await guard.fetch("/", { headers: { authorization: `Bearer ${access_token}` } })).status).toBe(200);
    const leads = await guard.fetch(href, formInit({ username: "taken", redirect: "/_auth/sessions?not_me=true" }, OPENED));
    expect([leads.status, leads.headers.get("location")]).toEqual([303, "/_auth/sessions?not_me=true"]);
  });
});

describe("a provider's session that finds no room", () => {
  test.each([["ask", true], ["deny", false]])("sees with the policy %s which there are, and may end one if it may: %s", async (policy, may) => {
    await using issuer = await startIssuer();
    const entry = issuer.entry({ access_tokens: { audience: API, session_claim: "sid" } });
    await using full = await startGuard({ TRUSTED_ISSUERS: JSON.stringify([entry]), SESSION_LIMIT_POLICY: policy });
    const [first, second, other] = ["first", "second", "third"].map((sid) => ({ authorization: `Bearer ${issuer.accessToken({ sub: sid === "third" ? "v" : "u", sid })}` }));
    expect((await full.fetch("/", { headers: first ?? {} })).status).toBe(200);
    const waiting = await answerOf(full.fetch("/boats", { headers: { ...OPENED, ...second } }));
    expect([waiting.status, waiting.body]).toEqual([409, expect.stringContaining("Last used just now")]);
    const field = (name: string) => new RegExp(`name="${name}" value="([^"]+)"`).exec(waiting.body as string)?.[1] ?? "";
    expect([field("proof") !== "", field("end") !== ""]).toEqual([may, may]);
    if (!may) return;
    const send = (headers: object, changes = {}) => full.fetch("/_auth/sessions", {
      method: "POST", headers: { ...OPENED, "sec-fetch-site": "same-origin", ...headers },
      body: new URLSearchParams({ proof: field("proof"), end: field("end"), redirect: "/boats", ...changes }),
    });
    expect((await send({ ...second }, { proof: "A".repeat(43) })).status).toBe(403);
    expect((await send({ ...other })).status, "another's proof").toBe(403);
    const ended = await send({ ...second });
    expect([ended.status, ended.headers.get("location")]).toEqual([303, "/boats"]);
    expect((await full.fetch("/boats", { headers: second ?? {} })).status).toBe(200);
  });
});
