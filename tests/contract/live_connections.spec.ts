// Connections through the guard that outlive their request end with their session.

import { once } from "node:events";
import { request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http";
import { connect as connectSocket, type Socket } from "node:net";
import { createGzip, constants } from "node:zlib";
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from "vitest";
import { answerOf, bearer, startGuard, type Guard } from "../harness/guard.ts";
import { startRawOrigin } from "../harness/raw_http.ts";
import { openSocket, refusalOf } from "../harness/websocket.ts";
import type { WebSocket } from "ws";

let guard: Guard;
beforeAll(async () => {
  guard = await startGuard();
});
beforeEach(() => {
  guard.origin.received.length = guard.origin.sockets.length = guard.log.length = 0;
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
  const bytes: Buffer[] = [];
  answer.on("data", (chunk: Buffer) => (heard.push(chunk.toString()), bytes.push(chunk)));
  const ended = new Promise<string>((resolve) => {
    answer.on("end", () => resolve("ended"));
    answer.on("error", (error) => resolve(`broken: ${error.message}`));
  });
  return { request, answer, heard, bytes, ended };
}

/** Has the origin answer with a stream that the test writes. */
function stream(type: string, origin = guard.origin, headers: Record<string, string> = {}): Promise<ServerResponse> {
  return new Promise((resolve) => {
    origin.reply = {
      headers: { ...(type && { "content-type": type }), "x-custom": "a", ...headers },
      stream: (response) => {
        response.write("data: 1\n\n");
        resolve(response);
      },
    };
  });
}

/** What a close frame carries: a code and a reason. */
function payload(code: number, reason: string | Buffer): Buffer {
  return Buffer.concat([Buffer.from([code >> 8, code & 255]), Buffer.from(reason as string)]);
}

/** A close frame (RFC 6455, section 5.2). Clients mask theirs, here with zeros. */
function frame(bytes: Buffer, isMasked: boolean): Buffer {
  return Buffer.concat([Buffer.from([0x88, bytes.length | (isMasked ? 128 : 0)]), Buffer.alloc(isMasked ? 4 : 0), bytes]);
}

/** Codes that may be sent, and "none", which is what stands for a frame without one. */
const canBeSent = (code: number) => (code >= 1000 && code <= 1014 && ![1004, 1006].includes(code)) || (code >= 3000 && code <= 4999);

/** The connection below a WebSocket. */
const rawSocketOf = (socket: WebSocket) => (socket as unknown as { _socket: Socket })._socket;

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

  // Closed so by bytes, because no program's API does it (RFC 6455, section 7.4): [sent, heard on the other side].
  // Measured once more if another test took the processor meanwhile.
  test.each<[string, Buffer, { code: number; reason: string }]>([
    ...[1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 4999].map((code): [string, Buffer, { code: number; reason: string }] => [`${code}`, payload(code, "why"), { code, reason: "why" }]),
    ...[0, 999, 1004, 1005, 1006, 1015, 1016, 1999, 2000, 2999, 5000, 65535].map((code): [string, Buffer, { code: number; reason: string }] => [`${code}`, payload(code, "why"), { code: expect.toSatisfy(canBeSent), reason: "" }]),
    ["1000 and 123 bytes", payload(1000, "é".repeat(61) + "x"), { code: 1000, reason: "é".repeat(61) + "x" }],
    ["4000 and what is no UTF-8", payload(4000, Buffer.alloc(123, 0xff)), { code: expect.toSatisfy(canBeSent), reason: expect.any(String) }],
    ["half a code", Buffer.from([3]), { code: expect.toSatisfy(canBeSent), reason: expect.any(String) }],
    ["nothing", Buffer.alloc(0), { code: 1005, reason: "" }],
  ])("that either side closes with %s is closed on the other within a second", { retry: 3 }, async (name, bytes, expected) => {
    const { access_token } = await guard.login(`closes with ${name}`);
    const first = await connect(access_token);
    first.client.socket.on("error", () => {});
    let start = Date.now();
    rawSocketOf(first.client.socket).write(frame(bytes, true));
    expect({ sent: name, by: "the client", heard: await first.originClosed }).toEqual({ sent: name, by: "the client", heard: expected });
    expect(Date.now() - start).toBeLessThan(1000);
    const second = await connect(access_token);
    // The runtime echoes the frame.
    second.originClosed.catch(() => {});
    start = Date.now();
    rawSocketOf(second.origin).write(frame(bytes, false));
    const { at, ...heard } = await second.client.closed;
    expect({ sent: name, by: "the origin", heard }).toEqual({ sent: name, by: "the origin", heard: expected });
    expect(at - start).toBeLessThan(1000);
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
  test("passes piece by piece, and breaks off within two seconds of a newer login, at the origin too", async () => {
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
    expect(await ended).toBe("broken: aborted");
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

  test("breaks off at once when its session ended while the origin had not answered yet", async () => {
    const { access_token } = await guard.login("races");
    guard.origin.reply = {
      headers: { "content-type": "text/event-stream" },
      stream: async (response) => {
        await guard.login("races");
        response.write("data: 1\n\n");
      },
    };
    expect(await (await follow(access_token)).ended).toBe("broken: aborted");
  });

  // By the bytes: an orderly end would be the last chunk, of no length (RFC 9112, section 7.1).
  test("that is cut off has no last chunk, so that no client takes it for whole, and the next request says why", async () => {
    const { access_token } = await guard.login("cut");
    const opened = stream("text/event-stream");
    const { hostname, port } = new URL(guard.url);
    const socket = connectSocket({ host: hostname, port: Number(port) });
    let text = "";
    socket.on("data", (chunk) => (text += chunk.toString())).on("error", () => {});
    socket.write(`GET /stream HTTP/1.1\r\nHost: ${hostname}:${port}\r\nAuthorization: Bearer ${access_token}\r\n\r\n`);
    await opened;
    await expect.poll(() => text).toContain("data: 1\n\n");
    const closed = once(socket, "close");
    await guard.login("cut");
    await closed;
    expect(text).toMatch(/transfer-encoding: chunked/i);
    expect(text).toMatch(/\r\n9\r\ndata: 1\n\n\r\n$/);
    expect(await answerOf(guard.fetch("/stream", bearer(access_token)))).toMatchObject({ status: 401, body: { code: "session_superseded" } });
    expect(guard.log.filter((line) => /error|uncaught/i.test(line))).toEqual([]);
  });

  test("in gzip passes event by event, and byte for byte", async () => {
    const { access_token } = await guard.login("zips");
    const zip = createGzip();
    const zipped: Buffer[] = [];
    zip.on("data", (piece: Buffer) => zipped.push(piece));
    const flushed = (text: string) => new Promise<void>((done) => (zip.write(text), zip.flush(constants.Z_SYNC_FLUSH, done)));
    await flushed("data: 1\n\n");
    const opened = new Promise<ServerResponse>((resolve) => {
      guard.origin.reply = {
        headers: { "content-type": "text/event-stream", "content-encoding": "gzip" },
        stream: (response) => (response.write(Buffer.concat(zipped)), resolve(response)),
      };
    });
    const { answer, bytes, ended } = await follow(access_token);
    const response = await opened;
    expect(answer.headers["content-encoding"]).toBe("gzip");
    await expect.poll(() => Buffer.concat(bytes).toString("hex")).toBe(Buffer.concat(zipped).toString("hex"));
    for (const event of ["data: 2\n\n", "data: 3\n\n"]) {
      const before = Buffer.concat(zipped).length;
      await flushed(event);
      response.write(Buffer.concat(zipped).subarray(before));
      await expect.poll(() => Buffer.concat(bytes).toString("hex")).toBe(Buffer.concat(zipped).toString("hex"));
    }
    await guard.login("zips");
    expect(await ended).toBe("broken: aborted");
    expect(Buffer.concat(bytes)).toEqual(Buffer.concat(zipped));
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

describe("an answer of no known length", () => {
  test("is cut off within two seconds of its session's end, whatever its type", async () => {
    const types = [
      "application/x-ndjson", "application/jsonl", "application/stream+json", "application/json", "application/json-seq",
      "multipart/x-mixed-replace; boundary=frame", "application/grpc-web+proto", "application/octet-stream",
      "text/plain", "text/html; charset=utf-8", "image/jpeg", "video/mp4", "",
    ];
    const opened: (Awaited<ReturnType<typeof follow>> & { type: string; response: ServerResponse })[] = [];
    for (const type of types) {
      const { access_token } = await guard.login(`streams ${type}`);
      const response = stream(type);
      opened.push({ type, ...(await follow(access_token)), response: await response });
    }
    // What is made while the session lives arrives, however long that is.
    for (const { response } of opened) response.write("data: 2\n\n");
    await expect.poll(() => opened.filter(({ heard }) => !heard.join("").endsWith("data: 2\n\n")).map(({ type }) => type)).toEqual([]);
    const start = Date.now();
    const ends = opened.map(async ({ type, ended, response }) => {
      const gone = once(response, "close");
      const end = await ended;
      await gone;
      return { type, end };
    });
    for (const type of types) await guard.login(`streams ${type}`);
    const logins = Date.now() - start;
    expect(await Promise.all(ends)).toEqual(types.map((type) => ({ type, end: "broken: aborted" })));
    const took = Date.now() - start;
    console.info(`${inject("store")}: ${types.length} streams were cut off ${took} ms after the first of as many logins, which took ${logins} ms`);
    expect(took).toBeLessThan(2000 + logins);
    expect(guard.log.filter((line) => /error|uncaught/i.test(line))).toEqual([]);
  });

  test("is cut off also if it begins late beside the check, whose time is over by then", async () => {
    await using ahead = await startGuard({ OVERLAP_SAFE_REQUESTS: "true", STORE_TIMEOUT: "1 second" });
    const { access_token } = await ahead.login("ada");
    const opened = stream("application/x-ndjson", ahead.origin);
    ahead.origin.reply.after = () => new Promise((resume) => setTimeout(resume, 1500));
    const { heard, ended } = await follow(access_token, ahead);
    await opened;
    await expect.poll(() => heard.join("")).toBe("data: 1\n\n");
    await ahead.login("ada");
    expect(await Promise.race([ended, new Promise((resume) => setTimeout(resume, 5000, "it goes on"))])).toBe("broken: aborted");
  });

  test("is what says a length beside its chunks", async () => {
    await using origin = await startRawOrigin();
    await using raw = await startGuard({ ORIGIN_URL: origin.url });
    origin.reply = (socket) => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n9\r\ndata: 1\n\n\r\n");
    const { access_token } = await raw.login("ada");
    const { heard, ended } = await follow(access_token, raw);
    await expect.poll(() => heard.join("")).toBe("data: 1\n\n");
    await raw.login("ada");
    expect(await ended).toBe("broken: aborted");
  });

  test("that ends soon arrives whole, as it came", async () => {
    const { access_token } = await guard.login("quick");
    guard.origin.reply = { headers: { "content-type": "text/html", "x-custom": "a" }, stream: (response) => (response.write("one "), response.end("two")) };
    const answer = await guard.fetch("/page", bearer(access_token));
    expect(await answerOf(answer)).toMatchObject({ status: 200, headers: { "transfer-encoding": "chunked", "x-custom": "a" }, body: "one two" });
  });

  test("ends as the origin ends it, also when that is late", async () => {
    const { access_token } = await guard.login("slow");
    const opened = stream("text/plain");
    const { heard, ended } = await follow(access_token);
    const response = await opened;
    const pieces = setInterval(() => response.write("more "), 100);
    await expect.poll(() => heard.join("").length, { timeout: 5000 }).toBeGreaterThan(9 + 15 * 5);
    clearInterval(pieces);
    response.end("end");
    expect([await ended, heard.join("").endsWith("end")]).toEqual(["ended", true]);
  });
});

describe("an answer that the origin takes long for", () => {
  const long = () => new Promise((resume) => setTimeout(resume, 1200));
  const lateTo = async (user: string, reply: typeof guard.origin.reply, init: RequestInit, between: () => Promise<unknown>) => {
    const { access_token } = await guard.login(user);
    guard.origin.reply = { ...reply, after: () => Promise.all([between(), long()]) };
    return guard.fetch("/poll", { ...init, headers: { ...init.headers as Record<string, string>, ...headersOf(access_token) } });
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

  test("to somebody who navigates becomes the way to the login page", async () => {
    const init = { headers: { "sec-fetch-mode": "navigate", accept: "text/html" } };
    const { status, headers } = await lateTo("navigates", { body: "secret" }, init, () => guard.login("navigates"));
    expect([status, headers.get("location")]).toEqual([302, expect.stringMatching(/\/login\?redirect=.*reason=session_superseded/)]);
  });

  test("arrives as it is if the session lives", async () => {
    const reply = { status: 203, headers: { "x-news": "a", "content-length": "4" }, body: "news" };
    expect(await answerOf(lateTo("waits", reply, {}, async () => undefined))).toMatchObject({ status: 203, headers: { "x-news": "a", "content-length": "4" }, body: "news" });
  });

  test("and that the client left is not asked about", async () => {
    const { access_token } = await guard.login("leaves early");
    guard.origin.reply = { after: long, body: "news" };
    const { hostname, port } = new URL(guard.url);
    const request = httpRequest({ hostname, port, path: "/poll", headers: headersOf(access_token) }).end();
    request.on("error", () => {});
    await expect.poll(() => guard.origin.received).toHaveLength(1);
    request.destroy();
    await long();
    expect(guard.log.filter((line) => /error|uncaught/i.test(line))).toEqual([]);
  });
});

test("a download of known length finishes, though its session has ended meanwhile", async () => {
  const { access_token } = await guard.login("downloads");
  const opened = stream("application/octet-stream", guard.origin, { "content-length": "17" });
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
