// `npm run redis`: a Redis with Upstash's REST protocol before it, for this machine. With
// REDIS_URL set, the bridge stands before that Redis instead of one of its own.

import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { giveUp, needTools, output, root } from "./setup.mjs";

await needTools();
const folder = process.env.REDIS_DIR ?? join(root, ".cache/redis");
mkdirSync(folder, { recursive: true });

/** @type {import("node:child_process").ChildProcess | undefined} */
let server;
process.on("exit", () => server?.kill());
const redisUrl = process.env.REDIS_URL || ownRedis();
const token = process.env.UPSTASH_REDIS_REST_TOKEN || ownToken();
const port = Number(process.env.BRIDGE_PORT ?? 8079);
const host = process.env.BRIDGE_HOST ?? "127.0.0.1";

const { startBridge } = await import("../bridge/server.ts");
const bridge = await connected();
console.log(`
The bridge speaks Upstash's REST protocol at ${bridge.url}, before ${redisUrl.replace(/\/\/[^@/]*@/, "//")}.
Point the guard at it with these settings, the token in .dev.vars:

  SESSION_STORE = "redis"
  UPSTASH_REDIS_REST_URL = "${bridge.url}"
  UPSTASH_REDIS_REST_TOKEN=${process.env.UPSTASH_REDIS_REST_TOKEN ? "(as set)" : token}

Press Ctrl-C to stop.
`);

/** Starts a redis-server that keeps its data in the project's folder. */
function ownRedis() {
  if (output("redis-server", ["--version"]) === undefined) {
    giveUp("redis-server is missing. Install it (Debian: apt install redis-server; macOS: brew install redis), or set REDIS_URL to a Redis that runs.");
  }
  const redisPort = Number(process.env.REDIS_PORT ?? 6379);
  const args = ["--port", `${redisPort}`, "--bind", "127.0.0.1", "--dir", folder, "--appendonly", "yes", "--loglevel", "warning"];
  server = spawn("redis-server", args, { stdio: ["ignore", "inherit", "inherit"] });
  server.on("exit", (status) => giveUp(`redis-server has ended with ${status}; is port ${redisPort} taken? REDIS_PORT names another.`));
  for (const signal of ["SIGINT", "SIGTERM"]) {
    process.on(signal, () => {
      server?.removeAllListeners("exit").on("exit", () => process.exit(0));
      server?.kill();
    });
  }
  return `redis://127.0.0.1:${redisPort}`;
}

/** A token of this project's own, made once. */
function ownToken() {
  const file = join(folder, "token");
  if (!existsSync(file)) writeFileSync(file, randomBytes(24).toString("base64url"), { mode: 0o600 });
  return readFileSync(file, "utf8");
}

/** The bridge, once Redis answers. */
async function connected() {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await startBridge({ redisUrl, token, port, host });
    } catch (error) {
      const isStarting = /ECONNREFUSED|LOADING/.test(String(error));
      if (attempt === 40 || !isStarting) giveUp(`The bridge cannot start: ${error instanceof Error ? error.message : error}`);
      await new Promise((again) => setTimeout(again, 250));
    }
  }
}
