// With OVERLAP_SAFE_REQUESTS, the origin request runs in parallel with the session check. Its response is held
// back until the session is known to be live. JavaScript, because it holds promises of the request.

import { send } from "./origin.js";

/** @typedef {import("./request_context.js").RequestContext} RequestContext */

/** A request to the origin whose response the client may not get. */
export class OverlappedRequest {
  #abort = new AbortController();
  /** @type {Promise<Response> | undefined} */
  #response;

  /** @param {(signal: AbortSignal) => Promise<Response>} send */
  constructor(send) {
    this.#response = send(this.#abort.signal);
    // Whoever takes the response sees the failure, too. Without this, one that nobody takes would be unhandled.
    this.#response.catch(() => {});
  }

  /** Takes the response for the client. */
  take() {
    const response = this.#response;
    this.#response = undefined;
    return response;
  }

  /** Ends the request, unless its response was taken. */
  cancel() {
    const response = this.#response;
    if (response === undefined) return;
    this.#abort.abort();
    response.then(discard, () => {});
  }
}

/**
 * Sends a request to the origin before the session is known to be live.
 * @param {RequestContext} context
 * @param {string} url
 * @param {() => RequestInit} makeInit
 */
export function sendOverlapped(context, url, makeInit) {
  // A body can be sent only once.
  if (context.request.body !== null) return;
  try {
    const init = makeInit();
    context.overlapped = new OverlappedRequest((signal) => send(context, url, init, signal));
  } catch {
    // The request is sent after the check instead, and fails in the same way.
  }
}

/**
 * Closes a response of the origin that nobody will read.
 * @param {Response} response
 */
export function discard({ body, webSocket }) {
  webSocket?.accept();
  webSocket?.close(1001);
  body?.cancel().catch(() => {});
}
