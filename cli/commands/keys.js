// `session-guard keys`: shows and rotates the signing keys in a file.

import { Command } from "commander";
import { usageError } from "../errors.js";
import { keyFile, newKey, readKeys, typed, writeKeys } from "../key_file.js";
import { shown, table } from "../text.js";

/** @typedef {import("../terminal.js").Terminal} Terminal */
/** @typedef {import("../key_file.js").Jwk} Jwk */

const ABOUT = `
The first key of a set signs, and all of them verify. FILE is a key set as \`npm run keys\` makes it. If .cache/keys has
only one, you need not name it. The commands change the file; the guard has the new keys once you set the secret again.
No command prints a key.

Examples:
  session-guard keys list
  session-guard keys rotate
  session-guard keys rotate --publish-first
  session-guard keys remove OLD-KID
`;

/** @param {Terminal} terminal */
export function keys(terminal) {
  const all = new Command("keys").description("show and rotate the signing keys in a file").addHelpText("after", ABOUT);
  all
    .command("list")
    .description("show which keys a file has")
    .argument("[file]", "the key set")
    .option("--json", "print JSON")
    .action(async (file, { json }) => {
      const path = keyFile(file);
      tell(path, await readKeys(path), json, terminal);
    });
  all
    .command("rotate")
    .description("put a new key in front, which signs from then on")
    .argument("[file]", "the key set")
    .option("--alg <alg>", "its algorithm, if not that of the key that signs now: ES256, EdDSA, HS256, HS384, HS512")
    .option("--publish-first", "put it at the end, so that other services have it before it signs")
    .option("--json", "print JSON")
    .action(async (file, { alg, publishFirst, json }) => rotate(keyFile(file), { alg, publishFirst, json }, terminal));
  all
    .command("sign-with")
    .description("move a key of the file to the front, so that it signs")
    .argument("<kid>", "its name, as `keys list` shows it")
    .argument("[file]", "the key set")
    .option("--json", "print JSON")
    .action(async (kid, file, { json }) => {
      const path = keyFile(file);
      const all = await readKeys(path);
      await store(path, [find(all, kid, path), ...all.filter((key) => key.kid !== kid)], json, terminal);
      if (!json) explainOld(terminal);
    });
  all
    .command("remove")
    .description("remove a key: tokens that it has signed are void")
    .argument("<kid>", "its name, as `keys list` shows it")
    .argument("[file]", "the key set")
    .option("--json", "print JSON")
    .action(async (kid, file, { json }) => {
      const path = keyFile(file);
      const all = await readKeys(path);
      if (find(all, kid, path) === all[0]) throw usageError(all.length === 1 ? "It is the only key. Rotate first." : "It is the key that signs. Put another in front first, with `keys sign-with` or `keys rotate`.");
      await store(path, all.filter((key) => key.kid !== kid), json, terminal);
      if (!json) terminal.note("Once you have set the secret, tokens that the removed key signed are void, and those users sign in again.");
    });
  return all;
}

/** @param {string} path @param {{ alg?: string, publishFirst?: boolean, json?: boolean }} options @param {Terminal} terminal */
async function rotate(path, { alg, publishFirst, json }, terminal) {
  const before = await readKeys(path);
  const key = await newKey(alg ?? before[0]?.alg ?? "");
  await store(path, publishFirst ? [...before, key] : [key, ...before], json, terminal);
  if (json) return;
  if (publishFirst) terminal.note(`\nWait five minutes after that, because others may cache the published keys that long. Then:\n\n  session-guard keys sign-with ${key.kid} ${typed(path)}`);
  else explainOld(terminal);
}

/** @param {Terminal} terminal */
const explainOld = (terminal) =>
  terminal.note("\nNobody is signed out. Remove the old key when its last tokens have expired: after TOKEN_TTL, or SESSION_TTL if\nTOKEN_TTL is not set. `session-guard keys remove` does it.");

/** @param {Jwk[]} all @param {string} kid @param {string} path */
function find(all, kid, path) {
  const found = all.find((key) => key.kid === kid);
  if (found === undefined) throw usageError(`${typed(path)} has no key ${shown(kid)}. \`session-guard keys list\` shows those it has.`);
  return found;
}

/** @param {string} path @param {Jwk[]} all @param {boolean | undefined} json @param {Terminal} terminal */
async function store(path, all, json, terminal) {
  await writeKeys(path, all);
  tell(path, all, json, terminal);
  if (!json) terminal.note(`\nNow set the secret:\n\n  npx wrangler secret put SIGNING_KEYS < ${typed(path)}`);
}

/** @param {string} path @param {Jwk[]} all @param {boolean | undefined} json @param {Terminal} terminal */
function tell(path, all, json, terminal) {
  const rows = all.map(({ kid, alg }, i) => ({ kid, alg, signs: i === 0 }));
  if (json) return terminal.printJson({ file: path, keys: rows });
  terminal.print(table(["KID", "ALGORITHM", ""], rows.map(({ kid, alg, signs }) => [kid, alg, signs ? "signs and verifies" : "verifies"]), terminal.width));
}
