// `npm run try:mcp`: a server of the Model Context Protocol behind the guard, used by the public SDK's client, which
// finds out by itself where its user logs in. Says of each step whether it went well; see README.md.

import { mkdirSync } from "node:fs";
import { join, relative } from "node:path";
import { build } from "../../scripts/build.mjs";
import { ensureTools, root } from "../../scripts/setup.mjs";

await ensureTools();
await build();
const { start } = await import("./parts.mjs");
const { use } = await import("./steps.mjs");

const folder = join(root, ".cache/mcp");
mkdirSync(folder, { recursive: true });
let failures = 0;

/** Does one thing, and says how it went. */
async function take(name, act) {
  const began = performance.now();
  const tell = (how, detail) => console.log(`${how}  ${name} (${((performance.now() - began) / 1000).toFixed(1)} s)${detail ? `: ${detail}` : ""}`);
  try {
    tell("ok    ", await act());
  } catch (error) {
    failures += 1;
    tell("failed", error instanceof Error ? error.message : error);
  }
}

const parts = await start(folder);
try {
  await use(parts, take);
} finally {
  await parts.stop();
}
console.log(`${failures === 0 ? "All went well" : `${failures} failed`}. Logs are in ${relative(root, folder)}.`);
process.exit(failures === 0 ? 0 : 1);
