// `npm run bench`: measures what guarding a request costs in the Workers runtime, next to peers, and writes the table and
// the plot in docs/benchmarks.md. Options: --rounds N; --seconds N, per measurement; --warm N, seconds of warm-up, as many
// by default; --only ROW,ROW, ids in `rows.mjs`, which writes nothing.
//
// Other measurements: `npm run bench -- scale` (growth, `scale.mjs`), `-- path` (the hot-path counts, `path.mjs`),
// `-- memory` (the caches, `memory.mjs`), `-- calls` (single platform calls, `calls.mjs`).

import { parseArgs } from "node:util";
import { ensureTools, run } from "../scripts/setup.mjs";
import { ensurePeers, ensurePrograms } from "./lib/programs.mjs";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: "string" }, seconds: { type: "string" }, warm: { type: "string" }, accept: { type: "boolean", default: false }, only: { type: "string" } },
});
const [what = "requests"] = positionals;
const number = (text, otherwise) => (text === undefined ? otherwise : Number(text));

await ensureTools();
if (what !== "path" && what !== "memory") {
  ensurePrograms();
  ensurePeers();
  run("tsc", ["--project", "bench/peers"]);
}
const { build } = await import("../scripts/build.mjs");
await build();

switch (what) {
  case "requests": {
    const { measureRequests } = await import("./requests.mjs");
    const seconds = number(values.seconds, 10);
    await measureRequests({ rounds: number(values.rounds, 5), seconds, warm: number(values.warm, seconds), only: values.only?.split(",") });
    break;
  }
  case "scale": {
    const { measureScale } = await import("./scale.mjs");
    await measureScale({ rounds: number(values.rounds, 3), seconds: number(values.seconds, 4) });
    break;
  }
  case "calls": {
    const { measureCalls } = await import("./calls.mjs");
    await measureCalls({ rounds: number(values.rounds, 9) });
    break;
  }
  case "path": {
    const { checkPath } = await import("./path.mjs");
    await checkPath({ accept: values.accept });
    break;
  }
  case "memory": {
    const { checkMemory } = await import("./memory.mjs");
    await checkMemory({ verbose: true });
    break;
  }
  default:
    console.error(`Unknown measurement ${what}. Usage: npm run bench [-- scale | calls | path | memory]`);
    process.exit(1);
}
process.exit(0);
