// Where a command reads and writes: results to standard output, everything else to standard error.

import { styleText } from "node:util";

/**
 * What of a process a command uses.
 * @typedef {object} Streams
 * @property {NodeJS.WritableStream & { isTTY?: boolean, columns?: number }} stdout
 * @property {NodeJS.WritableStream & { isTTY?: boolean }} stderr
 * @property {NodeJS.ReadableStream & { isTTY?: boolean }} stdin
 * @property {NodeJS.ProcessEnv} env
 */

/** @typedef {"red" | "green" | "yellow" | "dim" | "bold"} Colour */

export class Terminal {
  /** The exit status, unless an error says another. */
  status = 0;

  #showsProgress = false;

  /** @param {Streams} streams */
  constructor(streams) {
    this.streams = streams;
    this.env = streams.env;
  }

  /** How this command line was called. */
  get me() {
    return this.env["npm_lifecycle_event"] === "guard" ? "npm run guard --" : "npx session-guard";
  }

  /** Is there a person who can be asked? */
  get isInteractive() {
    return this.streams.stdin.isTTY === true && this.streams.stderr.isTTY === true;
  }

  /** How many columns there are. */
  get width() {
    return this.streams.stdout.columns ?? 100;
  }

  /** @param {string} text */
  write(text) {
    this.streams.stdout.write(text);
  }

  /** @param {string} text */
  writeError(text) {
    this.streams.stderr.write(text);
  }

  /** One line of the result. @param {string} [line] */
  print(line = "") {
    this.write(`${line}\n`);
  }

  /** The result as JSON. @param {unknown} value */
  printJson(value) {
    this.print(JSON.stringify(value, null, 2));
  }

  /** A line beside the result. @param {string} line */
  note(line) {
    if (this.#showsProgress) this.progress("");
    this.writeError(`${line}\n`);
  }

  /** Why the command could not go on. @param {string} message */
  fail(message) {
    this.note(`${this.coloured("red", "error:", this.streams.stderr)} ${message}`);
  }

  /** How far a long command has come; shown only to people. @param {string} text */
  progress(text) {
    if (this.streams.stderr.isTTY) this.writeError(`\r\u001b[K${text}`);
    this.#showsProgress = text !== "";
  }

  /** A text in a colour, if the stream shows colours and `NO_COLOR` is not set. @param {Colour} colour @param {string} text */
  coloured(colour, text, stream = this.streams.stdout) {
    const shows = stream.isTTY === true && !this.env["NO_COLOR"] && this.env["TERM"] !== "dumb";
    return shows ? styleText(colour, text, { validateStream: false }) : text;
  }
}
