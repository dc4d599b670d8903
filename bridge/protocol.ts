// The Upstash REST protocol: what a request asks of Redis, and how the reply is written.

import { createHash, timingSafeEqual } from "node:crypto";

/** A command's words. Values of any other type than text and numbers are written as JSON. */
export type Words = string[];

/** What one HTTP request asks for. */
export type Ask =
  | { kind: "command"; words: Words }
  | { kind: "pipeline"; commands: Words[] }
  | { kind: "transaction"; commands: Words[] };

/** A request that cannot be served, with Upstash's status and message. */
export class BadRequest extends Error {
  readonly status: 400 | 401 | 405 | 413;

  constructor(status: BadRequest["status"], message: string) {
    super(message);
    this.status = status;
  }
}

/** Commands that would change or block the one connection all requests share. */
const UNSUPPORTED = new Set(
  "AUTH BLMOVE BLMPOP BLPOP BRPOP BRPOPLPUSH BZMPOP BZPOPMAX BZPOPMIN CLIENT DISCARD EXEC HELLO MONITOR MULTI PSUBSCRIBE PUNSUBSCRIBE QUIT RESET SELECT SSUBSCRIBE SUBSCRIBE SUNSUBSCRIBE SYNC PSYNC UNSUBSCRIBE UNWATCH WAIT WAITAOF WATCH".split(" "),
);

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
export function read(method: string, path: string, query: URLSearchParams, body: string): Ask {
  if (!["GET", "HEAD", "POST", "PUT"].includes(method)) {
    throw new BadRequest(405, "ERR method not allowed");
  }
  const posts = method === "POST" || method === "PUT";
  switch (path) {
    case "/":
      if (!posts) throw new BadRequest(405, "ERR a command in the body needs POST");
      return { kind: "command", words: words(parse(body)) };
    case "/pipeline":
      if (!posts) throw new BadRequest(405, "ERR a pipeline needs POST");
      return { kind: "pipeline", commands: commands(parse(body)) };
    case "/multi-exec":
      if (!posts) throw new BadRequest(405, "ERR a transaction needs POST");
      return { kind: "transaction", commands: commands(parse(body)) };
    default:
      return { kind: "command", words: inPath(path, query, posts ? body : "") };
  }
}

/** `/SET/key?EX=10` with a body is `SET key BODY EX 10`. */
function inPath(path: string, query: URLSearchParams, body: string): Words {
  let words: string[];
  try {
    words = path.slice(1).split("/").map(decodeURIComponent);
  } catch {
    throw new BadRequest(400, "ERR the path is not well encoded");
  }
  const options = [...query].filter(([name]) => name !== "_token").flat();
  const all = [...words, ...(body === "" ? [] : [body]), ...options.filter((word) => word !== "")];
  return supported(all);
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    throw new BadRequest(400, "ERR failed to parse the request body as JSON");
  }
}

function commands(value: unknown): Words[] {
  if (!Array.isArray(value) || value.length === 0) {
    throw new BadRequest(400, "ERR expected an array of commands");
  }
  return value.map(words);
}

function words(value: unknown): Words {
  if (!Array.isArray(value) || value.length === 0) {
    throw new BadRequest(400, "ERR expected a command as an array");
  }
  return supported(value.map((word) => (typeof word === "string" ? word : JSON.stringify(word))));
}

function supported(command: Words): Words {
  const name = command[0]?.toUpperCase() ?? "";
  const blocks = /^XREAD/.test(name) && command.some((word) => word.toUpperCase() === "BLOCK");
  if (UNSUPPORTED.has(name) || blocks) throw new BadRequest(400, `ERR ${name} is not supported over REST`);
  return command;
}

/** Writes a reply as JSON can hold it; text in base64 where the client asked for that. */
export function write(reply: unknown, base64: boolean): unknown {
  if (reply instanceof Uint8Array) {
    const bytes = Buffer.from(reply);
    return base64 && bytes.toString() !== "OK" ? bytes.toString("base64") : bytes.toString();
  }
  if (Array.isArray(reply)) return reply.map((item) => write(item, base64));
  if (typeof reply === "bigint") return Number(reply);
  return reply ?? null;
}
