// Serves the Upstash REST protocol in front of a Redis, for development, tests, and self-hosted Redis.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { ErrorReply } from "redis";
import { connect, type Connection } from "./connection.ts";
import { BadRequest, isAuthorized, parseRequest, encodeReply, type RedisRequest, type Command, type CommandArgs } from "./protocol.ts";
import { Scripts } from "./scripts.ts";

/** The error of COPY with one key as source and destination. */
const SAME_KEY = "ERR source and destination objects are the same";

/** The limit of a request's body. */
const MAX_BODY_BYTES = 10 * 1024 * 1024;

/** The options of a bridge. */
export interface BridgeOptions {
  /** `redis://[user:password@]host:port`. */
  redisUrl: string;
  /** The token that clients authenticate with. */
  token: string;
  /** The port to listen on; 0 for a free one. */
  port: number;
  /** The address to listen on; `127.0.0.1` by default. */
  host?: string;
}

/** A running bridge. */
export interface Bridge {
  /** The value for `UPSTASH_REDIS_REST_URL`. */
  url: string;
  /** Stops listening and disconnects from Redis. */
  close(): Promise<void>;
}

/** Connects to Redis and listens. */
export async function startBridge(options: BridgeOptions): Promise<Bridge> {
  if (options.token === "") throw new Error("the bridge's token must not be empty");
  const redis = await connect(options.redisUrl);
  const scripts = new Scripts();
  let responses = 0;
  const server = createServer((request, response) => {
    const respond = (status: number, body: unknown) => {
      responses += 1;
      const headers = {
        "content-type": "application/json",
        "upstash-sync-token": Buffer.from(`bridge:${responses}`).toString("base64"),
      };
      response.writeHead(status, headers).end(JSON.stringify(body));
    };
    serve(redis, scripts, options.token, request).then(
      ({ status, body }) => respond(status, body),
      (error: unknown) => respondWithError(error, respond, response),
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
      await new Promise((resolve) => server.close(resolve));
      redis.close();
    },
  };
}

async function serve(redis: Connection, scripts: Scripts, token: string, request: IncomingMessage) {
  // Not parsed by `URL`, which would resolve arguments such as `..` as dot segments.
  const [path = "/", ...rest] = (request.url ?? "/").split("?");
  const query = new URLSearchParams(rest.join("?"));
  if (!isAuthorized(request.headers.authorization, query, token)) {
    throw new BadRequest(401, "WRONGPASS invalid or missing auth token");
  }
  const parsed = parseRequest(request.method ?? "GET", path, query, await readBody(request));
  const base64 = request.headers["upstash-encoding"] === "base64";
  return execute(redis, scripts, parsed, base64);
}

async function execute(redis: Connection, scripts: Scripts, request: RedisRequest, base64: boolean) {
  const toResult = (args: CommandArgs, reply: unknown) => {
    // Upstash answers this as a COPY that copied nothing.
    if (reply instanceof ErrorReply && /^copy$/i.test(String(args[0])) && reply.message === SAME_KEY) return { result: 0 };
    // Redis's errors are returned to the client; any other error is an outage.
    return reply instanceof ErrorReply ? { error: reply.message } : { result: encodeReply(scripts.translateReply(args, reply), base64) };
  };
  const send = async (commands: Command[]) => {
    const allowed = commands.filter((command): command is CommandArgs => !("error" in command));
    const replies = await redis.send(allowed.map((args) => scripts.translate(args)));
    return commands.map((command) => ("error" in command ? command : toResult(command, replies.shift())));
  };
  switch (request.kind) {
    case "command": {
      const [body = {}] = await send([request.command]);
      return { status: "error" in body ? 400 : 200, body };
    }
    case "pipeline":
      return { status: 200, body: await send(request.commands) };
    case "transaction": {
      const commands = request.commands.map((command) => {
        if ("error" in command) throw new BadRequest(400, command.error);
        return command;
      });
      const replies = await redis.transact(commands.map((args) => scripts.translate(args))).catch((error: unknown) => {
        throw error instanceof ErrorReply ? new BadRequest(400, error.message) : error;
      });
      return { status: 200, body: replies.map((reply, at) => toResult(commands[at] ?? [], reply)) };
    }
  }
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.byteLength;
    if (size > MAX_BODY_BYTES) throw new BadRequest(413, "ERR max request size exceeded");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function respondWithError(
  error: unknown,
  respond: (status: number, body: unknown) => void,
  response: ServerResponse,
) {
  if (error instanceof BadRequest) return respond(error.status, { error: error.message });
  if (!response.headersSent) respond(500, { error: `ERR ${messageOf(error)}` });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function listen(server: Server, { port, host = "127.0.0.1" }: BridgeOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => resolve());
  });
}
