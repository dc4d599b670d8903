// `npm test`: formatting and lints first, then the core, the Worker, and a trial deployment.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { checkMemory } from "../bench/memory.mjs";
import { checkPath } from "../bench/path.mjs";
import { build } from "./build.mjs";
import { giveUp, needPython, needTools, output, root, run, say } from "./setup.mjs";

await needTools();
needPrograms();
needPython("Schemathesis", "schemathesis", "tests/openapi/requirements.txt");
needPython("PyJWT", "pyjwt", "tests/docs/pyjwt_requirements.txt");

step("Formatting and lints");
run("cargo", ["fmt", "--all", "--check"]);
run("cargo", ["clippy", "--quiet", "--locked", "--package", "auth", "--package", "checks", "--package", "xtask", "--all-targets", "--", "-D", "warnings"]);
run("cargo", ["clippy", "--quiet", "--locked", "--release", "--lib", "--target", "wasm32-unknown-unknown", "--", "-D", "warnings"]);

step("The core, natively");
const tree = output("cargo", ["tree", "--locked", "--package", "auth", "--target", "all", "--edges", "normal,build", "--prefix", "none"]);
const platform = tree?.split("\n").filter((line) => /^(worker|wasm-bindgen|js-sys|web-sys)\b/.test(line)) ?? ["cargo tree failed"];
if (platform.length > 0) giveUp(`The core depends on the platform: ${platform.join(", ")}.`);
run("cargo", ["test", "--quiet", "--locked", "--package", "auth", "--package", "checks"]);
// Alone, so that its dependencies are built as the Worker's build needs them, and only once.
run("cargo", ["test", "--quiet", "--locked", "--package", "xtask"]);

step("The Worker");
await build();
await checkPath({ accept: false });
await checkMemory();
run("tsc", ["--project", "."]);
run("tsc", ["--project", "src"]);
run("tsc", ["--project", "src/endpoints/pages"]);
run("vitest", ["run"]);

step("A trial deployment");
run("wrangler", ["deploy", "--dry-run", "--outdir", ".cache/deploy"], { env: { ...process.env, WRANGLER_SEND_METRICS: "false" } });

function step(name) {
  console.error(`\n== ${name}`);
}

/** redis-server, Chromium and Python, which the tests use as they are on the machine. */
function needPrograms() {
  const needed = [
    { debian: "redis-server", isThere: () => output("redis-server", ["--version"]) !== undefined },
    { debian: "chromium", isThere: () => process.env.CHROMIUM || ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome", "/Applications/Google Chrome.app"].some(existsSync) },
    // Debian's Python makes no virtual environments without it.
    { debian: "python3-venv", isThere: () => output("python3", ["-c", "import ensurepip, venv"]) !== undefined },
  ];
  const missing = needed.filter(({ isThere }) => !isThere()).map(({ debian }) => debian);
  if (missing.length === 0) return;
  const canInstall = process.getuid?.() === 0 && output("apt-get", ["--version"]) !== undefined;
  if (!canInstall) {
    giveUp(`The tests need ${missing.join(" and ")}. Install them (Debian: apt install ${missing.join(" ")}; macOS: brew install redis python, and Chrome).`);
  }
  say(`Installing Debian's ${missing.join(" and ")}, which the tests need`);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  run("apt-get", ["update", "-qq"], { env });
  run("apt-get", ["install", "-qq", "--yes", "--no-install-recommends", ...missing], { env, stdio: ["ignore", "ignore", "inherit"] });
}
