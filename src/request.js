// The I/O of a request's body, where the guard reads one.

/**
 * What the guard looks at in every request, in one text, because each value that crosses costs: the
 * method, the URL, `Authorization` and `Cookie`, a line each. No header's value holds a line feed, or
 * is what stands for one that was not sent.
 * @param {Request} request
 * @returns {string}
 */
export function headOf({ method, url, headers }) {
  return `${method}\n${url}\n${headers.get("authorization") ?? ABSENT}\n${headers.get("cookie") ?? ABSENT}`;
}

/** No header's value: a control character. */
const ABSENT = "\0";

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
