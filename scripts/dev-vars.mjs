// Reads `.dev.vars`, the settings for local development, as wrangler does.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { home } from "./setup.mjs";

/** The variables in `.dev.vars.ENV`, or else in `.dev.vars`; none if neither file exists. */
export async function readDevVars(env) {
  const { parseEnv } = await import("node:util");
  const file = [env && `.dev.vars.${env}`, ".dev.vars"].map((name) => name && join(home, name)).find((name) => name && existsSync(name));
  return file ? parseEnv(readFileSync(file, "utf8")) : {};
}
