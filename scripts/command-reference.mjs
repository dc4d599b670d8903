// `npm run command-reference`: writes the help of each command into docs/command-line.md, below its heading "Commands".

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ensureTools, root } from "./setup.mjs";

await ensureTools({ rust: false });
const { commandReference } = await import("../cli/reference.js");
const file = join(root, "docs/command-line.md");
const [before] = readFileSync(file, "utf8").split("\n## Commands\n");
writeFileSync(file, `${before}\n## Commands\n\n${commandReference()}`);
