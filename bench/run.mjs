// `npm run bench`: what guarding a request costs in the Workers runtime, beside peers. Writes the table
// and the plot in docs/benchmarks.md. Options: --rounds N, --seconds N (of each measurement), --warm N (seconds
// before it, as many unless told), --only ROW,ROW (by their ids in `rows.mjs`; nothing is written then).
// `npm run bench -- scale` measures growth instead (`scale.mjs`), `npm run bench -- path` the
// regression guard's counts (`path.mjs`), `npm run bench -- memory` what is remembered (`memory.mjs`), `npm run bench -- calls` single calls of the platform (`calls.mjs`).

import { parseArgs } from "node:util";
import { needTools, run } from "../scripts/setup.mjs";
import { needPeers, needPrograms } from "./lib/programs.mjs";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: "string" }, seconds: { type: "string" }, warm: { type: "string" }, accept: { type: "boolean", default: false }, only: { type: "string" } },
});
const [what = "requests"] = positionals;
const number = (text, otherwise) => (text === undefined ? otherwise : Number(text));

await needTools();
if (what !== "path" && what !== "memory") {
  needPrograms();
  needPeers();
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
    await checkMemory({ tells: true });
    break;
  }
  default:
    console.error(`npm run bench [-- scale | calls | path | memory] knows no ${what}`);
    process.exit(1);
}
process.exit(0);
