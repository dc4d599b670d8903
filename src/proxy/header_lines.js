// Lists of header names and headers, which Rust passes as one text: a text crosses faster than a list.

/**
 * Header names, of a text with a line each.
 * @param {string} lines
 * @returns {string[]}
 */
export function namesOf(lines) {
  return lines === "" ? [] : lines.split("\n");
}

/**
 * Headers as name, value, name, value, of a text with a line each, `Name: value`.
 * @param {string} lines
 * @returns {string[]}
 */
export function headersOf(lines) {
  return namesOf(lines).flatMap((line) => {
    const colon = line.indexOf(": ");
    return [line.slice(0, colon), line.slice(colon + 2)];
  });
}
