// `npm run redis`: starts the bridge, which serves the Upstash REST protocol, in front of a local Redis. With
// REDIS_URL, the bridge uses that Redis instead of starting one.

import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { exitWithError, ensureTools, output, root } from "./setup.mjs";

await ensureTools();
const folder = process.env.REDIS_DIR ?? join(root, ".cache/redis");
mkdirSync(folder, { recursive: true });

/** @type {import("node:child_process").ChildProcess | undefined} */
let server;
process.on("exit", () => server?.kill());
const redisUrl = process.env.REDIS_URL || startRedis();
const token = process.env.UPSTASH_REDIS_REST_TOKEN || localToken();
const port = Number(process.env.BRIDGE_PORT ?? 8079);
const host = process.env.BRIDGE_HOST ?? "127.0.0.1";

const { startBridge } = await import("../bridge/server.ts");
const bridge = await startWhenReady();
console.log(`
The bridge serves the Upstash REST protocol at ${bridge.url}, in front of ${redisUrl.replace(/\/\/[^@/]*@/, "//")}.
Set these settings to use it; the token belongs in .dev.vars:

  SESSION_STORE = "redis"
  UPSTASH_REDIS_REST_URL = "${bridge.url}"
  UPSTASH_REDIS_REST_TOKEN=${process.env.UPSTASH_REDIS_REST_TOKEN ? "(as set)" : token}

Press Ctrl-C to stop.
`);

/** Starts a redis-server that stores its data in the project's folder. */
function startRedis() {
  if (output("redis-server", ["--version"]) === undefined) {
    exitWithError("redis-server is missing. Install it (Debian: apt install redis-server; macOS: brew install redis), or set REDIS_URL to a running Redis.");
  }
  const redisPort = Number(process.env.REDIS_PORT ?? 6379);
  const args = ["--port", `${redisPort}`, "--bind", "127.0.0.1", "--dir", folder, "--appendonly", "yes", "--loglevel", "warning"];
  server = spawn("redis-server", args, { stdio: ["ignore", "inherit", "inherit"] });
  server.on("exit", (status) => exitWithError(`redis-server exited with status ${status}. If port ${redisPort} is in use, choose another with REDIS_PORT.`));
  for (const signal of ["SIGINT", "SIGTERM"]) {
    process.on(signal, () => {
      server?.removeAllListeners("exit").on("exit", () => process.exit(0));
      server?.kill();
    });
  }
  return `redis://127.0.0.1:${redisPort}`;
}

/** The token of the local bridge, made on the first start. */
function localToken() {
  const file = join(folder, "token");
  if (!existsSync(file)) writeFileSync(file, randomBytes(24).toString("base64url"), { mode: 0o600 });
  return readFileSync(file, "utf8");
}

/** Starts the bridge; retries while Redis is starting. */
async function startWhenReady() {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await startBridge({ redisUrl, token, port, host });
    } catch (error) {
      const isStarting = /ECONNREFUSED|LOADING/.test(String(error));
      if (attempt === 40 || !isStarting) exitWithError(`The bridge cannot start: ${error instanceof Error ? error.message : error}`);
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }
}
