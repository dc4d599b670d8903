// The Upstash REST protocol: parses requests into Redis commands and encodes replies.

import { createHash, timingSafeEqual } from "node:crypto";
// Redis's official client.
import { ErrorReply } from "redis";
import { isBlocked } from "./blocked_commands.ts";

/** A command's name and arguments: strings, or bytes that are not UTF-8. Other JSON values are sent as JSON text. */
export type CommandArgs = (string | Buffer)[];

/** A command, or the error for one that is not sent to Redis. */
export type Command = CommandArgs | { error: string };

/** A parsed HTTP request. */
export type RedisRequest =
  | { kind: "command"; command: Command }
  | { kind: "pipeline"; commands: Command[] }
  | { kind: "transaction"; commands: Command[] };

/** An error response, with Upstash's status and message. */
export class BadRequest extends Error {
  readonly status: 400 | 401 | 405 | 413;

  constructor(status: BadRequest["status"], message: string) {
    super(message);
    this.status = status;
  }
}

/** Does the request have the token, as a bearer token or as `_token` in the query? */
export function isAuthorized(authorization: string | undefined, query: URLSearchParams, token: string): boolean {
  const bearer = /^Bearer +(.+)$/i.exec(authorization ?? "")?.[1];
  return [bearer, query.get("_token")].some((sent) => typeof sent === "string" && equalsInConstantTime(sent, token));
}

/** Compares two strings without revealing by its timing where they differ. */
function equalsInConstantTime(one: string, other: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}

/** Parses a request. */
export function parseRequest(method: string, path: string, query: URLSearchParams, body: Buffer): RedisRequest {
  if (!["GET", "HEAD", "POST", "PUT"].includes(method)) {
    throw new BadRequest(405, "ERR method not allowed");
  }
  const hasBody = method === "POST" || method === "PUT";
  switch (path) {
    case "/":
      if (!hasBody) throw new BadRequest(405, "ERR a command in the body requires POST");
      return { kind: "command", command: parseCommand(parseJson(body)) };
    case "/pipeline":
      if (!hasBody) throw new BadRequest(405, "ERR a pipeline requires POST");
      return { kind: "pipeline", commands: parseCommands(parseJson(body)) };
    case "/multi-exec":
      if (!hasBody) throw new BadRequest(405, "ERR a transaction requires POST");
      return { kind: "transaction", commands: parseCommands(parseJson(body)) };
    default:
      return { kind: "command", command: parsePath(path, query, hasBody ? body : Buffer.of()) };
  }
}

/** `/SET/key?EX=10` with a body is `SET key BODY EX 10`. The body is used byte for byte. */
function parsePath(path: string, query: URLSearchParams, body: Buffer): Command {
  const options = [...query].filter(([name]) => name !== "_token").flat();
  const args = path.slice(1).split("/").map(decodeSegment);
  return unlessBlocked([...args, ...(body.length === 0 ? [] : [body]), ...options.filter((option) => option !== "")]);
}

/** Decodes a segment of a path. Percent-encoded bytes need not be UTF-8. */
function decodeSegment(segment: string): string | Buffer {
  if (/%(?![0-9a-f]{2})/i.test(segment)) throw new BadRequest(400, "ERR the path has malformed percent-encoding");
  try {
    return decodeURIComponent(segment);
  } catch {
    const bytes = segment.replace(/%(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
    return Buffer.from(bytes, "latin1");
  }
}

/** Keeps numbers as they are written in JSON, because doubles cannot hold large integers exactly. */
const json = JSON as unknown as {
  rawJSON(text: string): unknown;
  parse(text: string, reviver: (key: string, value: unknown, context: { source: string }) => unknown): unknown;
};
const utf8 = new TextDecoder("utf-8", { fatal: true });

function parseJson(body: Buffer): unknown {
  try {
    return json.parse(utf8.decode(body), (_, value, context) => (typeof value === "number" ? json.rawJSON(context.source) : value));
  } catch {
    throw new BadRequest(400, "ERR failed to parse the request body as JSON");
  }
}

function parseCommands(value: unknown): Command[] {
  if (!Array.isArray(value) || value.length === 0) {
    throw new BadRequest(400, "ERR expected an array of commands");
  }
  return value.map(parseCommand);
}

function parseCommand(value: unknown): Command {
  if (!Array.isArray(value) || value.length === 0) {
    throw new BadRequest(400, "ERR expected a command as an array");
  }
  return unlessBlocked(value.map((arg) => (typeof arg === "string" ? arg : JSON.stringify(arg))));
}

function unlessBlocked(args: CommandArgs): Command {
  return isBlocked(args) ? { error: `ERR ${String(args[0]).toUpperCase()} is not supported over REST` } : args;
}

/**
 * Converts a reply to a JSON value. Bytes become text, or base64 if the client requested it; then Redis's
 * own `OK` is the only reply that stays plain.
 */
export function encodeReply(reply: unknown, base64: boolean): unknown {
  return reply === "OK" ? reply : encodeNested(reply, base64);
}

function encodeNested(reply: unknown, base64: boolean): unknown {
  if (Array.isArray(reply)) return reply.map((item) => encodeNested(item, base64));
  // The client returns integers as text. No status reply looks like one.
  if (typeof reply === "string" && /^-?\d+$/.test(reply)) return json.rawJSON(reply);
  const text = reply instanceof ErrorReply ? reply.message : reply;
  if (text === null || text === undefined) return null;
  const bytes = text instanceof Uint8Array ? Buffer.from(text) : Buffer.from(String(text));
  return bytes.toString(base64 ? "base64" : "utf8");
}
