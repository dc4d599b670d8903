// TRUSTED_PROXIES and CLIENT_IP_HEADER: who may say from which address a request comes, on a workerd of one's own.

import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import type { Socket } from "node:net";
import { describe, expect, test } from "vitest";
import { useFolder } from "../harness/commands.ts";
import { bearer, loginInit, send, type LoggedIn } from "../harness/guard.ts";
import { startOrigin } from "../harness/origin.ts";
import { PROXIES, startFrontProxy } from "../harness/proxy.ts";
import { selfHost, settingsOf } from "../harness/self_host.ts";

const folder = useFolder();
const HOST = "members.example.com";
const ROUTES = JSON.stringify([{ path: "/open/*", access: "public" }]);

/** What a client may send to look like somebody else. */
const FORGED = { "cf-connecting-ip": "6.6.6.6", "x-forwarded-for": "6.6.6.6", "x-real-ip": "6.6.6.6", "true-client-ip": "6.6.6.6", forwarded: "for=6.6.6.6", "x-forwarded-proto": "https", "cf-ipcountry": "XX", "cf-visitor": '{"scheme":"https"}' };

/** Starts a guard before a recording origin. */
async function start(vars: Record<string, string>) {
  const origin = await startOrigin();
  const guard = await selfHost(settingsOf(folder, origin.url, { ROUTES, SESSION_LIMIT: "0", ...vars }));
  const { received } = origin;
  return {
    url: guard.url,
    received,
    /** What the origin gets of a request from this address of the loopback network. */
    async forwarded(headers: Record<string, string>, path = "/open/x", localAddress = "127.0.0.1", url = guard.url) {
      received.length = 0;
      const request = url.startsWith("https:") ? httpsRequest : httpRequest;
      const sent = request(url + path, { headers: { host: HOST, ...headers }, localAddress, servername: HOST, rejectUnauthorized: false });
      sent.end();
      const [answer] = (await once(sent, "response")) as [IncomingMessage];
      answer.resume();
      const got = received[0]?.headers ?? {};
      const cf = Object.keys(got).filter((name) => name.startsWith("cf-") && name !== "cf-connecting-ip");
      return { status: answer.statusCode, for: got["x-forwarded-for"], cloudflare: got["cf-connecting-ip"], proto: got["x-forwarded-proto"], host: got["x-forwarded-host"], cf };
    },
    async [Symbol.asyncDispose]() {
      await guard[Symbol.asyncDispose]();
      await origin[Symbol.asyncDispose]();
    },
  };
}

describe("on a workerd of one's own", () => {
  test("no header counts unless a proxy is named, with the decision cache, too", { timeout: 60_000 }, async () => {
    await using guard = await start({ REQUIRE_HTTPS: "false" });
    const { access_token } = (await (await send(guard.url, "/_auth/login", loginInit({ username: "ada" }, { host: HOST }))).json()) as LoggedIn;
    const own = { for: "127.0.0.1", cloudflare: "127.0.0.1", proto: "http", host: HOST, cf: [] };
    expect(await guard.forwarded(FORGED)).toEqual({ status: 200, ...own });
    const token = { authorization: `Bearer ${access_token}` };
    for (const address of ["127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.2"]) {
      const expected = { status: 200, ...own, for: address, cloudflare: address };
      expect(await guard.forwarded({ ...token, ...FORGED }, "/boats", address)).toEqual(expected);
      expect(await guard.forwarded(token, "/boats", address)).toEqual(expected);
    }
  });

  test("forged addresses do not add up to more logins", { timeout: 60_000 }, async () => {
    await using guard = await start({ REQUIRE_HTTPS: "false", LOGIN_RATE_PER_ADDRESS: "2 per minute" });
    const attempt = async (n: number) => (await send(guard.url, "/_auth/login", loginInit({ username: `u${n}`, password: "wrong" }, { "cf-connecting-ip": `10.1.1.${n}`, "x-forwarded-for": `10.1.1.${n}` }))).status;
    expect([await attempt(1), await attempt(2), await attempt(3)]).toEqual([401, 401, 429]);
  });

  test("a named proxy says who its client is and how it came, and nobody else does", { timeout: 60_000 }, async () => {
    await using guard = await start({ TRUSTED_PROXIES: "127.0.0.2, 10.0.0.0/8", CLIENT_IP_HEADER: "X-Forwarded-For" });
    const through = { "x-forwarded-for": "6.6.6.6, 203.0.113.7, 10.0.0.4", "x-forwarded-proto": "https", "cf-connecting-ip": "6.6.6.6", "cf-ray": "x" };
    expect(await guard.forwarded(through, "/open/x", "127.0.0.2")).toEqual({ status: 200, for: "203.0.113.7", cloudflare: "203.0.113.7", proto: "https", host: HOST, cf: [] });
    expect(await guard.forwarded(through, "/open/x", "127.0.0.3")).toEqual({ status: 200, for: "127.0.0.3", cloudflare: "127.0.0.3", proto: "http", host: HOST, cf: [] });
    // Of the word of somebody else, nothing is believed: a session's path is refused over http.
    const statuses = await Promise.all(["127.0.0.2", "127.0.0.3"].map(async (address) => (await guard.forwarded(through, "/boats", address)).status));
    expect(statuses).toEqual([401, 403]);
  });

  describe.each(PROXIES)("behind %s, as the page on self-hosting configures it", (name) => {
    test("the origin learns the client's address, which the client cannot choose; sockets pass", { timeout: 60_000 }, async () => {
      await using guard = await start({ TRUSTED_PROXIES: "127.0.0.1" });
      await using proxy = await startFrontProxy(name, guard.url);
      // The guard's own port is plain http, where nobody logs in.
      const init = loginInit({ username: "ada" }, { host: HOST });
      expect((await send(guard.url, "/_auth/login", init)).status).toBe(403);
      const { access_token } = (await (await send(guard.url, "/_auth/login", { ...init, headers: { ...init.headers, "x-forwarded-proto": "https" } })).json()) as LoggedIn;
      const client = "127.0.0.9";
      const got = await guard.forwarded({ ...bearer(access_token).headers, ...FORGED, "x-forwarded-proto": "http" }, "/boats?a=%2F..", client, proxy.url);
      expect(got).toEqual({ status: 200, for: client, cloudflare: client, proto: "https", host: HOST, cf: [] });
      expect(guard.received[0]).toMatchObject({ target: "/boats?a=%2F..", headers: { "x-auth-request-user": "ada" } });
      expect(JSON.stringify(guard.received[0]?.headers)).not.toContain("6.6.6.6");
      const handshake = httpsRequest(`${proxy.url}/_auth/events`, { headers: { host: HOST, connection: "Upgrade", upgrade: "websocket", "sec-websocket-version": "13", "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==", ...bearer(access_token).headers }, servername: HOST, rejectUnauthorized: false });
      handshake.end();
      const [answer, socket] = (await once(handshake, "upgrade")) as [IncomingMessage, Socket];
      expect(answer.statusCode).toBe(101);
      socket.destroy();
    });
  });
});
