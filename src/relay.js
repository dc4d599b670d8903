// Between the two ends of a WebSocket, so that the guard can close it.

/**
 * Takes the WebSocket of an answer, and makes an answer with one that says and hears the same.
 * @param {Response} answer
 * @param {WebSocket} far the answer's
 * @returns {{ answer: Response, close(code: number, reason: string): void, over: Promise<void> }}
 *   `over` is resolved when either side has closed.
 */
export function relay(answer, far) {
  const { 0: theirs, 1: ours } = new WebSocketPair();
  const over = Promise.race([join(far, ours), join(ours, far)]);
  const headers = new Headers(answer.headers);
  // Each hop has its own handshake and its own compression.
  for (const name of ["connection", "sec-websocket-accept", "sec-websocket-extensions", "upgrade"]) headers.delete(name);
  return {
    answer: new Response(null, { status: 101, headers, webSocket: theirs }),
    close: (code, reason) => [ours, far].forEach((socket) => close(socket, code, reason)),
    over,
  };
}

/**
 * Hands a WebSocket to the client. The Worker stays in between: when an object closes one that
 * hibernates, the client's connection would stay open until the object is evicted.
 * @param {Response} answer
 * @returns {Response}
 */
export function hand(answer) {
  return answer.webSocket ? relay(answer, answer.webSocket).answer : answer;
}

/**
 * Passes on what comes from one side, until it closes.
 * @param {WebSocket} from
 * @param {WebSocket} to
 * @returns {Promise<void>}
 */
function join(from, to) {
  return new Promise((over) => {
    from.binaryType = "arraybuffer";
    from.addEventListener("message", ({ data }) => to.send(data));
    from.addEventListener("close", ({ code, reason }) => over(close(to, code, reason)));
    from.addEventListener("error", () => over(close(to, LOST, "")));
    from.accept();
  });
}

/** "No status", which stands for a close without a code, and "abnormal": neither can be sent. */
const [NO_CODE, LOST] = [1005, 1006];

/**
 * Closes one side. What was lost on the other is told as a failure (RFC 6455, section 7.4.1).
 * @param {WebSocket} socket
 * @param {number} code
 * @param {string} reason
 */
function close(socket, code, reason) {
  try {
    if (code === NO_CODE) socket.close();
    else socket.close(code === LOST ? 1011 : code, reason);
  } catch {
    // It is closed already.
  }
}
