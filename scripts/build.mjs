// Builds the Worker into build/ with cargo, wasm-bindgen, wasm-opt, `wasm-build order` and esbuild, each at its locked
// version. Skips the steps after cargo if their inputs have not changed.

import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { digest, isStamped, ensureTools, root, run, runAll, logStep } from "./setup.mjs";

/** The size limit of the Worker, gzipped. */
const maxBytes = 680 * 1024;

/**
 * Removes the path of the local cargo registry from panic messages, so that builds are reproducible and do not
 * reveal the builder's home directory.
 */
const registry = join(process.env.CARGO_HOME ?? join(homedir(), ".cargo"), "registry/src/");
export const remapRegistryPath = `target.wasm32-unknown-unknown.rustflags=${JSON.stringify([`--remap-path-prefix=${registry}=`])}`;

const out = join(root, "build");

/** Where the Worker is that is built more quickly, for `npm run dev`. It is larger and slower, and never deployed. */
export const quickOut = join(root, ".cache/quick");

const wasmOf = (profile) => join(root, `target/wasm32-unknown-unknown/${profile}/session_guard.wasm`);

/** Builds the Worker and prints its size. */
export async function build() {
  const stampFile = join(out, ".built");
  // The first build takes minutes, so cargo shows its progress.
  const quiet = existsSync(stampFile) ? ["--quiet"] : [];
  logStep(`Building the Worker${quiet.length ? "" : " (the first build takes a few minutes)"}`);
  compile("release", quiet);
  const wasm = wasmOf("release");
  const stamp = digest(readFileSync(wasm), ...bundleInputs());
  if (!isStamped(stampFile, stamp)) {
    await pack(wasm, join(root, "src/entry.js"), out, quiet);
    writeFileSync(stampFile, stamp);
  }
  checkSize();
}

/** Is there a Worker in `build/`, of this or an older state? */
export function isBuilt() {
  return existsSync(join(out, ".built"));
}

/** Is there a Worker in `quickOut`, of this or an older state? */
export function isBuiltQuick() {
  return existsSync(join(quickOut, ".built"));
}

/** Builds the Worker into `quickOut`, without the steps that make it small and fast. */
export async function buildQuick() {
  const stampFile = join(quickOut, ".built");
  if (isBuiltQuick()) compile("quick", ["--quiet"]);
  else await compileFirst();
  const stamp = digest(readFileSync(wasmOf("quick")), ...bundleInputs());
  if (isStamped(stampFile, stamp)) return;
  rmSync(quickOut, { recursive: true, force: true });
  const bindings = join(quickOut, "bindings");
  mkdirSync(bindings, { recursive: true });
  wasmBuild(["bindgen", wasmOf("quick"), bindings]);
  copyFileSync(join(bindings, "guard_bg.wasm"), join(quickOut, "guard_bg.wasm"));
  await bundle(join(root, "src/entry.js"), join(quickOut, "index.js"));
  writeFileSync(stampFile, stamp);
}

/**
 * Compiles all that the first `buildQuick` needs, side by side. Needs no package of npm, so it may run while they are
 * installed.
 */
export async function compileFirst() {
  if (!existsSync(wasmOf("quick"))) logStep("Compiling the Worker for this machine (the first time takes two or three minutes)");
  await runAll([
    ["cargo", compileArgs("quick", [])],
    ["cargo", ["build", "--quiet", ...wasmBuildPackage]],
  ]);
}

const compileArgs = (profile, quiet) => ["build", ...quiet, "--locked", "--profile", profile, "--lib", "--target", "wasm32-unknown-unknown", "--config", remapRegistryPath];

function compile(profile, quiet) {
  run("cargo", compileArgs(profile, quiet));
}

const wasmBuildPackage = ["--locked", "--profile", "tool", "--package", "wasm-build"];

/** Runs a command of the package `wasm-build`. */
export function wasmBuild(args, quiet = ["--quiet"]) {
  run("cargo", ["run", ...quiet, ...wasmBuildPackage, "--", ...args]);
}

/**
 * Writes `index.js` and `guard_bg.wasm` to `out`, from cargo's wasm and an entry module that imports the bindings in
 * `bindings/`. Empties the folder first.
 */
export async function pack(wasm, entry, out, quiet = ["--quiet"]) {
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  const bindings = join(out, "bindings");
  wasmBuild(["bindgen", wasm, bindings], quiet);
  const optimised = join(out, "guard_bg.wasm");
  // Inlining large functions with one caller would make the gzipped module larger.
  const passes = ["-O3", "--one-caller-inline-max-function-size=20"];
  const strip = ["--strip-debug", "--strip-producers", "--strip-target-features"];
  // All that Rust and wasm-bindgen emit, without a proposal that runtimes may not support yet.
  const features = ["--all-features", "--disable-compact-imports"];
  run("wasm-opt", [...passes, ...features, "--debuginfo", join(bindings, "guard_bg.wasm"), "-o", optimised]);
  wasmBuild(["order", optimised, optimised], quiet);
  run("wasm-opt", ["--reorder-functions-by-name", ...features, ...strip, optimised, "-o", optimised]);
  run("node", ["--input-type=module", "--eval", checkExports, join(bindings, "guard_bg.wasm"), optimised]);
  await bundle(entry, join(out, "index.js"));
}

/** Fails if the optimised module is invalid or lacks an export. Run with the locked Node, which supports all wasm
 * features that Rust emits. */
const checkExports = `
  import { readFileSync } from "node:fs";
  const exportsOf = (file) => WebAssembly.Module.exports(new WebAssembly.Module(readFileSync(file))).map(({ name }) => name).sort().join();
  const [, before, after] = process.argv;
  if (exportsOf(before) !== exportsOf(after)) throw new Error(after + " lacks exports of " + before);
`;

/** The contents of the files that determine the bundle, besides the wasm. */
function bundleInputs() {
  const scripts = readdirSync(join(root, "src"), { recursive: true }).filter((name) => name.endsWith(".js")).sort();
  const files = [...scripts.map((name) => `src/${name}`), "wasm-build/src/bindgen.rs", "wasm-build/src/bindgen/names.rs", "wasm-build/src/order.rs", "scripts/build.mjs", "package-lock.json", "Cargo.lock"];
  return files.map((name) => readFileSync(join(root, name)));
}

/**
 * wasm-bindgen copies the JavaScript modules that Rust imports. Resolves the copies to the originals, so that the
 * bundle contains each module once.
 */
export const originalModules = {
  name: "original-modules",
  setup({ onResolve }) {
    onResolve({ filter: /\/snippets\/session-guard-\w+\/src\// }, ({ path }) => ({ path: join(root, path.replace(/.*(?=\/src\/)/, "")) }));
  },
};

/** The entry imports the bindings from `build/`; they are wherever the Worker is built. */
const bindingsIn = (folder) => ({
  name: "bindings",
  setup({ onResolve }) {
    onResolve({ filter: /\/build\/bindings\// }, ({ path }) => ({ path: join(folder, "bindings", basename(path)) }));
  },
});

async function bundle(entry, outfile) {
  const { build } = await import("esbuild");
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    format: "esm",
    target: "es2024",
    minify: true,
    external: ["cloudflare:*", "*.wasm"],
    supported: { "import-source": true },
    plugins: [originalModules, bindingsIn(dirname(outfile))],
    logLevel: "warning",
    // wasm-bindgen lists a module once per function that it imports without a wrapper.
    logOverride: { "duplicate-object-key": "silent" },
  });
  // Workers import compiled modules without the `source` keyword of the proposal.
  const code = readFileSync(outfile, "utf8").replace(/import source (\w+) ?from/, "import $1 from");
  writeFileSync(outfile, code);
}

function checkSize() {
  const files = ["index.js", "guard_bg.wasm"].map((name) => readFileSync(join(out, name)));
  const gzipped = files.map((file) => gzipSync(file, { level: 9 }).length);
  const total = gzipped.reduce((sum, size) => sum + size);
  const kb = (bytes) => `${(bytes / 1024).toFixed(1)} KB`;
  logStep(`Size of the Worker, gzipped: ${kb(total)} (${kb(gzipped[1])} wasm, ${kb(gzipped[0])} JavaScript)`);
  if (total > maxBytes) throw new Error(`The Worker is ${kb(total)} gzipped; the limit is ${kb(maxBytes)}`);
}

if (fileURLToPath(import.meta.url) === process.argv[1]) {
  await ensureTools();
  // `wrangler dev` builds by the command in wrangler.toml, also for `npm run dev`.
  await (process.env.GUARD_BUILD === "quick" ? buildQuick() : build());
}
