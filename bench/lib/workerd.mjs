// Runs workers in workerd without Miniflare, one per process.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { root } from "../../scripts/setup.mjs";

/** Running processes. They are killed when this process exits. */
const running = new Set();
process.on("exit", () => running.forEach((child) => child.kill("SIGKILL")));
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(1));

/** Starts a program, pinned to a CPU core if one is given. It ends with this process. */
export function startPinned(core, program, args, options = {}) {
  const pinned = core === undefined ? [program, ...args] : ["taskset", "-c", `${core}`, program, ...args];
  const child = spawn(pinned[0], pinned.slice(1), { stdio: ["ignore", "inherit", "inherit"], ...options });
  running.add(child);
  child.once("exit", () => running.delete(child));
  return child;
}

/** Kills a program and waits for its exit. */
export async function end(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}

/** Serves a folder that has a `config.capnp`; returns when workerd listens. */
export async function serve(folder, core) {
  const args = ["serve", "--control-fd=3", join(folder, "config.capnp")];
  const child = startPinned(core, workerd(), args, { stdio: ["ignore", "ignore", "inherit", "pipe"] });
  const [line] = await Promise.race([
    once(createInterface(child.stdio[3]), "line"),
    once(child, "exit").then(() => Promise.reject(new Error("workerd exited"))),
  ]);
  const { port } = JSON.parse(line);
  return { pid: child.pid, port, url: `http://127.0.0.1:${port}`, end: () => end(child) };
}

/**
 * Writes a worker's folder: its modules and configuration. `modules` maps names to paths; `bindings` are text bindings;
 * `objects` names a Durable Object class, which is bound as USER_SESSIONS and stored on disk.
 */
export function writeWorker(folder, { modules, bindings = {}, objects, date, flags = [], v8Flags = [] }) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, "objects"), { recursive: true });
  for (const [name, path] of Object.entries(modules)) writeFileSync(join(folder, name), readFileSync(path));
  const kinds = Object.keys(modules).map((name) => `(name = "${name}", ${name.endsWith(".wasm") ? "wasm" : "esModule"} = embed "${name}")`);
  const texts = Object.entries(bindings).map(([name, text]) => `(name = "${name}", text = ${JSON.stringify(text)})`);
  if (objects) texts.push(`(name = "USER_SESSIONS", durableObjectNamespace = "${objects}")`);
  const storage = objects && `
  durableObjectNamespaces = [(className = "${objects}", uniqueKey = "bench-${objects}", enableSql = true)],
  durableObjectStorage = (localDisk = "disk"),`;
  writeFileSync(join(folder, "config.capnp"), `using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "bench", worker = .bench),
    (name = "internet", network = (allow = ["public", "private"])),
    (name = "disk", disk = (path = ${JSON.stringify(join(folder, "objects"))}, writable = true)),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "bench")],
  v8Flags = ${JSON.stringify(v8Flags)},
);

const bench :Workerd.Worker = (
  modules = [${kinds.join(", ")}],
  bindings = [${texts.join(", ")}],
  compatibilityDate = "${date}",
  compatibilityFlags = ${JSON.stringify(flags)},${storage ?? ""}
);
`);
}

/** The path of the workerd binary. npm's `workerd` is only a script that starts it. */
export function workerd() {
  const packages = join(root, "node_modules/@cloudflare");
  const [own] = readdirSync(packages).filter((name) => name.startsWith(`workerd-${process.platform}`));
  return join(packages, own, "bin/workerd");
}

/** The CPU time of a process since its start, of all threads, in µs. */
export function cpuMicros(pid) {
  const threads = readdirSync(`/proc/${pid}/task`).map((id) => readFileSync(`/proc/${pid}/task/${id}/schedstat`, "utf8"));
  return threads.reduce((sum, stat) => sum + Number(stat.split(" ")[0]) / 1000, 0);
}

/** The resident memory of a process, in MB. */
export function residentMegabytes(pid) {
  const [, kilobytes] = /^VmRSS:\s*(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kilobytes) / 1024;
}
