// Watches a session for a connection that has outlived its request, and closes it when the session ends.
// JavaScript, because it waits on the runtime's WebSockets for as long as the connection lives.

/**
 * Opens a WebSocket that is closed when a session ends: see `watchSession` in `lib.rs`. A text is the code of the
 * refusal, if the session has ended already.
 * @typedef {(session: string) => Promise<Response | string>} WatchSession
 */

/** The close code for an ended session (RFC 6455, section 7.4.2: codes for applications). */
export const ENDED = 4001;

/** The close code when it cannot be known any more ("try again later"). */
const UNKNOWN = 1013;

/** How often in a row the user's object may fail. The pauses are about 1, 2 and 4 seconds. */
const MAX_FAILURES = 3;

/** Milliseconds until the user's object counts as failed. */
const OBJECT_TIMEOUT = 5000;

/**
 * Closes a connection when its session ends, or when that cannot be known any more.
 * @param {() => Promise<Response | string>} watchSession
 * @param {Promise<unknown>} closed settled when the connection has ended
 * @param {(code: number, reason: string) => void} close
 */
export async function watch(watchSession, closed, close) {
  let isClosed = false;
  const stop = () => (isClosed = true);
  closed.then(stop, stop);
  // If the connection has ended already, `stop` runs now.
  await undefined;
  for (let failures = 0; failures <= MAX_FAILURES; failures += 1) {
    if (failures > 0) await pause(2 ** failures * (250 + Math.random() * 500));
    if (isClosed) return;
    try {
      const answer = await withTimeout(watchSession());
      if (typeof answer === "string") return close(ENDED, answer);
      const reason = answer.webSocket && (await sessionEnd(answer.webSocket, closed));
      if (reason) return close(ENDED, reason);
      // The object was restarted. The next connection learns of an end in between.
      failures = 0;
    } catch {
      // The next round tries again.
    }
  }
  close(UNKNOWN, "store_unavailable");
}

/**
 * The object's answer; rejected after the timeout. A late WebSocket is closed.
 * @param {Promise<Response | string>} question
 * @returns {Promise<Response | string>}
 */
function withTimeout(question) {
  let isLate = false;
  question.then((answer) => {
    if (!isLate || typeof answer === "string") return;
    answer.webSocket?.accept();
    answer.webSocket?.close(1000);
  }, () => {});
  const timeout = pause(OBJECT_TIMEOUT).then(() => {
    isLate = true;
    throw new Error("The user's object did not answer in time.");
  });
  return Promise.race([question, timeout]);
}

/**
 * Waits until the user's object closes its WebSocket, and returns the reason if the session has ended.
 * @param {WebSocket} socket
 * @param {Promise<unknown>} closed settled when nobody needs to know any more
 * @returns {Promise<string | undefined>}
 */
function sessionEnd(socket, closed) {
  return new Promise((resolve) => {
    socket.addEventListener("close", ({ code, reason }) => resolve(code === ENDED ? reason : undefined));
    socket.addEventListener("error", () => resolve(undefined));
    socket.accept();
    const leave = () => socket.close(1000);
    closed.then(leave, leave);
  });
}

/** @param {number} millis */
function pause(millis) {
  return new Promise((resume) => setTimeout(resume, millis));
}
