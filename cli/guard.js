// A guard that commands ask: where it is, with which key, and what its answers mean.

import { readFile } from "node:fs/promises";
import { parseEnv } from "node:util";
import { Option } from "commander";
import { passingError, unknownError, usageError } from "./errors.js";
import { problemOf, send, whyNot } from "./http.js";
import { readDevVars } from "./project.js";
import { shown } from "./text.js";

/** @typedef {import("commander").Command} Command */
/** @typedef {import("./terminal.js").Terminal} Terminal */
/** @typedef {{ url?: string, keyFile?: string, allowHttp?: boolean, connectTo?: string }} Where */

/** Adds the options of a command that asks a guard. @param {Command} command */
export function asksGuard(command) {
  return command
    .addOption(urlOption())
    .option("--key-file <file>", "the file that has ADMIN_API_KEY, alone or as a line ADMIN_API_KEY=…, if the environment does not")
    .option("--allow-http", "send the key over plain http to another machine")
    .option("--json", "print JSON");
}

export const urlOption = () =>
  new Option("--url <url>", "the site that is guarded; with its path if AUTH_PATH is not /_auth").env("SESSION_GUARD_URL");

/** Splits a URL into the site's origin and `AUTH_PATH`. @param {string | undefined} text */
export function parseUrl(text) {
  if (text === undefined || text === "") throw usageError("Say where the guard is: --url https://members.example.com, or set SESSION_GUARD_URL.");
  const url = URL.parse(/^[a-z]+:\/\//i.test(text) ? text : `https://${text}`);
  if (url === null || !/^https?:$/.test(url.protocol)) throw usageError(`${shown(text)} is no URL of a site, like https://members.example.com.`);
  if (url.username !== "" || url.search !== "" || url.hash !== "") throw usageError("The URL must have no user name, query or fragment: https://members.example.com.");
  const authPath = url.pathname.replace(/\/+$/, "");
  return { origin: url.origin, authPath: authPath === "" ? "/_auth" : authPath, isLocal: isLoopback(url.hostname), isPlain: url.protocol === "http:" };
}

/** @param {string} hostname */
export const isLoopback = (hostname) => /^(localhost|.*\.localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);

/** Where a guard on this machine has its key from. */
const LOCAL_KEY = "`npm start` and `npm run dev` read it from .dev.vars when they start, and `npm run self-host` from its file of secrets.";

/** What is answered by a guard, a store or a proxy that is away or busy for a moment. */
const PASSING = [429, 502, 503, 504];

export class Guard {
  /** @param {{ origin: string, authPath: string }} site @param {string} key @param {{ timeout?: number }} [limits] */
  constructor({ origin, authPath }, key, { timeout } = {}) {
    this.origin = origin;
    this.authPath = authPath;
    this.key = key;
    this.timeout = timeout;
  }

  /** The guard that the options name. @param {Where} options @param {Terminal} terminal @param {{ timeout?: number }} [limits] milliseconds that a call may take */
  static async of(options, terminal, limits) {
    const site = parseUrl(options.url);
    if (site.isPlain && !site.isLocal && options.allowHttp !== true) {
      throw usageError(`ADMIN_API_KEY would travel to ${site.origin} in the clear. Use https, or --allow-http if the network between is yours.`);
    }
    return new Guard(site, await findKey(options, site.isLocal, terminal.env, { isNeeded: true }), limits);
  }

  /**
   * Calls the admin API. Throws what is wrong in words if the guard refuses.
   * @param {string} method
   * @param {string} path below `AUTH_PATH`, encoded
   * @param {unknown} [body] sent as JSON; an array of texts as JSON Lines
   * @returns {Promise<any>} the JSON of the answer
   */
  async call(method, path, body) {
    const { answer, problem } = await this.ask(method, path, body);
    if (problem !== undefined) throw problem;
    return answer.text === "" ? undefined : jsonOf(answer.text, this.origin);
  }

  /** The same for an answer in JSON Lines: each line, and what it says. @param {string} method @param {string} path @returns {Promise<{ line: string, value: any }[]>} */
  async callForLines(method, path) {
    const { answer, problem } = await this.ask(method, path);
    if (problem !== undefined) throw problem;
    return answer.text.split("\n").filter((line) => line !== "").map((line) => ({ line, value: jsonOf(line, this.origin) }));
  }

  /** The same; a refusal is returned. @param {string} method @param {string} path @param {unknown} [body] */
  async ask(method, path, body) {
    const [type, text] = body === undefined ? [] : Array.isArray(body) ? ["application/jsonl", body.join("\n")] : ["application/json", JSON.stringify(body)];
    const headers = { accept: "application/json", authorization: `Bearer ${this.key}`, ...(type !== undefined && { "content-type": type }) };
    const sent = { method, headers, body: text, ...(this.timeout !== undefined && { timeout: this.timeout }) };
    const answer = await send(this.origin, `${this.authPath}/${path}`, sent).catch((error) => {
      throw passingError(`${this.origin} cannot be reached: ${whyNot(error)}.`);
    });
    const isJson = /^application\/jsonl?\b/.test(answer.headers["content-type"] ?? "") || answer.status === 204;
    return { answer, problem: answer.status < 300 && isJson ? undefined : this.problem(answer) };
  }

  /** What an answer means that is no success. @param {import("./http.js").Answer} answer */
  problem(answer) {
    const { status, headers } = answer;
    const type = headers["content-type"] ?? "";
    const { code, title = "", detail = "" } = problemOf(answer) ?? {};
    if (status >= 300 && status < 400) return unknownError(`${this.origin} redirects to ${shown(headers.location ?? "")}. Is this the guard's --url?`);
    if (code === undefined && PASSING.includes(status)) return passingError(`${this.origin} answers ${status}, and not by the guard itself.`);
    if (code === undefined) return unknownError(`No guard answers at ${this.origin}${this.authPath} (${status} ${shown(type)}). If its AUTH_PATH is not ${this.authPath}, write it after the host in --url.`);
    // Whatever is no key is read as a token.
    const isUnknownKey = code === "key_invalid" || (code === "token_invalid" && this.key.split(".").length !== 3);
    if (isUnknownKey) return unknownError(`The guard does not know this ADMIN_API_KEY, or has none. ${isLoopback(new URL(this.origin).hostname) ? LOCAL_KEY : "It is the secret that was set with `npx wrangler secret put ADMIN_API_KEY`."}`);
    const words = `${shown(title)}. ${shown(detail)} (${status} ${shown(code)})`;
    if (PASSING.includes(status)) return passingError(words);
    return status === 400 ? usageError(words) : unknownError(words);
  }
}

/**
 * `ADMIN_API_KEY`; an error if there is none and it is needed.
 * @template {boolean} Needed
 * @param {{ keyFile?: string }} options @param {boolean} isLocal @param {NodeJS.ProcessEnv} env @param {{ isNeeded: Needed }} need
 * @returns {Promise<Needed extends true ? string : string | undefined>}
 */
export async function findKey({ keyFile }, isLocal, env, { isNeeded }) {
  const fromFile = async (/** @type {string} */ file) =>
    readFile(file, "utf8").catch((/** @type {NodeJS.ErrnoException} */ error) => {
      throw usageError(`${file} cannot be read: ${error.code}`);
    });
  const found = keyFile !== undefined ? keyIn(await fromFile(keyFile)) : env["ADMIN_API_KEY"] || (isLocal ? (await readDevVars())["ADMIN_API_KEY"] : undefined);
  const key = (found ?? "").trim();
  if (key === "" && !isNeeded) return /** @type {never} */ (undefined);
  if (key === "") throw usageError(`ADMIN_API_KEY is missing. Set it in the environment, or name a file that has it with --key-file.${isLocal ? ` ${LOCAL_KEY}` : ""}`);
  if (!/^[!-~]+$/.test(key)) throw usageError("ADMIN_API_KEY has characters that no key has, like blanks or line breaks.");
  return /** @type {never} */ (key);
}

/** The key in a file: its whole text, or what it has as `ADMIN_API_KEY=…`, as the file of secrets of a guard on a machine of one's own. @param {string} text */
const keyIn = (text) => (/^\s*ADMIN_API_KEY\s*=/m.test(text) ? parseEnv(text)["ADMIN_API_KEY"] : text);

/** A user in a path. @param {string} sub */
export function inPath(sub) {
  if (sub === "." || sub === "..") throw usageError(`A user named ${sub} cannot be named in a URL. \`session-guard end\` can end this user's sessions.`);
  if (sub === "") throw usageError("The user's name is empty.");
  return encodeURIComponent(sub);
}

/** @param {string} text @param {string} origin */
function jsonOf(text, origin) {
  try {
    return JSON.parse(text);
  } catch {
    throw unknownError(`What ${origin} answers is no JSON, though it says so.`);
  }
}
