// Upstash locks only a script's own keys when its first line says so. Redis and Valkey refuse
// that flag, and know the script by the hash of what is left when it is taken away.

import { createHash } from "node:crypto";
import type { Words } from "./protocol.ts";

const FLAGGED = /^#!lua flags=allow-key-locking\r?\n/;

/** Translates scripts and their hashes on the way to Redis. */
export class Scripts {
  readonly #known = new Map<string, string>();

  /** The command as Redis understands it. */
  translate(words: Words): Words {
    const [name = "", script = "", ...rest] = words;
    switch (name.toUpperCase()) {
      case "EVAL":
      case "EVAL_RO":
        return [name, this.#plain(script), ...rest];
      case "EVALSHA":
      case "EVALSHA_RO":
        return [name, this.#known.get(script.toLowerCase()) ?? script, ...rest];
      case "SCRIPT": {
        if (script.toUpperCase() !== "LOAD") return words;
        const [text = "", ...more] = rest;
        return [name, script, this.#plain(text), ...more];
      }
      default:
        return words;
    }
  }

  #plain(script: string): string {
    const plain = script.replace(FLAGGED, "");
    if (plain !== script) this.#known.set(sha1(script), sha1(plain));
    return plain;
  }
}

function sha1(text: string): string {
  return createHash("sha1").update(text).digest("hex");
}
