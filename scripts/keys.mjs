// `npm run keys -- --alg ES256`: makes a signing key, and says how to set it. With `--add FILE`, the
// new key is put in front of those in the file, to rotate.

import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import { giveUp, needTools, root } from "./setup.mjs";

const algorithms = ["HS256", "HS384", "HS512", "ES256", "EdDSA"];
await needTools();
const { values } = parseArgs({
  options: {
    alg: { type: "string", default: "ES256" },
    out: { type: "string" },
    add: { type: "string" },
    print: { type: "boolean", default: false },
  },
});
if (!algorithms.includes(values.alg)) giveUp(`--alg must be one of ${algorithms.join(", ")}.`);

const key = await makeKey(values.alg);
const others = values.add === undefined ? [] : JSON.parse(readFileSync(values.add, "utf8")).keys;
const set = JSON.stringify({ keys: [key, ...others] });
if (values.print) {
  console.log(set);
} else {
  const file = resolve(values.out ?? values.add ?? `${root}/.cache/keys/${key.kid}.json`);
  if (existsSync(file) && values.add === undefined) giveUp(`${file} is there already; name another with --out.`);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${set}\n`, { mode: 0o600 });
  const shown = relative(process.cwd(), file);
  console.log(`
Made a key for ${values.alg}, named ${key.kid}. The set is in ${shown}: keep it secret, and keep it.
Set it with

  npx wrangler secret put SIGNING_KEYS < ${shown}

To change the key later, run this with --add ${shown}, and set it again. Tokens of the old key pass
until it is taken out of the set.
`);
}

/** A private JWK whose name is its thumbprint (RFC 7638), so that it cannot be mixed up. */
async function makeKey(alg) {
  const { calculateJwkThumbprint, exportJWK, generateKeyPair } = await import("jose");
  if (alg.startsWith("HS")) {
    const k = randomBytes(Number(alg.slice(2)) / 8).toString("base64url");
    const jwk = { kty: "oct", k };
    return { ...jwk, kid: await calculateJwkThumbprint(jwk), alg, use: "sig" };
  }
  const { privateKey } = await generateKeyPair(alg, { extractable: true });
  const jwk = await exportJWK(privateKey);
  return { ...jwk, kid: await calculateJwkThumbprint(jwk), alg, use: "sig" };
}
