// `npm run bench:verify`: measures the cost of verifying a token in the Workers runtime, by algorithm, in wasm and with
// WebCrypto. Writes the table in docs/verification-costs.md.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ensureTools, output, root, run, logStep } from "../../scripts/setup.mjs";
import { algorithms, buildBench, calibrate, costOfOne, makeLoad, median, micros, startBench, table, write } from "./bench.mjs";

const ways = ["wasm", "webcrypto", "cached"];
const rounds = 7;
/** The duration of one measurement, in µs. */
const span = 150_000;
/** The number of isolates whose first verification is measured. */
const starts = 5;

await ensureTools();
logStep("Building the bench");
const folder = await buildBench();
run("tsc", ["--project", "bench/verify"]);
logStep("Signing tokens");
const load = makeLoad();

logStep("Measuring (about two minutes)");
const costs = await measure();
const firsts = await measureFirsts();
const rows = algorithms.map((alg) => {
  const [wasm, webcrypto, cached] = ways.map((way) => median(costs[way][alg]));
  const [first, firstWebCrypto] = ["wasm", "webcrypto"].map((way) => `${(median(firsts[way][alg]) / 1000).toFixed(1)} ms`);
  return [alg, micros(wasm), micros(webcrypto), (wasm / webcrypto).toFixed(1), micros(cached), first, firstWebCrypto];
});
const shown = table(["algorithm", "wasm, µs", "WebCrypto, µs", "ratio", "cached, µs", "first in wasm", "first with WebCrypto"], rows);
console.log(`\n${shown}\n`);
write("npm run bench:verify", `Measured on ${new Date().toISOString().slice(0, 10)} with ${versions()}.\n\n${shown}`);

/** Measures warm costs, interleaved, so that other load on the machine affects all alike. */
async function measure() {
  const bench = await startBench(folder, load);
  const all = Object.fromEntries(ways.map((way) => [way, Object.fromEntries(algorithms.map((alg) => [alg, []]))]));
  const counts = {};
  for (const way of ways) for (const alg of algorithms) counts[way + alg] = await calibrate(bench, way, alg, span);
  for (let round = 0; round < rounds; round++) {
    for (const alg of algorithms) for (const way of ways) all[way][alg].push(await costOfOne(bench, way, alg, counts[way + alg]));
  }
  await bench.end();
  return all;
}

/** Measures the wall-clock time of an isolate's first verification, before its code is optimised. */
async function measureFirsts() {
  const all = {};
  for (let start = 0; start < starts; start++) {
    for (const alg of algorithms) for (const way of ["wasm", "webcrypto"]) {
      const bench = await startBench(folder, small(alg));
      const empty = [];
      for (let n = 0; n < 9; n++) empty.push(await bench.wait(way, alg, 0));
      ((all[way] ??= {})[alg] ??= []).push((await bench.wait(way, alg, 1)) - median(empty));
      await bench.end();
    }
  }
  return all;
}

/** The load with one token instead of thousands. */
function small(alg) {
  const { tokens, ...rest } = JSON.parse(load);
  return JSON.stringify({ ...rest, tokens: { [alg]: tokens[alg].slice(0, 1) } });
}

function versions() {
  const { version } = JSON.parse(readFileSync(join(root, "node_modules/workerd/package.json"), "utf8"));
  const lock = readFileSync(join(root, "Cargo.lock"), "utf8");
  const crates = ["jwt-compact", "p256", "ed25519-dalek", "rsa", "hmac", "sha2"].map((name) => {
    const [, found] = new RegExp(`name = "${name}"\nversion = "(.*)"`).exec(lock) ?? [];
    return `\`${name}\` ${found}`;
  });
  const [, rust] = output("rustc", ["--version"])?.split(" ") ?? [];
  return `workerd ${version}, Rust ${rust}, ${crates.slice(0, -1).join(", ")} and ${crates.at(-1)}`;
}
