// Writing a file that another program watches and reads meanwhile, as `wrangler dev` does with its wrangler.toml.

import { open, writeFile } from "node:fs/promises";

/**
 * Writes a text file of lines. It stays the same file, because wrangler stops watching one that is replaced. One write
 * has all of the text, and empty lines in place of what is left of the old one, so that a reader seldom finds half of it.
 * @param {string} file @param {string} text
 */
export async function writeWatched(file, text) {
  const old = await open(file, "r+").catch((/** @type {NodeJS.ErrnoException} */ error) => {
    if (error.code !== "ENOENT") throw error;
  });
  if (old === undefined) return writeFile(file, text);
  try {
    const bytes = Buffer.from(text);
    const { size } = await old.stat();
    await old.write(Buffer.concat([bytes, Buffer.alloc(Math.max(0, size - bytes.length), "\n")]), { position: 0 });
    await old.truncate(bytes.length);
  } finally {
    await old.close();
  }
}
