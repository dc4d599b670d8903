// A WebSocket client that writes down what it hears.

import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { WebSocket } from "ws";

/** A WebSocket, and what came over it. */
export interface Socket extends AsyncDisposable {
  socket: WebSocket;
  /** Texts, and the bytes of binary messages in hexadecimal after `0x`. */
  heard: string[];
  /** How it was closed, once it was: the code, the reason, and when. */
  closed: Promise<{ code: number; reason: string; at: number }>;
}

/** Opens a WebSocket, and fails if the answer is another than 101. */
export async function openSocket(url: string, headers: Record<string, string>, protocols: string[] = []): Promise<Socket> {
  const socket = new WebSocket(url.replace("http", "ws"), protocols, { headers });
  const heard: string[] = [];
  socket.on("message", (data, isBinary) => heard.push(isBinary ? `0x${(data as Buffer).toString("hex")}` : String(data)));
  const closed = new Promise<Awaited<Socket["closed"]>>((resolve) => {
    socket.on("close", (code, reason) => resolve({ code, reason: String(reason), at: Date.now() }));
  });
  await once(socket, "open");
  return { socket, heard, closed, [Symbol.asyncDispose]: async () => socket.terminate() };
}

/** The answer to a WebSocket's handshake that is refused. */
export async function refusalOf(url: string, headers: Record<string, string>): Promise<{ status: number; body: unknown }> {
  const socket = new WebSocket(url.replace("http", "ws"), { headers });
  socket.on("error", () => {});
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    socket.on("unexpected-response", (_, response) => resolve(response));
    socket.on("open", () => reject(new Error("the WebSocket was opened")));
  });
  const chunks: Buffer[] = [];
  for await (const chunk of answer as AsyncIterable<Buffer>) chunks.push(chunk);
  return { status: answer.statusCode ?? 0, body: JSON.parse(Buffer.concat(chunks).toString()) as unknown };
}
