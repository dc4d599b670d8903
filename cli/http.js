// Requests as they are written: `fetch` would normalise the path, and could not be led to another address.

import * as http from "node:http";
import * as https from "node:https";
import { isIP } from "node:net";

/**
 * @typedef {object} Answer
 * @property {number} status
 * @property {http.IncomingHttpHeaders} headers
 * @property {string} text
 * @property {number} millis from the request to the end of the answer
 */

/**
 * @typedef {object} Sent
 * @property {string} [method]
 * @property {Record<string, string>} [headers]
 * @property {string | undefined} [body]
 * @property {number} [timeout] in milliseconds
 * @property {string | undefined} [connectTo] `HOST:PORT`, where to connect instead of what the URL names
 */

/** More than any answer of the guard's. */
const MAX_BYTES = 32 * 1024 * 1024;

/**
 * Sends a request; follows no redirect.
 * @param {string} origin scheme, host and port
 * @param {string} path sent as it is
 * @param {Sent} [sent]
 * @returns {Promise<Answer>}
 */
export function send(origin, path, { method = "GET", headers = {}, body, timeout = 15_000, connectTo } = {}) {
  const url = new URL(origin);
  const hostname = url.hostname.replace(/^\[|\]$/g, "");
  const [address, port] = connectTo === undefined ? [hostname, url.port] : splitAddress(connectTo);
  const { promise, resolve, reject } = Promise.withResolvers();
  const startedAt = performance.now();
  const options = {
    host: address,
    method,
    path,
    headers: { host: url.host, "user-agent": "session-guard-cli", ...headers, ...(body === undefined ? {} : { "content-length": Buffer.byteLength(body) }) },
    // By its name alone: an address is none (RFC 6066).
    ...(isIP(hostname) === 0 && { servername: hostname }),
    agent: false,
    signal: AbortSignal.timeout(timeout),
  };
  const { request } = url.protocol === "https:" ? https : http;
  const sending = request(port === "" ? options : { ...options, port }, (answer) => {
    /** @type {Buffer[]} */
    const chunks = [];
    let bytes = 0;
    answer.on("data", (chunk) => (bytes += chunk.length) > MAX_BYTES ? answer.destroy(new Error("the answer is too large")) : chunks.push(chunk));
    answer.on("error", reject);
    answer.on("end", () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text: Buffer.concat(chunks).toString(), millis: performance.now() - startedAt }));
  });
  sending.on("upgrade", (answer, socket) => {
    socket.destroy();
    resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text: "", millis: performance.now() - startedAt });
  });
  sending.on("error", reject);
  sending.end(body);
  return promise;
}

/** @param {string} address @returns {[string, string]} */
function splitAddress(address) {
  const url = new URL(`http://${address}`);
  return [url.hostname.replace(/^\[|\]$/g, ""), url.port];
}

/** Why a request got no answer, in words. @param {unknown} error @returns {string} */
export function whyNot(error) {
  const { code = "", message = "", name = "", cause } = /** @type {{ code?: string, message?: string, name?: string, cause?: unknown }} */ (error ?? {});
  if (name === "AbortError" || name === "TimeoutError") return cause === undefined || name === "TimeoutError" ? "it did not answer in time" : whyNot(cause);
  return WORDS.get(code) ?? (code === "" ? message : `${message === "" ? "it failed" : message} (${code})`);
}

const WORDS = new Map([
  ["ECONNREFUSED", "nothing listens there"],
  ["ECONNRESET", "the connection broke off"],
  ["ENOTFOUND", "no such host is known"],
  ["EAI_AGAIN", "the host's address could not be looked up"],
  ["ETIMEDOUT", "it did not answer in time"],
  ["EHOSTUNREACH", "there is no way to that host"],
  ["ENETUNREACH", "there is no way to that network"],
  ["CERT_HAS_EXPIRED", "its certificate has expired"],
  ["ERR_TLS_CERT_ALTNAME_INVALID", "its certificate is for another host"],
  ["DEPTH_ZERO_SELF_SIGNED_CERT", "its certificate is signed by nobody that this machine trusts"],
  ["SELF_SIGNED_CERT_IN_CHAIN", "its certificate is signed by nobody that this machine trusts"],
  ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "its certificate is signed by nobody that this machine trusts"],
  ["EPROTO", "it does not speak TLS there"],
]);

/**
 * The problem details of an answer (RFC 9457), if it has any that can be read.
 * @param {Pick<Answer, "headers" | "text">} answer
 * @returns {{ code: string, title: string, detail: string } | undefined}
 */
export function problemOf({ headers, text }) {
  if (!/^application\/problem\+json/.test(headers["content-type"] ?? "")) return undefined;
  try {
    const { code, title = "", detail = "" } = JSON.parse(text);
    return typeof code === "string" ? { code, title: String(title), detail: String(detail) } : undefined;
  } catch {
    return undefined;
  }
}
