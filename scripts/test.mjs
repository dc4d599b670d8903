// `npm test`: formatting and lints, the core's tests, the Worker's tests, and a trial deployment.

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { checkMemory } from "../bench/memory.mjs";
import { checkPath } from "../bench/path.mjs";
import { build } from "./build.mjs";
import { exitWithError, ensureNodePackages, ensurePythonPackage, ensureTools, output, root, run, logStep } from "./setup.mjs";

await ensureTools();
ensurePrograms();
ensurePythonPackage("Schemathesis", "schemathesis", "tests/openapi/requirements.txt");
ensureNodePackages("the generator of clients", "tests/openapi/client");
ensurePythonPackage("PyJWT", "pyjwt", "tests/docs/pyjwt_requirements.txt");

step("Formatting and lints");
run("cargo", ["fmt", "--all", "--check"]);
run("cargo", ["clippy", "--quiet", "--locked", "--package", "auth", "--package", "checks", "--package", "wasm-build", "--package", "xtask", "--all-targets", "--", "-D", "warnings"]);
run("cargo", ["clippy", "--quiet", "--locked", "--release", "--lib", "--target", "wasm32-unknown-unknown", "--", "-D", "warnings"]);

step("The core, natively");
const tree = output("cargo", ["tree", "--locked", "--package", "auth", "--target", "all", "--edges", "normal,build", "--prefix", "none"]);
const platform = tree?.split("\n").filter((line) => /^(worker|wasm-bindgen|js-sys|web-sys)\b/.test(line)) ?? ["cargo tree failed"];
if (platform.length > 0) exitWithError(`The core must not depend on the platform, but depends on: ${platform.join(", ")}.`);
run("cargo", ["test", "--quiet", "--locked", "--package", "auth", "--package", "checks"]);
// Separately, so that its dependencies have the same features as in the Worker's build and are built once.
run("cargo", ["test", "--quiet", "--locked", "--package", "xtask"]);
run("cargo", ["test", "--quiet", "--locked", "--profile", "tool", "--package", "wasm-build"]);

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

/** Ensures redis-server, Chromium, nginx, Caddy and Python, which the tests use from the system. */
function ensurePrograms() {
  const canInstall = process.getuid?.() === 0 && output("apt-get", ["--version"]) !== undefined;
  const programs = [
    { debian: "redis-server", isInstalled: () => output("redis-server", ["--version"]) !== undefined },
    { debian: "chromium", isInstalled: () => process.env.CHROMIUM || ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome", "/Applications/Google Chrome.app"].some(existsSync) },
    { debian: "nginx-light", isInstalled: () => output("nginx", ["-v"]) !== undefined || existsSync("/usr/sbin/nginx") },
    { debian: "caddy", isInstalled: () => output("caddy", ["version"]) !== undefined },
    // Debian's Python needs it to make virtual environments.
    { debian: "python3-venv", isInstalled: () => output("python3", ["-c", "import ensurepip, venv"]) !== undefined },
  ];
  const missing = programs.filter(({ isInstalled }) => !isInstalled()).map(({ debian }) => debian);
  if (missing.length > 0 && !canInstall) {
    exitWithError(`The tests need ${missing.join(" and ")}. Install them (Debian: apt install ${missing.join(" ")}; macOS: brew install redis nginx caddy python, and Chrome).`);
  }
  // Chromium without the parts for windows. The tests do without it, but it takes half of the time.
  const isShellMissing = canInstall && !process.env.CHROMIUM && !existsSync("/usr/bin/chromium-headless-shell");
  if (missing.length === 0 && !isShellMissing) return;
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const install = ["install", "-qq", "--yes", "--no-install-recommends"];
  spawnSync("apt-get", ["update", "-qq"], { env, stdio: "inherit" });
  if (missing.length > 0) {
    logStep(`Installing Debian's ${missing.join(" and ")}, which the tests need`);
    run("apt-get", [...install, ...missing], { env, stdio: ["ignore", "ignore", "inherit"] });
  }
  if (isShellMissing) spawnSync("apt-get", [...install, "chromium-headless-shell"], { env, stdio: "ignore" });
}
