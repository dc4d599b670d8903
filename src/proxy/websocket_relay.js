// Relays the messages of a WebSocket, so that the guard can close it when the session ends. JavaScript, because a
// call into Rust for each message would cost more than passing it on.

/**
 * Takes the WebSocket of a response, and makes a response with a WebSocket that relays it.
 * @param {Response} response
 * @param {WebSocket} far the response's
 * @returns {{ response: Response, close(code: number, reason: string): void, closed: Promise<void> }}
 *   `closed` is resolved when either side has closed.
 */
export function relay(response, far) {
  const { 0: client, 1: near } = new WebSocketPair();
  const closed = Promise.race([pass(far, near), pass(near, far)]);
  const headers = new Headers(response.headers);
  // Each hop has its own handshake and its own compression.
  for (const name of ["connection", "sec-websocket-accept", "sec-websocket-extensions", "upgrade"]) headers.delete(name);
  return {
    response: new Response(null, { status: 101, headers, webSocket: client }),
    close: (code, reason) => [near, far].forEach((socket) => close(socket, code, reason)),
    closed,
  };
}

/**
 * Relays the WebSocket of a Durable Object to the client. Without the relay, the client's connection would stay
 * open until the object is evicted when a hibernating object closes its side.
 * @param {Response} response
 * @returns {Response}
 */
export function relayToClient(response) {
  return response.webSocket ? relay(response, response.webSocket).response : response;
}

/**
 * Passes on the messages of one side, until it closes.
 * @param {WebSocket} from
 * @param {WebSocket} to
 * @returns {Promise<void>}
 */
function pass(from, to) {
  return new Promise((resolve) => {
    from.binaryType = "arraybuffer";
    from.addEventListener("message", ({ data }) => {
      if (to.readyState === WebSocket.OPEN) to.send(data);
    });
    from.addEventListener("close", ({ code, reason }) => resolve(close(to, code, reason)));
    from.addEventListener("error", () => resolve(close(to, ABNORMAL, "")));
    from.accept();
  });
}

/** Codes that stand for a close without a code, and for a lost connection. Neither can be sent. */
const [NO_STATUS, ABNORMAL] = [1005, 1006];

/** Sent for a lost connection, and in place of a code that must not be sent. */
const [INTERNAL_ERROR, PROTOCOL_ERROR] = [1011, 1002];

/** The most bytes of a reason (RFC 6455, section 5.5). */
const MAX_REASON_BYTES = 123;

/**
 * Closes one side as the other was closed.
 * @param {WebSocket} socket
 * @param {number} code
 * @param {string} reason
 */
function close(socket, code, reason) {
  try {
    if (code === NO_STATUS) socket.close();
    else if (canBeSent(code)) socket.close(code, truncated(reason));
    else socket.close(code === ABNORMAL ? INTERNAL_ERROR : PROTOCOL_ERROR);
  } catch {
    // It is closed already.
  }
}

/**
 * May a code be sent? RFC 6455, section 7.4, and the registry it establishes.
 * @param {number} code
 */
function canBeSent(code) {
  return (code >= 1000 && code <= 1014 && code !== 1004 && code !== NO_STATUS && code !== ABNORMAL) || (code >= 3000 && code <= 4999);
}

/**
 * As much of a reason as can be sent. Bytes that are not UTF-8 have become longer on the way.
 * @param {string} reason
 */
function truncated(reason) {
  const { read } = new TextEncoder().encodeInto(reason, new Uint8Array(MAX_REASON_BYTES));
  return reason.slice(0, read);
}
