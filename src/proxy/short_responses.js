// Addresses whose answers are known to end at once. To pipe a body costs a fourth of a whole request, which an
// ordinary page without a length need not pay each time. What is believed here is not looked after, so it is
// believed late, and tried again and again.

/** How many answers have to have ended at once before an address is believed. */
const ENOUGH = 16;

/** One in so many is looked after all the same. */
const EVERY = 32;

/** How many addresses are remembered, and of how many characters at most. */
const [MOST, MOST_CHARS] = [1000, 1000];

/** Types of pages and of what belongs to them. Data and texts of other types may be a job's that is still running. */
const DOCUMENT = /^(?:text\/(?:html|css|javascript)|application\/javascript)\b/i;

/** What is known of the answers of an address. */
class Address {
  /** How many have ended at once; none ever will, if one went on. */
  #whole = 0;
  #asked = 0;

  /** @param {string} type their media type */
  constructor(type) {
    this.type = type;
  }

  /** Is this the first answer that is seen? There may be no other. */
  get isNew() {
    return this.#asked === 0;
  }

  /** Will the next answer end at once, as far as is known? */
  believes() {
    this.#asked += 1;
    return this.#whole >= ENOUGH && this.#asked % EVERY !== 0;
  }

  /** An answer has ended at once, as the origin wished. */
  hasEnded() {
    this.#whole += 1;
  }

  /** An answer goes on. */
  goesOn() {
    this.#whole = -Infinity;
  }
}

/** @type {Map<string, Address>} */
const addresses = new Map();

/**
 * The address of an answer; `undefined` if nothing can be known of others by it.
 * @param {{ method: string, url: string }} passage
 * @param {Response} answer
 * @returns {Address | undefined}
 */
export function addressOf({ method, url }, { status, headers }) {
  if (method !== "GET" || status !== 200) return undefined;
  // By this header of nginx, applications tell every proxy that a response is a stream.
  if (headers.get("x-accel-buffering")?.toLowerCase() === "no") return undefined;
  const type = headers.get("content-type") ?? "";
  const known = addresses.get(url);
  if (known !== undefined) return known.type === type ? known : undefined;
  if (url.length > MOST_CHARS || !DOCUMENT.test(type)) return undefined;
  if (addresses.size >= MOST) addresses.clear();
  const address = new Address(type);
  addresses.set(url, address);
  return address;
}
