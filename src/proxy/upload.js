// Request bodies that take time to arrive. While one arrives, the origin cannot be expected to respond.
// JavaScript, because it passes on the runtime's own streams.

/**
 * Bodies of up to this many bytes arrive with the request's head: a client's TCP sends about as much before the first
 * acknowledgement (RFC 6928). They are passed on untouched.
 */
const INITIAL_BYTES = 16 * 1024;

/** The most bytes that are read at a time. */
const BUFFER_BYTES = 64 * 1024;

/**
 * Does a request's body arrive with its head, or soon after?
 * @param {Headers} headers
 */
export function arrivesWithHead(headers) {
  return Number(headers.get("content-length") ?? Infinity) <= INITIAL_BYTES;
}

/**
 * A body that reports its progress.
 * @param {ReadableStream<Uint8Array>} body
 * @param {string | null} length in bytes, if it is known
 * @param {() => unknown} onProgress
 * @returns {{ readable: ReadableStream, signal: AbortSignal, stop(): void }} the body to send, the signal for its
 *   request, and what ends both
 */
export function meteredBody(body, length, onProgress) {
  const { readable, writable } = length === null ? new IdentityTransformStream() : new FixedLengthStream(Number(length));
  const reader = body.getReader({ mode: "byob" });
  const writer = writable.getWriter();
  const request = new AbortController();
  /** @param {unknown} [reason] */
  const stop = (reason) => {
    // Abort first: a body without a length would otherwise end in order, and the origin take it for complete.
    request.abort(reason);
    reader.cancel(reason).catch(() => {});
    writer.abort(reason).catch(() => {});
  };
  // A failure on either side shows in the request's own promise.
  pump(reader, writer, onProgress).catch(stop);
  return { readable, signal: request.signal, stop };
}

/**
 * @param {ReadableStreamBYOBReader} reader
 * @param {WritableStreamDefaultWriter} writer
 * @param {() => unknown} onProgress
 */
async function pump(reader, writer, onProgress) {
  for (let buffer = new Uint8Array(BUFFER_BYTES); ; ) {
    const { done, value } = await reader.read(buffer);
    onProgress();
    if (done) return writer.close();
    await writer.write(value);
    onProgress();
    buffer = new Uint8Array(value.buffer);
  }
}
