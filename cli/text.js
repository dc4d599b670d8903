// Texts for people: tables, times, and names that others chose.

const MINUTE = 60_000;
const UNITS = /** @type {const} */ ([["day", 1440 * MINUTE], ["hour", 60 * MINUTE], ["minute", MINUTE], ["second", 1000]]);
const relative = new Intl.RelativeTimeFormat("en", { numeric: "always" });

/** A moment as seen from now: `5 minutes ago`, `in 3 days`. @param {string | number} moment @param {number} [now] */
export function fromNow(moment, now = Date.now()) {
  const millis = new Date(moment).getTime() - now;
  const [unit, size] = UNITS.find(([, size]) => Math.abs(millis) >= size) ?? ["second", 1000];
  return Math.abs(millis) < 1000 ? "now" : relative.format(Math.round(millis / size), unit);
}

/** A number with its noun. @param {number} count @param {string} noun */
export const counted = (count, noun) => `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;

/**
 * A text that others chose, so that it cannot steer the terminal: control characters, and those that turn the direction
 * of the text, are written as escapes.
 * @param {string} text
 */
export function shown(text) {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (char) => `\\u{${char.codePointAt(0)?.toString(16)}}`);
}

/**
 * A table for people.
 * @param {string[]} heads
 * @param {string[][]} rows
 * @param {number} width columns of the terminal; the last cell is cut there
 */
export function table(heads, rows, width) {
  const all = [heads, ...rows.map((row) => row.map(shown))];
  const widths = heads.map((_, i) => Math.max(...all.map((row) => (row[i] ?? "").length)));
  const line = (/** @type {string[]} */ row) => row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join("  ").trimEnd();
  return all.map((row) => cut(line(row), width)).join("\n");
}

/** @param {string} text @param {number} width */
const cut = (text, width) => (text.length > width ? `${text.slice(0, width - 1)}…` : text);
