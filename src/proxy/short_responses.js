// URLs whose responses have always ended at once. Piping a body costs a quarter of a request, and an ordinary page
// without a length need not be piped each time. A URL counts as short only after many short responses, and some
// of its responses are still piped. JavaScript, because it runs on each response beside the pipe.

/** How many short responses a URL needs. */
const ENOUGH = 16;

/** One response in this many is piped all the same. */
const SAMPLE = 32;

/** How many URLs are kept, and how long each may be, in characters. */
const [MAX_URLS, MAX_CHARS] = [1000, 1000];

/** Pages and what belongs to them. Data and plain text may come from a job that is still running. */
const DOCUMENT = /^(?:text\/(?:html|css|javascript)|application\/javascript)\b/i;

class Address {
  /** How many responses were short; never enough again after a long one. */
  #short = 0;
  #responses = 0;

  /** @param {string} type the media type of its responses */
  constructor(type) {
    this.type = type;
  }

  /** Is this its first response? There may be no other. */
  get isFirst() {
    return this.#responses === 0;
  }

  /** Is the next response expected to be short? */
  expectsShort() {
    this.#responses += 1;
    return this.#short >= ENOUGH && this.#responses % SAMPLE !== 0;
  }

  /** A response has ended at once, and as the origin meant it. */
  wasShort() {
    this.#short += 1;
  }

  /** A response goes on. */
  wasLong() {
    this.#short = -Infinity;
  }
}

/** By URL. @type {Map<string, Address>} */
const addresses = new Map();

/**
 * What is known of a URL's responses; `undefined` if they say nothing about the next one.
 * @param {{ method: string, url: string }} context
 * @param {Response} response
 * @returns {Address | undefined}
 */
export function addressOf({ method, url }, { status, headers }) {
  if (method !== "GET" || status !== 200) return undefined;
  // By this header of nginx, applications tell every proxy that a response is a stream.
  if (headers.get("x-accel-buffering")?.toLowerCase() === "no") return undefined;
  const type = headers.get("content-type") ?? "";
  const known = addresses.get(url);
  if (known !== undefined) return known.type === type ? known : undefined;
  if (url.length > MAX_CHARS || !DOCUMENT.test(type)) return undefined;
  if (addresses.size >= MAX_URLS) addresses.clear();
  const address = new Address(type);
  addresses.set(url, address);
  return address;
}
