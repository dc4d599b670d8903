// Every test that a table of the documentation names exists, and every setting has one.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { page, root, section } from "../harness/docs.ts";

/** A test that a page names: as `[name](file): title` in TypeScript, or as [name](file): `function` in Rust. */
interface NamedTest {
  text: string;
  file: string;
  title: string | undefined;
}

function namedTests(path: string): NamedTest[] {
  const all = page(path).matchAll(/\[[\w/]+\]\((?:\.\.\/)?((?:tests|auth)\/[\w/]+\.(?:spec\.ts|rs))\)(?:: ([^|;]+))?/g);
  return [...all].map(([text, file = "", title]) => ({ text, file: join(root, file), title: title?.trim() }));
}

function isThere({ file, title }: NamedTest): boolean {
  if (!existsSync(file) || title === undefined) return existsSync(file);
  const definition = file.endsWith(".rs") ? `fn ${title.replaceAll("`", "")}(` : `"${title}"`;
  return readFileSync(file, "utf8").includes(definition);
}

test.each([
  ["docs/features.md", 25],
  ["docs/settings-tests.md", 70],
  ["docs/failures.md", 30],
  ["SECURITY.md", 30],
])("every test that %s names is there", (path, least) => {
  const all = namedTests(path);
  expect(all.length).toBeGreaterThan(least);
  expect(all.filter((it) => !isThere(it)).map(({ text }) => text)).toEqual([]);
});

test("a test that is not there is found", () => {
  const file = join(root, "tests/contract/login.spec.ts");
  expect(isThere({ text: "", file, title: "a title that no test has" })).toBe(false);
  expect(isThere({ text: "", file: join(root, "auth/src/cookie.rs"), title: "`no_such_function`" })).toBe(false);
  expect(isThere({ text: "", file: join(root, "tests/contract/none.spec.ts"), title: undefined })).toBe(false);
});

test("every feature in the table names a test of the contract, or of both stores at once", () => {
  const [table = ""] = page("docs/features.md").split("\n\n").filter((part) => part.startsWith("| feature |"));
  const files = [...table.matchAll(/\]\((\.\.\/[^)]+)\)/g)].map(([, file = ""]) => file);
  expect(files.length).toBeGreaterThan(25);
  expect(files.filter((file) => !file.startsWith("../tests/contract/") && file !== "../tests/stores/moving_stores.spec.ts")).toEqual([]);
});

test.each([
  ["docs/features.md", 2, 20],
  ["docs/settings-tests.md", 2, 70],
  ["docs/failures.md", 5, 20],
  ["SECURITY.md", 2, 20],
])("every row of the tables of tests in %s names one", (path, cells, least) => {
  const tables = page(path).split("\n\n").filter((part) => /^\|.*\| tests? \|\n/.test(part));
  const all = tables.flatMap((table) => table.trim().split("\n").slice(2));
  expect(all.length).toBeGreaterThan(least);
  expect(all.filter((row) => row.split(" | ").length !== cells || !/\.spec\.ts\)|\.rs\)/.test(row))).toEqual([]);
});

/** The names in the first column of the tables of a text. */
const names = (text: string) => [...text.matchAll(/^\| (`.*?) \|/gm)].flatMap(([, cell = ""]) => [...cell.matchAll(/`(\w+)`/g)].map(([, name = ""]) => name));

test("every setting of the reference has its test, in the same order", () => {
  expect(names(section("docs/settings-tests.md", "Settings"))).toEqual(names(page("docs/settings.md")));
});

test("every member of an entry of TRUSTED_ISSUERS has its test, in the same order", () => {
  const members = [section("docs/identity-providers.md", "Members of the list"), section("docs/sign-in.md", "Members")].join("\n");
  expect(names(section("docs/settings-tests.md", "Members of `TRUSTED_ISSUERS`"))).toEqual(names(members));
});

test("every member of PAGES has its test, in the same order", () => {
  expect(names(section("docs/settings-tests.md", "Members of `PAGES`"))).toEqual(names(section("docs/pages.md", "Members")));
});
