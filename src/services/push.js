// The I/O of `GET events`: between the Worker and a user's object, which holds the WebSockets.

/** @typedef {import("../stores/client.js").Objects} Objects */

/**
 * Opens a WebSocket that is told the end of one session. One that comes too late is closed.
 * @param {Objects} objects
 * @param {string} name the object's
 * @param {string} user
 * @param {string} sid
 * @param {number} until milliseconds since the Unix epoch, when the session may end by itself
 * @param {number} timeout milliseconds until the answer
 * @returns {Promise<Response>} with the WebSocket; rejected with a `TimeoutError` if it takes longer
 */
export async function listen(objects, name, user, sid, until, timeout) {
  const query = new URLSearchParams({ user, sid, until: String(until) });
  const headers = { upgrade: "websocket" };
  const opening = objects.getByName(name).fetch(`https://object/?${query}`, { headers });
  const answer = await inTime(opening, timeout, dismiss);
  if (!answer.webSocket) throw new Error(`the object answered ${answer.status}`);
  return answer;
}

/**
 * Closes a WebSocket that is not wanted after all.
 * @param {Response} answer
 */
export function dismiss(answer) {
  answer.webSocket?.accept();
  answer.webSocket?.close(1001);
}

/**
 * Tells the listeners of some of a user's sessions that these are over.
 * @param {Objects} objects
 * @param {string} name the object's
 * @param {string} events a JSON list
 * @param {number} timeout milliseconds until they are told
 * @returns {Promise<void>} rejected with a `TimeoutError` if it takes longer
 */
export async function tell(objects, name, events, timeout) {
  await inTime(objects.getByName(name).tell(events), timeout);
}

/**
 * Has the listeners' sessions asked about.
 * @param {Objects} objects
 * @param {string} name the object's
 * @param {number} timeout milliseconds until the object knows
 * @returns {Promise<void>} rejected with a `TimeoutError` if it takes longer
 */
export async function doubt(objects, name, timeout) {
  await inTime(objects.getByName(name).doubt(), timeout);
}

/**
 * Waits for an object's answer for a limited time.
 * @template T
 * @param {Promise<T>} question
 * @param {number} timeout milliseconds
 * @param {(answer: T) => void} [drop] is given an answer that comes later
 * @returns {Promise<T>} rejected with a `TimeoutError` if it takes longer
 */
function inTime(question, timeout, drop) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new DOMException("The user's object did not answer in time.", "TimeoutError"));
      question.then(drop, () => {});
    }, timeout);
    question.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
