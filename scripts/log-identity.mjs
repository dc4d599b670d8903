// `npm run log-identity -- --user SUB` or `--session SID`: prints the hash that the log has for a user or a session,
// one for each key in SIGNING_KEYS that can sign. Reads the keys from the environment or .dev.vars, and never prints
// them.

import { spawnSync } from "node:child_process";
import { parseArgs } from "node:util";
import { readDevVars } from "./dev-vars.mjs";
import { exitWithError, ensureTools, root } from "./setup.mjs";

await ensureTools();
const { values } = options();
const names = [values.user, values.session].filter((name) => name !== undefined);
if (names.length !== 1) exitWithError("error: pass either --user SUB or --session SID");
const keys = process.env.SIGNING_KEYS ?? (await readDevVars(values.env)).SIGNING_KEYS;
if (keys === undefined) exitWithError("error: SIGNING_KEYS is set neither in the environment nor in .dev.vars. Set it to the deployed keys.");
const found = spawnSync("cargo", ["run", "--quiet", "--locked", "--package", "xtask", "--", "log-identity", names[0]], {
  cwd: root,
  input: keys,
  stdio: ["pipe", "inherit", "inherit"],
});
process.exit(found.status ?? 1);

function options() {
  try {
    return parseArgs({ options: { user: { type: "string" }, session: { type: "string" }, env: { type: "string" } } });
  } catch (error) {
    exitWithError(`error: ${error.message}`);
  }
}
