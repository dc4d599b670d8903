// What commands read from files and standard input.

import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { usageError } from "./errors.js";

/** A file's text; `-` is standard input. @param {string} file @param {import("./terminal.js").Terminal} terminal */
export async function readText(file, terminal) {
  if (file === "-") return text(terminal.streams.stdin);
  return readFile(file, "utf8").catch((/** @type {NodeJS.ErrnoException} */ error) => {
    throw usageError(`${file} cannot be read: ${error.code === "ENOENT" ? "there is no such file" : error.code}.`);
  });
}

/** The lines of a file that are not empty. @param {string} file @param {import("./terminal.js").Terminal} terminal */
export async function readLines(file, terminal) {
  return (await readText(file, terminal)).split("\n").map((line) => line.trim()).filter((line) => line !== "");
}
