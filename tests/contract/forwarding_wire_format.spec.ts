// Forwarding byte by byte over plain sockets: what the origin gets of a request, and the client of a response.

import { once } from "node:events";
import { randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startGuard, type Guard } from "../harness/guard.ts";
import { exchange, readMessage, startRawOrigin, type Message, type RawOrigin } from "../harness/raw_http.ts";

let origin: RawOrigin;
let guard: Guard;
let token: string;
let sid: string;
beforeAll(async () => {
  origin = await startRawOrigin();
  guard = await startGuard({ ORIGIN_URL: origin.url });
  const login = await guard.login("ada");
  [token, sid] = [login.access_token, login.session.sid];
});
const NOTHING = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
beforeEach(() => {
  origin.received.length = origin.sockets.length = 0;
  origin.reply = NOTHING;
  delete origin.onHead;
});
afterAll(async () => {
  await guard[Symbol.asyncDispose]();
  await origin[Symbol.asyncDispose]();
});

const head = (line: string, ...lines: string[]) => [`${line} HTTP/1.1`, `Host: ${new URL(guard.url).host}`, `Authorization: Bearer ${token}`, ...lines, "", ""].join("\r\n");

/** Sends a request, and returns the one answer and the one request that the origin got. */
async function send(bytes: string): Promise<{ answer: Message; got: Message }> {
  const answers = await exchange(guard.url, bytes);
  const [answer, got] = [answers.at(-1), origin.received[0]];
  if (!answer || !got || origin.received.length > 1) throw new Error(JSON.stringify({ answers, received: origin.received }));
  return { answer, got };
}

/** The lines that the guard and the runtime add. */
const ADDED = /^(host|cf-worker|x-forwarded-(host|proto)|x-auth-request-(user|session)): /i;
const sentLines = (got: Message) => got.lines.filter((line) => !ADDED.test(line)).map((line) => line.replace(/^[^:]+/, (name) => name.toLowerCase()));

describe("a request", () => {
  test("has the target that was sent, character by character", async () => {
    const target = "/A%2fb//c;d/%C3%a9~!$&'()*+,=:@?q=%zz&&=%20+%2B&b&a?/../";
    expect((await send(head(`GET ${target}`))).got.start).toBe(`GET ${target} HTTP/1.1`);
  });

  test("has the headers that were sent, several of one name in their order, and no others", async () => {
    const sent = ["x-a: 1", "x-a: 2", "x-quoted: \"a, b\"", "accept: */*;q=0.1", "range: bytes=0-1,5-9", "if-range: \"v1\"", "if-none-match: W/\"a\", \"b\"", "if-modified-since: Sat, 21 Nov 2026 10:00:00 GMT", "x-latin: \xe9\xff"];
    expect(sentLines((await send(head("GET /", ...sent))).got).sort()).toEqual(sent.sort());
  });

  test("has each identity header exactly once", async () => {
    const { lines } = (await send(head("GET /", "X-Auth-Request-User: root"))).got;
    expect(lines.filter((line) => /auth-request/i.test(line)).map((line) => line.toLowerCase()).sort()).toEqual([`x-auth-request-session: ${sid}`.toLowerCase(), "x-auth-request-user: ada"]);
  });

  test("has a header of 64 KB whole", async () => {
    const long = `x-long: ${"a".repeat(65_536)}`;
    expect(sentLines((await send(head("GET /", long))).got)).toEqual([long]);
  });

  test.each([["gzip", "gzip;q=0.5, br"], ["none", undefined]])("has the client's own Accept-Encoding: %s", async (_, accept) => {
    const { got } = await send(head("GET /", ...(accept ? [`Accept-Encoding: ${accept}`] : [])));
    expect(sentLines(got)).toEqual(accept ? [`accept-encoding: ${accept}`] : []);
  });

  test("may override its method with a header if no rule depends on methods", async () => {
    const { got } = await send(head("POST /", "X-HTTP-Method-Override: PATCH", "Content-Length: 0"));
    expect(sentLines(got)).toContain("x-http-method-override: PATCH");
  });

  test.each([
    ["a length", ["Content-Length: 5"], "\x00\xff\r\n1", "\x00\xff\r\n1", "content-length: 5"],
    ["chunks", ["Transfer-Encoding: chunked"], "2\r\n\x00\xff\r\n3\r\n\r\n1\r\n0\r\n\r\n", "\x00\xff\r\n1", "transfer-encoding: chunked"],
  ])("with %s keeps its body and its framing", async (_, lines, bytes, body, framing) => {
    const { got } = await send(head("PUT /", ...lines) + bytes);
    expect([got.body, sentLines(got)]).toEqual([body, [framing]]);
  });

  test.each([
    ["a length", ["Content-Length: 100000"], "content-length: 100000"],
    ["chunks", ["Transfer-Encoding: chunked"], "transfer-encoding: chunked"],
  ])("with %s keeps its body and its framing if it is large, too", async (name, lines, framing) => {
    const body = randomBytes(100_000).toString("latin1");
    const { got } = await send(head("PUT /", ...lines) + (name === "chunks" ? `186a0\r\n${body}\r\n0\r\n\r\n` : body));
    expect([got.body === body, got.body.length, sentLines(got)]).toEqual([true, 100_000, [framing]]);
  });

  test.each([["with an empty body", ["Content-Length: 0"], "", "content-length: 0"], ["with an empty body in chunks", ["Transfer-Encoding: chunked"], "0\r\n\r\n", "transfer-encoding: chunked"]])("%s keeps the header that says so", async (_, lines, bytes, framing) => {
    const { got } = await send(head("POST /", ...lines) + bytes);
    expect([got.body, sentLines(got)]).toEqual(["", [framing]]);
  });

  test("with trailers arrives without them, because the runtime has none to give", async () => {
    const { got } = await send(head("POST /", "Transfer-Encoding: chunked", "Trailer: X-Sum") + "3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n");
    expect([got.body, got.trailers, sentLines(got)]).toEqual(["abc", [], ["transfer-encoding: chunked"]]);
  });

  test("with Expect: 100-continue gets the 100 at once, and the origin may send one, too", async () => {
    origin.reply = `HTTP/1.1 100 Continue\r\n\r\n${NOTHING}`;
    const socket = open(head("POST /", "Expect: 100-continue", "Content-Length: 3"));
    await heard(socket, /^HTTP\/1\.1 100 Continue\r\n\r\n$/);
    socket.write("abc");
    await heard(socket, /HTTP\/1\.1 200 OK/);
    expect(sentLines(origin.received[0] as Message)).toContain("expect: 100-continue");
    socket.destroy();
  });

  test("on a reused connection is a request of its own", async () => {
    const answers = await exchange(guard.url, head("POST /one", "Content-Length: 3") + "abc" + head("GET /two"));
    expect(answers.map(({ start }) => start)).toEqual(["HTTP/1.1 200 OK", "HTTP/1.1 200 OK"]);
    expect(origin.received.map(({ start, body }) => [start, body])).toEqual([["POST /one HTTP/1.1", "abc"], ["GET /two HTTP/1.1", ""]]);
  });

  test("with HTTP/1.0 is answered, too", async () => {
    expect((await send(head("GET /").replace("HTTP/1.1", "HTTP/1.0"))).answer.start).toBe("HTTP/1.0 200 OK");
  });
});

describe("a response", () => {
  const reply = (start: string, lines: string[], body = "") => [`HTTP/1.1 ${start}`, ...lines, "Connection: close", "", body].join("\r\n");

  test.each([200, 201, 202, 203, 206, 207, 226, 299, 300, 301, 302, 303, 305, 307, 308, 400, 401, 402, 403, 404, 405, 406, 407, 408, 409, 410, 411, 412, 413, 414, 415, 416, 417, 418, 421, 422, 423, 424, 425, 426, 428, 429, 431, 451, 499, 500, 501, 502, 503, 504, 505, 507, 508, 510, 511, 520, 530, 599])("of %i is that, with its words and its body", async (status) => {
    origin.reply = reply(`${status} In Own Words`, ["Content-Length: 4", "Location: /elsewhere"], "body");
    const { answer } = await send(head("GET /"));
    expect([answer.start, answer.lines.sort(), answer.body]).toEqual([`HTTP/1.1 ${status} In Own Words`, ["Content-Length: 4", "Location: /elsewhere"], "body"]);
  });

  test.each([["204 No Content", []], ["205 Reset Content", ["Content-Length: 0"]], ["304 Not Modified", ["ETag: \"v1\""]]])("of %s has no body", async (start, lines) => {
    origin.reply = reply(start, [...lines, "X-A: 1"]);
    const { answer } = await send(head("GET /", 'If-None-Match: "v1"'));
    expect([answer.start, answer.lines.sort(), answer.body]).toEqual([`HTTP/1.1 ${start}`, [...lines, "X-A: 1"].sort(), ""]);
  });

  test("to HEAD has the Content-Length of GET and no body", async () => {
    origin.reply = reply("200 OK", ["Content-Length: 1234", "ETag: \"v1\""]);
    const { answer, got } = await send(head("HEAD /"));
    expect([got.start, answer.start, answer.lines.sort(), answer.body]).toEqual(["HEAD / HTTP/1.1", "HTTP/1.1 200 OK", ["Content-Length: 1234", 'ETag: "v1"'], ""]);
  });

  test("with 206 keeps its Content-Range", async () => {
    origin.reply = reply("206 Partial Content", ["Content-Range: bytes 2-3/10", "Content-Length: 2"], "cd");
    const { answer } = await send(head("GET /", "Range: bytes=2-3"));
    expect([answer.start, answer.lines.sort(), answer.body]).toEqual(["HTTP/1.1 206 Partial Content", ["Content-Length: 2", "Content-Range: bytes 2-3/10"], "cd"]);
  });

  test.each([
    ["gzip", gzipSync("text".repeat(100))],
    ["br", brotliCompressSync("text".repeat(100))],
    ["gzip", Buffer.from("\x1f\x8bno gzip at all", "latin1")],
    ["x-own", Buffer.from([0, 255, 1])],
  ])("in %s is neither decoded nor encoded again", async (encoding, body) => {
    origin.reply = reply("200 OK", [`Content-Encoding: ${encoding}`, `Content-Length: ${body.length}`], body.toString("latin1"));
    for (const accept of [[], ["Accept-Encoding: gzip, br"]]) {
      origin.received.length = 0;
      const { answer } = await send(head("GET /", ...accept));
      expect([answer.lines.sort(), answer.body]).toEqual([[`Content-Encoding: ${encoding}`, `Content-Length: ${body.length}`], body.toString("latin1")]);
    }
  });

  test("keeps each Set-Cookie on its own line, in order, and other repeated headers", async () => {
    const cookies = ["Set-Cookie: a=1; Path=/; Expires=Sat, 21 Nov 2026 10:00:00 GMT", "Set-Cookie: b=2", "Set-Cookie: a=3"];
    origin.reply = reply("200 OK", [...cookies, "X-A: 1", "X-A: 2", "Vary: a", "Vary: b", "Content-Length: 0"]);
    const { lines } = (await send(head("GET /"))).answer;
    expect(lines.filter((line) => line.startsWith("Set-Cookie"))).toEqual(cookies);
    expect(lines.filter((line) => /^(x-a|vary)/i.test(line)).sort()).toEqual(["Vary: a, b", "X-A: 1", "X-A: 2"]);
  });

  test("has no hop-by-hop headers of the connection to the origin", async () => {
    origin.reply = reply("200 OK", ["Keep-Alive: timeout=5", "Upgrade: h2c", "Content-Length: 0"]);
    expect((await send(head("GET /"))).answer.lines).toEqual(["Content-Length: 0"]);
  });

  const framed = (body: Buffer) => [...split(body)].map((piece) => `${piece.length.toString(16)}\r\n${piece.toString("latin1")}\r\n`).join("") + "0\r\n\r\n";
  function* split(body: Buffer) {
    for (let at = 0; at < body.length; at += 1000) yield body.subarray(at, at + 1000);
  }

  test.each<[string, string[], Buffer]>([
    ["of no known length", [], Buffer.alloc(20_000, "abc \xff")],
    ["that is empty, of no known length", [], Buffer.alloc(0)],
    ["in gzip", ["Content-Encoding: gzip"], gzipSync(randomBytes(5000))],
    ["in br", ["Content-Encoding: br"], brotliCompressSync(randomBytes(5000))],
    ["in what is said to be gzip", ["Content-Encoding: gzip"], Buffer.from("\x1f\x8bno gzip at all", "latin1")],
    ["in what is said to be br", ["Content-Encoding: br"], randomBytes(3000)],
    ["in zstd", ["Content-Encoding: zstd"], randomBytes(3000)],
    ["of a stream of events in gzip", ["Content-Encoding: gzip", "Content-Type: text/event-stream"], gzipSync("data: 1\n\n".repeat(500))],
  ])("%s is returned in chunks, byte for byte", async (_, lines, body) => {
    origin.reply = reply("200 OK", [...lines, "Transfer-Encoding: chunked"], framed(body));
    for (const accept of [[], ["Accept-Encoding: gzip, br"]]) {
      origin.received.length = 0;
      const { answer } = await send(head("GET /", ...accept));
      expect([answer.start, answer.lines.sort(), answer.body.length]).toEqual(["HTTP/1.1 200 OK", [...lines, "Transfer-Encoding: chunked"].sort(), body.length]);
      expect(Buffer.from(answer.body, "latin1").equals(body)).toBe(true);
    }
  });

  test("with 206 in chunks keeps its Content-Range, and to HEAD has no body", async () => {
    const lines = ["Content-Type: multipart/byteranges; boundary=a", "Transfer-Encoding: chunked"];
    const body = "--a\r\nContent-Range: bytes 0-0/9\r\n\r\nx\r\n--a--";
    origin.reply = reply("206 Partial Content", lines, framed(Buffer.from(body)));
    const { answer } = await send(head("GET /", "Range: bytes=0-0,2-2"));
    expect([answer.start, answer.lines.sort(), answer.body]).toEqual(["HTTP/1.1 206 Partial Content", lines, body]);
    origin.received.length = 0;
    origin.reply = reply("200 OK", ["Transfer-Encoding: chunked", "X-A: 1"]);
    const toHead = (await send(head("HEAD /"))).answer;
    expect([toHead.start, toHead.lines.includes("X-A: 1"), toHead.body]).toEqual(["HTTP/1.1 200 OK", true, ""]);
  });

  test("that ends with its connection is returned complete", async () => {
    origin.reply = reply("200 OK", ["X-A: 1"], "until the end");
    const { answer } = await send(head("GET /"));
    expect([answer.start, answer.lines.includes("X-A: 1"), answer.body]).toEqual(["HTTP/1.1 200 OK", true, "until the end"]);
  });

  test("comes without 1xx responses before it and trailers after it, because the runtime has none", async () => {
    origin.reply = `HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${reply("200 OK", ["Transfer-Encoding: chunked"], "2\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n")}`;
    const { answer } = await send(head("GET /", "TE: trailers"));
    expect(answer).toMatchObject({ start: "HTTP/1.1 200 OK", body: "ok", trailers: [] });
  });

  test.each([["a length", "Content-Length: 10\r\n\r\nshort"], ["chunks", "Transfer-Encoding: chunked\r\n\r\n5\r\nshort\r\n"]])("with %s that breaks off is broken off, and cannot be taken for complete", async (_, rest) => {
    origin.reply = `HTTP/1.1 200 OK\r\n${rest}`;
    await expect(exchange(guard.url, head("GET /"))).rejects.toThrow(/no whole answer.*short/s);
  });

  test("that is not HTTP becomes a 502", async () => {
    origin.reply = "nonsense\r\n\r\n";
    expect((await send(head("GET /"))).answer.start).toBe("HTTP/1.1 502 Bad Gateway");
  });
});

describe("bodies are streamed", () => {
  test("the origin gets the start of a body before its end is sent", async () => {
    const socket = open(`${head("POST /", "Transfer-Encoding: chunked")}5\r\nfirst\r\n`);
    await expect.poll(() => origin.incomplete).toContain("first");
    expect(origin.received).toEqual([]);
    socket.write("4\r\nlast\r\n0\r\n\r\n");
    await expect.poll(() => origin.received[0]?.body).toBe("firstlast");
    socket.destroy();
  });

  test.each(["text/plain", "text/event-stream", "application/octet-stream"])("the client gets the start of a response in %s before its end is sent", async (type) => {
    let far: Socket | undefined;
    origin.reply = (it) => (far = it).write(`HTTP/1.1 200 OK\r\nContent-Type: ${type}\r\nTransfer-Encoding: chunked\r\n\r\n9\r\ndata: 1\n\n\r\n`);
    const socket = open(head("GET /"));
    await heard(socket, /data: 1\n\n/);
    far?.end("9\r\ndata: 2\n\n\r\n0\r\n\r\n");
    expect(readMessage(await heard(socket, /\r\n0\r\n\r\n$/), false)?.message.body).toBe("data: 1\n\ndata: 2\n\n");
    socket.destroy();
  });

  test("a response that does not wait for the rest of the request body reaches the client", async () => {
    origin.onHead = (socket) => socket.end("HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    const socket = open(`${head("POST /", "Content-Length: 1000000000")}the beginning`);
    await heard(socket, /^HTTP\/1\.1 413 /);
    socket.destroy();
  });

  test("a client that disconnects disconnects the origin, too", async () => {
    let isOver = false;
    origin.reply = (far) => {
      far.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
      // That somebody has gone is noticed by what is sent to them.
      const talks = setInterval(() => far.write("1\r\na\r\n"), 10);
      far.on("close", () => (isOver = true, clearInterval(talks)));
    };
    const socket = open(head("GET /"));
    await heard(socket, /a/);
    socket.destroy();
    await expect.poll(() => isOver, { timeout: 10_000 }).toBe(true);
  });
});

function open(bytes: string): Socket & { text?: string } {
  const { hostname, port } = new URL(guard.url);
  const socket: Socket & { text?: string } = connect({ host: hostname, port: Number(port) });
  socket.text = "";
  socket.on("data", (chunk) => (socket.text += chunk.toString("latin1"))).on("error", () => {});
  socket.write(bytes, "latin1");
  return socket;
}

/** Waits until what came over a socket looks so. */
async function heard(socket: Socket & { text?: string }, what: RegExp): Promise<string> {
  while (!what.test(socket.text ?? "")) {
    const over = once(socket, "close").then(() => Promise.reject(new Error(`closed after ${JSON.stringify(socket.text)}`)));
    await Promise.race([once(socket, "data"), over]);
    over.catch(() => {});
  }
  return socket.text ?? "";
}
