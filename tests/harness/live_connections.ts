// Connections through the guard that outlive their request: WebSockets and responses that go on.

import { once } from "node:events";
import { request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http";
import { bearer, type Guard } from "./guard.ts";
import type { Origin } from "./origin.ts";
import { openSocket } from "./websocket.ts";

/** Opens a WebSocket to the origin, and gives both its ends. */
export async function openWebSocket(guard: Guard, token: string, protocols: string[] = []) {
  const client = await openSocket(`${guard.url}/chat?room=1`, bearer(token).headers, protocols);
  const origin = guard.origin.sockets.at(-1);
  if (origin === undefined) throw new Error("the origin has no WebSocket");
  const closed = once(origin, "close").then(([code, reason]) => ({ code: code as number, reason: String(reason) }));
  return { client, origin, originClosed: closed };
}

/** Asks for a response that goes on, and writes down what comes of it, and how it ends. */
export async function readStream(guard: Guard, token: string) {
  const { hostname, port } = new URL(guard.url);
  const request = httpRequest({ hostname, port, path: "/stream", headers: bearer(token).headers }).end();
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
export function answerWithStream(origin: Origin, type: string, headers: Record<string, string> = {}): Promise<ServerResponse> {
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
