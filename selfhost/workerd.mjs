// The Workers runtime with the guard in it. Its configuration names the settings and holds no values: those are in
// its environment, so no secret is written to disk.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parse } from "smol-toml";

const root = fileURLToPath(new URL("..", import.meta.url));

/** How long requests may take that are in progress when it stops. */
const GRACE = 10_000;

/** The objects on disk are found by this name. Another one would be another, empty store. */
const OBJECTS = "session-guard-UserSessions";

/**
 * Starts the runtime. Resolves once it listens.
 * @param {{ listen: string, data: string, vars: Record<string, string>, build: string }} options `build` is the folder of the built Worker
 */
export async function startWorkerd({ listen, data, vars, build }) {
  mkdirSync(join(data, "objects"), { recursive: true, mode: 0o700 });
  const config = join(data, "config.capnp");
  writeFileSync(config, configOf(listen, Object.keys(vars), join(data, "objects"), build), { mode: 0o600 });
  const child = spawn(program(), ["serve", config, "--experimental", "--import-path=/", "--control-fd=3"], {
    stdio: ["ignore", "inherit", "inherit", "pipe"],
    env: { ...environment(), ...vars, TZ: "UTC" },
  });
  const exited = once(child, "exit").then(([status]) => /** @type {number | null} */ (status));
  const control = /** @type {import("node:stream").Readable} */ (/** @type {unknown} */ (child.stdio[3]));
  const listening = once(createInterface(control), "line");
  const ended = exited.then((status) => {
    throw new Error(`workerd ended with status ${status}. Is ${listen} in use?`);
  });
  ended.catch(() => undefined);
  const [line] = /** @type {[string]} */ (await Promise.race([listening, ended]));
  return {
    port: /** @type {{ port: number }} */ (JSON.parse(line)).port,
    exited,
    async stop() {
      child.kill("SIGTERM");
      const late = setTimeout(() => child.kill("SIGKILL"), GRACE);
      await exited;
      clearTimeout(late);
    },
  };
}

/** Where the runtime is: beside this, or below Miniflare. */
function program() {
  const require = createRequire(import.meta.url);
  try {
    return require("workerd").default;
  } catch {
    return createRequire(require.resolve("miniflare"))("workerd").default;
  }
}

/** What the runtime itself needs. Settings of other programs are none of its business. */
function environment() {
  const names = ["PATH", "HOME", "SSL_CERT_FILE", "SSL_CERT_DIR", "LD_LIBRARY_PATH"];
  return Object.fromEntries(names.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])));
}

/**
 * The runtime's configuration, as Cap'n Proto text.
 * @param {string} listen @param {string[]} names @param {string} objects @param {string} build
 */
function configOf(listen, names, objects, build) {
  const { compatibility_date, compatibility_flags } = /** @type {{ compatibility_date: string, compatibility_flags: string[] }} */ (/** @type {unknown} */ (parse(readFileSync(join(root, "wrangler.toml"), "utf8"))));
  const bindings = names.map((name) => `(name = ${text(name)}, fromEnvironment = ${text(name)})`);
  return `
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "guard", worker = (
      modules = [
        (name = "index.js", esModule = embed ${text(join(build, "index.js"))}),
        (name = "guard_bg.wasm", wasm = embed ${text(join(build, "guard_bg.wasm"))}),
      ],
      compatibilityDate = ${text(compatibility_date)},
      compatibilityFlags = [${compatibility_flags.map(text).join()}],
      bindings = [(name = "USER_SESSIONS", durableObjectNamespace = "UserSessions"), ${bindings.join()}],
      durableObjectNamespaces = [(className = "UserSessions", enableSql = true, uniqueKey = ${text(OBJECTS)})],
      durableObjectStorage = (localDisk = "objects"),
      globalOutbound = "network")),
    (name = "objects", disk = (path = ${text(objects)}, writable = true)),
    (name = "network", network = (allow = ["public", "private"], tlsOptions = (trustBrowserCas = true))),
  ],
  sockets = [(name = "http", address = ${text(listen)}, http = (), service = "guard")],
);
`;
}

/** A text literal, which has the escapes of C. @param {string} value */
function text(value) {
  const escaped = value.replace(/["\\]/g, "\\$&").replace(/[\u0000-\u001f\u007f]/g, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, "0")}`);
  return `"${escaped}"`;
}
