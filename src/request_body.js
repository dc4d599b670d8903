// The I/O of a request's body, where the guard reads one.

/**
 * Reads a body as UTF-8 text; `undefined` if it is larger than `most` bytes or no UTF-8.
 * @param {Request | Response} message
 * @param {number} most
 * @returns {Promise<string | undefined>}
 */
export async function readBody(message, most) {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });
  let text = "";
  let size = 0;
  for await (const chunk of message.body ?? []) {
    size += chunk.byteLength;
    if (size > most) return undefined;
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

/**
 * Reads a body and leaves it in the request, byte for byte. No more than `most` bytes are held.
 * @param {Request} request
 * @param {number} most
 * @returns {Promise<string | undefined>}
 */
export async function peekBody(request, most) {
  const isTooLarge = Number(request.headers.get("content-length")) > most;
  return isTooLarge ? undefined : readBody(request.clone(), most);
}
