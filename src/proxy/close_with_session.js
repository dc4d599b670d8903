// Responses that can go on for as long as both sides like, a WebSocket or a body without a length, end with their
// session. JavaScript, because the runtime passes on streams and WebSockets, and only a script can stop them.

import { addressOf } from "./short_responses.js";
import { watch } from "./watch_session.js";
import { relay } from "./websocket_relay.js";
import { MAX_STATUS } from "./origin_commands.js";

/** @typedef {import("./watch_session.js").WatchSession} WatchSession */

/**
 * The parts of a request's context that matter here. Its timer goes with the request, when the body has ended.
 * @typedef {{ method: string, url: string, session: string, timer: import("./timer.js").Timer }} BoundRequest
 */

/** Ordinary responses begin and end within these milliseconds. The session of a slower one is watched. */
export const SLOW_MILLIS = 1000;

/** Is there a Durable Object that tells when a session ends? */
let canWatch = false;

/** @param {boolean} hasObjects is the binding of the Durable Objects there? */
export function configureWatching(hasObjects) {
  canWatch = hasObjects;
}

/**
 * Has a response end with its session, if it can outlive it. A session is watched only once the response has proved
 * slow.
 * @param {Response} response
 * @param {BoundRequest} context
 * @param {WatchSession} watchSession
 * @param {(end: Promise<unknown>) => void} waitUntil keeps the request's context until the promise is settled
 * @returns {Response}
 */
export function closeWithSession(response, context, watchSession, waitUntil) {
  const { session, timer } = context;
  if (!canWatch) return response;
  if (response.webSocket) {
    const { response: relayed, close, closed } = relay(response, response.webSocket);
    watch(() => watchSession(session), closed, close);
    return relayed;
  }
  const { headers } = response;
  // With chunks, a length means nothing (RFC 9112, section 6.3).
  if (headers.has("content-length") && !headers.has("transfer-encoding")) return response;
  const address = addressOf(context, response);
  const isFirst = address?.isFirst;
  // The body is looked at last, because even that costs time.
  if (address?.expectsShort() || response.body === null || response.status > MAX_STATUS) return response;
  const { readable, writable } = new IdentityTransformStream();
  const cut = new AbortController();
  const piping = response.body.pipeTo(writable, { signal: cut.signal });
  timer.start(SLOW_MILLIS, () => {
    address?.wasLong();
    watch(() => watchSession(session), piping, () => cut.abort(sessionEnded()));
  });
  // The client sees a failure in the stream. A client that leaves early says nothing about the address.
  if (address === undefined || isFirst) piping.catch(() => {});
  else waitUntil(piping.then(() => address.wasShort(), () => {}));
  return new Response(readable, response);
}

/**
 * The error that breaks off a stream. The stream must not end in order, because clients would take it for complete;
 * after a lost connection they connect again, and then get the refusal. The runtime treats a retryable error as a lost
 * connection, not as a fault of the script.
 */
function sessionEnded() {
  return Object.assign(new Error("The session is over."), { retryable: true });
}
