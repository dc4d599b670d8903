// The I/O of a question to the store. Replies are read in Rust.

/**
 * What a store replied. A status below zero is a failure: see `TIMED_OUT` and `UNREACHABLE`.
 * @typedef {{ status: number, body: string }} Reply
 */

const TIMED_OUT = -1;
const UNREACHABLE = -2;

/**
 * Asks the REST endpoint of Redis.
 * @param {string} url
 * @param {RequestInit} init
 * @param {number} timeout milliseconds until the whole reply
 * @returns {Promise<Reply>}
 */
export async function askRedis(url, init, timeout) {
  const signal = AbortSignal.timeout(timeout);
  try {
    const reply = await fetch(url, { ...init, signal });
    return { status: reply.status, body: await reply.text() };
  } catch (error) {
    return { status: signal.aborted ? TIMED_OUT : UNREACHABLE, body: String(error) };
  }
}

/**
 * Asks a user's Durable Object. A call of one cannot be aborted; a late answer is dropped.
 * @param {DurableObjectNamespace<import("./entry.js").UserSessions>} objects
 * @param {string} name
 * @param {string} command
 * @param {number} timeout milliseconds until the reply
 * @returns {Promise<Reply>}
 */
export async function askObject(objects, name, command, timeout) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  /** @type {Promise<Reply>} */
  const late = new Promise((resolve) => {
    timer = setTimeout(() => resolve({ status: TIMED_OUT, body: "" }), timeout);
  });
  try {
    const answer = objects.getByName(name).apply(command);
    return await Promise.race([answer.then((body) => ({ status: 200, body })), late]);
  } catch (error) {
    return { status: UNREACHABLE, body: String(error) };
  } finally {
    clearTimeout(timer ?? null);
  }
}
