// The one place that acts on a verdict: it responds, forwards, or checks the session and asks Rust again. It is
// JavaScript because awaiting a promise from Rust costs more than the rest of a request.

import { waitUntil } from "cloudflare:workers";
import { PendingCheck, recheckSession, watchSession } from "../../build/bindings/guard.js";
import { timestamp } from "./access_log.js";
import { closeWithSession, SLOW_MILLIS } from "./close_with_session.js";
import { shouldCache } from "./decision_cache.js";
import { forward, forwardOverlapped } from "./forward.js";
import { pass } from "./forward_auth.js";
import { send } from "./origin.js";
import { discard, sendOverlapped } from "./overlapped_request.js";
import { CLIENT } from "./request_context.js";
import { checkSession } from "./session_check.js";

/** @typedef {import("./request_context.js").RequestContext} RequestContext */
/** @typedef {import("./token_context.js").TokenContext} TokenContext */
/** @typedef {import("./cached_decision.js").CachedDecision} CachedDecision */
/** @typedef {import("./session_check.js").Reply} Reply */
/** @typedef {import("./verdict.js").Verdict} Verdict */
/** @typedef {import("./verdict.js").CheckSession} CheckSession */

/**
 * Does what a verdict says.
 * @param {RequestContext} context
 * @param {Verdict} verdict
 * @returns {Response | Promise<Response>}
 */
export function carryOut(context, verdict) {
  switch (verdict.kind) {
    case "respond":
      if (verdict.logFields !== undefined) context.logFields = verdict.logFields;
      return verdict.response;
    case "forward":
      return context.recipient === CLIENT ? forward(context, verdict) : pass(context, verdict);
    case "checkSession":
      return checkAndCarryOut(context, verdict);
    case "wait":
      return verdict.verdict.then((next) => carryOut(context, next));
  }
}

/**
 * Waits for the session check, and does what Rust makes of the reply.
 * @param {RequestContext} context
 * @param {CheckSession} verdict
 * @returns {Promise<Response>}
 */
async function checkAndCarryOut(context, { tokenContext, now, pending, overlapped, reply: sent }) {
  const check = sent ?? checkSession(context, tokenContext, now);
  if (overlapped !== undefined && context.recipient === CLIENT) forwardOverlapped(context, overlapped);
  context.storeAskedAt = timestamp();
  try {
    const reply = await check;
    const repliedAt = (context.storeRepliedAt = Date.now());
    if (context.recipient === CLIENT && shouldCache(context, tokenContext)) context.planToCache = pending.planToCache();
    return finish(context, await carryOut(context, judge(context, tokenContext, pending, reply, repliedAt)));
  } finally {
    context.overlapped?.cancel();
  }
}

/**
 * Does what an earlier verdict said, once the store's reply is known. Rust has found that the verdict still holds.
 * @param {RequestContext} context
 * @param {CachedDecision} cached
 * @returns {Promise<Response>}
 */
export async function forwardCached(context, cached) {
  const { plan, tokenContext } = cached;
  const url = cached.originUrlFor(context);
  context.storeAskedAt = timestamp();
  const check = checkSession(context, tokenContext, context.startedAt);
  if (cached.overlaps) sendOverlapped(context, url, () => cached.initFor(context));
  try {
    const reply = await check;
    const repliedAt = (context.storeRepliedAt = Date.now());
    const { status, body } = reply;
    const isSameReply = status === 200 && body === tokenContext.lastReply && body === cached.storeReply;
    if (isSameReply && plan.passes(repliedAt)) {
      context.logFields = cached.logFields;
      context.session = tokenContext.session;
      context.tokenExpiresAt = cached.tokenExpiresAt;
      return finish(context, await (context.overlapped?.take() ?? send(context, url, cached.initFor(context))));
    }
    context.planToCache = plan;
    const pending = PendingCheck.ofCached(plan, context.startedAt);
    return finish(context, await carryOut(context, judge(context, tokenContext, pending, reply, repliedAt)));
  } finally {
    context.overlapped?.cancel();
  }
}

/**
 * What Rust makes of the store's reply. The reply and the header names are passed only if they differ from those
 * that Rust has read for this token before.
 * @param {RequestContext} context
 * @param {TokenContext} tokenContext
 * @param {PendingCheck} pending
 * @param {Reply} reply
 * @param {number} now
 * @returns {Verdict}
 */
function judge(context, tokenContext, pending, { status, body }, now) {
  const names = context.headerNames();
  context.storeReply = body;
  const newReply = status === 200 && body === tokenContext.lastReply ? undefined : String(body);
  return pending.judge(context, status, newReply, names === tokenContext.lastHeaderNames ? undefined : names, now);
}

/**
 * Ties a response to its session. A response that took long is sent only after the session was checked again.
 * @param {RequestContext} context
 * @param {Response} response
 * @returns {Response | Promise<Response>}
 */
function finish(context, response) {
  if (context.session === "") return response;
  if (Date.now() - context.storeRepliedAt > SLOW_MILLIS) return recheck(context, response);
  return closeWithSession(response, context, watchSession, waitUntil);
}

/**
 * @param {RequestContext} context
 * @param {Response} response
 * @returns {Promise<Response>}
 */
async function recheck(context, response) {
  /** @type {Response | undefined} */
  const refusal = await recheckSession(context, context.session);
  if (refusal === undefined) return closeWithSession(response, context, watchSession, waitUntil);
  discard(response);
  return refusal;
}
