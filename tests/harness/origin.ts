// A real origin over HTTP that writes down what reaches it.

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";

/** A request as it reached the origin. */
export interface Received {
  method: string;
  /** Path and query, as in the request line. */
  target: string;
  /** Name and value in turn, in the order and case they came. */
  rawHeaders: string[];
  /** By lower-case name. */
  headers: IncomingMessage["headers"];
  body: Buffer;
}

/** How the origin answers; the default is 200 with a line of text. */
export interface Reply {
  status?: number;
  headers?: Record<string, string | string[]>;
  body?: string;
  /** Never answers. */
  hangs?: boolean;
  /** What is waited for before the answer begins. */
  after?: () => Promise<unknown>;
  /** Writes the body, and ends it when it likes. */
  stream?: (response: ServerResponse) => void;
}

/** A recording origin. */
export interface Origin extends AsyncDisposable {
  url: string;
  /** All that reached it but credential checks, and the look at what `AUTH_PATH` hides. */
  received: Received[];
  /** The bodies of the credential checks. */
  credentialChecks: unknown[];
  /** The proof that came with the last of them. */
  proof: string | undefined;
  /** Answers of the credential check by user name; without one, the name is the `sub`. */
  approvals: Map<string, unknown>;
  /** How the next requests are answered. */
  reply: Reply;
  /** Who has opened a WebSocket, each of which the origin echoes; it takes the protocol `chat`. */
  sockets: WebSocket[];
}

/** Where the origin checks credentials. */
export const LOGIN_PATH = "/internal/login";
/** The password that is right for everybody. */
export const PASSWORD = "correct horse";

/** Starts an origin on a free port. */
export async function startOrigin(): Promise<Origin> {
  const origin: Origin = {
    url: "",
    received: [],
    credentialChecks: [],
    proof: undefined,
    approvals: new Map(),
    reply: {},
    sockets: [],
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
  const server = createServer(async (request, response) => {
    const body = await bodyOf(request);
    // It broke off.
    if (body === undefined) return;
    const target = request.url ?? "";
    if (target === LOGIN_PATH && request.method === "POST") {
      origin.proof = request.headers["x-auth-request-assertion"]?.toString();
      const { status, answer, slow } = checkCredentials(origin, body);
      if (slow > 0) await new Promise((resume) => setTimeout(resume, slow));
      response.writeHead(status, { "content-type": "application/json" }).end(answer);
      return;
    }
    const { method = "", rawHeaders, headers } = request;
    const isLook = headers["user-agent"]?.startsWith("session-guard ");
    if (!isLook) origin.received.push({ method, target, rawHeaders, headers, body });
    if (origin.reply.hangs) return;
    await origin.reply.after?.();
    response.writeHead(origin.reply.status ?? 200, origin.reply.headers);
    if (origin.reply.stream) return origin.reply.stream(response);
    response.end(origin.reply.body ?? "the origin's answer");
  });
  const webSockets = new WebSocketServer({ server, handleProtocols: (offered) => offered.has("chat") && "chat" });
  webSockets.on("connection", (socket, { method = "", url: target = "", rawHeaders, headers }) => {
    origin.received.push({ method, target, rawHeaders, headers, body: Buffer.alloc(0) });
    origin.sockets.push(socket);
    socket.on("message", (data, binary) => socket.send(data, { binary })).on("error", () => {});
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  origin.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return origin;
}

async function bodyOf(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  } catch {
    return undefined;
  }
  return Buffer.concat(chunks);
}

function checkCredentials(origin: Origin, body: Buffer) {
  const credentials = JSON.parse(body.toString()) as { username: string; password: string; slow?: string };
  origin.credentialChecks.push(credentials);
  /** How long the origin thinks about it, in milliseconds. */
  const slow = Number(credentials.slow ?? 0);
  if (credentials.password !== PASSWORD) return { status: 401, answer: "{}", slow };
  const approval = origin.approvals.get(credentials.username) ?? { sub: credentials.username };
  const answer = typeof approval === "string" ? approval : JSON.stringify(approval);
  return { status: 200, answer, slow };
}
