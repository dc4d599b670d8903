// Goes through all users of whom a guard keeps something, some in each call of the admin API.

import { setTimeout as sleep } from "node:timers/promises";
import { CommandError, unknownError } from "../errors.js";

/** Milliseconds that a call may take: the guard asks its store about one user after the other. */
export const LONG_CALL = { timeout: 120_000 };

/** Milliseconds before a call is tried again. */
const PAUSES = [500, 2000];

/**
 * Makes a call that may be repeated, again if its failure may pass: of thousands, one fails now and then.
 * @template T @param {() => Promise<T>} call @returns {Promise<T>}
 */
export async function patiently(call) {
  for (const pause of PAUSES) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof CommandError) || !error.mayPass) throw error;
      await sleep(pause);
    }
  }
  return call();
}

/**
 * Calls for page after page. If the first fails, so does the command, at once.
 * @template {{ cursor?: string | undefined }} Page
 * @param {number} limit users in each call
 * @param {(query: string) => Promise<Page>} ask
 * @returns {AsyncGenerator<Page, void>}
 */
export async function* pages(limit, ask) {
  /** @type {string | undefined} */
  let cursor;
  do {
    /** @type {Page} */
    const page = cursor === undefined ? await ask(`limit=${limit}`) : await patiently(() => ask(`limit=${limit}&cursor=${encodeURIComponent(cursor ?? "")}`));
    yield page;
    if (page.cursor !== undefined && page.cursor === cursor) throw unknownError("The guard did not say how to go on. Run the command again.");
    cursor = page.cursor;
  } while (cursor !== undefined);
}
