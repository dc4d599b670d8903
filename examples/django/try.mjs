// `npm run try:django`: Django's admin, which nobody here wrote, behind the guard, used through a real
// browser. Says of each step whether it went well; see README.md.

import { ensurePythonPackage, ensureTools } from "../../scripts/setup.mjs";

await ensureTools();
ensurePythonPackage("Django", "django/venv", "examples/django/requirements.txt");
const { tryOut } = await import("../lib/try.mjs");
const { folder, start } = await import("./parts.mjs");
const { use } = await import("./steps.mjs");

await tryOut({ folder, start, use });
