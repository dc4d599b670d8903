#!/usr/bin/env node
// `session-guard`, or `npm run guard --` in this repository. Ensures the packages and a Node that is new enough first.

import { ensurePackages } from "./project.js";

await ensurePackages();
const { run } = await import("./program.js");
// Whoever reads the output, like `head`, may have read enough.
process.stdout.on("error", (error) => {
  if (/** @type {NodeJS.ErrnoException} */ (error).code === "EPIPE") process.exit();
  throw error;
});
process.exitCode = await run(process.argv.slice(2), process);
