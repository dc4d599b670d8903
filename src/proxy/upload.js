// Bodies that come in by and by. While one moves, the origin cannot be expected to answer.

/**
 * Bodies of up to this many bytes come with their heads: a client's TCP sends about as much before it hears
 * from the server (RFC 6928). They are passed on untouched.
 */
const AT_ONCE = 16 * 1024;

/** The most bytes that are read at a time. */
const PIECE = 64 * 1024;

/**
 * Is a request's body there when its head is, or soon after?
 * @param {Headers} headers
 */
export function isAtOnce(headers) {
  return Number(headers.get("content-length") ?? Infinity) <= AT_ONCE;
}

/**
 * Passes a body on piece by piece, and tells when it has moved.
 * @param {ReadableStream<Uint8Array>} body
 * @param {string | null} length in bytes, if it is known
 * @param {() => unknown} moved
 * @returns {{ readable: ReadableStream, signal: AbortSignal, stop(): void }} the body that goes on, the signal of
 *   its request, and how all of them are let go
 */
export function metered(body, length, moved) {
  const { readable, writable } = length === null ? new IdentityTransformStream() : new FixedLengthStream(Number(length));
  const reader = body.getReader({ mode: "byob" });
  const writer = writable.getWriter();
  const request = new AbortController();
  /** @param {unknown} [why] */
  const stop = (why) => {
    // First: a body without a length that breaks off would end in an orderly way, and the origin take it for whole.
    request.abort(why);
    reader.cancel(why).catch(() => {});
    writer.abort(why).catch(() => {});
  };
  // Of what fails at either end, the other end and the origin's answer tell.
  pass(reader, writer, moved).catch(stop);
  return { readable, signal: request.signal, stop };
}

/**
 * @param {ReadableStreamBYOBReader} reader
 * @param {WritableStreamDefaultWriter} writer
 * @param {() => unknown} moved
 */
async function pass(reader, writer, moved) {
  for (let room = new Uint8Array(PIECE); ; ) {
    const { done, value } = await reader.read(room);
    moved();
    if (done) return writer.close();
    await writer.write(value);
    moved();
    room = new Uint8Array(value.buffer);
  }
}
