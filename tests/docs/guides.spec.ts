// The programs of docs/guides do what the guides say, with a guard at work.

import { randomBytes } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { adminApi, KEY, sessionsOf } from "../harness/admin_api.ts";
import { blocks, root } from "../harness/docs.ts";
import { cookieOf, loginInit, startGuard, useGuard, type Guard } from "../harness/guard.ts";
import { HttpBrowser } from "../harness/http_browser.ts";
import { CLIENT_SECRET, startOidcProvider, type OidcProvider } from "../harness/oidc_provider.ts";
import { PASSWORD } from "../harness/origin.ts";
import { startProxy, type Proxy } from "../harness/proxy.ts";
import { signInAt } from "../harness/sign_in.ts";

const guard = useGuard({ ADMIN_API_KEY: KEY, SESSION_LIMIT: "0", TOKEN_TTL: "2 minutes", ROUTES: JSON.stringify([{ path: "/reports/*", access: "session", scopes: ["reports:read"] }]) });

/** The program that a guide shows, as a module. */
async function program<T>(guide: string): Promise<T> {
  const folder = `${root}.cache/guides`;
  await mkdir(folder, { recursive: true });
  const [shown = ""] = blocks(`docs/guides/${guide}.md`, "js");
  await writeFile(`${folder}/${guide}.mjs`, shown);
  return import(`${folder}/${guide}.mjs`) as Promise<T>;
}

describe("the single-page application", () => {
  test("goes to the login and says where it came from, and is led back there", async () => {
    const { api } = await program<{ api(path: string, init?: RequestInit): Promise<Response> }>("single-page-application");
    let went = "";
    const page = { href: `${guard.url}/app/boats?a=1#top`, pathname: "/app/boats", search: "?a=1", hash: "#top", assign: (to: string) => (went = to) };
    Object.assign(globalThis, { location: page });
    const login = await guard.fetch("/_auth/login", loginInit({ username: "ada" }));
    expect((await api("/boats", { headers: { cookie: cookieOf(login) } })).status).toBe(200);
    void api("/boats");
    await expect.poll(() => went).toBe("/_auth/login?reason=token_missing&redirect=%2Fapp%2Fboats%3Fa%3D1%23top");
    expect(await (await guard.fetch(went)).text()).toContain("/app/boats?a=1#top");
  });
});

describe("the application on a phone", () => {
  interface Kept { token?: string; refreshAt?: number }
  interface Client { logIn(name: string, password: string): Promise<void>; fetch(path: string): Promise<Response>; refresh(): Promise<void> }
  /** A client, and what it keeps. */
  async function client() {
    const { GuardClient } = await program<{ GuardClient: new (site: string, store: object) => Client }>("mobile");
    const kept: { now: Kept } = { now: {} };
    const store = { get: () => Promise.resolve(kept.now), set: (it: Kept) => Promise.resolve((kept.now = it)).then(() => undefined) };
    return { client: new GuardClient(guard.url, store), kept };
  }

  test("logs in, sends the token, and refreshes it once for all requests when half of its life is over", async () => {
    const { client: it, kept } = await client();
    await it.logIn("grace", PASSWORD);
    const first = kept.now;
    expect((first.refreshAt ?? 0) - Date.now()).toBeLessThanOrEqual(60_000);
    expect((await it.fetch("/boats")).status).toBe(200);
    expect(kept.now).toBe(first);
    kept.now = { ...first, refreshAt: 0 };
    const answers = await Promise.all([it.fetch("/boats"), it.fetch("/boats"), it.fetch("/boats")]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(kept.now.token).not.toBe(first.token);
    expect(kept.now.refreshAt).toBeGreaterThan(Date.now());
  });

  test("says why it could not log in or refresh", async () => {
    const { client: it, kept } = await client();
    await expect(it.logIn("grace", "wrong")).rejects.toMatchObject({ code: "credentials_invalid" });
    kept.now = { token: "none" };
    await expect(it.refresh()).rejects.toMatchObject({ code: "token_invalid" });
  });
});

test("a program gets a token with its scope and no other, beside its other copies, and is listed", async () => {
  Object.assign(process.env, { SITE: guard.url, ADMIN_API_KEY: KEY });
  const { tokenFor } = await program<{ tokenFor(name: string, scope: string): Promise<string> }>("server-to-server");
  const tokens = [await tokenFor("job|invoices", "reports:read"), await tokenFor("job|invoices", "boats:read")];
  const at = async (token = "") => (await guard.fetch("/reports/x", { headers: { authorization: `Bearer ${token}` } })).status;
  expect([await at(tokens[0]), await at(tokens[1])]).toEqual([200, 403]);
  expect(guard.origin.received.at(-1)?.headers["x-auth-request-user"]).toBe("job|invoices");
  const { call } = adminApi(() => guard);
  expect((await call(sessionsOf("job|invoices"))).body).toMatchObject({ sessions: [{}, {}] });
});

describe("the whole site", () => {
  let provider: OidcProvider, site: Guard, nginx: Proxy;
  const key = randomBytes(24).toString("base64url");

  beforeAll(async () => {
    provider = await startOidcProvider();
    provider.people.set("ada", { groups: ["/crew"] });
    provider.people.set("eve", { groups: ["/guests"] });
    const [toml = ""] = blocks("docs/guides/whole-site.md", "toml");
    const [, shown = ""] = /TRUSTED_ISSUERS = """(.*?)"""/s.exec(toml) ?? [];
    const [entry] = JSON.parse(shown) as [Record<string, unknown>];
    // What is Keycloak's, and the address that it leads back to, are of these tests' provider.
    const issuer = { ...entry, provider: undefined, name: "keycloak", issuer: provider.url, redirect_uri: undefined };
    site = await startGuard({ LOGIN_URL: undefined, ORIGIN_URL: undefined, FORWARD_AUTH_KEY: key, ADMIN_API_KEY: KEY, TRUSTED_ISSUERS: JSON.stringify([issuer]), KEYCLOAK_SECRET: CLIENT_SECRET });
    nginx = await startProxy("nginx", { guard: site.url, origin: site.origin.url, key });
    const at = `${nginx.url}/_auth`;
    await provider.register({
      redirect_uris: [`${at}/callback/keycloak`], post_logout_redirect_uris: [`${at}/logged-out`], grant_types: ["authorization_code"], token_endpoint_auth_method: "client_secret_basic",
      backchannel_logout_uri: `${at}/backchannel-logout`, backchannel_logout_session_required: true,
    }, "harbour");
  });
  afterAll(() => Promise.all([provider, site, nginx].map((it) => it[Symbol.asyncDispose]())));

  test("signs in at the provider through nginx, and the origin knows who it is, until the provider's logout", async () => {
    const browser = new HttpBrowser();
    expect(await signInAt(browser, `${nginx.url}/boats`, "ada")).toMatchObject({ status: 200, text: "the origin's answer" });
    expect(site.origin.received.at(-1)?.headers).toMatchObject({ "x-auth-request-user": "ada", "x-auth-request-groups": "/crew" });
    await provider.logOut(browser);
    expect(provider.failures).toEqual([]);
    const { trail } = await browser.visit(`${nginx.url}/boats`, { until: (url) => url.origin !== nginx.url });
    expect(trail.some((address) => address.includes("/_auth/login"))).toBe(true);
    expect(site.origin.received).toHaveLength(1);
  });

  test("lets nobody in who is not in the group", async () => {
    const page = await signInAt(new HttpBrowser(), `${nginx.url}/boats`, "eve");
    expect([page.status, page.text]).toEqual([403, expect.stringContaining("sign_in_not_allowed")]);
  });
});
