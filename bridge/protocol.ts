// The Upstash REST protocol: what a request asks of Redis, and how the reply is written.

import { createHash, timingSafeEqual } from "node:crypto";
// The client that Redis itself maintains.
import { ErrorReply } from "redis";
import { isRefused } from "./refused.ts";

/** A command's words: texts, or bytes that are none. Values of any other type are written as JSON. */
export type Words = (string | Buffer)[];

/** A command, or why it is not sent to Redis. */
export type Command = Words | { error: string };

/** What one HTTP request asks for. */
export type Ask =
  | { kind: "command"; command: Command }
  | { kind: "pipeline"; commands: Command[] }
  | { kind: "transaction"; commands: Command[] };

/** A request that cannot be served, with Upstash's status and message. */
export class BadRequest extends Error {
  readonly status: 400 | 401 | 405 | 413;

  constructor(status: BadRequest["status"], message: string) {
    super(message);
    this.status = status;
  }
}

/** Is the credential there, as a bearer token or as `_token` in the query? */
export function isAuthorized(authorization: string | undefined, query: URLSearchParams, token: string): boolean {
  const bearer = /^Bearer +(.+)$/i.exec(authorization ?? "")?.[1];
  return [bearer, query.get("_token")].some((sent) => typeof sent === "string" && isSame(sent, token));
}

/** Compares in a time that tells nothing of where two texts differ. */
function isSame(one: string, other: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}

/** Reads what a request asks for. */
export function read(method: string, path: string, query: URLSearchParams, body: Buffer): Ask {
  if (!["GET", "HEAD", "POST", "PUT"].includes(method)) {
    throw new BadRequest(405, "ERR method not allowed");
  }
  const posts = method === "POST" || method === "PUT";
  switch (path) {
    case "/":
      if (!posts) throw new BadRequest(405, "ERR a command in the body needs POST");
      return { kind: "command", command: words(parse(body)) };
    case "/pipeline":
      if (!posts) throw new BadRequest(405, "ERR a pipeline needs POST");
      return { kind: "pipeline", commands: commands(parse(body)) };
    case "/multi-exec":
      if (!posts) throw new BadRequest(405, "ERR a transaction needs POST");
      return { kind: "transaction", commands: commands(parse(body)) };
    default:
      return { kind: "command", command: inPath(path, query, posts ? body : Buffer.of()) };
  }
}

/** `/SET/key?EX=10` with a body is `SET key BODY EX 10`. The body is taken byte for byte. */
function inPath(path: string, query: URLSearchParams, body: Buffer): Command {
  const options = [...query].filter(([name]) => name !== "_token").flat();
  const words = path.slice(1).split("/").map(decode);
  return supported([...words, ...(body.length === 0 ? [] : [body]), ...options.filter((word) => word !== "")]);
}

/** A word of a path. Percent-encoded bytes need not be UTF-8. */
function decode(word: string): string | Buffer {
  if (/%(?![0-9a-f]{2})/i.test(word)) throw new BadRequest(400, "ERR the path is not well encoded");
  try {
    return decodeURIComponent(word);
  } catch {
    const bytes = word.replace(/%(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
    return Buffer.from(bytes, "latin1");
  }
}

/** JSON whose numbers stay as they are written: as doubles, large ones would become others. */
const json = JSON as unknown as {
  rawJSON(text: string): unknown;
  parse(text: string, reviver: (key: string, value: unknown, context: { source: string }) => unknown): unknown;
};
const utf8 = new TextDecoder("utf-8", { fatal: true });

function parse(body: Buffer): unknown {
  try {
    return json.parse(utf8.decode(body), (_, value, context) => (typeof value === "number" ? json.rawJSON(context.source) : value));
  } catch {
    throw new BadRequest(400, "ERR failed to parse the request body as JSON");
  }
}

function commands(value: unknown): Command[] {
  if (!Array.isArray(value) || value.length === 0) {
    throw new BadRequest(400, "ERR expected an array of commands");
  }
  return value.map(words);
}

function words(value: unknown): Command {
  if (!Array.isArray(value) || value.length === 0) {
    throw new BadRequest(400, "ERR expected a command as an array");
  }
  return supported(value.map((word) => (typeof word === "string" ? word : JSON.stringify(word))));
}

function supported(words: Words): Command {
  return isRefused(words) ? { error: `ERR ${String(words[0]).toUpperCase()} is not supported over REST` } : words;
}

/**
 * Writes a reply as JSON can hold it. Bytes are text, or base64 where the client asked for that; of all
 * replies, Redis's own `OK` alone stays as it is then.
 */
export function write(reply: unknown, base64: boolean): unknown {
  return reply === "OK" ? reply : writeInside(reply, base64);
}

function writeInside(reply: unknown, base64: boolean): unknown {
  if (Array.isArray(reply)) return reply.map((item) => writeInside(item, base64));
  // Integers come as text, and no other text of Redis's own looks like one.
  if (typeof reply === "string" && /^-?\d+$/.test(reply)) return json.rawJSON(reply);
  const text = reply instanceof ErrorReply ? reply.message : reply;
  if (text === null || text === undefined) return null;
  const bytes = text instanceof Uint8Array ? Buffer.from(text) : Buffer.from(String(text));
  return bytes.toString(base64 ? "base64" : "utf8");
}
