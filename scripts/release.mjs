// `npm run release`: makes `.cache/release/session-guard-VERSION/`, the built Worker with all that deploying and
// self-hosting it needs, and an archive of it. Neither needs Rust or a C compiler. Two builds of the same source make
// the same bytes.

import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createHash } from "node:crypto";
import { stripTypeScriptTypes } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { build } from "./build.mjs";
import { ensureTools, exitWithError, logStep, output, root, run } from "./setup.mjs";

/** What the archive has of the repository as it is. */
const COPIED = ["LICENSE-APACHE", "LICENSE-MIT", "CHANGELOG.md", "selfhost", "bridge", "cli", ...["check-config", "dev-vars", "keys", "setup", "signing-key"].map((name) => `scripts/${name}.mjs`)];

/** And of what is built. */
const BUILT = ["build/index.js", "build/guard_bg.wasm"];

/** The packages that self-hosting and the command line use, and the tool that deploys. */
const PACKAGES = { dependencies: ["@inquirer/prompts", "commander", "jose", "redis", "smol-toml", "workerd"], devDependencies: ["wrangler"] };

/** A moment that says nothing: npm's archives have it. */
const MTIME = "1985-10-26T08:15:00Z";

/** Makes the folder and the archive in `out`, and returns their paths. The Worker is built already. */
export async function release(out) {
  const project = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const name = `${project.name}-${project.version}`;
  const folder = join(out, name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const path of [...BUILT, ...tracked(COPIED)]) copy(path, join(folder, path));
  for (const path of tracked(["release"])) copy(path, join(folder, path.slice("release/".length)));
  writeFileSync(join(folder, "wrangler.toml"), prebuilt(readFileSync(join(root, "wrangler.toml"), "utf8"), "build/index.js"));
  writeFileSync(join(folder, "package.json"), `${JSON.stringify(manifest(project), null, 2)}\n`);
  writeTypes(folder);
  writeFileSync(join(folder, "SHA256SUMS"), sums(folder));
  const archive = `${folder}.tar.gz`;
  writeFileSync(archive, gzipSync(tar(out, name), { level: 9 }));
  return { folder, archive };
}

/** The files that git knows: somebody may have tried the guard here, with secrets and sessions beside. */
function tracked(paths) {
  const files = output("git", ["ls-files", "--", ...paths]);
  if (!files) exitWithError("A release is made from a clone of the repository, because git says which files belong to it.");
  return files.split("\n").filter((path) => existsSync(join(root, path)));
}

/** Copies a file. Node does not run TypeScript below `node_modules`, where a release may be, so it gets JavaScript. */
function copy(path, to) {
  mkdirSync(dirname(to), { recursive: true });
  if (!/\.(ts|mjs)$/.test(path)) return cpSync(join(root, path), to);
  const text = readFileSync(join(root, path), "utf8");
  const script = path.endsWith(".ts") ? stripTypeScriptTypes(text) : text;
  writeFileSync(to.replace(/\.ts$/, ".js"), script.replace(/(["'])(\.\.?\/[\w./-]+)\.ts\1/g, "$1$2.js$1"));
}

/** `wrangler.toml` for a Worker that is built: nothing is left to build or to bundle. */
export function prebuilt(toml, main) {
  const [, before, after] = /^([\s\S]*?)\[build\]\n(?:[^[\n].*\n)*\n?([\s\S]*)$/.exec(toml) ?? [];
  if (after === undefined) exitWithError("wrangler.toml has no [build]; scripts/release.mjs expects it there.");
  const top = before.replace(/^main = .*$/m, `main = "${main}"\n# The Worker is built.\nno_bundle = true`);
  const comments = [[/`npm run check-config`\n# validates/, "`npm run check-config`, in the\n# repository, validates"]];
  return comments.reduce((text, [from, to]) => text.replace(from, to), top) + after;
}

function manifest({ name, version, type, license, description, bin, scripts }) {
  const versionOf = (it) => [it, JSON.parse(readFileSync(join(root, "node_modules", it, "package.json"), "utf8")).version];
  const packages = Object.entries(PACKAGES).map(([kind, names]) => [kind, Object.fromEntries(names.map(versionOf))]);
  return {
    name, version, type, license, description,
    engines: { node: ">=22.18" },
    exports: { ".": "./build/index.js", "./guard_bg.wasm": "./build/guard_bg.wasm", "./package.json": "./package.json" },
    bin: { ...bin, "session-guard-serve": "./selfhost/serve.mjs" },
    scripts: { deploy: "wrangler deploy", guard: scripts.guard, keys: scripts.keys, "self-host": "node selfhost/serve.mjs" },
    ...Object.fromEntries(packages),
  };
}

/** The types of the bindings, for Workers in TypeScript that call the guard: its settings, its secrets, its objects. */
function writeTypes(folder) {
  const vars = join(folder, ".dev.vars");
  cpSync(join(folder, ".dev.vars.example"), vars);
  const args = ["types", "--include-runtime=false", "--strict-vars=false"];
  run(join(root, "node_modules/.bin/wrangler"), args, { cwd: folder, stdio: ["ignore", "ignore", "inherit"], env: { ...process.env, WRANGLER_SEND_METRICS: "false" } });
  rmSync(vars);
}

/** A line for each file, as `sha256sum --check` reads them. */
function sums(folder) {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1)).sort();
  return paths.map((path) => `${createHash("sha256").update(readFileSync(join(folder, path))).digest("hex")}  ${path}\n`).join("");
}

/** A folder as a tar archive that tells nothing of this machine. */
function tar(cwd, name) {
  const args = ["--sort=name", `--mtime=${MTIME}`, "--owner=0", "--group=0", "--numeric-owner", "--mode=u+rw,go-w,a+rX", "--format=ustar", "-cf", "-", name];
  for (const program of ["tar", "gtar"]) {
    const { status, stdout } = spawnSync(program, args, { cwd, maxBuffer: 2 ** 28 });
    if (status === 0) return stdout;
  }
  return exitWithError("GNU tar is missing. Install it (macOS: brew install gnu-tar).");
}

if (fileURLToPath(import.meta.url) === process.argv[1]) {
  const { values } = parseArgs({ options: { out: { type: "string", default: join(root, ".cache/release") } } });
  await ensureTools();
  await build();
  const { folder, archive } = await release(values.out);
  const hash = createHash("sha256").update(readFileSync(archive)).digest("hex");
  logStep(`Made ${folder} and its archive`);
  console.log(`${hash}  ${archive}`);
}
