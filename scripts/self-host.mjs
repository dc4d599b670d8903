// `npm run self-host -- --config FILE`: builds the Worker, and runs it on this machine: see selfhost/serve.mjs.

import { build } from "./build.mjs";
import { ensureTools } from "./setup.mjs";

await ensureTools();
await build();
const { main } = await import("../selfhost/serve.mjs");
process.exit(await main(process.argv.slice(2)));
