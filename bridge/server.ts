// Speaks the Upstash REST protocol before a real Redis, for development, for tests, and for those
// who run their own Redis.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { ErrorReply } from "redis";
import { connect, type Connection } from "./connection.ts";
import { BadRequest, isAuthorized, read, write, type Ask, type Command, type Words } from "./protocol.ts";
import { Scripts } from "./scripts.ts";

const SAME_KEY = "ERR source and destination objects are the same";

const MOST_BYTES = 10 * 1024 * 1024;

/** Where the bridge listens, whom it serves, and which Redis is behind it. */
export interface BridgeOptions {
  /** `redis://[user:password@]host:port`. */
  redisUrl: string;
  /** The token that clients must send. */
  token: string;
  /** 0 is a free one. */
  port: number;
  /** The address to listen on; this machine's own unless told otherwise. */
  host?: string;
}

/** A bridge that is listening. */
export interface Bridge {
  /** What `UPSTASH_REDIS_REST_URL` is set to. */
  url: string;
  /** Stops listening and leaves Redis. */
  close(): Promise<void>;
}

/** Connects to Redis and listens. */
export async function startBridge(options: BridgeOptions): Promise<Bridge> {
  if (options.token === "") throw new Error("the bridge needs a token that is not empty");
  const redis = await connect(options.redisUrl);
  const scripts = new Scripts();
  let answered = 0;
  const server = createServer((request, response) => {
    const finish = (status: number, body: unknown) => {
      answered += 1;
      const headers = {
        "content-type": "application/json",
        "upstash-sync-token": Buffer.from(`bridge:${answered}`).toString("base64"),
      };
      response.writeHead(status, headers).end(JSON.stringify(body));
    };
    serve(redis, scripts, options.token, request).then(
      ({ status, body }) => finish(status, body),
      (error: unknown) => fail(error, finish, response),
    );
  });
  try {
    await listen(server, options);
  } catch (error) {
    redis.close();
    throw error;
  }
  const { address, family, port } = server.address() as AddressInfo;
  return {
    url: `http://${family === "IPv6" ? `[${address}]` : address}:${port}`,
    async close() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
      redis.close();
    },
  };
}

async function serve(redis: Connection, scripts: Scripts, token: string, request: IncomingMessage) {
  // By hand, because a URL parser would resolve words of a command that look like dot segments.
  const [path = "/", ...rest] = (request.url ?? "/").split("?");
  const query = new URLSearchParams(rest.join("?"));
  if (!isAuthorized(request.headers.authorization, query, token)) {
    throw new BadRequest(401, "WRONGPASS invalid or missing auth token");
  }
  const ask = read(request.method ?? "GET", path, query, await bodyOf(request));
  const base64 = request.headers["upstash-encoding"] === "base64";
  return execute(redis, scripts, ask, base64);
}

async function execute(redis: Connection, scripts: Scripts, ask: Ask, base64: boolean) {
  const told = (words: Words, reply: unknown) => {
    // Upstash knows no difference between this and a copy that was not made.
    if (reply instanceof ErrorReply && /^copy$/i.test(String(words[0])) && reply.message === SAME_KEY) return { result: 0 };
    // What Redis says about a command is the client's to read; anything else is an outage.
    return reply instanceof ErrorReply ? { error: reply.message } : { result: write(scripts.translateReply(words, reply), base64) };
  };
  const send = async (commands: Command[]) => {
    const passed = commands.filter((command): command is Words => !("error" in command));
    const replies = await redis.send(passed.map((words) => scripts.translate(words)));
    return commands.map((command) => ("error" in command ? command : told(command, replies.shift())));
  };
  switch (ask.kind) {
    case "command": {
      const [body = {}] = await send([ask.command]);
      return { status: "error" in body ? 400 : 200, body };
    }
    case "pipeline":
      return { status: 200, body: await send(ask.commands) };
    case "transaction": {
      const commands = ask.commands.map((command) => {
        if ("error" in command) throw new BadRequest(400, command.error);
        return command;
      });
      const replies = await redis.transact(commands.map((words) => scripts.translate(words))).catch((error: unknown) => {
        throw error instanceof ErrorReply ? new BadRequest(400, error.message) : error;
      });
      return { status: 200, body: replies.map((reply, at) => told(commands[at] ?? [], reply)) };
    }
  }
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.byteLength;
    if (size > MOST_BYTES) throw new BadRequest(413, "ERR max request size exceeded");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function fail(
  error: unknown,
  finish: (status: number, body: unknown) => void,
  response: ServerResponse,
) {
  if (error instanceof BadRequest) return finish(error.status, { error: error.message });
  if (!response.headersSent) finish(500, { error: `ERR ${messageOf(error)}` });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function listen(server: Server, { port, host = "127.0.0.1" }: BridgeOptions): Promise<void> {
  return new Promise((listening, refused) => {
    server.once("error", refused);
    server.listen(port, host, () => listening());
  });
}
