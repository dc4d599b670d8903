// The settings of this machine, `.dev.vars`, as wrangler reads them.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./setup.mjs";

/** Those of an environment, or else those of all; none if there is no such file. */
export async function devVars(env) {
  const { parseEnv } = await import("node:util");
  const file = [env && `.dev.vars.${env}`, ".dev.vars"].map((name) => name && join(root, name)).find((name) => name && existsSync(name));
  return file ? parseEnv(readFileSync(file, "utf8")) : {};
}
