// The pictures of docs/benchmarks.md show the figures of the documentation.

import { join } from "node:path";
import { expect, test } from "vitest";
import { page, root } from "../harness/docs.ts";

const { plots } = (await import(join(root, "scripts/plots.mjs"))) as { plots(): Record<string, string> };

test.each(Object.entries(plots()))("docs/images/%s.svg is up to date, and shown; if not, run `npm run plots`", (name, svg) => {
  expect(page(`docs/images/${name}.svg`)).toBe(svg);
  expect(page("docs/benchmarks.md")).toContain(`](images/${name}.svg)`);
});
