// The I/O of a question to the store. Replies are read in Rust.

import { TIMED_OUT, UNREACHABLE, wasReset } from "../proxy/session_check.js";

/** @typedef {import("../proxy/session_check.js").Reply} Reply */
/** @typedef {import("../proxy/session_check.js").Objects} Objects */

/**
 * Asks the REST endpoint of Redis.
 * @param {string} url
 * @param {RequestInit} init
 * @param {number} timeout milliseconds until the whole reply
 * @returns {Promise<Reply>}
 */
export function askRedis(url, init, timeout) {
  return within(timeout, (come, fail) => fetch(url, init).then((reply) => {
    reply.text().then((body) => come({ status: reply.status, body }), fail);
  }, fail));
}

/**
 * Asks a user's Durable Object, once more if it was reset and the command may come twice.
 * @param {Objects} objects
 * @param {string} name
 * @param {string} command
 * @param {boolean} isRepeatable
 * @param {number} timeout milliseconds until the reply
 * @returns {Promise<Reply>}
 */
export function askObject(objects, name, command, isRepeatable, timeout) {
  const ask = () => objects.getByName(name).apply(command);
  return textWithin(timeout, isRepeatable ? () => askAgain(ask) : ask);
}

/**
 * @template T
 * @param {() => PromiseLike<T>} ask
 * @returns {Promise<T>}
 */
async function askAgain(ask) {
  try {
    return await ask();
  } catch (error) {
    if (!wasReset(/** @type {any} */ (error))) throw error;
    return ask();
  }
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
  return textWithin(timeout, () => askAgain(() => objects.getByName(name).keep(text, until)));
}

/**
 * Keeps a note in an object of its own, if it has none. The reply is `true` or `false`.
 * @param {Objects} objects
 * @param {string} name
 * @param {string} text
 * @param {number} until milliseconds since the Unix epoch
 * @param {number} timeout milliseconds until the reply
 * @returns {Promise<Reply>}
 */
export function keepNewNote(objects, name, text, until, timeout) {
  return textWithin(timeout, async () => String(await objects.getByName(name).keepNew(text, until)));
}

/**
 * Takes a note away, if it says this.
 * @param {Objects} objects
 * @param {string} name
 * @param {string} text
 * @param {number} timeout milliseconds until the reply
 * @returns {Promise<Reply>}
 */
export function withdrawNote(objects, name, text, timeout) {
  return textWithin(timeout, () => objects.getByName(name).withdraw(text));
}

/**
 * Asks for a note. The reply is JSON: a text or null.
 * @param {Objects} objects
 * @param {string} name
 * @param {number} timeout milliseconds until the reply
 * @returns {Promise<Reply>}
 */
export function recallNote(objects, name, timeout) {
  return textWithin(timeout, async () => JSON.stringify(await askAgain(() => objects.getByName(name).recall())));
}

/**
 * Counts once more in an object of its own.
 * @param {Objects} objects
 * @param {string} name
 * @param {number} most how many may pass
 * @param {number} span milliseconds
 * @param {string} window the name of a new window
 * @param {number} timeout milliseconds until the reply
 * @returns {Promise<Reply>}
 */
export function countUp(objects, name, most, span, window, timeout) {
  return textWithin(timeout, () => objects.getByName(name).count(most, span, window));
}

/**
 * Takes a count back.
 * @param {Objects} objects
 * @param {string} name
 * @param {string} window
 * @param {number} timeout milliseconds until the reply
 * @returns {Promise<Reply>}
 */
export function takeBack(objects, name, window, timeout) {
  return textWithin(timeout, () => objects.getByName(name).takeBack(window));
}

/**
 * Asks the index of users, which has an object of its own.
 * @param {Objects} objects
 * @param {string} question
 * @param {number} timeout milliseconds until the reply
 * @returns {Promise<Reply>}
 */
export function askIndex(objects, question, timeout) {
  return textWithin(timeout, () => askAgain(() => objects.getByName("index").index(question)));
}

/**
 * Waits for a text that is a good reply, as `within` does.
 * @param {number} timeout milliseconds
 * @param {() => PromiseLike<string>} ask
 * @returns {Promise<Reply>} never rejected
 */
export function textWithin(timeout, ask) {
  return within(timeout, (come, fail) => ask().then((body) => come({ status: 200, body }), fail));
}

/**
 * Waits for a reply, and drops a late one.
 * @param {number} timeout milliseconds
 * @param {(come: (reply: Reply) => void, fail: (error: unknown) => void) => unknown} ask
 * @returns {Promise<Reply>} never rejected
 */
function within(timeout, ask) {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve({ status: TIMED_OUT, body: "" }), timeout);
    /** @param {Reply} reply */
    const come = (reply) => {
      clearTimeout(timer);
      resolve(reply);
    };
    /** @param {unknown} error */
    const fail = (error) => come({ status: UNREACHABLE, body: String(error) });
    try {
      ask(come, fail);
    } catch (error) {
      fail(error);
    }
  });
}
