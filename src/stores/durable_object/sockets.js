// The WebSockets in a user's object. They hibernate: while nothing happens, no object runs. What is
// known of each is kept with it, in its tag (the session's id) and its attachment.

import { ENDED } from "../../proxy/watch_session.js";

/** Milliseconds until a session is looked at again when the store could not be asked, or there are doubts. */
const LATER = 10_000;

/** How often a session is looked at that may have ended unseen: the store may yet be told. */
const MOST_DOUBTS = 6;

/**
 * Whose WebSocket it is, when the session is to be looked at, in milliseconds since the Unix epoch, and how
 * often it is then still in doubt.
 * @typedef {{ user: string, until: number, doubts?: number }} Attachment
 */

/**
 * Looks at a session: until when it lives, in milliseconds since the Unix epoch, or the event of its
 * end as JSON.
 * @typedef {(user: string, sid: string) => Promise<number | string>} Look
 */

/**
 * Takes a WebSocket in, and sees to it that the object wakes when its session may end by itself.
 * @param {DurableObjectState} ctx
 * @param {Request} request
 * @returns {Promise<Response>}
 */
export async function accept(ctx, request) {
  const query = new URL(request.url).searchParams;
  const [user, sid] = [query.get("user") ?? "", query.get("sid") ?? ""];
  const until = Number(query.get("until"));
  const { 0: theirs, 1: ours } = new WebSocketPair();
  ctx.acceptWebSocket(ours, [sid]);
  ours.serializeAttachment({ user, until });
  ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair("ping", "pong"));
  const alarm = await ctx.storage.getAlarm();
  if (alarm === null || until < alarm) await ctx.storage.setAlarm(until);
  return new Response(null, { status: 101, webSocket: theirs });
}

/**
 * Tells of ended sessions to those who listen for them.
 * @param {DurableObjectState} ctx
 * @param {string} events a JSON list
 */
export function tell(ctx, events) {
  for (const event of JSON.parse(events)) {
    for (const socket of ctx.getWebSockets(event.data.sid)) bid(socket, JSON.stringify(event));
  }
}

/**
 * Sees to it that all are looked at now, and some times more.
 * @param {DurableObjectState} ctx
 */
export async function doubt(ctx) {
  const sockets = open(ctx);
  for (const socket of sockets) socket.serializeAttachment({ ...attachment(socket), until: 0, doubts: MOST_DOUBTS });
  if (sockets.length > 0) await ctx.storage.setAlarm(Date.now());
}

/**
 * Tells those whose sessions have ended by themselves. A session that was used meanwhile lives longer
 * than was known.
 * @param {DurableObjectState} ctx
 * @param {number} now
 * @param {Look} look
 * @returns {Promise<number[]>} when the others' sessions may end
 */
export async function tellExpired(ctx, now, look) {
  /** @type {Map<string, number | string>} */
  const found = new Map();
  for (const socket of open(ctx)) {
    const { user, until } = attachment(socket);
    const [sid = ""] = ctx.getTags(socket);
    if (now < until) continue;
    const outcome = found.get(sid) ?? (await look(user, sid).catch(() => now + LATER));
    found.set(sid, outcome);
    if (typeof outcome === "string") bid(socket, outcome);
    else socket.serializeAttachment(later(attachment(socket), outcome, now));
  }
  // Some may have come in meanwhile.
  return open(ctx).map((socket) => attachment(socket).until);
}

/**
 * What is to be known of a WebSocket whose session lives.
 * @param {Attachment} attachment
 * @param {number} until when the session may end by itself
 * @param {number} now
 * @returns {Attachment}
 */
function later({ user, doubts = 0 }, until, now) {
  return doubts > 1 ? { user, until: Math.min(until, now + LATER), doubts: doubts - 1 } : { user, until };
}

/** @param {DurableObjectState} ctx */
function open(ctx) {
  return ctx.getWebSockets().filter((socket) => socket.readyState === WebSocket.OPEN);
}

/**
 * @param {WebSocket} socket
 * @returns {Attachment}
 */
function attachment(socket) {
  return socket.deserializeAttachment();
}

/**
 * Says what has ended the session, and closes.
 * @param {WebSocket} socket
 * @param {string} event
 */
function bid(socket, event) {
  try {
    socket.send(event);
    socket.close(ENDED, JSON.parse(event).type.replace(".", "_"));
  } catch {
    // It was closed by the other side.
  }
}
