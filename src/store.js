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

/** @typedef {DurableObjectNamespace<import("./entry.js").UserSessions>} Objects */

/**
 * Asks a user's Durable Object.
 * @param {Objects} objects
 * @param {string} name
 * @param {string} command
 * @param {number} timeout milliseconds until the reply
 * @returns {Promise<Reply>}
 */
export function askObject(objects, name, command, timeout) {
  return within(timeout, () => objects.getByName(name).apply(command));
}

/**
 * Keeps a note in an object of its own.
 * @param {Objects} objects
 * @param {string} name
 * @param {string} text
 * @param {number} until milliseconds since the Unix epoch
 * @param {number} timeout milliseconds until the reply
 * @returns {Promise<Reply>}
 */
export function keepNote(objects, name, text, until, timeout) {
  return within(timeout, () => objects.getByName(name).keep(text, until));
}

/**
 * Asks for a note. The reply is JSON: a text or null.
 * @param {Objects} objects
 * @param {string} name
 * @param {number} timeout milliseconds until the reply
 * @returns {Promise<Reply>}
 */
export function recallNote(objects, name, timeout) {
  return within(timeout, async () => JSON.stringify(await objects.getByName(name).recall()));
}

/**
 * Counts once more in an object of its own.
 * @param {Objects} objects
 * @param {string} name
 * @param {number} span milliseconds
 * @param {number} timeout milliseconds until the reply
 * @returns {Promise<Reply>}
 */
export function countUp(objects, name, span, timeout) {
  return within(timeout, () => objects.getByName(name).count(span));
}

/**
 * Asks the index of users, which has an object of its own.
 * @param {Objects} objects
 * @param {string} question
 * @param {number} timeout milliseconds until the reply
 * @returns {Promise<Reply>}
 */
export function askIndex(objects, question, timeout) {
  return within(timeout, () => objects.getByName("index").index(question));
}

/**
 * Waits for an object's answer. A call of one cannot be aborted; a late answer is dropped.
 * @param {number} timeout milliseconds
 * @param {() => PromiseLike<string>} call
 * @returns {Promise<Reply>}
 */
export async function within(timeout, call) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  /** @type {Promise<Reply>} */
  const late = new Promise((resolve) => {
    timer = setTimeout(() => resolve({ status: TIMED_OUT, body: "" }), timeout);
  });
  try {
    return await Promise.race([call().then((body) => ({ status: 200, body })), late]);
  } catch (error) {
    return { status: UNREACHABLE, body: String(error) };
  } finally {
    clearTimeout(timer ?? null);
  }
}
