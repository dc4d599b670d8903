// Which entries of a log are meant.

import { usageError } from "../errors.js";

/** @typedef {import("./entries.js").Entry} Entry */

/**
 * @typedef {object} Wanted
 * @property {string[] | undefined} [code]
 * @property {string | undefined} [path]
 * @property {string | undefined} [status]
 * @property {boolean | undefined} [problems]
 * @property {string[] | undefined} names of the user that is wanted, as the log may have them
 */

/** Is an entry wanted? All that is given must hold. @param {Wanted} wanted @returns {(entry: Entry) => boolean} */
export function filter({ code, path, status, problems, names }) {
  const ofPath = path === undefined ? undefined : glob(path);
  const ofStatus = status === undefined ? undefined : statusPattern(status);
  return ({ kind, code: its, path: its_path, line }) =>
    (code === undefined || code.includes(its)) &&
    (ofPath === undefined || ofPath.test(its_path ?? String(line["route"] ?? ""))) &&
    (ofStatus === undefined || ofStatus.test(String(line["status"] ?? ""))) &&
    (names === undefined || names.includes(line["user"]) || names.includes(line["data"]?.sub)) &&
    (!problems || kind === "failure" || kind === "warning" || (kind === "request" && its !== ""));
}

/** @param {string} text */
const glob = (text) => new RegExp(`^${text.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&")).join(".*")}$`);

/** @param {string} text */
function statusPattern(text) {
  if (!/^[1-5](\d\d|xx)$/i.test(text)) throw usageError("--status takes a status like 401, or a class of them like 5xx.");
  return new RegExp(`^${text.replace(/x/gi, "\\d")}$`);
}
