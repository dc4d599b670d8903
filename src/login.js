// The I/O of a login.

import { OriginFailure } from "./forward.js";

/**
 * Reads a body as UTF-8 text; `undefined` if it is larger than `most` bytes or no UTF-8.
 * @param {Request} request
 * @param {number} most
 * @returns {Promise<string | undefined>}
 */
export async function readBody(request, most) {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });
  let text = "";
  let size = 0;
  for await (const chunk of request.body ?? []) {
    size += chunk.byteLength;
    if (size > most) return undefined;
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

/**
 * Posts credentials to the origin's endpoint that checks them.
 * @param {string} url
 * @param {string} json
 * @param {number} timeout milliseconds until the whole answer
 * @returns {Promise<{ status: number, body: string }>}
 */
export async function postCredentials(url, json, timeout) {
  const signal = AbortSignal.timeout(timeout);
  const headers = { accept: "application/json", "content-type": "application/json" };
  try {
    const answer = await fetch(url, {
      method: "POST", headers, body: json, redirect: "manual", signal,
    });
    return { status: answer.status, body: await answer.text() };
  } catch (error) {
    throw new OriginFailure(signal.aborted, error);
  }
}
