// The programs and packages that only the bench needs.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { exitWithError, ensureNodePackages, output, root, run, logStep } from "../../scripts/setup.mjs";

const programs = [
  { debian: "wrk", isInstalled: () => existsSync("/usr/bin/wrk") || existsSync("/usr/local/bin/wrk") },
  { debian: "nginx-light", isInstalled: () => output("nginx", ["-v"]) !== undefined },
  { debian: "redis-server", isInstalled: () => output("redis-server", ["--version"]) !== undefined },
  { debian: "util-linux", isInstalled: () => output("taskset", ["--version"]) !== undefined },
];

/** Ensures Linux with two cores, wrk, nginx, Redis and taskset. */
export function ensurePrograms() {
  if (process.platform !== "linux") exitWithError("The bench needs Linux: it pins processes to cores and reads their CPU time in /proc.");
  if (Number(output("nproc", [])) < 2) exitWithError("The bench needs two cores: one for the Worker, one for everything else.");
  const missing = programs.filter(({ isInstalled }) => !isInstalled()).map(({ debian }) => debian);
  if (missing.length === 0) return;
  const canInstall = process.getuid?.() === 0 && output("apt-get", ["--version"]) !== undefined;
  if (!canInstall) exitWithError(`The bench needs ${missing.join(" and ")}. Install them (Debian: apt install ${missing.join(" ")}).`);
  logStep(`Installing Debian's ${missing.join(" and ")}, which the bench needs`);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  run("apt-get", ["update", "-qq"], { env });
  run("apt-get", ["install", "-qq", "--yes", "--no-install-recommends", ...missing], { env, stdio: ["ignore", "ignore", "inherit"] });
}

/** Installs the peers' packages. */
export const ensurePeers = () => ensureNodePackages("the peers' packages", "bench/peers");

/** The versions of the software in a measurement. */
export function versions() {
  const of = (folder) => JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8")).version;
  const peers = ["hono", "jose", "@upstash/redis"].map((name) => `${name} ${of(`bench/peers/node_modules/${name}`)}`);
  // wrk and nginx print their version to stderr, and wrk exits with an error.
  const versionOf = (program) => output("sh", ["-c", `${program} -v 2>&1 || true`]) ?? "";
  const [wrk] = /\d+\.\d+\.\d+/.exec(versionOf("wrk")) ?? ["?"];
  const [nginx] = /\d+\.\d+\.\d+/.exec(versionOf("nginx")) ?? ["?"];
  const [redis] = /\d+\.\d+\.\d+/.exec(output("redis-server", ["--version"]) ?? "") ?? ["?"];
  const node = process.versions.node;
  return `workerd ${of("node_modules/workerd")}, wrk ${wrk}, nginx ${nginx}, Redis ${redis}, Node ${node}, ${peers.join(", ")}`;
}
