// The README's table of features says where each is tested; that must stay true.

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), "utf8");

test("every feature in the README's table names a test of the contract that is there", () => {
  const [, section = ""] = /\n## What it does, and where that is tested\n(.*?)\n## /s.exec(read("README.md")) ?? [];
  const named = [...section.matchAll(/\[\w+\]\((tests\/contract\/\w+\.spec\.ts)\)(?:: ([^|;]+))?/g)];
  expect(named.length).toBeGreaterThan(25);
  const missing = named.filter(([, file = "", title]) => title !== undefined && !read(file).includes(`"${title.trim()}"`));
  expect(missing.map(([text]) => text)).toEqual([]);
});
