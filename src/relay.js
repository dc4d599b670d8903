// Connections that outlive their request. The guard stays between the two ends, so that it can end
// them with the session.

/**
 * Listens for the end of a session: see `Pending::watch` in `guard.rs`.
 * @typedef {() => Promise<Response | string>} Watch
 */

/** The session is over (RFC 6455, section 7.4.2: an application's own code). */
export const ENDED = 4001;

/** It is not known any more whether it is ("try again later"). */
const UNKNOWN = 1013;

/** How often in a row the way to the user's object may fail, with pauses of about 1, 2 and 4 seconds. */
const MOST_FAILURES = 3;

const EVENT_STREAM = /^text\/event-stream/i;

/**
 * Is this an answer that can go on for as long as both sides like?
 * @param {Response} answer
 */
export function isLasting(answer) {
  return answer.status === 101 || EVENT_STREAM.test(answer.headers.get("content-type") ?? "");
}

/**
 * Has an answer end with its session.
 * @param {Response} answer
 * @param {Watch} watch
 * @returns {Response}
 */
export function tie(answer, watch) {
  if (answer.webSocket) {
    const { answer: relayed, close, over } = relay(answer, answer.webSocket);
    heed(watch, over, close);
    return relayed;
  }
  if (!answer.body) return answer;
  const { readable, writable } = new IdentityTransformStream();
  const cut = new AbortController();
  // A cut is the stream's orderly end; what breaks at the origin is broken for the client.
  const piping = answer.body.pipeTo(writable, { signal: cut.signal, preventAbort: true });
  const over = piping.catch((error) => (cut.signal.aborted ? writable.close() : writable.abort(error)));
  heed(watch, over, () => cut.abort());
  return new Response(readable, answer);
}

/**
 * Ends a connection with its session, or when it is not known any more whether that is over.
 * @param {Watch} watch
 * @param {Promise<unknown>} over resolved when the connection has ended
 * @param {(code: number, reason: string) => void} end
 */
async function heed(watch, over, end) {
  let isOver = false;
  const stop = () => (isOver = true);
  over.then(stop, stop);
  for (let failures = 0; failures <= MOST_FAILURES; failures += 1) {
    if (failures > 0) await pause(2 ** failures * (250 + Math.random() * 500));
    if (isOver) return;
    try {
      const answer = await watch();
      if (typeof answer === "string") return end(ENDED, answer);
      const reason = answer.webSocket && (await ending(answer.webSocket, over));
      if (reason) return end(ENDED, reason);
      // The object was restarted. What ended meanwhile is learnt when it listens again.
      failures = 0;
    } catch {
      // Tried again.
    }
  }
  end(UNKNOWN, "store_unavailable");
}

/**
 * Waits until a WebSocket of the user's object is closed, and says why if the session is over.
 * @param {WebSocket} socket
 * @param {Promise<unknown>} over resolved when nobody need listen any more
 * @returns {Promise<string | undefined>}
 */
function ending(socket, over) {
  return new Promise((resolve) => {
    socket.addEventListener("close", ({ code, reason }) => resolve(code === ENDED ? reason : undefined));
    socket.addEventListener("error", () => resolve(undefined));
    socket.accept();
    const leave = () => socket.close(1000);
    over.then(leave, leave);
  });
}

/** @param {number} millis */
function pause(millis) {
  return new Promise((resume) => setTimeout(resume, millis));
}

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
    from.addEventListener("message", ({ data }) => {
      if (to.readyState === WebSocket.OPEN) to.send(data);
    });
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
