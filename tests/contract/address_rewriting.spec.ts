// The site's address in responses of an origin at ORIGIN_URL, and REWRITE_ORIGIN in requests.

import { gunzipSync, gzipSync } from "node:zlib";
import { WebSocket } from "ws";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { bearer, loginInit, startGuard, useGuard, type Guard } from "../harness/guard.ts";
import type { Reply } from "../harness/origin.ts";

const guard = useGuard({ SESSION_LIMIT: "0", ROUTES: JSON.stringify([{ path: "/open", access: "public", login: true }, { path: "/plain", access: "public" }]) });
let headers: Record<string, string>;
beforeAll(async () => {
  ({ headers } = bearer((await guard.login("ada")).access_token));
});
beforeEach(() => {
  guard.origin.received.length = 0;
  guard.origin.reply = {};
});

/** An answer's headers of these names, as the client reads them when the origin says this. */
async function read(reply: Reply, names: string[], path = "/items") {
  guard.origin.reply = reply;
  const answer = await guard.fetch(path, { headers });
  return [answer.status, ...names.map((name) => answer.headers.get(name))];
}

describe("the origin's address in a response header becomes the site's", () => {
  test.each(["/items", "/items", "/items", "/open"])("in the Location of a redirect, at %s", async (path) => {
    const reply = { status: 307, headers: { location: `${guard.origin.url}/items/?a=${guard.origin.url}` } };
    expect(await read(reply, ["location"], path)).toEqual([307, `${guard.url}/items/?a=${guard.origin.url}`]);
  });

  test("with the host of the request", async () => {
    guard.origin.reply = { status: 302, headers: { location: `${guard.origin.url}/a` } };
    const answer = await guard.fetch("/plain", { headers: { host: "App.example.com" } });
    expect(answer.headers.get("location")).toBe("http://app.example.com/a");
  });

  test("in Link, Refresh and Content-Location, while the body is unchanged", async () => {
    const { url } = guard.origin;
    const reply = {
      headers: { "content-location": `${url}/t.json`, link: `<${url}/t.json?_next=2>; rel="next", <https://cdn.example/a.css>; rel=preload`, refresh: `5; url='${url}/t'` },
      body: `see ${url}`,
    };
    guard.origin.reply = reply;
    const answer = await guard.fetch("/items", { headers });
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      "content-location": `${guard.url}/t.json`, link: `<${guard.url}/t.json?_next=2>; rel="next", <https://cdn.example/a.css>; rel=preload`, refresh: `5; url='${guard.url}/t'`,
    });
    expect(await answer.text()).toBe(reply.body);
  });

  test.each<[string, string, string?]>([
    ["refresh", "5; url=http://o/a", "5; url=https://s/a"],
    ["refresh", "0;URL='http://o/a'", "0;URL='https://s/a'"],
    ["refresh", '0 ; Url = "http://o/a"', '0 ; Url = "https://s/a"'],
    ["refresh", "0, http://o", "0, https://s"],
    ["refresh", "5"],
    ["refresh", "5; url=/a"],
    ["refresh", "5; url=http://o.evil.example/"],
    ["refresh", "5; url=http://evil.example/?http://o/"],
    ["link", '<http://o/t.json?_next=2>; rel="next"', '<https://s/t.json?_next=2>; rel="next"'],
    ["link", "<http://o/1>; rel=prev, <https://cdn.example/a.css>; rel=preload, <//o/3>; rel=next", "<https://s/1>; rel=prev, <https://cdn.example/a.css>; rel=preload, <https://s/3>; rel=next"],
    ["link", '</a>; rel=up; anchor="http://o/b"; title="a \\" <http://o/c>"', '</a>; rel=up; anchor="https://s/b"; title="a \\" <http://o/c>"'],
    ["link", "<http://o.evil.example/>; rel=next"],
    ["content-location", "http://o/<http://o/>", "https://s/<http://o/>"],
  ])("in %s: %s", async (name, said, expected = said) => {
    const [origin, site] = [guard.origin.url, guard.url];
    const at = (text: string) => text.replaceAll("http://o", origin).replaceAll("//o/", `${origin.slice(5)}/`).replaceAll("https://s", site);
    expect(await read({ headers: { [name]: at(said) } }, [name])).toEqual([200, at(expected)]);
  });

  test("while a compressed body is unchanged", async () => {
    const body = gzipSync("the origin's answer");
    guard.origin.reply = { headers: { link: `<${guard.origin.url}/2>; rel=next`, "content-encoding": "gzip" }, stream: (response) => response.end(body) };
    const answer = await guard.fetch("/items", { headers: { ...headers, "accept-encoding": "gzip" } });
    expect([answer.headers.get("link"), answer.headers.get("content-encoding")]).toEqual([`<${guard.url}/2>; rel=next`, "gzip"]);
    expect(gunzipSync(await answer.arrayBuffer()).toString()).toBe("the origin's answer");
  });

  test("also if the response logs somebody in, and all cookies are set", async () => {
    guard.origin.reply = { status: 303, headers: { location: `${guard.origin.url}/home`, "x-guard-login": '{"sub":"ben"}', "set-cookie": ["a=1", "b=2"] } };
    const answer = await guard.fetch("/open");
    expect(answer.headers.get("location")).toBe(`${guard.url}/home`);
    expect(answer.headers.getSetCookie()).toEqual(["a=1", "b=2", expect.stringMatching(/^__Host-session=/)]);
  });

  test.each([
    ["a path", () => "/items/"],
    ["another site", () => "https://other.example/a"],
    ["another port", () => `${guard.origin.url}0/a`],
    ["a host that begins alike", () => `${guard.origin.url}.evil.example/a`],
    ["the origin as a user", () => `${guard.origin.url}@evil.example/a`],
  ])("but %s is unchanged", async (_, location) => {
    expect(await read({ status: 302, headers: { location: location() } }, ["location"])).toEqual([302, location()]);
  });
});

test("an origin that is another Worker gets the site's host, and its redirects are unchanged", async () => {
  const bound = `export default { fetch: (request) => new Response(null, { status: 302, headers: { location: new URL("/a/", request.url).href } }) };`;
  await using guard = await startGuard({ LOGIN_URL: "https://app.example.com/internal/login", ROUTES: '[{"path":"/*","access":"public"}]' }, { bound });
  const answer = await guard.fetch("/a", { headers: { host: "app.example.com" } });
  expect(answer.headers.get("location")).toBe("http://app.example.com/a/");
});

describe("Origin and Referer of a request from the site's own page", () => {
  const sent = (guard: Guard) => guard.origin.received.map(({ headers: { origin, referer } }) => [origin, referer]);

  test("name the site by default", async () => {
    await guard.fetch("/items", { method: "POST", headers: { ...headers, origin: guard.url, referer: `${guard.url}/a` } });
    expect(sent(guard)).toEqual([[guard.url, `${guard.url}/a`]]);
  });

  test("name the origin with REWRITE_ORIGIN, in every request, while those of other sites are unchanged", async () => {
    await using rewriting = await startGuard({ REWRITE_ORIGIN: "true" });
    const { headers } = bearer((await rewriting.login("ada")).access_token);
    const [site, origin] = [rewriting.url, rewriting.origin.url];
    const pages: [string, string][] = [[site, `${site}/a`], [site, `${site}/b?c=${site}`], ["https://evil.example", `https://evil.example/${site}`], [site, `${site}/a`], ["null", `${site}.evil.example/`], [site, site]];
    for (const [from, referer] of [...pages, ...pages]) {
      expect((await rewriting.fetch("/items", { headers: { ...headers, origin: from, referer } })).status).toBe(200);
    }
    const expected = [[origin, `${origin}/a`], [origin, `${origin}/b?c=${site}`], ["https://evil.example", `https://evil.example/${site}`], [origin, `${origin}/a`], ["null", `${site}.evil.example/`], [origin, origin]];
    expect(sent(rewriting)).toEqual([...expected, ...expected]);
  });

  test("are rewritten for a WebSocket, too", async () => {
    await using rewriting = await startGuard({ REWRITE_ORIGIN: "true" });
    const { headers } = bearer((await rewriting.login("ada")).access_token);
    const socket = new WebSocket(rewriting.url.replace("http", "ws"), { headers, origin: rewriting.url });
    await new Promise((opened, failed) => socket.once("open", opened).once("error", failed));
    socket.terminate();
    expect(sent(rewriting)).toEqual([[rewriting.origin.url, undefined]]);
  });

  test("are still checked: another site's request with the cookie is refused", async () => {
    await using rewriting = await startGuard({ REWRITE_ORIGIN: "true" });
    const cookie = (await rewriting.fetch("/_auth/login", loginInit({ username: "ada" }))).headers.getSetCookie()[0]?.split(";")[0] ?? "";
    const post = (from: string) => rewriting.fetch("/items", { method: "POST", headers: { cookie, origin: from } });
    expect([(await post(rewriting.url)).status, (await post(rewriting.origin.url)).status, (await post("https://evil.example")).status]).toEqual([200, 403, 403]);
  });
});
