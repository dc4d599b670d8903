// Options that several commands have.

import { Option } from "commander";

/** An option that may be given several times. @param {string} flags @param {string} description */
export const repeatable = (flags, description) =>
  new Option(flags, `${description}; may be repeated`).argParser((/** @type {string} */ value, /** @type {string[] | undefined} */ before) => [...(before ?? []), value]);
