// Goes through all users of whom a guard keeps something, some in each call of the admin API.

import { unknownError } from "../errors.js";

/** Milliseconds that a call may take: the guard asks its store about one user after the other. */
export const LONG_CALL = { timeout: 120_000 };

/**
 * Calls for page after page.
 * @template {{ cursor?: string | undefined }} Page
 * @param {number} limit users in each call
 * @param {(query: string) => Promise<Page>} ask
 * @returns {AsyncGenerator<Page, void>}
 */
export async function* pages(limit, ask) {
  /** @type {string | undefined} */
  let cursor;
  do {
    const page = await ask(`limit=${limit}${cursor === undefined ? "" : `&cursor=${encodeURIComponent(cursor)}`}`);
    yield page;
    if (page.cursor !== undefined && page.cursor === cursor) throw unknownError("The guard did not say how to go on. Run the command again.");
    cursor = page.cursor;
  } while (cursor !== undefined);
}
