// Builds the Worker into build/: cargo, wasm-bindgen, wasm-opt, xtask's order of functions, esbuild, each at the locked
// version. Does nothing when nothing has changed.

import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { digest, isStamped, needTools, root, run, say } from "./setup.mjs";

/** The most the Worker may weigh, gzipped. */
const mostBytes = 372 * 1024;

/**
 * Cuts the builder's home out of the paths that panics name: they are nobody's business, and the
 * same sources make the same Worker everywhere.
 */
const registry = join(process.env.CARGO_HOME ?? join(homedir(), ".cargo"), "registry/src/");
export const anonymous = `target.wasm32-unknown-unknown.rustflags=${JSON.stringify([`--remap-path-prefix=${registry}=`])}`;

const out = join(root, "build");
const wasm = join(root, "target/wasm32-unknown-unknown/release/session_guard.wasm");

/** Builds the Worker, and prints what it weighs. */
export async function build() {
  const stampFile = join(out, ".built");
  // The first time takes minutes, and cargo then shows how far it is.
  const quiet = existsSync(stampFile) ? ["--quiet"] : [];
  say(`Building the Worker${quiet.length ? "" : " (the first time takes some minutes)"}`);
  run("cargo", ["build", ...quiet, "--locked", "--release", "--lib", "--target", "wasm32-unknown-unknown", "--config", anonymous]);
  const stamp = digest(readFileSync(wasm), ...sources());
  if (!isStamped(stampFile, stamp)) {
    await pack(wasm, join(root, "src/entry.js"), out, quiet);
    writeFileSync(stampFile, stamp);
  }
  weigh();
}

/**
 * Makes what the runtime takes, `index.js` and `guard_bg.wasm`, from what cargo made and an entry,
 * which finds the bindings in `bindings/`. The folder is emptied first.
 */
export async function pack(wasm, entry, out, quiet = ["--quiet"]) {
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  const bindings = join(out, "bindings");
  run("cargo", ["run", ...quiet, "--locked", "--package", "xtask", "--", "bindgen", wasm, bindings]);
  const optimised = join(out, "guard_bg.wasm");
  // Large functions with one caller compress better where they are.
  const passes = ["-O3", "--one-caller-inline-max-function-size=20"];
  const strip = ["--strip-debug", "--strip-producers", "--strip-target-features"];
  // What Rust and wasm-bindgen emit, and no proposal that runtimes may not have yet.
  const features = ["--all-features", "--disable-compact-imports"];
  run("wasm-opt", [...passes, ...features, "--debuginfo", join(bindings, "guard_bg.wasm"), "-o", optimised]);
  run("cargo", ["run", ...quiet, "--locked", "--package", "xtask", "--", "order", optimised, optimised]);
  run("wasm-opt", ["--reorder-functions-by-name", ...features, ...strip, optimised, "-o", optimised]);
  run("node", ["--input-type=module", "--eval", whole, join(bindings, "guard_bg.wasm"), optimised]);
  await bundle(entry, join(out, "index.js"));
}

/** Fails if the optimised module is none, or lacks an export. The locked Node reads all that Rust emits. */
const whole = `
  import { readFileSync } from "node:fs";
  const exportsOf = (file) => WebAssembly.Module.exports(new WebAssembly.Module(readFileSync(file))).map(({ name }) => name).sort().join();
  const [, before, after] = process.argv;
  if (exportsOf(before) !== exportsOf(after)) throw new Error(after + " lacks exports of " + before);
`;

/** What goes into the bundle beside the wasm. */
function sources() {
  const scripts = readdirSync(join(root, "src"), { recursive: true }).filter((name) => name.endsWith(".js")).sort();
  const files = [...scripts.map((name) => `src/${name}`), "xtask/src/bindgen.rs", "xtask/src/bindgen/names.rs", "xtask/src/order.rs", "scripts/build.mjs", "package-lock.json", "Cargo.lock"];
  return files.map((name) => readFileSync(join(root, name)));
}

/** wasm-bindgen copies the modules that Rust calls. The bundle takes the originals, so each is there once. */
export const originals = {
  name: "originals",
  setup({ onResolve }) {
    onResolve({ filter: /\/snippets\/session-guard-\w+\/src\// }, ({ path }) => ({ path: join(root, path.replace(/.*(?=\/src\/)/, "")) }));
  },
};

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
    plugins: [originals],
    logLevel: "warning",
    // wasm-bindgen names a module once for each function that it calls without a wrapper.
    logOverride: { "duplicate-object-key": "silent" },
  });
  // Workers import a module's compiled form without the keyword that the proposal has for it.
  const code = readFileSync(outfile, "utf8").replace(/import source (\w+) ?from/, "import $1 from");
  writeFileSync(outfile, code);
}

function weigh() {
  const files = ["index.js", "guard_bg.wasm"].map((name) => readFileSync(join(out, name)));
  const gzipped = files.map((file) => gzipSync(file, { level: 9 }).length);
  const total = gzipped.reduce((sum, size) => sum + size);
  const kb = (bytes) => `${(bytes / 1024).toFixed(1)} KB`;
  say(`The Worker weighs ${kb(total)} gzipped (${kb(gzipped[1])} wasm, ${kb(gzipped[0])} JavaScript)`);
  if (total > mostBytes) throw new Error(`The Worker is larger than ${kb(mostBytes)}`);
}

if (fileURLToPath(import.meta.url) === process.argv[1]) {
  await needTools();
  await build();
}
