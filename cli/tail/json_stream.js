// JSON values from a stream: one a line, spread over lines as wrangler prints them, or amid other text.

import { createInterface } from "node:readline";

/** A value that is longer is no log. */
const MAX_LINES = 50_000;

/** The JSON objects of a stream. @param {NodeJS.ReadableStream} stream @returns {AsyncGenerator<Record<string, any>>} */
export async function* jsonObjects(stream) {
  /** @type {string[]} */
  let open = [];
  for await (const line of createInterface({ input: stream, crlfDelay: Infinity })) {
    // An object over several lines begins and ends at the margin.
    if (open.length > 0 || /^[[{]$/.test(line)) {
      open.push(line);
      const isOver = /^[\]}],?$/.test(line);
      if (isOver) yield* objectsIn(open.join("\n"));
      if (isOver || open.length > MAX_LINES) open = [];
    } else yield* objectsIn(line.slice(Math.max(0, line.indexOf("{"))));
  }
}

/** @param {string} text @returns {Record<string, any>[]} */
function objectsIn(text) {
  try {
    const value = JSON.parse(text.replace(/\},?\s*$/, "}"));
    return [value].flat().filter((it) => typeof it === "object" && it !== null);
  } catch {
    return [];
  }
}
