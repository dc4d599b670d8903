// The I/O of a login.

import { OriginFailure, origin } from "../proxy/origin.js";

/**
 * Posts credentials to the origin's endpoint that checks them.
 * @param {string} url
 * @param {string} json
 * @param {string | undefined} proof that it is the guard which asks, if there is a key for that
 * @param {number} timeout milliseconds until the whole answer
 * @returns {Promise<{ status: number, retryAfter: string | null, body: string }>}
 */
export async function postCredentials(url, json, proof, timeout) {
  const signal = AbortSignal.timeout(timeout);
  const headers = {
    accept: "application/json",
    "content-type": "application/json",
    ...(proof === undefined ? {} : { "x-auth-request-assertion": proof }),
  };
  try {
    const answer = await origin.fetch(url, {
      method: "POST", headers, body: json, redirect: "manual", signal,
    });
    const retryAfter = answer.headers.get("retry-after");
    return { status: answer.status, retryAfter, body: await answer.text() };
  } catch (error) {
    throw new OriginFailure(signal.aborted, error);
  }
}
