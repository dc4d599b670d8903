// `npm run bench:tries`: builds the Worker with other compiler settings, and measures verification and the Worker's size.
// Writes the second table in docs/verification-costs.md.

import { cpSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build, pack } from "../../scripts/build.mjs";
import { ensureTools, root, logStep } from "../../scripts/setup.mjs";
import { buildBench, buildWasm, calibrate, costOfOne, makeLoad, median, micros, startBench, table, write } from "./bench.mjs";

const algorithms = ["HS256", "ES256", "EdDSA", "RS256", "PS256"];
const rounds = 7;
/** The duration of one measurement, in µs. */
const span = 150_000;

const optimised = (level, ...crates) => crates.map((name) => `profile.release.package.${name}.opt-level=${level}`);
const all = (level) => [`profile.release.opt-level=${level}`, ...optimised(level, "p256", "serde_json")];
const withoutSimd = ['target.wasm32-unknown-unknown.rustflags=["-C", "target-feature=-simd128"]'];

/** The builds: a label, and additional cargo settings. */
const tries = [
  ["as it is", []],
  ["`p256` at \"z\", like the rest", optimised('"z"', "p256")],
  ["`p256`, `primeorder` at 3", optimised(3, "p256", "primeorder")],
  ["`curve25519-dalek`, `ed25519-dalek` at 3", optimised(3, "curve25519-dalek", "ed25519-dalek")],
  ["without SIMD", withoutSimd],
  ["everything at \"s\"", all('"s"')],
  ["everything at 3", all(3)],
];

await ensureTools();
await build();
const folders = [];
const sizes = [];
for (const [at, [name, config]] of tries.entries()) {
  logStep(`Building: ${name}`);
  const folder = join(root, `.cache/bench-tries/${at}`);
  rmSync(folder, { recursive: true, force: true });
  cpSync(await buildBench(config), folder, { recursive: true });
  folders.push(folder);
  sizes.push(await sizeOf(config));
}
logStep("Measuring (a few minutes)");
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

/** The size of the whole Worker, gzipped. */
async function sizeOf(config) {
  const out = join(root, ".cache/bench-tries/worker");
  await pack(buildWasm("session-guard", config), join(root, "src/entry.js"), out);
  const files = ["index.js", "guard_bg.wasm"].map((name) => gzipSync(readFileSync(join(out, name)), { level: 9 }));
  return files.reduce((sum, file) => sum + file.length, 0);
}

/** Runs all builds at once and measures them in turn, so that other load on the machine affects all alike. */
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
  const costs = tries.map(() => Object.fromEntries(algorithms.map((alg) => [alg, []])));
  for (let round = 0; round < rounds; round++) {
    for (const alg of algorithms) {
      for (const [at, bench] of benches.entries()) costs[at][alg].push(await costOfOne(bench, "wasm", alg, counts[at][alg]));
    }
  }
  for (const bench of benches) await bench.end();
  return costs;
}
