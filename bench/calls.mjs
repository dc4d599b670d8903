// `npm run bench -- calls`: what single calls of the platform cost, each over and over in a process of its
// own. A whole worker's time differs by some hundredths from one process to the next; this does not.

import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { root, say } from "../scripts/setup.mjs";
import { startNginx } from "./lib/backends.mjs";
import { median, table, today, write } from "./lib/document.mjs";
import { makeKeys, makeUser } from "./lib/identities.mjs";
import { cores } from "./lib/load.mjs";
import { versions } from "./lib/programs.mjs";
import { prepareWorker } from "./lib/workers.mjs";
import { cpuMicros, serve } from "./lib/workerd.mjs";

/** `call`: see `peers/calls.js`. `beyond`: what is taken off, the empty loop unless told. */
const rows = [
  { call: "fetch", label: "`fetch` of the stand-in for Redis, and its `text()`", count: 3_000 },
  { call: "object", label: "a call of a Durable Object in the same process", count: 3_000 },
  { call: "name", label: "of that: `getByName`" },
  { call: "id", label: "in its place: `get` with an id that is kept" },
  { call: "request", label: "of a `fetch`: its `Request`, with six headers" },
  { call: "requestPastCache", beyond: "request", label: "the ban on Cloudflare's cache in that" },
  { call: "copy", label: "a copy of six headers" },
  { call: "each", label: "name and value of six headers, by `forEach`" },
  { call: "responseHeaders", beyond: "response", label: "the first look at an answer's `headers`" },
  { call: "has", label: "`headers.has`" },
  { call: "get", label: "`headers.get`" },
  { call: "timer", label: "`setTimeout`, never taken back", count: 9_000 },
  { call: "promise", label: "a promise" },
];

const folder = join(root, ".cache/bench-calls");

/** Measures, and writes the document's part. */
export async function measureCalls({ rounds }) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const nginx = await startNginx(join(folder, "nginx"), makeUser(0).record);
  const worker = await prepareWorker("calls", { folder, origin: nginx.origin, store: nginx.store, keys: makeKeys(["HS256"]) });
  const counts = { nothing: 100_000, response: 100_000, ...Object.fromEntries(rows.map(({ call, count = 100_000 }) => [call, count])) };
  const costs = {};
  for (const [call, count] of Object.entries(counts)) {
    say(`Making the call ${call}`);
    costs[call] = await measure(worker, call, count, rounds);
  }
  await nginx.end();
  const shown = table(["call", "CPU, µs"], rows.map(({ call, beyond = "nothing", label }) => [label, (costs[call] - costs[beyond]).toFixed(1)]));
  console.log(`\n${shown}\n`);
  write("docs/benchmarks.md", "npm run bench -- calls", `Measured on ${today()}, with ${versions()}.\n\n${shown}`);
}

/** The processor time of one call, in µs: the median of the rounds after the first, in which the code gets warm. */
async function measure(folder, call, count, rounds) {
  const worker = await serve(folder, cores.worker);
  const times = [];
  for (let round = 0; round <= rounds; round++) {
    const before = cpuMicros(worker.pid);
    const answer = await fetch(`${worker.url}/${call}/${count}`);
    if (!answer.ok) throw new Error(`${call}: ${answer.status}`);
    times.push((cpuMicros(worker.pid) - before) / count);
  }
  await worker.end();
  return median(times.slice(1));
}
