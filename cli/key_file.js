// A file that holds a set of signing keys, as `SIGNING_KEYS` has it.

import { readdirSync } from "node:fs";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { randomBytes } from "node:crypto";
import { usageError } from "./errors.js";
import { home, signingKey } from "./project.js";

/** @typedef {import("./project.js").Jwk} Jwk */

/** Where `npm run keys` puts keys. */
export const KEYS_FOLDER = join(home, ".cache/keys");

/** A path as people type it. @param {string} file */
export const typed = (file) => (relative(process.cwd(), file).startsWith("..") ? file : relative(process.cwd(), file));

/** The file that is meant: the one that is named, or the only one there is. @param {string | undefined} file */
export function keyFile(file) {
  if (file !== undefined) return file;
  const all = names().filter((name) => name.endsWith(".json"));
  const [only] = all;
  if (only === undefined) throw usageError(`There is no key set in ${typed(KEYS_FOLDER)}. Name the file, or make a key with \`session-guard init\`.`);
  if (all.length > 1) throw usageError(`Name the file; ${typed(KEYS_FOLDER)} has ${all.join(", ")}.`);
  return join(KEYS_FOLDER, only);
}

function names() {
  try {
    return readdirSync(KEYS_FOLDER);
  } catch {
    return [];
  }
}

/** The keys of a file, the one that signs first. @param {string} file @returns {Promise<Jwk[]>} */
export async function readKeys(file) {
  const text = await readFile(file, "utf8").catch((/** @type {NodeJS.ErrnoException} */ error) => {
    throw usageError(`${file} cannot be read: ${error.code === "ENOENT" ? "there is no such file" : error.code}.`);
  });
  // The parser's message would show a part of the key.
  const keys = parsed(text)?.keys;
  if (!Array.isArray(keys) || keys.length === 0 || keys.some((key) => typeof key?.kid !== "string" || typeof key?.alg !== "string")) throw usageError(`${file} is no key set: {"keys": [...]}, each key with its "kid" and "alg".`);
  return keys;
}

/** @param {string} text @returns {{ keys?: any } | undefined} */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Writes the keys in one step, so that no half of a file is ever left. @param {string} file @param {Jwk[]} keys */
export async function writeKeys(file, keys) {
  await mkdir(dirname(file), { recursive: true });
  await writeSecret(file, `${JSON.stringify({ keys })}\n`);
}

/** Writes a file that only its owner can read. @param {string} file @param {string} text */
export async function writeSecret(file, text) {
  const next = `${file}.${randomBytes(4).toString("hex")}`;
  await writeFile(next, text, { mode: 0o600, flag: "wx" });
  await rename(next, file);
}

/** A new key. @param {string} alg */
export async function newKey(alg) {
  const { algorithms, makeKey } = await signingKey();
  if (!algorithms.includes(alg)) throw usageError(`--alg must be one of ${algorithms.join(", ")}.`);
  return makeKey(alg);
}
