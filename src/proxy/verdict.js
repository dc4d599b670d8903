// What is to be done with a request, as data: Rust decides and makes these objects, `carryOut` acts on them.
// They are plain JavaScript objects, because each field of a Rust struct would be read by a wasm call.

/** @typedef {import("./token_context.js").TokenContext} TokenContext */
/** @typedef {import("../../build/bindings/guard.js").PendingCheck} PendingCheck */
/** @typedef {import("./session_check.js").Reply} Reply */

/**
 * Answer with this response. Log fields are members of a JSON object, without its braces; `undefined` where the
 * request's context has them already.
 * @typedef {{ kind: "respond", response: Response, logFields: string | undefined }} Respond
 *
 * Rust does something first: reads a body, or asks the store in another way.
 * @typedef {{ kind: "wait", verdict: Promise<Verdict> }} Wait
 *
 * Check the session, and have `pending` judge the reply. `now` is in milliseconds since the Unix epoch.
 * `overlapped` is sent at the same time. The check was sent already if there is a `reply`.
 * @typedef {{
 *   kind: "checkSession", tokenContext: TokenContext, now: number, pending: PendingCheck, overlapped: Forward | undefined,
 *   reply: Promise<Reply> | undefined,
 * }} CheckSession
 *
 * Forward the request, with the identity headers of `tokenContext` if there is one. The target begins at
 * `start` in the request's URL, and `target` replaces it. `removed` are header names; `set` are headers as
 * name, value, name, value. Cloudflare's cache may answer if it is cacheable.
 * @typedef {{
 *   kind: "forward", tokenContext: TokenContext | undefined, start: number, target: string | undefined,
 *   removed: string[], set: string[] | undefined, logFields: string | undefined, isCacheable: boolean,
 * }} Forward
 *
 * @typedef {Respond | Wait | CheckSession | Forward} Verdict
 */

/** @type {(response: Response, logFields: string | undefined) => Respond} */
export const respond = (response, logFields) => ({ kind: "respond", response, logFields });

/** @type {(verdict: Promise<Verdict>) => Wait} */
export const waitFor = (verdict) => ({ kind: "wait", verdict });

/** @type {(tokenContext: TokenContext, now: number, pending: PendingCheck, overlapped: Forward | undefined, reply: Promise<Reply> | undefined) => CheckSession} */
export const checkSession = (tokenContext, now, pending, overlapped, reply) =>
  ({ kind: "checkSession", tokenContext, now, pending, overlapped, reply });

/** @type {(tokenContext: TokenContext | undefined, start: number, target: string | undefined, removed: string[], set: string[] | undefined, logFields: string | undefined, isCacheable: boolean) => Forward} */
export const forward = (tokenContext, start, target, removed, set, logFields, isCacheable) =>
  ({ kind: "forward", tokenContext, start, target, removed, set, logFields, isCacheable });
