// The headers of an origin that is elsewhere than its clients think. What becomes of them is decided in Rust.

import { fromOwnPage, renamed } from "../../build/bindings/guard.js";

/**
 * Headers of an answer that may name the origin's address, and where their URLs are: what stands before
 * one, and the URL. Other texts in quotes, of a `Link`, are for people.
 * @type {[string, RegExp][]}
 */
const NAMING = [
  ["location", /^()([^]*)$/],
  ["content-location", /^()([^]*)$/],
  ["link", /(<|\banchor\s*=\s*")([^>"]*)|"(?:[^"\\]|\\.)*"/gi],
  ["refresh", /^([^;,]*[;,]\s*(?:url\s*=\s*)?["']?)([^"'\s]*)/i],
];

/** Headers of a request that say which page it comes from. */
export const FROM = ["origin", "referer"];

/** Does the origin hear another host than the client has said? */
let isElsewhere = false;

/** Is it told that requests of the site's pages come from its own? */
export let rewritesOrigin = false;

/** @param {boolean} elsewhere @param {boolean} rewrites */
export function setUp(elsewhere, rewrites) {
  isElsewhere = elsewhere;
  rewritesOrigin = rewrites;
}

/**
 * The origin's answer as the client is to read it. It is made anew only if it names the origin's address.
 * @param {Response} answer
 * @param {string} url what the request is for
 * @returns {Response}
 */
export function withSiteAddress(answer, url) {
  if (!isElsewhere || answer.webSocket) return answer;
  let written = answer;
  for (const [name, urls] of NAMING) {
    const value = answer.headers.get(name);
    // What has no host names nobody.
    if (value === null || !value.includes("//")) continue;
    const said = value.replace(urls, (all, before, named) => (named && before + (renamed(named, url) ?? named)) || all);
    if (said === value) continue;
    if (written === answer) written = new Response(answer.body, answer);
    written.headers.set(name, said);
  }
  return written;
}

/**
 * Has a request of one of the site's pages come from one of the origin's.
 * @param {Headers} headers those that go on
 * @param {string} url what the request is for
 */
export function rewriteOrigin(headers, url) {
  for (const name of FROM) {
    const value = headers.get(name);
    const said = value === null ? undefined : fromOwnPage(value, url);
    if (said !== undefined) headers.set(name, said);
  }
}
