// `npm run release`: makes `.cache/release/session-guard-VERSION/`, the built Worker with all that deploying and
// self-hosting it needs, and an archive of it. Neither needs Rust or a C compiler. Two builds of the same source make
// the same bytes.

import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { build } from "./build.mjs";
import { ensureTools, exitWithError, logStep, root, run } from "./setup.mjs";

/** What the archive has of the repository as it is. */
const COPIED = ["LICENSE-APACHE", "LICENSE-MIT", "CHANGELOG.md", "build/index.js", "build/guard_bg.wasm", "selfhost", "bridge"];

/** The packages that self-hosting uses, and the tool that deploys. */
const PACKAGES = { dependencies: ["redis", "smol-toml", "workerd"], devDependencies: ["wrangler"] };

/** A moment that says nothing: npm's archives have it. */
const MTIME = "1985-10-26T08:15:00Z";

/** Makes the folder and the archive in `out`, and returns their paths. The Worker is built already. */
export async function release(out) {
  const project = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const name = `${project.name}-${project.version}`;
  const folder = join(out, name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const path of COPIED) cpSync(join(root, path), join(folder, path), { recursive: true });
  for (const path of readdirSync(join(root, "release"))) cpSync(join(root, "release", path), join(folder, path));
  writeFileSync(join(folder, "wrangler.toml"), prebuilt(readFileSync(join(root, "wrangler.toml"), "utf8"), "build/index.js"));
  writeFileSync(join(folder, "package.json"), `${JSON.stringify(manifest(project), null, 2)}\n`);
  writeTypes(folder);
  writeFileSync(join(folder, "SHA256SUMS"), sums(folder));
  const archive = `${folder}.tar.gz`;
  writeFileSync(archive, gzipSync(tar(out, name), { level: 9 }));
  return { folder, archive };
}

/** `wrangler.toml` for a Worker that is built: nothing is left to build or to bundle. */
export function prebuilt(toml, main) {
  const [, before, after] = /^([\s\S]*?)\[build\]\n(?:[^[\n].*\n)*\n?([\s\S]*)$/.exec(toml) ?? [];
  if (after === undefined) exitWithError("wrangler.toml has no [build]; scripts/release.mjs expects it there.");
  const top = before.replace(/^main = .*$/m, `main = "${main}"\n# The Worker is built.\nno_bundle = true`);
  const comments = [[/`npm run check-config`\n# validates/, "`npm run check-config`, in the\n# repository, validates"]];
  return comments.reduce((text, [from, to]) => text.replace(from, to), top) + after;
}

function manifest({ name, version, type, license, description }) {
  const versionOf = (it) => [it, JSON.parse(readFileSync(join(root, "node_modules", it, "package.json"), "utf8")).version];
  const packages = Object.entries(PACKAGES).map(([kind, names]) => [kind, Object.fromEntries(names.map(versionOf))]);
  return {
    name, version, type, license, description,
    engines: { node: ">=22.18" },
    exports: { ".": "./build/index.js", "./guard_bg.wasm": "./build/guard_bg.wasm", "./package.json": "./package.json" },
    bin: { "session-guard-serve": "./selfhost/serve.mjs" },
    scripts: { deploy: "wrangler deploy", "self-host": "node selfhost/serve.mjs" },
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
  const args = ["--sort=name", `--mtime=${MTIME}`, "--owner=0", "--group=0", "--numeric-owner", "--mode=u+rw,go-w", "--format=ustar", "-cf", "-", name];
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
