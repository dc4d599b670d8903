// `npm run bench:tries`: the Worker built in other ways, what verifying costs then, and what the
// Worker weighs. Writes the second table in docs/verification-costs.md.

import { cpSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build, pack } from "../../scripts/build.mjs";
import { needTools, root, say } from "../../scripts/setup.mjs";
import { buildBench, buildWasm, calibrate, costOfOne, makeLoad, median, micros, startBench, table, write } from "./bench.mjs";

const algorithms = ["HS256", "ES256", "EdDSA", "RS256", "PS256"];
const rounds = 7;
/** How long one measurement takes, in µs. */
const span = 150_000;

const fast = (...crates) => crates.map((name) => `profile.release.package.${name}.opt-level=3`);
const p256 = fast("p256", "primeorder", "elliptic-curve", "ecdsa", "crypto-bigint");
const rsa = fast("rsa", "num-bigint-dig");
const ed25519 = fast("curve25519-dalek", "ed25519-dalek");
const simd = [`target.wasm32-unknown-unknown.rustflags=["-C", "target-feature=+simd128"]`];

/** What is tried: how it is shown, and the settings of cargo that differ. */
const tries = [
  ["as it is", []],
  ["`p256`, `primeorder`, `elliptic-curve`, `ecdsa`, `crypto-bigint` at 3", p256],
  ["`p256`, `primeorder` at 3", fast("p256", "primeorder")],
  ["`rsa`, `num-bigint-dig` at 3", rsa],
  ["`num-bigint-dig` at 3", fast("num-bigint-dig")],
  ["`curve25519-dalek`, `ed25519-dalek` at 3", ed25519],
  ["all of these at 3", [...p256, ...rsa, ...ed25519]],
  ["`+simd128`", simd],
  ["all of these at 3, `+simd128`", [...p256, ...rsa, ...ed25519, ...simd]],
  ["everything at 3", ["profile.release.opt-level=3"]],
];

await needTools();
await build();
const folders = [];
const sizes = [];
for (const [at, [name, config]] of tries.entries()) {
  say(`Building: ${name}`);
  const folder = join(root, `.cache/bench-tries/${at}`);
  rmSync(folder, { recursive: true, force: true });
  cpSync(await buildBench(config), folder, { recursive: true });
  folders.push(folder);
  sizes.push(await weigh(config));
}
say("Measuring (a few minutes)");
const costs = await measure();
const rows = tries.map(([name], at) => [
  name,
  ...algorithms.map((alg) => micros(median(costs[at][alg]))),
  `${(sizes[at] / 1024).toFixed(1)} KB`,
  at === 0 ? "" : `${((sizes[at] - sizes[0]) / 1024).toFixed(1)} KB`,
]);
const shown = table(["change", ...algorithms.map((alg) => `${alg}, µs`), "gzipped", "growth"], rows);
console.log(`\n${shown}\n`);
write("npm run bench:tries", shown);

/** What the whole Worker weighs, gzipped. */
async function weigh(config) {
  const out = join(root, ".cache/bench-tries/worker");
  await pack(buildWasm("session-guard", config), join(root, "src/entry.js"), out);
  const files = ["index.js", "guard_bg.wasm"].map((name) => gzipSync(readFileSync(join(out, name)), { level: 9 }));
  return files.reduce((sum, file) => sum + file.length, 0);
}

/** All builds at once and in turn, so that a busy moment hits all alike. */
async function measure() {
  const load = makeLoad(algorithms);
  const benches = [];
  for (const folder of folders) benches.push(await startBench(folder, load));
  const counts = [];
  for (const bench of benches) {
    const each = {};
    for (const alg of algorithms) each[alg] = await calibrate(bench, "wasm", alg, span);
    counts.push(each);
  }
  const all = tries.map(() => Object.fromEntries(algorithms.map((alg) => [alg, []])));
  for (let round = 0; round < rounds; round++) {
    for (const alg of algorithms) {
      for (const [at, bench] of benches.entries()) all[at][alg].push(await costOfOne(bench, "wasm", alg, counts[at][alg]));
    }
  }
  for (const bench of benches) await bench.end();
  return all;
}
