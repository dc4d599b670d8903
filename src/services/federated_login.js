// The I/O of a trusted issuer's keys.

import { readBody } from "../request_body.js";

/**
 * Gets a JWK Set. It must come from the issuer itself: no redirect is followed, no cache asked.
 * @param {string} url
 * @param {number} most bytes
 * @param {number} timeout milliseconds until the whole answer
 * @returns {Promise<string>}
 */
export async function getKeys(url, most, timeout) {
  const headers = { accept: "application/json, application/jwk-set+json" };
  const signal = AbortSignal.timeout(timeout);
  const answer = await fetch(url, { headers, redirect: "manual", cache: "no-store", signal });
  const location = answer.headers.get("location");
  if (answer.status !== 200) throw new Error(`answered ${answer.status}${location === null ? "" : `, and leads to ${location}`}`);
  const text = await readBody(answer, most);
  if (text === undefined) throw new Error(`answered more than ${most} bytes`);
  return text;
}
