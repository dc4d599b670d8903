// `npm run keys -- --alg ES256`: makes a signing key and prints how to set it. For rotation, `--add FILE` puts the
// new key in front of the keys in the file.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import { exitWithError, ensureTools, home } from "./setup.mjs";
import { algorithms, makeKey } from "./signing-key.mjs";

await ensureTools({ rust: false });
const { values } = parseArgs({
  options: {
    alg: { type: "string", default: "ES256" },
    out: { type: "string" },
    add: { type: "string" },
    print: { type: "boolean", default: false },
  },
});
if (!algorithms.includes(values.alg)) exitWithError(`--alg must be one of ${algorithms.join(", ")}.`);

const key = await makeKey(values.alg);
const others = values.add === undefined ? [] : JSON.parse(readFileSync(values.add, "utf8")).keys;
const set = JSON.stringify({ keys: [key, ...others] });
if (values.print) {
  console.log(set);
} else {
  const file = resolve(values.out ?? values.add ?? `${home}/.cache/keys/${key.kid}.json`);
  if (existsSync(file) && values.add === undefined) exitWithError(`${file} already exists; choose another file with --out.`);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${set}\n`, { mode: 0o600 });
  const shown = relative(process.cwd(), file);
  console.log(`
Made a key for ${values.alg} with the kid ${key.kid}. The key set is in ${shown}. Keep the file, and keep it secret.
Set the secret with

  npx wrangler secret put SIGNING_KEYS < ${shown}

To rotate the key later, run this with --add ${shown}, and set the secret again. Tokens signed by the old key
stay valid until you remove it from the set.
`);
}
