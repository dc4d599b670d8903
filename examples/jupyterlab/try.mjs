// `npm run try:jupyter`: JupyterLab, which nobody here wrote, behind the guard, used through a real
// browser. Says of each step whether it went well; see README.md.

import { join } from "node:path";
import { build } from "../../scripts/build.mjs";
import { needPython, needTools } from "../../scripts/setup.mjs";
import { folder, startParts } from "./parts.mjs";

await needTools();
needPython("JupyterLab", "jupyterlab/venv", "examples/jupyterlab/requirements.txt");
await build();
const { startBrowser } = await import("../../tests/harness/browser.ts");
const { use } = await import("./steps.mjs");
const { newPage, Steps } = await import("./steps/told.mjs");

const parts = await startParts();
const browser = await startBrowser();
const page = await newPage(browser);
const steps = new Steps(page, join(folder, "screenshots"));
try {
  await use(page, steps, parts);
} finally {
  await browser.close();
  await parts.stop();
}
const ended = steps.failures === 0 ? "All went well" : `${steps.failures} failed`;
console.log(`${ended}. Pictures and logs are in .cache/jupyterlab.`);
process.exit(steps.failures === 0 ? 0 : 1);
