// What is done after the answer.

import { waitUntil } from "cloudflare:workers";
import { HEADERS, findTaken, warning } from "./auth_path_check.js";
import { origin, urlFor } from "../proxy/origin.js";

/**
 * Waits for a reply that no answer depends on, and logs if it is none.
 * @param {Promise<import("../stores/client.js").Reply>} question
 * @param {string} code what the log calls it
 */
export function afterwards(question, code) {
  waitUntil(question.then(({ status, body }) => {
    if (status !== 200) console.warn(JSON.stringify({ level: "warn", code, cause: body.slice(0, 200) }));
  }));
}

/**
 * Asks the origin what it has below `authPath`, and logs if that is something. If it cannot be asked,
 * requests will tell.
 * @param {string} site scheme and host of a request
 * @param {string} authPath
 */
export function warnIfTaken(site, authPath) {
  const ask = async (/** @type {string} */ path) => {
    const init = { headers: HEADERS, redirect: "manual", signal: AbortSignal.timeout(10_000) };
    const answer = await origin.fetch(urlFor(site + path, site.length, undefined), /** @type {RequestInit} */ (init));
    await answer.body?.cancel();
    return answer.status;
  };
  const look = findTaken(authPath, ask).then((taken) => {
    if (taken.length > 0) console.warn(JSON.stringify({ level: "warn", code: "auth_path_taken", cause: warning(taken) }));
  });
  waitUntil(look.catch(() => {}));
}

/**
 * Keeps the Worker alive after the response, for 30 seconds at most, until this work is done.
 * @param {Promise<unknown>} work
 */
export function afterAnswer(work) {
  waitUntil(work);
}

/**
 * Waits.
 * @param {number} millis
 * @returns {Promise<void>}
 */
export function pause(millis) {
  return new Promise((resume) => setTimeout(resume, millis));
}
