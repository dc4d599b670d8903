// `npm run screenshots`: takes the pictures of the guard's pages that the documentation shows. Which ones these are is said in
// `tests/harness/shown_pages.ts`. Expects the built Worker.

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { root, run } from "./setup.mjs";

const folder = join(root, "docs/images");
mkdirSync(folder, { recursive: true });
const env = { ...process.env, SCREENSHOTS: folder, SCREENSHOTS_OF: "docs" };
run("vitest", ["run", "--project", "browser", "tests/browser/page_quality.spec.ts", "-t", "is read, seen"], { env });
