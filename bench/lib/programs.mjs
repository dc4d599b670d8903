// What the bench needs beside the project's own tools.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { giveUp, needNode, output, root, run, say } from "../../scripts/setup.mjs";

const programs = [
  { debian: "wrk", isThere: () => existsSync("/usr/bin/wrk") || existsSync("/usr/local/bin/wrk") },
  { debian: "nginx-light", isThere: () => output("nginx", ["-v"]) !== undefined },
  { debian: "redis-server", isThere: () => output("redis-server", ["--version"]) !== undefined },
  { debian: "util-linux", isThere: () => output("taskset", ["--version"]) !== undefined },
];

/** Linux with two cores, wrk, nginx and Redis. */
export function needPrograms() {
  if (process.platform !== "linux") giveUp("The bench needs Linux: it pins processes to cores and reads their times in /proc.");
  if (Number(output("nproc", [])) < 2) giveUp("The bench needs two cores: one for the Worker, one for everything else.");
  const missing = programs.filter(({ isThere }) => !isThere()).map(({ debian }) => debian);
  if (missing.length === 0) return;
  const canInstall = process.getuid?.() === 0 && output("apt-get", ["--version"]) !== undefined;
  if (!canInstall) giveUp(`The bench needs ${missing.join(" and ")}. Install them (Debian: apt install ${missing.join(" ")}).`);
  say(`Installing Debian's ${missing.join(" and ")}, which the bench needs`);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  run("apt-get", ["update", "-qq"], { env });
  run("apt-get", ["install", "-qq", "--yes", "--no-install-recommends", ...missing], { env, stdio: ["ignore", "ignore", "inherit"] });
}

/** The peers' packages, which only the bench needs. */
export const needPeers = () => needNode("the peers' packages", "bench/peers");

/** What was measured with. */
export function versions() {
  const of = (folder) => JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8")).version;
  const peers = ["hono", "jose", "@upstash/redis"].map((name) => `${name} ${of(`bench/peers/node_modules/${name}`)}`);
  // wrk and nginx print theirs where errors go, and wrk fails on it.
  const said = (program) => output("sh", ["-c", `${program} -v 2>&1 || true`]) ?? "";
  const [wrk] = /\d+\.\d+\.\d+/.exec(said("wrk")) ?? ["?"];
  const [nginx] = /\d+\.\d+\.\d+/.exec(said("nginx")) ?? ["?"];
  const [redis] = /\d+\.\d+\.\d+/.exec(output("redis-server", ["--version"]) ?? "") ?? ["?"];
  const node = process.versions.node;
  return `workerd ${of("node_modules/workerd")}, wrk ${wrk}, nginx ${nginx}, Redis ${redis}, Node ${node}, ${peers.join(", ")}`;
}
