// The I/O of `GET events`: between the Worker and a user's object, which holds the WebSockets.

/** @typedef {import("../stores/client.js").Objects} Objects */

/**
 * Opens a WebSocket that is told the end of one session.
 * @param {Objects} objects
 * @param {string} name the object's
 * @param {string} user
 * @param {string} sid
 * @param {number} until milliseconds since the Unix epoch, when the session may end by itself
 * @returns {Promise<Response>} with the WebSocket
 */
export async function listen(objects, name, user, sid, until) {
  const query = new URLSearchParams({ user, sid, until: String(until) });
  const headers = { upgrade: "websocket" };
  const answer = await objects.getByName(name).fetch(`https://object/?${query}`, { headers });
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
 * @returns {Promise<void>}
 */
export async function tell(objects, name, events) {
  await objects.getByName(name).tell(events);
}

/**
 * Has the listeners' sessions asked about.
 * @param {Objects} objects
 * @param {string} name the object's
 * @returns {Promise<void>}
 */
export async function doubt(objects, name) {
  await objects.getByName(name).doubt();
}
