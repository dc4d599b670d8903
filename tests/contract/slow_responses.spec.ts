// Responses that come late: the session is checked again before they are sent.

import { request as httpRequest } from "node:http";
import { beforeEach, describe, expect, test } from "vitest";
import { answerOf, bearer, useGuard } from "../harness/guard.ts";

const guard = useGuard();

beforeEach(() => {
  guard.origin.received.length = guard.origin.sockets.length = guard.log.length = 0;
  guard.origin.reply = {};
});

describe("a response that comes late", () => {
  const long = () => new Promise((resume) => setTimeout(resume, 1200));
  const lateTo = async (user: string, reply: typeof guard.origin.reply, init: RequestInit, between: () => Promise<unknown>) => {
    const { access_token } = await guard.login(user);
    guard.origin.reply = { ...reply, after: () => Promise.all([between(), long()]) };
    return guard.fetch("/poll", { ...init, headers: { ...init.headers as Record<string, string>, ...bearer(access_token).headers } });
  };

  test.each<[string, typeof guard.origin.reply, RequestInit]>([
    ["with a length", { headers: { "content-type": "application/json" }, body: '{"news":"secret"}' }, {}],
    ["without one", { stream: (response) => response.end("secret") }, {}],
    ["that goes on", { stream: (response) => void response.write("secret") }, {}],
    ["without a body", { status: 204, headers: { "x-news": "secret" } }, {}],
    ["to a POST", { body: "secret" }, { method: "POST", body: "a=b" }],
    ["with a cookie", { headers: { "set-cookie": "news=secret" } }, {}],
  ])("%s is withheld if the session has ended meanwhile", async (name, reply, init) => {
    const answer = await answerOf(lateTo(`ends ${name}`, reply, init, () => guard.login(`ends ${name}`)));
    expect(answer).toMatchObject({ status: 401, body: { code: "session_superseded" }, headers: { "cache-control": "no-store" } });
    expect(JSON.stringify(answer)).not.toContain("secret");
  });

  test("to HEAD is withheld, too", async () => {
    const { status, headers } = await lateTo("ends at HEAD", { headers: { "x-news": "secret" } }, { method: "HEAD" }, () => guard.login("ends at HEAD"));
    expect([status, headers.get("x-news")]).toEqual([401, null]);
  });

  test("to a navigation becomes a redirect to the login page", async () => {
    const init = { headers: { "sec-fetch-mode": "navigate", accept: "text/html" } };
    const { status, headers } = await lateTo("navigates", { body: "secret" }, init, () => guard.login("navigates"));
    expect([status, headers.get("location")]).toEqual([302, expect.stringMatching(/\/login\?redirect=.*reason=session_superseded/)]);
  });

  test("is unchanged if the session is live", async () => {
    const reply = { status: 203, headers: { "x-news": "a", "content-length": "4" }, body: "news" };
    expect(await answerOf(lateTo("waits", reply, {}, async () => undefined))).toMatchObject({ status: 203, headers: { "x-news": "a", "content-length": "4" }, body: "news" });
  });

  test("causes no check if the client has disconnected", async () => {
    const { access_token } = await guard.login("leaves early");
    guard.origin.reply = { after: long, body: "news" };
    const { hostname, port } = new URL(guard.url);
    const request = httpRequest({ hostname, port, path: "/poll", headers: bearer(access_token).headers }).end();
    request.on("error", () => {});
    await expect.poll(() => guard.origin.received).toHaveLength(1);
    request.destroy();
    await long();
    expect(guard.log.filter((line) => /error|uncaught/i.test(line))).toEqual([]);
  });
});
