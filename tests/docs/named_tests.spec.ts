// Every test that a table of the documentation names exists.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { page, root } from "../harness/docs.ts";

/** The tests that a page names, as `[name](file): title`, and what stands in each row beside. */
function named(path: string) {
  const all = [...page(path).matchAll(/\[\w+\]\(((?:\.\.\/)?tests\/[\w/]+\.spec\.ts)\)(?:: ([^|;]+))?/g)];
  return all.map(([text, file = "", title]) => ({ text, file: join(root, file.replace("../", "")), title: title?.trim() }));
}

test.each([
  ["docs/features.md", 25],
  ["docs/failures.md", 30],
  ["SECURITY.md", 30],
])("every test that %s names is there", (path, least) => {
  const all = named(path);
  expect(all.length).toBeGreaterThan(least);
  const isThere = (file: string, title: string) => readFileSync(file, "utf8").includes(`"${title}"`);
  const missing = all.filter(({ file, title }) => !existsSync(file) || (title !== undefined && !isThere(file, title)));
  expect(missing.map(({ text }) => text)).toEqual([]);
});

test("every feature in the table names a test of the contract", () => {
  expect(named("docs/features.md").filter(({ file }) => !file.includes("tests/contract/"))).toEqual([]);
});

test.each([["docs/features.md", 2], ["docs/failures.md", 5], ["SECURITY.md", 2]])("every row of the tables of tests in %s names one", (path, cells) => {
  const tables = page(path).split("\n\n").filter((part) => /^\|.*\| tests? \|\n/.test(part));
  const all = tables.flatMap((table) => table.trim().split("\n").slice(2));
  expect(all.length).toBeGreaterThan(20);
  expect(all.filter((row) => row.split(" | ").length !== cells || !row.includes("spec.ts)"))).toEqual([]);
});
