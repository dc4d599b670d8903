// Upstash locks only a script's own keys when its first line says so. Redis and Valkey refuse
// that flag, and know the script by the hash of what is left when it is taken away.

import { createHash } from "node:crypto";
import type { Words } from "./protocol.ts";

const SHEBANG = /^#!lua[^\n]*\n?/;
const FLAG = "allow-key-locking";

/** Translates scripts and their hashes on the way to Redis. */
export class Scripts {
  readonly #known = new Map<string, string>();

  /** The command as Redis understands it. */
  translate(words: Words): Words {
    const [name = "", script = "", ...rest] = words;
    switch (String(name).toUpperCase()) {
      case "EVAL":
      case "EVAL_RO":
        return [name, this.#plain(script), ...rest];
      case "EVALSHA":
      case "EVALSHA_RO":
        return [name, this.#hash(script), ...rest];
      case "SCRIPT":
        switch (String(script).toUpperCase()) {
          case "LOAD":
            return [name, script, ...rest.map((text) => this.#plain(text))];
          case "EXISTS":
            return [name, script, ...rest.map((hash) => this.#hash(hash))];
          default:
            return words;
        }
      default:
        return words;
    }
  }

  /** The reply as the client understands it: a script is known by the hash of what was sent. */
  translateReply([name, subcommand, script = ""]: Words, reply: unknown): unknown {
    const isLoad = [name, subcommand].join(" ").toUpperCase() === "SCRIPT LOAD";
    return isLoad && reply instanceof Uint8Array ? Buffer.from(sha1(script)) : reply;
  }

  #hash(script: string | Buffer): string | Buffer {
    return this.#known.get(String(script).toLowerCase()) ?? script;
  }

  #plain(script: string | Buffer): string | Buffer {
    if (typeof script !== "string") return script;
    const plain = script.replace(SHEBANG, withoutFlag);
    if (plain !== script) this.#known.set(sha1(script), sha1(plain));
    return plain;
  }
}

/** The first line without the flag; without anything, if it says nothing else. */
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
