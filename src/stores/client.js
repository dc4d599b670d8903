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
export function askRedis(url, init, timeout) {
  return within(timeout, (come, fail) => fetch(url, init).then((reply) => {
    reply.text().then((body) => come({ status: reply.status, body }), fail);
  }, fail));
}

/** @typedef {import("../proxy/token_context.js").TokenContext} TokenContext */
/** @typedef {import("../proxy/request_context.js").RequestContext} RequestContext */
/** @typedef {DurableObjectNamespace<import("../entry.js").UserSessions>} Objects */

/**
 * How a session is asked about.
 * @type {(bearer: TokenContext, now: number, come: (reply: Reply) => void, fail: (error: unknown) => void) => unknown}
 */
let ask;

/** Milliseconds until the whole reply. */
let patience = 0;

/**
 * Has sessions asked about at the REST endpoint of Redis.
 * @param {RequestInit} init
 * @param {number} timeout milliseconds until the whole reply
 */
export function checkInRedis(init, timeout) {
  patience = timeout;
  ask = (bearer, now, come, fail) => fetch(bearer.question(now), init).then((reply) => {
    reply.text().then((body) => come({ status: reply.status, body }), fail);
  }, fail);
}

/**
 * Has sessions asked about in the users' Durable Objects.
 * @param {Objects} objects
 * @param {number} timeout milliseconds until the reply
 */
export function checkInObjects(objects, timeout) {
  patience = timeout;
  ask = ({ place, before, after = "" }, now, come, fail) => {
    const answer = (/** @type {string} */ body) => come({ status: 200, body });
    objects.getByName(place).check(before, now, after).then(answer, (error) => {
      if (!wasReset(error)) return fail(error);
      // What held the old object cannot reach the new one.
      objects.getByName(place).check(before, now, after).then(answer, fail);
    });
  };
}

/**
 * Was an object restarted or moved, so that a new stub will find it? One that is overloaded must not be
 * asked again.
 * @param {{ retryable?: boolean, durableObjectReset?: boolean, overloaded?: boolean } | undefined} error
 */
function wasReset(error) {
  return (error?.retryable === true || error?.durableObjectReset === true) && error.overloaded !== true;
}

/**
 * Asks about a session. On the way of every request: an abort signal, a timer of its own, or a
 * promise more, would be felt.
 * @param {RequestContext} passage
 * @param {TokenContext} bearer
 * @param {number} now milliseconds since the Unix epoch
 * @returns {Promise<Reply>} never rejected
 */
export function check({ timer }, bearer, now) {
  return new Promise((come) => {
    timer.wait(patience, () => come({ status: TIMED_OUT, body: "" }));
    /** @param {unknown} error */
    const fail = (error) => come({ status: UNREACHABLE, body: String(error) });
    try {
      ask(bearer, now, come, fail);
    } catch (error) {
      fail(error);
    }
  });
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
