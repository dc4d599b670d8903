// Plain sockets, where it matters which bytes travel.

import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";

/** One HTTP/1.1 message, as it came over the wire. Bytes are Latin-1 characters. */
export interface Message {
  /** The request line or the status line. */
  start: string;
  /** `Name: value`, a line each, in the order and case they came. */
  lines: string[];
  /** The body, without its framing. */
  body: string;
  /** What came after a chunked body, a line each. */
  trailers: string[];
}

/** An origin that writes down bytes. */
export interface RawOrigin extends AsyncDisposable {
  url: string;
  /** What reached it. */
  received: Message[];
  /** The sockets it was reached by. */
  sockets: Socket[];
  /** What it answers, as bytes; the default is a 200 without a body. */
  reply: string | ((socket: Socket, request: Message) => void);
  /** What has come so far of the request that is not all there. */
  incomplete: string;
  /** Is called when a head is there, before its body is. */
  onHead?: (socket: Socket) => void;
}

/** Starts an origin on a free port. It answers one request on each connection. */
export async function startRawOrigin(): Promise<RawOrigin> {
  const server = createServer((socket) => {
    origin.sockets.push(socket);
    let bytes = "";
    let told = false;
    socket.on("error", () => {});
    socket.on("data", (chunk) => {
      bytes += chunk.toString("latin1");
      const head = bytes.indexOf("\r\n\r\n");
      if (head >= 0 && !told) {
        told = true;
        origin.onHead?.(socket);
      }
      const read = readMessage(bytes, false);
      origin.incomplete = read ? "" : bytes;
      if (!read) return;
      bytes = bytes.slice(read.length);
      told = false;
      origin.received.push(read.message);
      if (typeof origin.reply === "function") origin.reply(socket, read.message);
      else socket.end(origin.reply, "latin1");
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const origin: RawOrigin = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received: [],
    sockets: [],
    incomplete: "",
    reply: "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    async [Symbol.asyncDispose]() {
      for (const socket of origin.sockets) socket.destroy();
      await new Promise((closed) => server.close(closed));
    },
  };
  return origin;
}

/** Sends bytes, says that no more will come, and reads the answers until the other side is done. */
export async function exchange(url: string, bytes: string): Promise<Message[]> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
  socket.end(bytes, "latin1");
  let text = "";
  socket.on("data", (chunk) => (text += chunk.toString("latin1")));
  await new Promise((over) => socket.on("end", over).on("error", over));
  socket.destroy();
  return readAll(text, bytes.startsWith("HEAD "));
}

/** The answers in these bytes, one after another. */
export function readAll(text: string, toHead = false): Message[] {
  const messages: Message[] = [];
  for (let rest = text; rest !== ""; ) {
    const read = readMessage(rest, toHead, true);
    if (!read) throw new Error(`no whole answer: ${JSON.stringify(rest)}`);
    messages.push(read.message);
    rest = rest.slice(read.length);
  }
  return messages;
}

/** The first message in these bytes, and how many they are; `undefined` if it is not all there. */
export function readMessage(text: string, toHead: boolean, isOver = false): { message: Message; length: number } | undefined {
  const head = text.indexOf("\r\n\r\n");
  if (head < 0) return undefined;
  const [start = "", ...lines] = text.slice(0, head).split("\r\n");
  const field = (name: string) => lines.find((line) => line.toLowerCase().startsWith(`${name}:`))?.slice(name.length + 1).trim();
  const status = start.startsWith("HTTP/") ? Number(start.split(" ")[1]) : undefined;
  const message: Message = { start, lines, body: "", trailers: [] };
  const from = head + 4;
  if (toHead || (status !== undefined && (status < 200 || status === 204 || status === 304))) return { message, length: from };
  if (/chunked/i.test(field("transfer-encoding") ?? "")) return readChunks(text, from, message);
  const length = field("content-length");
  if (length === undefined && status !== undefined) return isOver ? { message: { ...message, body: text.slice(from) }, length: text.length } : undefined;
  const end = from + Number(length ?? 0);
  return text.length < end ? undefined : { message: { ...message, body: text.slice(from, end) }, length: end };
}

function readChunks(text: string, from: number, message: Message): { message: Message; length: number } | undefined {
  let body = "";
  for (let at = from; ; ) {
    const line = text.indexOf("\r\n", at);
    if (line < 0) return undefined;
    const size = parseInt(text.slice(at, line), 16);
    if (size === 0) {
      const end = text.indexOf("\r\n\r\n", line);
      if (end < 0) return undefined;
      const trailers = text.slice(line + 2, end + 2).split("\r\n").filter((it) => it !== "");
      return { message: { ...message, body, trailers }, length: end + 4 };
    }
    if (text.length < line + 2 + size + 2) return undefined;
    body += text.slice(line + 2, line + 2 + size);
    at = line + 2 + size + 2;
  }
}
