// Connections through the guard that outlive their request end with their session.

import { once } from "node:events";
import { request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http";
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from "vitest";
import { bearer, startGuard, type Guard } from "../harness/guard.ts";
import { openSocket, refusalOf } from "../harness/socket.ts";

let guard: Guard;
beforeAll(async () => {
  guard = await startGuard();
});
beforeEach(() => {
  guard.origin.received.length = guard.origin.sockets.length = 0;
  guard.origin.reply = {};
});
afterAll(() => guard[Symbol.asyncDispose]());

const headersOf = (token: string) => bearer(token).headers as Record<string, string>;

/** Opens a WebSocket to the origin. */
async function connect(token: string, protocols: string[] = [], to = guard) {
  const client = await openSocket(`${to.url}/chat?room=1`, headersOf(token), protocols);
  const origin = to.origin.sockets.at(-1);
  if (origin === undefined) throw new Error("the origin has no WebSocket");
  const closed = once(origin, "close").then(([code, reason]) => ({ code: code as number, reason: String(reason) }));
  return { client, origin, originClosed: closed };
}

/** Gets an answer that goes on, and writes down what comes of it. */
async function follow(token: string, to = guard) {
  const { hostname, port } = new URL(to.url);
  const request = httpRequest({ hostname, port, path: "/stream", headers: headersOf(token) }).end();
  const [answer] = (await once(request, "response")) as [IncomingMessage];
  const heard: string[] = [];
  answer.on("data", (chunk: Buffer) => heard.push(chunk.toString()));
  const ended = new Promise<string>((resolve) => {
    answer.on("end", () => resolve("ended"));
    answer.on("error", (error) => resolve(`broken: ${error.message}`));
  });
  return { request, answer, heard, ended };
}

/** Has the origin answer with a stream that the test writes. */
function stream(type: string, origin = guard.origin): Promise<ServerResponse> {
  return new Promise((resolve) => {
    origin.reply = {
      headers: { "content-type": type, "x-custom": "a" },
      stream: (response) => {
        response.write("data: 1\n\n");
        resolve(response);
      },
    };
  });
}

describe("a WebSocket", () => {
  test("reaches the origin with the identity and without the credential, and carries texts and bytes both ways", async () => {
    const { access_token } = await guard.login("talks");
    const { client } = await connect(access_token, ["other", "chat"]);
    await using _ = client;
    expect(guard.origin.received[0]).toMatchObject({ target: "/chat?room=1", headers: { "x-auth-request-user": "talks" } });
    expect(guard.origin.received[0]?.headers).not.toHaveProperty("authorization");
    expect(client.socket.protocol).toBe("chat");
    const large = "é".repeat(100_000);
    for (const message of ["text", "", Buffer.from([0, 255]), large]) client.socket.send(message);
    await expect.poll(() => client.heard).toEqual(["text", "", "0x00ff", large]);
  });

  test("is closed on both sides within two seconds of a newer login, with the reason", async () => {
    const { access_token } = await guard.login("superseded");
    const { client, origin, originClosed } = await connect(access_token);
    const chatter = setInterval(() => [origin, client.socket].forEach((it) => it.send("x")), 1);
    const start = Date.now();
    await guard.login("superseded");
    const { at, ...closed } = await client.closed.finally(() => clearInterval(chatter));
    console.info(`${inject("store")}: from the login's beginning to the WebSocket's close: ${at - start} ms`);
    expect(closed).toEqual({ code: 4001, reason: "session_superseded" });
    expect(await originClosed).toEqual(closed);
    expect(guard.log.filter((line) => /error|uncaught/i.test(line))).toEqual([]);
    expect(at - start).toBeLessThan(2000);
  });

  test("lives on when another session of the user ends", async () => {
    await using lasting = await startGuard({ SESSION_LIMIT: "0" });
    const [one, other] = [await lasting.login("ada"), await lasting.login("ada")];
    const { client } = await connect(one.access_token, [], lasting);
    const { client: gone } = await connect(other.access_token, [], lasting);
    await lasting.fetch("/_auth/logout", { method: "POST", ...bearer(other.access_token) });
    expect(await gone.closed).toMatchObject({ code: 4001, reason: "session_revoked" });
    client.socket.send("still here");
    await expect.poll(() => client.heard).toEqual(["still here"]);
  });

  test("lives on when its token is refreshed, and is closed when the session ends after that", async () => {
    const { access_token } = await guard.login("refreshes");
    const { client } = await connect(access_token);
    const refreshed = await guard.fetch("/_auth/refresh", { method: "POST", ...bearer(access_token) });
    const { access_token: next } = (await refreshed.json()) as { access_token: string };
    client.socket.send("still here");
    await expect.poll(() => client.heard).toEqual(["still here"]);
    await guard.fetch("/_auth/logout", { method: "POST", ...bearer(next) });
    expect(await client.closed).toMatchObject({ code: 4001, reason: "session_revoked" });
  });

  test("is closed when its session ends by itself", async () => {
    await using brief = await startGuard({ SESSION_TTL: "2 seconds" });
    const { access_token } = await brief.login("ada");
    const { client } = await connect(access_token, [], brief);
    expect(await client.closed).toMatchObject({ code: 4001, reason: "session_expired" });
  });

  test.each([
    ["with a code and a reason", 4321, "because", { code: 4321, reason: "because" }],
    ["without a code", undefined, undefined, { code: 1005, reason: "" }],
  ])("that either side closes %s is closed so on the other", async (_, code, reason, expected) => {
    const { access_token } = await guard.login("closes");
    const first = await connect(access_token);
    first.client.socket.close(code, reason);
    expect(await first.originClosed).toEqual(expected);
    const second = await connect(access_token);
    second.origin.close(code, reason);
    expect(await second.client.closed).toMatchObject(expected);
  });

  test("whose client or origin vanishes is closed on the other side", async () => {
    const { access_token } = await guard.login("vanishes");
    const first = await connect(access_token);
    first.client.socket.terminate();
    await first.originClosed;
    const second = await connect(access_token);
    second.origin.terminate();
    expect((await second.client.closed).code).toBeGreaterThan(1000);
  });

  test("without a live session is not opened", async () => {
    expect(await refusalOf(`${guard.url}/chat`, {})).toMatchObject({ status: 401, body: { code: "token_missing" } });
    expect(guard.origin.sockets).toEqual([]);
  });
});

describe("a stream of events", () => {
  test("passes piece by piece, and ends within two seconds of a newer login, at the origin too", async () => {
    const { access_token } = await guard.login("streams");
    const opened = stream("text/event-stream; charset=utf-8");
    const { answer, heard, ended } = await follow(access_token);
    expect(answer).toMatchObject({ statusCode: 200, headers: { "content-type": "text/event-stream; charset=utf-8", "x-custom": "a" } });
    const response = await opened;
    await expect.poll(() => heard.join("")).toBe("data: 1\n\n");
    response.write("data: 2\n\n");
    await expect.poll(() => heard.join("")).toBe("data: 1\n\ndata: 2\n\n");
    const gone = once(response, "close");
    const start = Date.now();
    await guard.login("streams");
    expect(await ended).toBe("ended");
    console.info(`${inject("store")}: from the login's beginning to the stream's end: ${Date.now() - start} ms`);
    expect(Date.now() - start).toBeLessThan(2000);
    await gone;
  });

  test("ends when the origin ends it, breaks when that breaks, and is left when the client leaves", async () => {
    const { access_token } = await guard.login("leaves");
    let opened = stream("text/event-stream");
    const first = await follow(access_token);
    (await opened).end("data: 2\n\n");
    expect([await first.ended, first.heard.join("")]).toEqual(["ended", "data: 1\n\ndata: 2\n\n"]);

    opened = stream("text/event-stream");
    const second = await follow(access_token);
    (await opened).destroy();
    expect(await second.ended).toContain("broken");

    opened = stream("text/event-stream");
    const third = await follow(access_token);
    third.answer.on("error", () => {});
    const response = await opened;
    const gone = once(response, "close");
    third.request.destroy();
    const writes = setInterval(() => response.write("data: more\n\n"), 50);
    await gone.finally(() => clearInterval(writes));
  });

  test("ends at once when its session ended while the origin had not answered yet", async () => {
    const { access_token } = await guard.login("races");
    guard.origin.reply = {
      headers: { "content-type": "text/event-stream" },
      stream: async (response) => {
        await guard.login("races");
        response.write("data: 1\n\n");
      },
    };
    expect(await (await follow(access_token)).ended).toBe("ended");
  });

  test("is not read faster than its client reads", async () => {
    const { access_token } = await guard.login("slow");
    const opened = stream("text/event-stream");
    const { answer } = await follow(access_token);
    answer.pause();
    const response = await opened;
    const piece = `data: ${"x".repeat(1 << 20)}\n\n`;
    let written = 0;
    while (written < 64 && (response.write(piece) || (await drains(response)))) written += 1;
    expect(written).toBeLessThan(64);
    answer.resume();
    await once(response, "drain");
    response.end();
  });
});

/** Does the client take what was written, or is it stuck? */
function drains(response: ServerResponse): Promise<boolean> {
  return new Promise((resolve) => {
    const stuck = setTimeout(() => resolve(false), 1000);
    response.once("drain", () => {
      clearTimeout(stuck);
      resolve(true);
    });
  });
}

test("an ordinary download finishes, though its session has ended meanwhile", async () => {
  const { access_token } = await guard.login("downloads");
  const opened = stream("application/octet-stream");
  const { heard, ended } = await follow(access_token);
  const response = await opened;
  await guard.login("downloads");
  expect((await guard.fetch("/", bearer(access_token))).status).toBe(401);
  response.end("the rest");
  expect([await ended, heard.join("")]).toEqual(["ended", "data: 1\n\nthe rest"]);
});

test.runIf(inject("store") === "redis")("without Durable Objects, live connections pass and are the origin's to end", async () => {
  await using bare = await startGuard({}, { withoutObjects: true });
  const { access_token } = await bare.login("ada");
  const { client } = await connect(access_token, [], bare);
  await bare.login("ada");
  client.socket.send("still here");
  await expect.poll(() => client.heard).toEqual(["still here"]);
});
