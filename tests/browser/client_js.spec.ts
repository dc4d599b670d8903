// client.js in a real browser: it receives the end of a session and goes to the login page.

import { expect, test } from "vitest";
import type { WebSocketRoute } from "playwright-core";
import { COUNT_OPENED, submitLogin, useGuardedBrowser } from "../harness/guarded_browser.ts";
import { startGuard } from "../harness/guard.ts";
import { PASSWORD } from "../harness/origin.ts";

const { guard, newContext, url } = useGuardedBrowser();

/** A page of the origin's with the client, open in a browser in which somebody has signed in. */
async function open(username: string, attributes = "") {
  const type = "text/html";
  guard.origin.reply = { headers: { "content-type": type }, body: `<title>Members</title><script src="/_auth/client.js" ${attributes} async></script>` };
  const page = await (await newContext()).newPage();
  await page.addInitScript(COUNT_OPENED);
  await page.addInitScript("addEventListener('session-guard:ended', ({ detail }) => { globalThis.ended = detail })");
  const asked: string[] = [];
  page.on("response", (response) => {
    if (response.url().endsWith("/_auth/session")) asked.push(String(response.status()));
  });
  const signIn = async () => {
    await page.goto(`${url}/boats?page=2`);
    await submitLogin(page, username);
    await expect.poll(() => page.evaluate("globalThis.opened")).toBe(1);
  };
  const ended = () => page.evaluate("globalThis.ended");
  return { page, asked, signIn, ended };
}

/** Passes on the WebSockets of a page, and counts those that the guard has opened. */
async function route(page: Awaited<ReturnType<typeof open>>["page"]) {
  const sockets: { toPage: WebSocketRoute; toGuard: WebSocketRoute }[] = [];
  await page.routeWebSocket(/_auth.events/, (toPage) => {
    sockets.push({ toPage, toGuard: toPage.connectToServer() });
  });
  return sockets;
}

test("a page whose session was superseded goes to the login page, which says why and leads back", async () => {
  const { page, signIn } = await open("ada");
  await signIn();
  expect(new URL(page.url()).pathname).toBe("/boats");
  await guard.login("ada");
  await page.waitForURL(`${url}/_auth/login?reason=session_superseded&redirect=%2Fboats%3Fpage%3D2`);
  expect(await page.getByRole("status").textContent()).toContain("you signed in elsewhere");
  await page.getByLabel("User name").fill("ada");
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL(`${url}/boats?page=2`);
});

test("the fragment of a page that goes to the login page is restored after the login", async () => {
  const { page, signIn } = await open("fay");
  await signIn();
  await page.evaluate("location.hash = 'row-7'");
  await guard.login("fay");
  await page.waitForURL(`${url}/_auth/login?reason=session_superseded&redirect=%2Fboats%3Fpage%3D2%23row-7`);
  await page.getByLabel("User name").fill("fay");
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL(`${url}/boats?page=2#row-7`);
});

test("after a logout by a form the login page says so, although the pushed event came first", async () => {
  const { page, signIn } = await open("gil");
  const messages: unknown[] = [];
  page.on("websocket", (socket) => socket.on("framereceived", ({ payload }) => messages.push(payload)));
  await signIn();
  guard.origin.reply.body += "<form method=post action=/_auth/logout><button>Sign out</button></form>";
  await page.reload();
  await expect.poll(() => page.evaluate("globalThis.opened")).toBe(1);
  const visited: string[] = [];
  page.on("framenavigated", (frame) => visited.push(new URL(frame.url()).search));
  // The session is over, and the page told so, before the form arrives.
  await page.route("**/_auth/logout", async (route) => {
    const cookie = (await page.context().cookies()).map(({ name, value }) => `${name}=${value}`).join("; ");
    await guard.fetch("/_auth/logout", { method: "POST", headers: { cookie, "sec-fetch-site": "same-origin" } });
    await expect.poll(() => messages).toEqual([expect.stringContaining("session.revoked")]);
    await route.continue();
  });
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.waitForURL(`${url}/_auth/login?*`);
  expect([visited, await page.getByRole("status").textContent()]).toEqual([["?reason=logged_out"], "You have signed out."]);
});

test("a page that listens and polls does not keep its session from expiring", async () => {
  await using brief = await startGuard({ SESSION_IDLE_TIMEOUT: "3 seconds" });
  brief.origin.reply = { headers: { "content-type": "text/html" }, body: '<title>Members</title><script src="/_auth/client.js" async></script>' };
  const page = await (await newContext()).newPage();
  const sockets = await route(page);
  await page.goto(`${brief.url.replace("127.0.0.1", "localhost")}/boats`);
  await page.getByLabel("User name").fill("hal");
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect.poll(() => sockets.length).toBe(1);
  // It loses its connection whenever it has one, and asks.
  let asked = 0;
  page.on("response", (response) => void (response.url().includes("/_auth/session") && (asked += 1)));
  const lose = setInterval(() => sockets.splice(0).forEach(({ toPage }) => void toPage.close({ code: 1001 }).catch(() => {})), 100);
  try {
    await page.waitForURL("**/_auth/login?reason=session_expired*", { timeout: 20_000 });
  } finally {
    clearInterval(lose);
  }
  expect(asked).toBeGreaterThan(0);
  expect(await page.getByRole("status").textContent()).toMatch(/^Your session expired just now \(.* UTC\)\.$/);
});

test("a page may ask for a window event instead of the redirect", async () => {
  const { page, signIn, ended } = await open("ben", 'data-redirect="off"');
  await signIn();
  await guard.login("ben");
  await expect.poll(ended).toMatchObject({ type: "session.superseded", data: { sub: "ben", device: "desktop", by: "other" } });
  expect(page.url()).toBe(`${url}/boats?page=2`);
});

test("a page may prevent the redirect when it gets the event", async () => {
  const { page, signIn, ended } = await open("cem");
  await page.addInitScript("addEventListener('session-guard:ended', (event) => event.preventDefault())");
  await signIn();
  await guard.login("cem");
  await expect.poll(ended).toMatchObject({ type: "session.superseded" });
  expect(page.url()).toBe(`${url}/boats?page=2`);
});

test("a lost connection is opened again, and the session is checked", async () => {
  const { page, asked, signIn, ended } = await open("dee", 'data-redirect="off"');
  const sockets = await route(page);
  await signIn();
  await sockets[0]?.toPage.close({ code: 1001 });
  await expect.poll(() => asked, { timeout: 10_000 }).toEqual(["200"]);
  expect([sockets.length, await ended()]).toEqual([2, undefined]);
  await guard.login("dee");
  await expect.poll(ended).toMatchObject({ type: "session.superseded" });
});

test("a session that ended while the connection was lost is noticed when it is opened again", async () => {
  const { page, asked, signIn, ended } = await open("eva", 'data-redirect="off"');
  const sockets = await route(page);
  await signIn();
  await sockets[0]?.toPage.close({ code: 1001 });
  await guard.login("eva");
  await expect.poll(ended, { timeout: 10_000 }).toMatchObject({ type: "session.superseded" });
  expect(asked).toEqual(["401"]);
});

test("a page that waits stays signed in for longer than its token lasts, and asks no more than it must", async () => {
  await using clocked = await startGuard({ TOKEN_TTL: "15 minutes" }, { clock: true });
  const site = clocked.url.replace("127.0.0.1", "localhost");
  clocked.origin.reply = { headers: { "content-type": "text/html" }, body: '<title>Members</title><script src="/_auth/client.js" async></script>' };
  const setClock = (after: number) => clocked.fetch("/_auth/health", { headers: { "x-clock": `${after * 60_000}` } });
  await setClock(0);
  const context = await newContext();
  const page = await context.newPage();
  await page.clock.install();
  await page.addInitScript("addEventListener('session-guard:ended', ({ detail }) => { globalThis.ended = detail })");
  const asked: string[] = [];
  page.on("response", (response) => asked.push(`${new URL(response.url()).pathname} ${response.status()}`));
  await page.goto(`${site}/boats`);
  await submitLogin(page, "waits");
  await page.waitForURL(`${site}/boats`);
  const token = async () => (await context.cookies()).find(({ name }) => name === "__Host-session")?.value;
  const first = await token();
  asked.length = 0;
  await page.clock.fastForward("00:21");
  await expect.poll(() => asked).toEqual(["/_auth/session 200"]);
  for (const after of [8, 16, 24, 32]) {
    const [before] = [await token(), await setClock(after)];
    await page.clock.fastForward("08:00");
    await expect.poll(token).not.toBe(before);
  }
  expect(await token()).not.toBe(first);
  expect(asked.filter((it) => it === "/_auth/refresh 200")).toHaveLength(4);
  expect(new Set(asked)).toEqual(new Set(["/_auth/session 200", "/_auth/refresh 200"]));
  expect(await page.evaluate("globalThis.ended")).toBeUndefined();
});
