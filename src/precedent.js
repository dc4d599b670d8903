// Requests that were let through, and what was decided about them. One that says the same in method, URL,
// credential and the names of its headers is decided alike, but for what depends on the moment; that,
// and what the store replies, Rust judges each time (`precedent.rs`), and what another path and query
// come to. So most of what makes up a request need not be read, nor cross, again.

import { headersFor } from "./headers.js";
import { canRepeat, initFor, urlFor } from "./origin.js";
import { FROM, rewritesOrigin } from "./own_address.js";

/** @typedef {import("./passage.js").Passage} Passage */
/** @typedef {import("./headers.js").Changes} Changes */

/** Headers whose values are part of what was decided. The other ones that matter were not there. */
const READ = ["authorization", "cookie", "connection", "upgrade"];

/** What is added to the headers that go on depends on this one's value. */
const ADDRESS = "cf-connecting-ip";

/** What stands for bytes that are no UTF-8. They go on as they came, but read alike. */
const UNREADABLE = "\ufffd";

export class Precedent {
  #method;
  #url;
  #site;
  #there;
  #names;
  #values;
  #headers;
  /** How it went, if another request can go as it did. @type {RequestInit | undefined} */
  #init;
  /** Names that do not go on as they came. */
  #changed;

  /**
   * @param {Passage} passage
   * @param {import("../build/bindings/guard.js").Precedent} decision
   * @param {Changes} changes
   * @param {string} there where it went
   * @param {Headers} headers with what
   */
  constructor(passage, decision, changes, there, headers) {
    this.#method = passage.method;
    this.#url = passage.url;
    this.#site = passage.url.slice(0, changes.start);
    this.#there = there;
    this.#names = passage.names;
    this.#values = passage.values;
    this.#headers = headers;
    const set = (changes.set ?? []).filter((_, at) => at % 2 === 0);
    this.#changed = new Set([...changes.removed, ...set].map((name) => name.toLowerCase()));
    this.decision = decision;
    this.changes = changes;
    this.isAhead = decision.isAhead;
    this.said = passage.said;
    /** The store's reply at that time. What goes on may hold of it. */
    this.reply = passage.reply;
  }

  /**
   * Does a request say the same?
   * @param {Passage} passage
   */
  covers(passage) {
    return passage.url === this.#url && this.#isLike(passage);
  }

  /**
   * Does a request say the same but for path and query, and is the same decided about it?
   * @param {Passage} passage
   */
  extendsTo(passage) {
    const { method, url, began } = passage;
    return url.startsWith(this.#site) && this.#isLike(passage) && this.decision.extends(passage, method, url, began);
  }

  /** @param {Passage} passage */
  #isLike({ method, names, values }) {
    const known = this.#names;
    if (method !== this.#method || names.length !== known.length) return false;
    for (let at = 0; at < names.length; at += 1) {
      if (names[at] !== known[at]) return false;
      if (values[at] !== this.#values[at] && !mayDiffer(names[at], values[at])) return false;
    }
    return true;
  }

  /**
   * Where a request goes that is covered, or to which this extends.
   * @param {Passage} passage
   */
  thereFor({ url }) {
    return url === this.#url ? this.#there : urlFor(url, this.changes.start, undefined);
  }

  /**
   * How a request that says the same goes on: as the last one did, but for what differs. It is good until
   * the next one asks.
   * @param {Passage} passage
   * @returns {RequestInit}
   */
  initFor(passage) {
    this.#headers = this.#headersFor(passage);
    if (!canRepeat(passage)) return initFor(passage, this.#headers);
    if (this.#init?.headers !== this.#headers) this.#init = initFor(passage, this.#headers);
    return this.#init;
  }

  /** @param {Passage} passage */
  #headersFor(passage) {
    const { names, values } = passage;
    const known = this.#values;
    const headers = this.#headers;
    for (let at = 0; at < names.length; at += 1) {
      // What is the same stays as it is: what is kept anew lives long, and costs more to get rid of.
      if (values[at] === known[at]) continue;
      const name = names[at] ?? "";
      const value = values[at] ?? "";
      if (this.#changed.has(name)) continue;
      // A list may be of several lines, which stay apart.
      if (name === ADDRESS || value.includes(",") || (rewritesOrigin && FROM.includes(name))) return this.#anew(passage);
      known[at] = value;
      headers.set(name, value);
    }
    return headers;
  }

  /** @param {Passage} passage */
  #anew(passage) {
    // A copy, because another precedent may be made of the same request.
    this.#values = [...passage.values];
    return headersFor(passage, this.changes);
  }
}

/**
 * May the value of a header be another than its precedent's?
 * @param {string | undefined} name
 * @param {string | undefined} value
 */
function mayDiffer(name = "", value = "") {
  return !READ.includes(name) && !value.includes(UNREADABLE);
}

/** How many credentials are remembered in each of two halves: the old one goes when the young one is full. */
const HALF = 500;

/** How many precedents each has, of which the newest takes the place of the oldest. */
const MOST = 6;

/** Requests that say more than this are neither remembered nor recalled. An isolate has 128 MB. */
const MOST_CHARS = 4000;

/**
 * The precedents of each credential that was let through.
 * @type {Map<string, Precedent[]>}
 */
let young = new Map();
/** @type {Map<string, Precedent[]>} */
let old = new Map();

/** @param {string} credential */
function remembered(credential) {
  const known = young.get(credential);
  if (known !== undefined) return known;
  const aged = old.get(credential);
  if (aged !== undefined) remember(credential, aged);
  return aged;
}

/** @param {string} credential @param {Precedent[]} known */
function remember(credential, known) {
  if (young.size >= HALF && !young.has(credential)) [old, young] = [young, new Map()];
  young.set(credential, known);
}

/**
 * A request that said the same as this one, and of which that still holds.
 * @param {Passage} passage
 */
export function recall(passage) {
  const credential = passage.authorization ?? passage.cookie;
  if (credential === undefined || passage.chars > MOST_CHARS) return undefined;
  const known = remembered(credential);
  const found = known?.find((precedent) => precedent.covers(passage)) ?? known?.find((precedent) => precedent.extendsTo(passage));
  return found?.decision.holds(passage.began) ? found : undefined;
}

/**
 * Is a request that is about to pass worth remembering? The first one with its credential is not: there
 * may be no other.
 * @param {Passage} passage
 */
export function isRepeated({ authorization, cookie, chars, names, values }) {
  const credential = authorization ?? cookie;
  if (credential === undefined || chars > MOST_CHARS) return false;
  if (remembered(credential) === undefined) {
    remember(credential, []);
    return false;
  }
  // Lines of `Set-Cookie` are no list, but a value for each.
  return !names.includes("set-cookie") && !values.some((value) => value.includes(UNREADABLE));
}

/**
 * Remembers a request that passes.
 * @param {Passage} passage
 * @param {Precedent} precedent
 */
export function keep(passage, precedent) {
  const credential = passage.authorization ?? passage.cookie ?? "";
  const others = (remembered(credential) ?? []).filter((other) => !other.covers(passage));
  remember(credential, [precedent, ...others].slice(0, MOST));
}

/** Forgets all, because who decided about them is no more. */
export function forgetAll() {
  young = new Map();
  old = new Map();
}
