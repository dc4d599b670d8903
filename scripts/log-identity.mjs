// `npm run log-identity -- --user SUB` or `--session SID`: what the log calls a user or a session, for each
// key of SIGNING_KEYS that could have been the one that signs. The keys are read from the environment or
// from .dev.vars, and are not shown.

import { spawnSync } from "node:child_process";
import { parseArgs } from "node:util";
import { devVars } from "./dev-vars.mjs";
import { giveUp, needTools, root } from "./setup.mjs";

await needTools();
const { values } = options();
const named = [values.user, values.session].filter((name) => name !== undefined);
if (named.length !== 1) giveUp("error: name one: --user SUB or --session SID");
const keys = process.env.SIGNING_KEYS ?? (await devVars(values.env)).SIGNING_KEYS;
if (keys === undefined) giveUp("error: SIGNING_KEYS is neither in the environment nor in .dev.vars. Set it to the keys that are deployed.");
const found = spawnSync("cargo", ["run", "--quiet", "--locked", "--package", "xtask", "--", "log-identity", named[0]], {
  cwd: root,
  input: keys,
  stdio: ["pipe", "inherit", "inherit"],
});
process.exit(found.status ?? 1);

function options() {
  try {
    return parseArgs({ options: { user: { type: "string" }, session: { type: "string" }, env: { type: "string" } } });
  } catch (error) {
    giveUp(`error: ${error.message}`);
  }
}
