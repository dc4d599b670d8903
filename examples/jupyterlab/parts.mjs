// What runs: JupyterLab, somebody to check passwords, and the guard in front.

import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { appendFileSync, mkdirSync, openSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { root } from "../../scripts/setup.mjs";

/** Where all of this lives. */
export const folder = join(root, ".cache/jupyterlab");

/** Starts all parts on free ports, and waits until they answer. */
export async function startParts() {
  const [jupyterPort, membersPort, port] = [await freePort(), await freePort(), await freePort()];
  const [origin, members, site] = [`http://127.0.0.1:${jupyterPort}`, `http://127.0.0.1:${membersPort}`, `http://localhost:${port}`];
  const parts = [
    startJupyter(jupyterPort, site),
    spawn(process.execPath, [join(root, "examples/origin/server.mjs")], { env: { ...process.env, ORIGIN_PORT: `${membersPort}` }, stdio: "ignore" }),
  ];
  const guard = await startGuard(port, { ORIGIN_URL: origin, LOGIN_URL: `${members}/internal/login`, ISSUER: site, AUDIENCE: site });
  const stop = async () => {
    const ended = parts.filter(({ exitCode }) => exitCode === null).map((part) => once(part, "exit"));
    for (const part of parts) part.kill();
    await Promise.all([...ended, guard.dispose()]);
  };
  try {
    await Promise.all([answers(`${origin}/api`), answers(members), answers(`${site}/_auth/health`)]);
  } catch (error) {
    await stop();
    throw error;
  }
  return { origin, site, files: join(folder, "files"), stop };
}

/** JupyterLab with new folders, so that it neither sees nor changes those of this machine's user. */
function startJupyter(port, site) {
  const own = Object.fromEntries(["files", "config", "data", "runtime", "ipython", "lab"].map((name) => [name, join(folder, name)]));
  for (const path of Object.values(own)) {
    rmSync(path, { recursive: true, force: true });
    mkdirSync(path, { recursive: true });
  }
  const args = ["-m", "jupyterlab", "--config", join(root, "examples/jupyterlab/jupyter_server_config.py")];
  const named = [`--ServerApp.port=${port}`, "--ServerApp.port_retries=0", `--ServerApp.root_dir=${own.files}`];
  const asRoot = process.getuid?.() === 0 ? ["--allow-root"] : [];
  const env = {
    ...process.env, SITE: site, JUPYTER_CONFIG_DIR: own.config, JUPYTER_DATA_DIR: own.data, JUPYTER_RUNTIME_DIR: own.runtime,
    IPYTHONDIR: own.ipython, JUPYTERLAB_SETTINGS_DIR: own.lab, JUPYTERLAB_WORKSPACES_DIR: own.lab,
  };
  const log = openSync(join(folder, "jupyterlab.log"), "w");
  return spawn(join(folder, "venv/bin/python"), [...args, ...named, ...asRoot], { cwd: own.files, env, stdio: ["ignore", log, log] });
}

/** The built Worker in workerd, past Miniflare's proxy, which rewrites paths. */
async function startGuard(port, vars) {
  const { convertV4MiniflareOptions, Miniflare } = await import("miniflare");
  const { parse } = await import("smol-toml");
  const { compatibility_date, compatibility_flags } = parse(readFileSync(join(root, "wrangler.toml"), "utf8"));
  rmSync(join(folder, "guard.log"), { force: true });
  const key = { kty: "oct", alg: "HS256", kid: "try", k: randomBytes(32).toString("base64url") };
  const guard = new Miniflare(convertV4MiniflareOptions({
    modules: [
      { type: "ESModule", path: join(root, "build/index.js") },
      { type: "CompiledWasm", path: join(root, "build/guard_bg.wasm") },
    ],
    modulesRoot: join(root, "build"),
    compatibilityDate: compatibility_date,
    compatibilityFlags: compatibility_flags,
    handleStructuredLogs: ({ message }) => appendFileSync(join(folder, "guard.log"), `${message}\n`),
    bindings: { ...vars, SIGNING_KEYS: JSON.stringify({ keys: [key] }) },
    unsafeDirectSockets: [{ host: "127.0.0.1", port }],
    durableObjects: { USER_SESSIONS: { className: "UserSessions", useSQLite: true } },
  }));
  await guard.ready;
  return guard;
}

function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

/** Waits until somebody answers there, whatever they say. */
async function answers(url) {
  for (let attempt = 0; attempt < 240; attempt += 1) {
    try {
      await fetch(url);
      return;
    } catch {
      await new Promise((again) => setTimeout(again, 250));
    }
  }
  throw new Error(`${url} does not answer; see ${folder}/jupyterlab.log`);
}
