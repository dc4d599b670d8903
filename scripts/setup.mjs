// Installs what a command needs into the project's own folders, and says what it is doing. It is
// itself free of dependencies and runs on Node 20, because it runs before anything is installed.

import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The project's folder. */
export const root = fileURLToPath(new URL("..", import.meta.url));

const target = "wasm32-unknown-unknown";
const toolsNode = 22;

/** Ends the command with one line that says what is missing and how to get it. */
export function giveUp(message) {
  console.error(`\n${message}`);
  process.exit(1);
}

/** Says what is being done. */
export function say(message) {
  console.error(`· ${message}`);
}

/** Runs a command in the project's folder and waits; its failure ends this one. */
export function run(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: root, stdio: "inherit", ...options });
  if (result.error) giveUp(`${command} cannot be run: ${result.error.message}`);
  if (result.status !== 0) process.exit(result.status ?? 1);
}

/** The output of a command, `undefined` if it fails or is not there. */
export function output(command, args) {
  const result = spawnSync(command, args, { cwd: root, encoding: "utf8" });
  return result.status === 0 ? result.stdout.trim() : undefined;
}

/** The hash of files and texts, to notice when something made from them is out of date. */
export function digest(...parts) {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part).update("\0");
  return hash.digest("hex");
}

/** Does the file hold this stamp? */
export function isStamped(file, stamp) {
  return existsSync(file) && readFileSync(file, "utf8") === stamp;
}

/** Rust with the Worker's target, and a C compiler for the crates that need one. */
function needRust() {
  if (output("rustup", ["--version"]) === undefined) {
    giveUp("Rust is missing. Install it with rustup, from https://rustup.rs, and run this again.");
  }
  if (output("cc", ["--version"]) === undefined) {
    giveUp("A C compiler is missing. Install one (Debian: apt install gcc; macOS: xcode-select --install).");
  }
  const [, toolchain] = /channel = "(.*)"/.exec(readFileSync(join(root, "rust-toolchain.toml"), "utf8")) ?? [];
  // Before any call of rustc, which would install it silently.
  if (!output("rustup", ["toolchain", "list"])?.includes(`${toolchain}-`)) {
    say(`Installing Rust ${toolchain}, which rust-toolchain.toml names (about a minute)`);
    run("rustup", ["toolchain", "install", toolchain, "--profile", "minimal", "--component", "clippy", "--component", "rustfmt", "--target", target]);
  }
  const sysroot = output("rustc", ["--print", "sysroot"]);
  if (sysroot === undefined || !existsSync(join(sysroot, "lib", "rustlib", target))) {
    say(`Installing Rust's ${target} target`);
    run("rustup", ["target", "add", target]);
  }
}

/** The packages of package-lock.json, in `node_modules`. */
function needPackages() {
  const stampFile = join(root, "node_modules", ".installed");
  const stamp = digest(readFileSync(join(root, "package-lock.json")));
  if (isStamped(stampFile, stamp)) return;
  say("Installing the packages of package-lock.json into node_modules (about a minute)");
  run("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"]);
  writeFileSync(stampFile, stamp);
}

/**
 * Makes sure that this command runs with the project's own tools, and by the Node they need; the
 * machine's own Node may be older. Returns only in that Node.
 */
export async function needTools() {
  const major = Number(process.versions.node.split(".")[0]);
  if (major < 20) giveUp(`Node ${process.versions.node} is too old. Install Node 20 or newer, from https://nodejs.org.`);
  needRust();
  needPackages();
  const bin = join(root, "node_modules", ".bin");
  if (!process.env.PATH?.startsWith(bin)) process.env.PATH = bin + delimiter + process.env.PATH;
  if (major >= toolsNode) return;
  const again = spawn(join(bin, "node"), process.argv.slice(1), { stdio: "inherit" });
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => again.kill(signal));
  const [status] = await once(again, "exit");
  process.exit(status ?? 1);
}

/** A Python package, and all that it needs, in a folder of its own below `.cache`. */
export function needPython(name, subfolder, file) {
  const isNewEnough = output("python3", ["-c", "import sys; sys.exit(sys.version_info < (3, 11))"]) !== undefined;
  if (!isNewEnough) giveUp(`Python 3.11 or newer is missing. Install it; this is ${output("python3", ["--version"]) ?? "none"}.`);
  const folder = join(root, ".cache", subfolder);
  const requirements = join(root, file);
  const stampFile = join(folder, ".installed");
  const stamp = digest(readFileSync(requirements), output("python3", ["--version"]), folder);
  if (isStamped(stampFile, stamp)) return;
  say(`Installing ${name} into .cache/${subfolder} (up to a minute)`);
  run("python3", ["-m", "venv", "--clear", folder]);
  const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:"];
  run(join(folder, "bin/python"), [...pip, "--require-hashes", "--requirement", requirements]);
  writeFileSync(stampFile, stamp);
}

/** The npm packages of a folder of its own, as its package-lock.json has them. */
export function needNode(name, subfolder) {
  const folder = join(root, subfolder);
  const stampFile = join(folder, "node_modules/.installed");
  const stamp = digest(readFileSync(join(folder, "package-lock.json")));
  if (isStamped(stampFile, stamp)) return;
  say(`Installing ${name} into ${subfolder}/node_modules`);
  run("npm", ["ci", "--prefix", folder, "--no-audit", "--no-fund", "--loglevel=error"]);
  writeFileSync(stampFile, stamp);
}
