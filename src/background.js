// What is done after the answer.

import { waitUntil } from "cloudflare:workers";

/**
 * Waits for a reply that no answer depends on, and logs if it is none.
 * @param {Promise<import("./store.js").Reply>} question
 * @param {string} code what the log calls it
 */
export function afterwards(question, code) {
  waitUntil(question.then(({ status, body }) => {
    if (status !== 200) console.warn(JSON.stringify({ level: "warn", code, cause: body.slice(0, 200) }));
  }));
}
