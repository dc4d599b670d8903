// The I/O of events. What is sent, and how often it is tried, is decided in Rust.

/**
 * Posts a message by Standard Webhooks 1.0. Only a status of 200 to 299 says that it has arrived.
 * @param {string} url
 * @param {string} id
 * @param {number} seconds since the Unix epoch
 * @param {string} signature
 * @param {string} body
 * @param {number} timeout milliseconds until the answer
 * @returns {Promise<void>}
 */
export async function post(url, id, seconds, signature, body, timeout) {
  const headers = {
    "content-type": "application/json",
    "webhook-id": id,
    "webhook-timestamp": String(seconds),
    "webhook-signature": signature,
  };
  const signal = AbortSignal.timeout(timeout);
  const answer = await fetch(url, { method: "POST", headers, body, redirect: "manual", signal });
  await answer.body?.cancel();
  if (!answer.ok) throw new Error(`answered ${answer.status}`);
}
