// Logging out at the identity provider at which a session began, and being logged out by it.

import { describe, expect, test } from "vitest";
import { answerOf, bearer } from "../harness/guard.ts";
import { HttpBrowser } from "../harness/http_browser.ts";
import { logoutUrl, sessionOf, signInAt } from "../harness/sign_in.ts";
import { guard, hub, idp, logged, login, several, shows, useSignInPlaces } from "../harness/sign_in_places.ts";

useSignInPlaces();

describe("a logout", () => {
  test("at the provider, too, comes back to a page, and the next sign-in asks who it is", async () => {
    const browser = new HttpBrowser();
    await signInAt(browser, `${guard.url}/`, "leaver");
    const token = browser.cookies(guard.url).get("__Host-session") ?? "";
    const confirm = await browser.visit(`${guard.url}/_auth/logout?at=provider`, { form: {}, from: `${guard.url}/` });
    expect([confirm.title, new URL(confirm.url).origin]).toEqual(["logout", idp.url]);
    expect(await answerOf(guard.fetch("/", bearer(token)))).toMatchObject({ status: 401, body: { code: "session_revoked" } });
    const done = await browser.visit(confirm.action ?? "", { form: confirm.fields, from: confirm.url });
    expect([done.url, ...Object.values(shows(done))]).toEqual([`${guard.url}/_auth/logged-out`, 200, "Signed out", ["Sign in again"]]);
    expect(sessionOf(browser, guard)).toBeUndefined();
    expect((await browser.visit(new URL(done.links["Sign in again"] ?? "", done.url).href)).title).toBe("login");
  });

  test("tells a script where to go on to, with a hint of whose session it was", async () => {
    const browser = new HttpBrowser();
    await signInAt(browser, `${guard.url}/`, "scripted");
    const { status, origin, searchParams, hint, cookies } = await logoutUrl(browser, guard);
    expect([status, origin, searchParams.get("post_logout_redirect_uri")]).toEqual([200, idp.url, `${guard.url}/_auth/logged-out`]);
    expect(JSON.parse(Buffer.from(hint.split(".")[1] ?? "", "base64url").toString())).toMatchObject({ sub: "scripted" });
    expect(cookies.join()).toContain("__Host-session=;");
    expect((await logoutUrl(new HttpBrowser(), guard)).hint, "of nobody").toBe("");
    expect(await logoutUrl(browser, guard), "twice: the hint is kept no longer").toMatchObject({ status: 200, origin: idp.url, hint: "" });
    for (const query of ["at=elsewhere", "at=provider&scope=others"]) expect((await guard.fetch(`/_auth/logout?${query}`, { method: "POST" })).status).toBe(400);
  });

  test("of a provider that has no logout says that the user may still be signed in there", async () => {
    const browser = new HttpBrowser();
    const ask = await browser.visit(login("hub", several));
    if (ask.status === 409) await browser.visit(new URL(ask.action ?? "", ask.url).href, { form: ask.fields, from: ask.url });
    expect(sessionOf(browser, several)).toMatchObject({ sub: "hub|583231" });
    const done = await browser.visit(`${several.url}/_auth/logout?at=provider`, { form: {}, from: `${several.url}/` });
    expect([done.url, done.status]).toEqual([`${several.url}/_auth/logged-out?only=here`, 200]);
    expect(done.text).toContain("You may still be signed in at the service where you signed in.");
    expect(sessionOf(browser, several)).toBeUndefined();
  });

  test("here alone leads to the login page, which waits for the user", async () => {
    const browser = new HttpBrowser();
    await signInAt(browser, `${guard.url}/`, "local");
    const page = await browser.visit(`${guard.url}/_auth/logout`, { form: {}, from: `${guard.url}/` });
    expect(page).toMatchObject({ status: 200, url: `${guard.url}/_auth/login?reason=logged_out` });
    expect(page.text).toContain("You have signed out.");
    expect(Object.keys(page.links)).toEqual(["Sign in with Harbour ID"]);
  });

  test("at the provider ends the session here by the back channel", async () => {
    const browser = new HttpBrowser();
    await signInAt(browser, `${guard.url}/`, "backer");
    const token = browser.cookies(guard.url).get("__Host-session") ?? "";
    await idp.logOut(browser);
    expect(await answerOf(guard.fetch("/", bearer(token)))).toMatchObject({ status: 401, body: { code: "session_revoked" } });
    expect(idp.failures).toEqual([]);
  });

  test("at the provider ends the session here by a frame, if `iss` and `sid` name it", async () => {
    const browser = new HttpBrowser();
    await signInAt(browser, `${guard.url}/`, "framed");
    const { hint } = await logoutUrl(browser, guard);
    const { sid } = JSON.parse(Buffer.from(hint.split(".")[1] ?? "", "base64url").toString()) as { sid: string };
    browser.cookies(guard.url).delete("__Host-session");
    await signInAt(browser, `${guard.url}/`, "framed");
    const token = browser.cookies(guard.url).get("__Host-session") ?? "";
    const frame = (query: Record<string, string>) => answerOf(guard.fetch(`/_auth/frontchannel-logout?${new URLSearchParams(query)}`, { headers: { "sec-fetch-dest": "iframe", "sec-fetch-site": "cross-site" } }));
    for (const query of [{ sid }, { iss: idp.url }, { iss: "https://evil.example", sid }]) expect((await frame(query as Record<string, string>)).status).toBe(400);
    expect((await frame({ iss: idp.url, sid: "guessed" })).status).toBe(200);
    expect((await guard.fetch("/", bearer(token))).status).toBe(200);
    const done = await frame({ iss: idp.url, sid });
    expect(done).toMatchObject({ status: 200, headers: { "cache-control": "no-store", "content-security-policy": expect.not.stringContaining("frame-ancestors") } });
    expect(await answerOf(guard.fetch("/", bearer(token)))).toMatchObject({ status: 401, body: { code: "session_revoked" } });
    expect((await several.fetch(`/_auth/frontchannel-logout?iss=${idp.url}&sid=${sid}`)).status, "where no entry says so").toBe(404);
  });
});
