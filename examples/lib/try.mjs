// How a try goes: the application is started behind the guard, used through a real browser, and stopped.

import { mkdirSync } from "node:fs";
import { join, relative } from "node:path";
import { build } from "../../scripts/build.mjs";
import { root } from "../../scripts/setup.mjs";

/**
 * Builds the guard, starts the parts, takes the steps, and ends the command by how they went.
 * @param {{ folder: string, start: () => Promise<any>, use: (page: any, steps: any, parts: any) => Promise<void>, init?: () => void }} application
 */
export async function tryOut({ folder, start, use, init }) {
  mkdirSync(folder, { recursive: true });
  await build();
  const { startBrowser } = await import("../../tests/harness/browser.ts");
  const { newPage, Steps } = await import("./told.mjs");
  const parts = await start();
  const browser = await startBrowser();
  const page = await newPage(browser, init);
  const steps = new Steps(page, join(folder, "screenshots"));
  try {
    await use(page, steps, parts);
  } finally {
    await browser.close();
    await parts.stop();
  }
  const ended = steps.failures === 0 ? "All went well" : `${steps.failures} failed`;
  console.log(`${ended}. Pictures and logs are in ${relative(root, folder)}.`);
  process.exit(steps.failures === 0 ? 0 : 1);
}
