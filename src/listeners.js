// The WebSockets in a user's object. They hibernate: while nothing happens, no object runs. What is
// known of each is kept with it, in its tag (the session's id) and its attachment.

/** An application's own code (RFC 6455, section 7.4.2): the session is over. */
const ENDED = 4001;

/**
 * When a WebSocket's session ends by itself, in milliseconds since the Unix epoch, and what is said
 * then.
 * @typedef {{ until: number, farewell: string }} Attachment
 */

/**
 * Takes a WebSocket in, and sees to it that the object wakes when its session ends by itself.
 * @param {DurableObjectState} ctx
 * @param {Request} request
 * @returns {Promise<Response>}
 */
export async function accept(ctx, request) {
  const query = new URL(request.url).searchParams;
  const [sid, farewell] = [query.get("sid") ?? "", query.get("farewell") ?? ""];
  const until = Number(query.get("until"));
  const { 0: theirs, 1: ours } = new WebSocketPair();
  ctx.acceptWebSocket(ours, [sid]);
  ours.serializeAttachment({ until, farewell });
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
 * Tells those whose sessions have ended by themselves.
 * @param {DurableObjectState} ctx
 * @param {number} now
 * @returns {number[]} when the others' will
 */
export function tellExpired(ctx, now) {
  const moments = [];
  for (const socket of ctx.getWebSockets()) {
    const { until, farewell } = /** @type {Attachment} */ (socket.deserializeAttachment());
    if (now < until) moments.push(until);
    else bid(socket, farewell);
  }
  return moments;
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
