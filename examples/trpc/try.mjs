// `npm run try:trpc`: an application on tRPC, whose answers are streams and no event streams, behind the
// guard, used through a real browser. Says of each step whether it went well; see README.md.

import { ensureNodePackages, ensureTools } from "../../scripts/setup.mjs";

await ensureTools();
ensureNodePackages("tRPC", "examples/trpc");
const { tryOut } = await import("../lib/try.mjs");
const { folder, start } = await import("./parts.mjs");
const { use } = await import("./steps.mjs");

await tryOut({ folder, start, use });
