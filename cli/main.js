#!/usr/bin/env node
// `session-guard`, or `npm run guard --` in this repository. Ensures the packages and a Node that is new enough first.

import { ensurePackages } from "./project.js";

await ensurePackages();
const { run } = await import("./program.js");
process.exitCode = await run(process.argv.slice(2), process);
