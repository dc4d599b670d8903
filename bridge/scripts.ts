// Upstash locks only a script's own keys if its first line has the flag `allow-key-locking`. Redis and
// Valkey reject this flag, so the bridge removes it; the script then has another hash.

import { createHash } from "node:crypto";
import type { CommandArgs } from "./protocol.ts";

const SHEBANG = /^#!lua[^\n]*\n?/;
const FLAG = "allow-key-locking";

/** Translates scripts and their hashes between client and Redis. */
export class Scripts {
  /** Maps the hash of a script that a client has sent to its hash without the flag. */
  readonly #hashes = new Map<string, string>();

  /** Translates a command for Redis. */
  translate(args: CommandArgs): CommandArgs {
    const [name = "", script = "", ...rest] = args;
    switch (String(name).toUpperCase()) {
      case "EVAL":
      case "EVAL_RO":
        return [name, this.#stripFlag(script), ...rest];
      case "EVALSHA":
      case "EVALSHA_RO":
        return [name, this.#hash(script), ...rest];
      case "SCRIPT":
        switch (String(script).toUpperCase()) {
          case "LOAD":
            return [name, script, ...rest.map((text) => this.#stripFlag(text))];
          case "EXISTS":
            return [name, script, ...rest.map((hash) => this.#hash(hash))];
          default:
            return args;
        }
      default:
        return args;
    }
  }

  /** Translates a reply for the client: SCRIPT LOAD returns the hash of the script that the client has sent. */
  translateReply([name, subcommand, script = ""]: CommandArgs, reply: unknown): unknown {
    const isLoad = [name, subcommand].join(" ").toUpperCase() === "SCRIPT LOAD";
    return isLoad && reply instanceof Uint8Array ? Buffer.from(sha1(script)) : reply;
  }

  #hash(script: string | Buffer): string | Buffer {
    return this.#hashes.get(String(script).toLowerCase()) ?? script;
  }

  #stripFlag(script: string | Buffer): string | Buffer {
    if (typeof script !== "string") return script;
    const plain = script.replace(SHEBANG, withoutFlag);
    if (plain !== script) this.#hashes.set(sha1(script), sha1(plain));
    return plain;
  }
}

/** Removes the flag from the first line, and the whole line if it has no other flag. */
function withoutFlag(line: string): string {
  const others = line.replace(/(flags=)(\S*)/, (whole, name: string, flags: string) => {
    const all = flags.split(",");
    return all.includes(FLAG) ? name + all.filter((flag) => flag !== FLAG).join(",") : whole;
  });
  return others === line ? line : others.replace(/^#!lua\s+flags=\s*$/, "");
}

function sha1(text: string | Buffer): string {
  return createHash("sha1").update(text).digest("hex");
}
