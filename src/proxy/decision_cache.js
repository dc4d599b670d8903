// Requests that were let through, and what was decided about them. One that says the same in method, URL,
// credential and the names of its headers is decided alike, but for what depends on the moment; that,
// and what the store replies, Rust judges each time (`precedent.rs`), and what another path and query
// come to. So most of what makes up a request need not be read, nor cross, again.

import { headersFor } from "./forwarded_headers.js";
import { canRepeat, initFor, urlFor } from "./origin.js";
import { FROM, rewritesOrigin } from "./url_rewrite.js";

/** @typedef {import("./request_context.js").RequestContext} RequestContext */
/** @typedef {import("./token_context.js").TokenContext} TokenContext */
/** @typedef {import("./forwarded_headers.js").Changes} Changes */

/** Headers whose values are part of what was decided. The other ones that matter were not there. */
const READ = ["authorization", "cookie", "connection", "upgrade"];

/** What is added to the headers that go on depends on this one's value. */
const ADDRESS = "cf-connecting-ip";

/** What stands for bytes that are no UTF-8. They go on as they came, but read alike. */
const UNREADABLE = "\ufffd";

/** Takes two bytes a character, `UNREADABLE` among others. */
const WIDE = /[^\u0000-\u00ff]/;

/** How many characters more than its precedent a request may say. */
const SLACK = 600;

export class CachedDecision {
  #method;
  #url;
  #site;
  #there;
  #names;
  #values;
  #mostChars;
  #headers;
  /** How it went, if another request can go as it did. @type {RequestInit | undefined} */
  #init;
  /** Names that do not go on as they came. */
  #changed;

  /**
   * @param {RequestContext} passage
   * @param {import("../../build/bindings/guard.js").CachedPlan} decision
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
    this.#mostChars = passage.chars + SLACK;
    this.#headers = headers;
    const set = (changes.set ?? []).filter((_, at) => at % 2 === 0);
    this.#changed = new Set([...changes.removed, ...set].map((name) => name.toLowerCase()));
    this.decision = decision;
    this.changes = changes;
    this.isAhead = decision.isAhead;
    this.said = passage.said;
    /** The store's reply at that time. What goes on may hold of it. */
    this.reply = passage.reply;
    this.bytes = bytesOf(passage, decision);
    this.tokenBytes = decision.tokenBytes;
  }

  /**
   * Does a request say the same?
   * @param {RequestContext} passage
   */
  covers(passage) {
    return passage.url === this.#url && this.#isLike(passage);
  }

  /**
   * Does a request say the same but for path and query, and is the same decided about it?
   * @param {RequestContext} passage
   */
  extendsTo(passage) {
    const { method, url, began } = passage;
    return url.startsWith(this.#site) && this.#isLike(passage) && this.decision.extends(passage, method, url, began);
  }

  /** @param {RequestContext} passage */
  #isLike({ method, names, values, chars }) {
    const known = this.#names;
    if (method !== this.#method || names.length !== known.length || chars > this.#mostChars) return false;
    for (let at = 0; at < names.length; at += 1) {
      if (names[at] !== known[at]) return false;
      if (values[at] !== this.#values[at] && !mayDiffer(names[at], values[at])) return false;
    }
    return true;
  }

  /**
   * Where a request goes that is covered, or to which this extends.
   * @param {RequestContext} passage
   */
  thereFor({ url }) {
    return url === this.#url ? this.#there : urlFor(url, this.changes.start, undefined);
  }

  /**
   * How a request that says the same goes on: as the last one did, but for what differs. It is good until
   * the next one asks.
   * @param {RequestContext} passage
   * @returns {RequestInit}
   */
  initFor(passage) {
    this.#headers = this.#headersFor(passage);
    if (!canRepeat(passage)) return initFor(passage, this.#headers);
    if (this.#init?.headers !== this.#headers) this.#init = initFor(passage, this.#headers);
    return this.#init;
  }

  /** @param {RequestContext} passage */
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
      // First what may throw: a value that is known has gone into the headers.
      headers.set(name, value);
      known[at] = value;
    }
    return headers;
  }

  /** @param {RequestContext} passage */
  #anew(passage) {
    const headers = headersFor(passage, this.changes);
    // A copy, because another precedent may be made of the same request.
    this.#values = [...passage.values];
    return headers;
  }
}

/**
 * May the value of a header be another than its precedent's?
 * @param {string | undefined} name
 * @param {string | undefined} value
 */
function mayDiffer(name = "", value = "") {
  return !READ.includes(name) && !WIDE.test(value);
}

/**
 * How many bytes a precedent holds, at most: the texts here and in the headers that go on, what each header
 * takes beside its text, and what Rust holds.
 * @param {RequestContext} passage
 * @param {import("../../build/bindings/guard.js").CachedPlan} decision
 */
function bytesOf({ chars, url, names, values, said }, decision) {
  const width = values.some((value) => WIDE.test(value)) ? 2 : 1;
  return 2000 + 200 * names.length + 3 * width * (chars + SLACK) + 3 * url.length + 2 * said.length + decision.bytes;
}

/** How many bytes the precedents of all tokens may hold, in each of two generations. */
const GENERATION_BYTES = 3 * 2 ** 20;

/** How many bytes those of one token may hold, so that none takes the others' place, whatever it says. */
const TOKEN_BYTES = 64 * 2 ** 10;

/** How many there are of one token at most: whether a request has one takes a look at each. */
const MOST = 6;

/** Requests that say more than this are neither remembered nor recalled. */
const MOST_CHARS = 4000;

/** How many of the last credentials of a token that had no precedent are known. */
const MOST_SEEN = 2;

/** @typedef {{ authorization: string | undefined, cookie: string | undefined }} Credential */

/**
 * What is remembered of a token: the last credentials that had no precedent, the precedents, the newest of
 * both first, and how many bytes all that holds.
 * @typedef {{ seen: Credential[], precedents: CachedDecision[], bytes: number }} Known
 */

/**
 * @param {string} token
 * @param {Credential[]} seen
 * @param {CachedDecision[]} all those that are more than may be are left out
 * @returns {Known}
 */
function knownWith(token, seen, all) {
  let bytes = 500 + 2 * token.length + (all[0]?.tokenBytes ?? 0);
  for (const { authorization = "", cookie = "" } of seen) bytes += 100 + 2 * (authorization.length + cookie.length);
  const precedents = all.slice(0, MOST).filter((precedent) => {
    const fits = bytes + precedent.bytes <= TOKEN_BYTES;
    if (fits) bytes += precedent.bytes;
    return fits;
  });
  return { seen, precedents, bytes };
}

/**
 * By the token. What is used moves into the young generation; when that is full, the old one goes.
 * @type {Map<string, Known>}
 */
let young = new Map();
/** @type {Map<string, Known>} */
let old = new Map();
let youngBytes = 0;

/** What stands before the token in `Cookie`; a text that no header holds until the settings are read. */
let cookiePrefix = "\n";

/**
 * Says what the cookie is called that may hold a token.
 * @param {string} name
 */
export function setUp(name) {
  cookiePrefix = `${name}=`;
}

/**
 * What is remembered of a request's token. Which text that is, Rust has decided when it was remembered;
 * here it is only looked for, and a text that is none finds nothing.
 * @param {RequestContext} passage
 */
function knownOf({ authorization, cookie }) {
  const known = authorization && remembered(authorization.slice(authorization.indexOf(" ") + 1).trim());
  if (known || cookie === undefined) return known || undefined;
  for (let at = cookie.indexOf(cookiePrefix); at >= 0; at = cookie.indexOf(cookiePrefix, at + 1)) {
    const end = cookie.indexOf(";", at);
    const known = remembered(cookie.slice(at + cookiePrefix.length, end < 0 ? undefined : end).trim());
    if (known) return known;
  }
  return undefined;
}

/** @param {string} token */
function remembered(token) {
  const known = young.get(token);
  if (known !== undefined) return known;
  const aged = old.get(token);
  if (aged !== undefined) {
    old.delete(token);
    remember(token, aged);
  }
  return aged;
}

/**
 * @param {string} token
 * @param {Known} known
 */
function remember(token, known) {
  youngBytes -= young.get(token)?.bytes ?? 0;
  if (youngBytes + known.bytes > GENERATION_BYTES) {
    young.delete(token);
    [old, young, youngBytes] = [young, new Map(), 0];
  }
  young.set(token, known);
  youngBytes += known.bytes;
}

/**
 * A request that said the same as this one, and of which that still holds.
 * @param {RequestContext} passage
 */
export function recall(passage) {
  if (passage.chars > MOST_CHARS) return undefined;
  const known = knownOf(passage)?.precedents;
  const found = known?.find((precedent) => precedent.covers(passage)) ?? known?.find((precedent) => precedent.extendsTo(passage));
  return found?.decision.holds(passage.began) ? found : undefined;
}

/**
 * Is a request that is about to pass worth remembering? The first one with its credential is not: there
 * may be no other.
 * @param {RequestContext} passage
 * @param {TokenContext} bearer
 */
export function isRepeated({ authorization, cookie, chars, names, values }, { token }) {
  if ((authorization ?? cookie) === undefined || chars > MOST_CHARS) return false;
  const { seen, precedents } = remembered(token) ?? { seen: [], precedents: [] };
  if (!seen.some((known) => known.authorization === authorization && known.cookie === cookie)) {
    remember(token, knownWith(token, [{ authorization, cookie }, ...seen].slice(0, MOST_SEEN), precedents));
    return false;
  }
  // Lines of `Set-Cookie` are no list, but a value for each.
  return !names.includes("set-cookie") && !values.some((value) => value.includes(UNREADABLE));
}

/**
 * Remembers a request that passes.
 * @param {RequestContext} passage
 * @param {TokenContext} bearer
 * @param {CachedDecision} precedent
 */
export function keep(passage, { token }, precedent) {
  const { seen, precedents } = remembered(token) ?? { seen: [], precedents: [] };
  const others = precedents.filter((other) => !other.covers(passage));
  remember(token, knownWith(token, seen, [precedent, ...others]));
}

/** Forgets all, because who decided about them is no more. */
export function forgetAll() {
  young = new Map();
  old = new Map();
  youngBytes = 0;
}
