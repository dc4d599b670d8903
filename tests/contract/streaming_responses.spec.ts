// Streaming responses, such as event streams: they pass piece by piece, and are cut off when their session ends.

import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { connect as connectSocket } from "node:net";
import { createGzip, constants } from "node:zlib";
import { beforeEach, describe, expect, inject, test } from "vitest";
import { answerOf, bearer, startGuard, useGuard } from "../harness/guard.ts";
import { startRawOrigin } from "../harness/raw_http.ts";
import { answerWithStream, readStream } from "../harness/live_connections.ts";

const guard = useGuard();

beforeEach(() => {
  guard.origin.received.length = guard.origin.sockets.length = guard.log.length = 0;
  guard.origin.reply = {};
});

/** A close frame (RFC 6455, section 5.2). Clients mask theirs, here with zeros. */
function frame(bytes: Buffer, isMasked: boolean): Buffer {
  return Buffer.concat([Buffer.from([0x88, bytes.length | (isMasked ? 128 : 0)]), Buffer.alloc(isMasked ? 4 : 0), bytes]);
}

describe("an event stream", () => {
  test("passes piece by piece, and is cut off within two seconds of a newer login, at the origin, too", async () => {
    const { access_token } = await guard.login("streams");
    const opened = answerWithStream(guard.origin, "text/event-stream; charset=utf-8");
    const { answer, heard, ended } = await readStream(guard, access_token);
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

  test("ends when the origin ends it, breaks off when the origin does, and is cancelled when the client disconnects", async () => {
    const { access_token } = await guard.login("leaves");
    let opened = answerWithStream(guard.origin, "text/event-stream");
    const first = await readStream(guard, access_token);
    (await opened).end("data: 2\n\n");
    expect([await first.ended, first.heard.join("")]).toEqual(["ended", "data: 1\n\ndata: 2\n\n"]);

    opened = answerWithStream(guard.origin, "text/event-stream");
    const second = await readStream(guard, access_token);
    (await opened).destroy();
    expect(await second.ended).toContain("broken");

    opened = answerWithStream(guard.origin, "text/event-stream");
    const third = await readStream(guard, access_token);
    third.answer.on("error", () => {});
    const response = await opened;
    const gone = once(response, "close");
    third.request.destroy();
    const writes = setInterval(() => response.write("data: more\n\n"), 50);
    await gone.finally(() => clearInterval(writes));
  });

  test("is cut off at once if its session ended before the origin answered", async () => {
    const { access_token } = await guard.login("races");
    guard.origin.reply = {
      headers: { "content-type": "text/event-stream" },
      stream: async (response) => {
        await guard.login("races");
        response.write("data: 1\n\n");
      },
    };
    expect(await (await readStream(guard, access_token)).ended).toBe("broken: aborted");
  });

  // By the bytes: an orderly end would be the last chunk, of no length (RFC 9112, section 7.1).
  test("that is cut off has no last chunk, so that no client takes it for complete, and the next request says why", async () => {
    const { access_token } = await guard.login("cut");
    const opened = answerWithStream(guard.origin, "text/event-stream");
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
    const { answer, bytes, ended } = await readStream(guard, access_token);
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
    const opened = answerWithStream(guard.origin, "text/event-stream");
    const { answer } = await readStream(guard, access_token);
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

describe("a response of unknown length", () => {
  test("is cut off within two seconds of its session's end, whatever its type", async () => {
    const types = [
      "application/x-ndjson", "application/jsonl", "application/stream+json", "application/json", "application/json-seq",
      "multipart/x-mixed-replace; boundary=frame", "application/grpc-web+proto", "application/octet-stream",
      "text/plain", "text/html; charset=utf-8", "image/jpeg", "video/mp4", "",
    ];
    const opened: (Awaited<ReturnType<typeof readStream>> & { type: string; response: ServerResponse })[] = [];
    for (const type of types) {
      const { access_token } = await guard.login(`streams ${type}`);
      const response = answerWithStream(guard.origin, type);
      opened.push({ type, ...(await readStream(guard, access_token)), response: await response });
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

  test("is cut off also if it starts after STORE_TIMEOUT with OVERLAP_SAFE_REQUESTS", async () => {
    await using ahead = await startGuard({ OVERLAP_SAFE_REQUESTS: "true", STORE_TIMEOUT: "1 second" });
    const { access_token } = await ahead.login("ada");
    const opened = answerWithStream(ahead.origin, "application/x-ndjson");
    ahead.origin.reply.after = () => new Promise((resume) => setTimeout(resume, 1500));
    const { heard, ended } = await readStream(ahead, access_token);
    await opened;
    await expect.poll(() => heard.join("")).toBe("data: 1\n\n");
    await ahead.login("ada");
    expect(await Promise.race([ended, new Promise((resume) => setTimeout(resume, 5000, "it goes on"))])).toBe("broken: aborted");
  });

  test("is also one with both Content-Length and chunks", async () => {
    await using origin = await startRawOrigin();
    await using raw = await startGuard({ ORIGIN_URL: origin.url });
    origin.reply = (socket) => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n9\r\ndata: 1\n\n\r\n");
    const { access_token } = await raw.login("ada");
    const { heard, ended } = await readStream(raw, access_token);
    await expect.poll(() => heard.join("")).toBe("data: 1\n\n");
    await raw.login("ada");
    expect(await ended).toBe("broken: aborted");
  });

  test("that ends soon arrives complete and unchanged", async () => {
    const { access_token } = await guard.login("quick");
    guard.origin.reply = { headers: { "content-type": "text/html", "x-custom": "a" }, stream: (response) => (response.write("one "), response.end("two")) };
    const answer = await guard.fetch("/page", bearer(access_token));
    expect(await answerOf(answer)).toMatchObject({ status: 200, headers: { "transfer-encoding": "chunked", "x-custom": "a" }, body: "one two" });
  });

  test("ends when the origin ends it, even if that is late", async () => {
    const { access_token } = await guard.login("slow");
    const opened = answerWithStream(guard.origin, "text/plain");
    const { heard, ended } = await readStream(guard, access_token);
    const response = await opened;
    const pieces = setInterval(() => response.write("more "), 100);
    await expect.poll(() => heard.join("").length, { timeout: 5000 }).toBeGreaterThan(9 + 15 * 5);
    clearInterval(pieces);
    response.end("end");
    expect([await ended, heard.join("").endsWith("end")]).toEqual(["ended", true]);
  });
});

test("a download of known length finishes, although its session has ended meanwhile", async () => {
  const { access_token } = await guard.login("downloads");
  const opened = answerWithStream(guard.origin, "application/octet-stream", { "content-length": "17" });
  const { heard, ended } = await readStream(guard, access_token);
  const response = await opened;
  await guard.login("downloads");
  expect((await guard.fetch("/", bearer(access_token))).status).toBe(401);
  response.end("the rest");
  expect([await ended, heard.join("")]).toEqual(["ended", "data: 1\n\nthe rest"]);
});
