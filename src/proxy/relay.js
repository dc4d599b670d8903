// Connections that outlive their request. The guard stays between the two ends, so that it can end
// them with the session.

import { addressOf } from "./short_responses.js";

/**
 * Listens for the end of a session: see `PendingCheck::watch` in `guard.rs`.
 * @typedef {(session: string) => Promise<Response | string>} Watch
 */

/**
 * Of a request's passage: its timer is forgotten with the request, which is over when the body is.
 * @typedef {{ method: string, url: string, session: string, timer: import("./timer.js").Timer }} BoundRequest
 */

/** The session is over (RFC 6455, section 7.4.2: an application's own code). */
export const ENDED = 4001;

/** It is not known any more whether it is ("try again later"). */
const UNKNOWN = 1013;

/** How often in a row the way to the user's object may fail, with pauses of about 1, 2 and 4 seconds. */
const MOST_FAILURES = 3;

/** Milliseconds within which ordinary answers begin, and end. What takes longer is looked after. */
export const ORDINARY = 1000;

/** The highest status of which a script can make an answer. */
const MOST_STATUS = 599;

/** Can anybody listen for the end of a session? */
let canWatch = false;

/** @param {boolean} watches is the binding of the Durable Objects there? */
export function setUp(watches) {
  canWatch = watches;
}

/**
 * Has an answer end with its session, if it can go on for as long as both sides like: a WebSocket, or a
 * body of no known length. Nobody is asked about a body that has ended by the time that it is looked after.
 * @param {Response} answer
 * @param {BoundRequest} passage
 * @param {Watch} watch
 * @param {(end: Promise<unknown>) => void} waitUntil keeps the request's context until the promise is settled
 * @returns {Response}
 */
export function tie(answer, passage, watch, waitUntil) {
  const { session, timer } = passage;
  if (!canWatch) return answer;
  if (answer.webSocket) {
    const { answer: relayed, close, over } = relay(answer, answer.webSocket);
    heed(() => watch(session), over, close);
    return relayed;
  }
  const { headers } = answer;
  // Beside chunks, a length means nothing (RFC 9112, section 6.3).
  if (headers.has("content-length") && !headers.has("transfer-encoding")) return answer;
  const address = addressOf(passage, answer);
  const isNew = address?.isNew;
  // To look at a body costs, too.
  if (address?.believes() || answer.body === null || answer.status > MOST_STATUS) return answer;
  const { readable, writable } = new IdentityTransformStream();
  const cut = new AbortController();
  const piping = answer.body.pipeTo(writable, { signal: cut.signal });
  timer.wait(ORDINARY, () => {
    address?.goesOn();
    heed(() => watch(session), piping, () => cut.abort(lost()));
  });
  // Of a failure, the client hears by the stream. Who leaves early teaches nothing.
  if (address === undefined || isNew) piping.catch(() => {});
  else waitUntil(piping.then(() => address.hasEnded(), () => {}));
  return new Response(readable, answer);
}

/**
 * Why a stream is cut off. It breaks, as one does whose connection is lost: of an orderly end, clients would
 * think that the origin has said all; of this they know that they are to connect again, and then hear why.
 * The runtime takes what may be tried again for a lost connection, and for no fault of the script.
 */
function lost() {
  return Object.assign(new Error("The session is over."), { retryable: true });
}

/**
 * Ends a connection with its session, or when it is not known any more whether that is over.
 * @param {() => Promise<Response | string>} watch
 * @param {Promise<unknown>} over resolved when the connection has ended
 * @param {(code: number, reason: string) => void} end
 */
async function heed(watch, over, end) {
  let isOver = false;
  const stop = () => (isOver = true);
  over.then(stop, stop);
  // If it has ended already, nobody is asked.
  await undefined;
  for (let failures = 0; failures <= MOST_FAILURES; failures += 1) {
    if (failures > 0) await pause(2 ** failures * (250 + Math.random() * 500));
    if (isOver) return;
    try {
      const answer = await soon(watch());
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

/** Milliseconds until the way to the user's object counts as failed. */
const PATIENCE = 5000;

/**
 * The answer on the way to the user's object; a failure if it takes too long. One that comes later is let go.
 * @param {Promise<Response | string>} question
 * @returns {Promise<Response | string>}
 */
function soon(question) {
  let isLate = false;
  question.then((answer) => {
    if (!isLate || typeof answer === "string") return;
    answer.webSocket?.accept();
    answer.webSocket?.close(1000);
  }, () => {});
  const late = pause(PATIENCE).then(() => {
    isLate = true;
    throw new Error("The user's object did not answer in time.");
  });
  return Promise.race([question, late]);
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

/** How the other side is told of a connection that was lost, and of a code that nobody may send. */
const [INTERNAL_ERROR, PROTOCOL_ERROR] = [1011, 1002];

/** The most bytes of a reason (RFC 6455, section 5.5). */
const MOST_REASON = 123;

/**
 * Closes one side as the other was closed.
 * @param {WebSocket} socket
 * @param {number} code
 * @param {string} reason
 */
function close(socket, code, reason) {
  try {
    if (code === NO_CODE) socket.close();
    else if (isCode(code)) socket.close(code, fitting(reason));
    else socket.close(code === LOST ? INTERNAL_ERROR : PROTOCOL_ERROR);
  } catch {
    // It is closed already.
  }
}

/**
 * May a code be sent? RFC 6455, section 7.4, and the registry it makes.
 * @param {number} code
 */
function isCode(code) {
  return (code >= 1000 && code <= 1014 && code !== 1004 && code !== NO_CODE && code !== LOST) || (code >= 3000 && code <= 4999);
}

/**
 * As much of a reason as can be sent. What was no UTF-8 has grown on the way.
 * @param {string} reason
 */
function fitting(reason) {
  const { read } = new TextEncoder().encodeInto(reason, new Uint8Array(MOST_REASON));
  return reason.slice(0, read);
}
