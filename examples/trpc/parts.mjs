// The application on tRPC, as it is built and started.

import { spawn } from "node:child_process";
import { join } from "node:path";
import { root } from "../../scripts/setup.mjs";
import { startParts } from "../lib/parts.mjs";

const own = join(root, "examples/trpc");

/** Where logs and pictures go. */
export const folder = join(root, ".cache/trpc");

/** Starts all parts. */
export async function start() {
  const script = join(folder, "page.js");
  const { build } = await import("esbuild");
  await build({ entryPoints: [join(own, "page.js")], outfile: script, bundle: true, format: "esm", target: "es2024", logLevel: "warning" });
  const startServer = (port, site, log) => {
    const env = { ...process.env, PORT: `${port}`, PAGE_SCRIPT: script };
    return spawn(process.execPath, [join(own, "server.mjs")], { env, stdio: ["ignore", log, log] });
  };
  return startParts(folder, startServer);
}
