// Installs the tools of the project's commands into the project's folders. Has no dependencies and runs on Node 20,
// because it runs before anything is installed.

import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The project's folder. */
export const root = fileURLToPath(new URL("..", import.meta.url));

/** Is this the repository, and not a release of it? */
export const isRepository = existsSync(join(root, "Cargo.toml"));

/** The folder of the settings: the project's, or that of a project which has installed it as a package. */
export const home = /[\\/]node_modules[\\/]/.test(root) ? process.cwd() : root;

const target = "wasm32-unknown-unknown";

/** The Node version that the tools need. */
const toolsNode = 22;

/** Prints an error message and exits. */
export function exitWithError(message) {
  console.error(`\n${message}`);
  process.exit(1);
}

/** Prints the step that starts. */
export function logStep(message) {
  console.error(`· ${message}`);
}

/** Runs a command in the project's folder; exits if it fails. */
export function run(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: root, stdio: "inherit", ...options });
  if (result.error) exitWithError(`cannot run ${command}: ${result.error.message}`);
  if (result.status !== 0) process.exit(result.status ?? 1);
}

/** Runs commands side by side; exits if one fails. */
export async function runAll(commands) {
  await Promise.all(commands.map(async ([command, args]) => {
    const child = spawn(command, args, { cwd: root, stdio: "inherit" });
    child.on("error", ({ message }) => exitWithError(`cannot run ${command}: ${message}`));
    const [status] = await once(child, "exit");
    if (status !== 0) process.exit(status ?? 1);
  }));
}

/** The output of a command; `undefined` if it fails or is not installed. */
export function output(command, args) {
  const result = spawnSync(command, args, { cwd: root, encoding: "utf8" });
  return result.status === 0 ? result.stdout.trim() : undefined;
}

/** A hash of inputs, stored as a stamp to detect outdated outputs. */
export function digest(...parts) {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part).update("\0");
  return hash.digest("hex");
}

/** Does the file contain this stamp? */
export function isStamped(file, stamp) {
  return existsSync(file) && readFileSync(file, "utf8") === stamp;
}

/** Ensures Rust with the Worker's target, and a C compiler, which some crates need. */
function ensureRust() {
  if (output("rustup", ["--version"]) === undefined) {
    exitWithError("Rust is missing. Install it with rustup, from https://rustup.rs, and run this again.");
  }
  if (output("cc", ["--version"]) === undefined) {
    exitWithError("A C compiler is missing. Install one (Debian: apt install gcc; macOS: xcode-select --install).");
  }
  const [, toolchain] = /channel = "(.*)"/.exec(readFileSync(join(root, "rust-toolchain.toml"), "utf8")) ?? [];
  // Must precede any call of rustc, which would install the toolchain silently.
  if (!output("rustup", ["toolchain", "list"])?.includes(`${toolchain}-`)) {
    logStep(`Installing Rust ${toolchain}, the version in rust-toolchain.toml (about a minute)`);
    run("rustup", ["toolchain", "install", toolchain, "--profile", "minimal", "--component", "clippy", "--component", "rustfmt", "--target", target]);
  }
  const sysroot = output("rustc", ["--print", "sysroot"]);
  if (sysroot === undefined || !existsSync(join(sysroot, "lib", "rustlib", target))) {
    logStep(`Installing Rust's ${target} target`);
    run("rustup", ["target", "add", target]);
  }
}

/** Installs the packages of package-lock.json. Those of a release, npm has installed. */
function ensurePackages() {
  if (!isRepository) return;
  const stampFile = join(root, "node_modules", ".installed");
  const stamp = digest(readFileSync(join(root, "package-lock.json")));
  if (isStamped(stampFile, stamp)) return;
  logStep("Installing the packages of package-lock.json into node_modules (about a minute)");
  run("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], { stdio: ["inherit", process.stderr, "inherit"] });
  writeFileSync(stampFile, stamp);
}

/**
 * Installs the project's tools, with Rust unless told otherwise, and puts them on the PATH. If this Node is too old for
 * the tools, runs the command again in the project's own Node and exits with its status. `meanwhile` begins what needs
 * Rust alone, and is awaited.
 */
export async function ensureTools({ rust = true, meanwhile = async () => {} } = {}) {
  const major = Number(process.versions.node.split(".")[0]);
  if (major < 20) exitWithError(`Node ${process.versions.node} is too old. Install Node 20 or newer, from https://nodejs.org.`);
  if (rust) ensureRust();
  const begun = meanwhile();
  ensurePackages();
  await begun;
  const bin = join(home, "node_modules", ".bin");
  if (!process.env.PATH?.startsWith(bin)) process.env.PATH = bin + delimiter + process.env.PATH;
  if (major >= toolsNode) return;
  if (!existsSync(join(bin, "node"))) exitWithError(`Node ${process.versions.node} is too old. Install Node ${toolsNode} or newer, from https://nodejs.org.`);
  const child = spawn(join(bin, "node"), process.argv.slice(1), { stdio: "inherit" });
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => child.kill(signal));
  const [status] = await once(child, "exit");
  process.exit(status ?? 1);
}

/** Installs a Python package and its dependencies into a virtual environment below `.cache`. */
export function ensurePythonPackage(name, subfolder, file) {
  const isNewEnough = output("python3", ["-c", "import sys; sys.exit(sys.version_info < (3, 11))"]) !== undefined;
  if (!isNewEnough) exitWithError(`Python 3.11 or newer is missing. Install it; this machine has ${output("python3", ["--version"]) ?? "no Python"}.`);
  const folder = join(root, ".cache", subfolder);
  const requirements = join(root, file);
  const stampFile = join(folder, ".installed");
  const stamp = digest(readFileSync(requirements), output("python3", ["--version"]), folder);
  if (isStamped(stampFile, stamp)) return;
  logStep(`Installing ${name} into .cache/${subfolder} (up to a minute)`);
  run("python3", ["-m", "venv", "--clear", folder]);
  const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:"];
  run(join(folder, "bin/python"), [...pip, "--require-hashes", "--requirement", requirements]);
  writeFileSync(stampFile, stamp);
}

/** Installs the packages of a subfolder's package-lock.json. */
export function ensureNodePackages(name, subfolder) {
  const folder = join(root, subfolder);
  const stampFile = join(folder, "node_modules/.installed");
  const stamp = digest(readFileSync(join(folder, "package-lock.json")));
  if (isStamped(stampFile, stamp)) return;
  logStep(`Installing ${name} into ${subfolder}/node_modules`);
  run("npm", ["ci", "--prefix", folder, "--no-audit", "--no-fund", "--loglevel=error"]);
  writeFileSync(stampFile, stamp);
}
