// What the doctor finds, and how it is told.

import { EXIT } from "../errors.js";
import { counted, shown } from "../text.js";

/** @typedef {import("../terminal.js").Terminal} Terminal */
/** @typedef {"ok" | "fault" | "note" | "unknown"} State */
/** @typedef {{ check: string, state: State, says: string, advice?: string }} Finding */

/** @param {string} check @param {string} says @returns {Finding} */
export const ok = (check, says) => ({ check, state: "ok", says });
/** @param {string} check @param {string} says @param {string} advice @returns {Finding} */
export const fault = (check, says, advice) => ({ check, state: "fault", says, advice });
/** @param {string} check @param {string} says @returns {Finding} */
export const note = (check, says) => ({ check, state: "note", says });
/** What should be known, and could not be found out. @param {string} check @param {string} says @param {string} advice @returns {Finding} */
export const unknown = (check, says, advice) => ({ check, state: "unknown", says, advice });

/** @type {Record<State, [string, import("../terminal.js").Colour]>} */
const LABELS = { ok: ["ok", "green"], fault: ["FAULT", "red"], note: ["note", "yellow"], unknown: ["?", "yellow"] };

/** @param {Finding} finding @param {Terminal} terminal */
export function printFinding({ check, state, says, advice }, terminal) {
  const [label, colour] = LABELS[state];
  const indent = " ".repeat(17);
  terminal.print(`${terminal.coloured(colour, label.padEnd(7))}${check.padEnd(10)}${wrapped(shown(says), indent, terminal.width)}`);
  if (advice !== undefined) terminal.print(`${indent}→ ${wrapped(advice, `${indent}  `, terminal.width)}`);
}

/** @param {string} text @param {string} indent @param {number} width */
function wrapped(text, indent, width) {
  const most = Math.max(40, Math.min(width, 120) - indent.length);
  return text.replace(new RegExp(`(.{1,${most}})(?:\\s|$)|(.{${most}})`, "gu"), (line) => `${line.trimEnd()}\n${indent}`).trimEnd();
}

/** @param {Finding[]} findings */
export function statusOf(findings) {
  const has = (/** @type {State} */ state) => findings.some((it) => it.state === state);
  return has("fault") ? EXIT.found : has("unknown") ? EXIT.unknown : EXIT.ok;
}

/** @param {Finding[]} findings */
export function summary(findings) {
  const count = (/** @type {State} */ state) => findings.filter((it) => it.state === state).length;
  const open = count("unknown") === 0 ? "" : `, and ${count("unknown") === 1 ? "one thing" : `${count("unknown")} things`} could not be found out`;
  return `${count("fault") === 0 ? "No fault was found" : `${counted(count("fault"), "fault")} found`}${open}.`;
}
