// The I/O of a guarded request. A promise awaited here costs a fraction of one awaited from
// Rust; whatever is decided, is decided there.

/**
 * What a store replied. A status below zero is a failure: see `TIMED_OUT` and `UNREACHABLE`.
 * @typedef {{ status: number, body: string }} Reply
 */

/**
 * A request that waits for the store's reply.
 * @typedef {{ judge(request: Request, status: number, body: string): Outcome | Promise<Outcome> }} Pending
 */

/**
 * A response that ends the request, or a plan to forward it: the URL, the milliseconds until the
 * first byte, then a line for each header, `Name: value` to set it and `Name` to delete it.
 * @typedef {Response | string} Outcome
 */

const TIMED_OUT = -1;
const UNREACHABLE = -2;

/** The origin failed before it answered. */
export class OriginFailure extends Error {
  /** @param {boolean} timedOut @param {unknown} cause */
  constructor(timedOut, cause) {
    super(cause instanceof Error ? cause.message : String(cause));
    this.name = "OriginFailure";
    this.timedOut = timedOut;
  }
}

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
 * Asks a user's Durable Object.
 * @param {DurableObjectNamespace<import("./entry.js").UserSessions>} objects
 * @param {string} name
 * @param {string} command
 * @param {number} timeout milliseconds
 * @returns {Promise<Reply>}
 */
export function askObject(objects, name, command, timeout) {
  return new Promise((resolve) => {
    const late = setTimeout(() => resolve({ status: TIMED_OUT, body: "" }), timeout);
    /** @param {number} status @param {unknown} body */
    const settle = (status, body) => {
      clearTimeout(late);
      resolve({ status, body: String(body) });
    };
    const answer = objects.getByName(name).apply(command);
    answer.then((body) => settle(200, body), (error) => settle(UNREACHABLE, error));
  });
}

/**
 * Waits for the store's reply, and ends the request or forwards it.
 * @param {Request} request
 * @param {Promise<Reply>} question
 * @param {Pending} pending
 * @returns {Promise<Response>}
 */
export async function checkAndForward(request, question, pending) {
  const reply = await question;
  const verdict = pending.judge(request, reply.status, reply.body);
  const outcome = verdict instanceof Promise ? await verdict : verdict;
  return typeof outcome === "string" ? forward(request, outcome) : outcome;
}

/**
 * Sends a request to the origin: streams both bodies, follows no redirect.
 * @param {Request} request
 * @param {string} plan see `Outcome`
 * @returns {Promise<Response>}
 */
async function forward(request, plan) {
  const [url = "", timeout, ...changes] = plan.split("\n");
  const headers = new Headers(request.headers);
  for (const line of changes) {
    const colon = line.indexOf(": ");
    if (colon < 0) headers.delete(line);
    else headers.set(line.slice(0, colon), line.slice(colon + 2));
  }
  const { method, body } = request;
  const abort = new AbortController();
  const late = setTimeout(() => abort.abort(), Number(timeout));
  try {
    return await fetch(url, { method, headers, body, redirect: "manual", signal: abort.signal });
  } catch (error) {
    throw new OriginFailure(abort.signal.aborted, error);
  } finally {
    clearTimeout(late);
  }
}
