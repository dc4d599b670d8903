// A backup's file: one line of JSON for each user, as `GET admin/export` writes it.

import { randomBytes } from "node:crypto";
import { createReadStream, rmSync } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { unknownError, usageError } from "../errors.js";
import { typed } from "../key_file.js";

/** @typedef {{ line: string, number: number, sessions: number }} User a line, its number in the file, and how many sessions it has */

/**
 * Writes a file that only its owner can read. It takes the place of an old one when it is whole; if the command fails or
 * is interrupted, nothing is left of it.
 * @template T
 * @param {string} file
 * @param {(append: (lines: string[]) => Promise<void>) => Promise<T>} write resolves once all is written
 * @returns {Promise<T>} what `write` has returned
 */
export async function writeWhole(file, write) {
  // Of its own, because two backups may run at once.
  const part = `${file}.${randomBytes(4).toString("hex")}.part`;
  const handle = await open(part, "wx", 0o600).catch((error) => {
    throw usageError(`${typed(file)} cannot be written: ${reasonOf(error)}.`);
  });
  const release = removeIfInterrupted(part);
  try {
    const append = async (/** @type {string[]} */ lines) => onDisk(handle.appendFile(lines.map((line) => `${line}\n`).join("")), file);
    const written = await write(append);
    await onDisk(handle.sync(), file);
    await handle.close();
    await onDisk(rename(part, file), file);
    return written;
  } finally {
    await handle.close();
    await rm(part, { force: true });
    release();
  }
}

/** @param {Promise<void>} writing @param {string} file */
const onDisk = (writing, file) =>
  writing.catch((error) => {
    throw unknownError(`${typed(file)} cannot be written: ${reasonOf(error)}.`);
  });

/** Removes a file if a signal ends the command. Returns what takes this back. @param {string} file */
function removeIfInterrupted(file) {
  const signals = /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"]);
  const remove = (/** @type {NodeJS.Signals} */ signal) => {
    rmSync(file, { force: true });
    release();
    process.kill(process.pid, signal);
  };
  const release = () => signals.forEach((signal) => process.removeListener(signal, remove));
  signals.forEach((signal) => process.on(signal, remove));
  return release;
}

/**
 * The users of a backup. An error names the first line that is none, and shows nothing of it.
 * @param {string} file
 * @returns {AsyncGenerator<User, void>}
 */
export async function* usersOf(file) {
  let number = 0;
  for await (const line of linesOf(file)) {
    number += 1;
    const said = line.trim() === "" ? {} : parsed(line);
    const isUser = typeof said?.sub === "string" && typeof said.records === "object" && said.records !== null;
    if (isUser) yield { line, number, sessions: said.records.sessions?.length ?? 0 };
    else if (line.trim() !== "" && typeof said?.cursor !== "string") throw usageError(`Line ${number} of ${typed(file)} is not one of a backup. Was the file cut off? Nothing was restored.`);
  }
}

/** The lines of a file. Node's own reader would end a line at U+2028 as well, which JSON has as it is. @param {string} file */
async function* linesOf(file) {
  let rest = "";
  try {
    for await (const chunk of createReadStream(file, "utf8")) {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      yield* lines;
    }
  } catch (error) {
    throw usageError(`${typed(file)} cannot be read: ${reasonOf(error)}.`);
  }
  if (rest !== "") yield rest;
}

/** @param {string} line @returns {any} */
function parsed(line) {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

const WORDS = new Map([
  ["ENOENT", "there is no such file or folder"],
  ["EISDIR", "it is a folder"],
  ["ENOSPC", "the disk is full"],
  ["EACCES", "you have no right to"],
]);

/** @param {unknown} error */
function reasonOf(error) {
  const { code = "", message = "" } = /** @type {NodeJS.ErrnoException} */ (error ?? {});
  return WORDS.get(code) ?? (code || message);
}
