// Options that several commands have.

import { InvalidArgumentError, Option } from "commander";

/** An option that may be given several times. @param {string} flags @param {string} description */
export const repeatable = (flags, description) =>
  new Option(flags, `${description}; may be repeated`).argParser((/** @type {string} */ value, /** @type {string[] | undefined} */ before) => [...(before ?? []), value]);

/** The most users that one call of the admin API takes. */
const MOST_USERS = 40;

/** `--limit`, for commands that go through all users. */
export const limitOption = () =>
  new Option("--limit <users>", "users in each call to the guard, at most 40; 4 for the Workers Free plan").default(20).argParser((text) => {
    const limit = Number(text);
    if (!/^\d+$/.test(text) || limit < 1 || limit > MOST_USERS) throw new InvalidArgumentError(`Give a number from 1 to ${MOST_USERS}.`);
    return limit;
  });
