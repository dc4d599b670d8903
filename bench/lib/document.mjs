// Writes tables and the generated parts of documents.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root, logStep } from "../../scripts/setup.mjs";

/** Replaces a generated part of a document, from `<!-- PART -->` to `<!-- end -->`. */
export function write(document, part, text) {
  const file = join(root, document);
  const [before, , after] = readFileSync(file, "utf8").split(new RegExp(`(?<=<!-- ${part} -->\\n)([^]*?)(?=<!-- end -->)`));
  if (after === undefined) throw new Error(`${document} has no part named ${part}`);
  writeFileSync(file, `${before}\n${text}\n\n${after}`);
  logStep(`Written to ${document}`);
}

/** A Markdown table. All columns but `textColumns` are right-aligned. */
export function table(head, rows, textColumns = [0]) {
  const line = (cells) => `| ${cells.join(" | ")} |`;
  const rule = head.map((_, at) => (textColumns.includes(at) ? "---" : "---:")).join("|");
  return [line(head), `|${rule}|`, ...rows.map(line)].join("\n");
}

/** The median. */
export function median(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

/** The current date, in UTC. */
export function today() {
  return new Date().toISOString().slice(0, 10);
}
