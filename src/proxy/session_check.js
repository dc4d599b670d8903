// The session check: the one round trip to the session store that every request with a token waits for. It is
// JavaScript because Rust would have to poll a future of its own for each request, which costs more than
// the rest of the request. Rust builds the command and reads the reply.

/** @typedef {import("./token_context.js").TokenContext} TokenContext */
/** @typedef {import("./request_context.js").RequestContext} RequestContext */
/** @typedef {DurableObjectNamespace<import("../stores/durable_object/object.js").UserSessions>} Objects */

/**
 * A store's reply. A negative status says that there was none: see `TIMED_OUT` and `UNREACHABLE`.
 * @typedef {{ status: number, body: string }} Reply
 */

export const TIMED_OUT = -1;
export const UNREACHABLE = -2;

/** @type {(status: number, body: string) => Reply} */
export const makeReply = (status, body) => ({ status, body });

/**
 * Sends the check.
 * @type {(tokenContext: TokenContext, now: number, resolve: (reply: Reply) => void, reject: (error: unknown) => void) => unknown}
 */
let send;

/** Milliseconds until the whole reply must have arrived. */
let timeoutMillis = 0;

/**
 * Sends checks to the REST endpoint of Redis.
 * @param {RequestInit} init
 * @param {number} timeout milliseconds
 */
export function configureRedis(init, timeout) {
  timeoutMillis = timeout;
  send = (tokenContext, now, resolve, reject) => fetch(tokenContext.checkCommand(now), init).then((reply) => {
    reply.text().then((body) => resolve({ status: reply.status, body }), reject);
  }, reject);
}

/**
 * Sends checks to the users' Durable Objects.
 * @param {Objects} objects
 * @param {number} timeout milliseconds
 */
export function configureObjects(objects, timeout) {
  timeoutMillis = timeout;
  send = ({ objectName, before, after = "" }, now, resolve, reject) => {
    const reply = (/** @type {string} */ body) => resolve({ status: 200, body });
    objects.getByName(objectName).check(before, now, after).then(reply, (error) => {
      if (!wasReset(error)) return reject(error);
      // The stub of an object that was restarted stays broken. A new one reaches the new object.
      objects.getByName(objectName).check(before, now, after).then(reply, reject);
    });
  };
}

/**
 * Was an object restarted or moved, so that a new stub reaches it? An overloaded object must not be asked again.
 * @param {{ retryable?: boolean, durableObjectReset?: boolean, overloaded?: boolean } | undefined} error
 */
export function wasReset(error) {
  return (error?.retryable === true || error?.durableObjectReset === true) && error.overloaded !== true;
}

/**
 * Checks a session. This runs for every request, so it uses the request's one timer, and neither an abort
 * signal nor an intermediate promise.
 * @param {RequestContext} context
 * @param {TokenContext} tokenContext
 * @param {number} now milliseconds since the Unix epoch
 * @returns {Promise<Reply>} never rejected
 */
export function checkSession({ timer }, tokenContext, now) {
  return new Promise((resolve) => {
    timer.start(timeoutMillis, () => resolve({ status: TIMED_OUT, body: "" }));
    /** @param {unknown} error */
    const reject = (error) => resolve({ status: UNREACHABLE, body: String(error) });
    try {
      send(tokenContext, now, resolve, reject);
    } catch (error) {
      reject(error);
    }
  });
}
