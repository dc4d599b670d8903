// JupyterLab, as it is started.

import { spawn } from "node:child_process";
import { mkdirSync, realpathSync, rmSync } from "node:fs";
import { join } from "node:path";
import { root } from "../../scripts/setup.mjs";
import { startParts } from "../lib/parts.mjs";

/** Where all of this lives. */
export const folder = join(root, ".cache/jupyterlab");

/** Starts all parts, and says where JupyterLab's files are. */
export async function start() {
  return { ...(await startParts(folder, startJupyter, { path: "/api" })), files: join(folder, "files") };
}

/** JupyterLab with new folders, so that it neither sees nor changes those of this machine's user. */
function startJupyter(port, site, log) {
  // Jupyter answers downloads with 500 when a symbolic link is on the way to its files.
  const real = realpathSync(folder);
  const own = Object.fromEntries(["files", "config", "data", "runtime", "ipython", "lab"].map((name) => [name, join(real, name)]));
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
  return spawn(join(folder, "venv/bin/python"), [...args, ...named, ...asRoot], { cwd: own.files, env, stdio: ["ignore", log, log] });
}
