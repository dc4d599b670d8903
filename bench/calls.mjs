// `npm run bench -- calls`: measures the cost of single platform calls, each repeated in its own process. The time of a
// whole Worker varies by a few percent between processes; these costs do not.

import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { root, logStep } from "../scripts/setup.mjs";
import { startNginx } from "./lib/backends.mjs";
import { median, table, today, write } from "./lib/document.mjs";
import { makeKeys, makeUser } from "./lib/identities.mjs";
import { cores } from "./lib/load.mjs";
import { versions } from "./lib/programs.mjs";
import { prepareWorker } from "./lib/workers.mjs";
import { cpuMicros, serve } from "./lib/workerd.mjs";

/** `call`: see `peers/calls.js`. `beyond`: the call whose cost is subtracted; the empty loop by default. */
const rows = [
  { call: "fetch", label: "`fetch` of the mock Redis, and its `text()`", count: 3_000 },
  { call: "object", label: "a call of a Durable Object in the same process", count: 3_000 },
  { call: "name", label: "of that: `getByName`" },
  { call: "id", label: "instead: `get` with a stored id" },
  { call: "request", label: "of a `fetch`: its `Request`, with six headers" },
  { call: "requestPastCache", beyond: "request", label: "bypassing Cloudflare's cache in it" },
  { call: "copy", label: "a copy of six headers" },
  { call: "each", label: "`forEach` over six headers" },
  { call: "responseHeaders", beyond: "response", label: "the first access to a response's `headers`" },
  { call: "has", label: "`headers.has`" },
  { call: "get", label: "`headers.get`" },
  { call: "timer", label: "`setTimeout`, never cleared", count: 9_000 },
  { call: "promise", label: "a promise" },
];

const folder = join(root, ".cache/bench-calls");

/** Measures the calls and writes the table in the document. */
export async function measureCalls({ rounds }) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const nginx = await startNginx(join(folder, "nginx"), makeUser(0).record);
  const worker = await prepareWorker("calls", { folder, origin: nginx.origin, store: nginx.store, keys: makeKeys(["HS256"]) });
  const counts = { nothing: 100_000, response: 100_000, ...Object.fromEntries(rows.map(({ call, count = 100_000 }) => [call, count])) };
  const costs = {};
  for (const [call, count] of Object.entries(counts)) {
    logStep(`Measuring ${call}`);
    costs[call] = await measure(worker, call, count, rounds);
  }
  await nginx.end();
  const shown = table(["call", "CPU, µs"], rows.map(({ call, beyond = "nothing", label }) => [label, (costs[call] - costs[beyond]).toFixed(1)]));
  console.log(`\n${shown}\n`);
  write("docs/benchmarks.md", "npm run bench -- calls", `Measured on ${today()}, with ${versions()}.\n\n${shown}`);
}

/** The CPU time of one call, in µs: the median of all rounds but the first, which warms up the code. */
async function measure(folder, call, count, rounds) {
  const worker = await serve(folder, cores.worker);
  const times = [];
  for (let round = 0; round <= rounds; round++) {
    const before = cpuMicros(worker.pid);
    const response = await fetch(`${worker.url}/${call}/${count}`);
    if (!response.ok) throw new Error(`${call}: ${response.status}`);
    times.push((cpuMicros(worker.pid) - before) / count);
  }
  await worker.end();
  return median(times.slice(1));
}
