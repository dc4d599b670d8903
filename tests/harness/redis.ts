// A real Redis behind the project's bridge.

import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "redis";
import { startBridge } from "../../bridge/server.ts";

/** The token of the tests' bridge. */
export const REST_TOKEN = "token-of-the-tests";

/** The settings of a guard whose store is the Redis behind this URL, with keys of its own. */
export const redisVars = (restUrl: string) => ({
  SESSION_STORE: "redis",
  UPSTASH_REDIS_REST_URL: restUrl,
  UPSTASH_REDIS_REST_TOKEN: REST_TOKEN,
  REDIS_KEYSPACE: `test:${randomBytes(6).toString("hex")}:`,
});

/** Redis, and the bridge before it. */
export interface RedisAndBridge extends AsyncDisposable {
  /** `redis://…` */
  redisUrl: string;
  /** What `UPSTASH_REDIS_REST_URL` is set to. */
  restUrl: string;
  /** Redis hangs, and answers nobody. */
  pause(): void;
  /** It answers again. */
  resume(): void;
  /** It is killed as by a power cut, and started again on what it had written. */
  restart(): Promise<void>;
}

/**
 * Starts both on free ports; with `keeps`, Redis writes all down before it answers; without `bridged` there is
 * no bridge.
 */
export async function startRedis({ keeps = false, bridged = true, args = [] as string[] } = {}): Promise<RedisAndBridge> {
  const folder = await mkdtemp(join(tmpdir(), "session-guard-redis-"));
  const port = await freePort();
  const durability = keeps ? ["--appendonly", "yes", "--appendfsync", "always"] : [];
  const redisUrl = `redis://127.0.0.1:${port}`;
  const start = async () => {
    const server = spawn("redis-server", ["--port", `${port}`, "--bind", "127.0.0.1", "--dir", folder, "--save", "", ...durability, ...args]);
    let log = "";
    server.stdout.on("data", (chunk: Buffer) => (log += chunk.toString()));
    const failed = once(server, "error").then(([error]) => {
      throw new Error(`redis-server cannot be run; install it: ${String(error)}`);
    });
    await Promise.race([failed, answers(redisUrl, () => log)]);
    failed.catch(() => undefined);
    return server;
  };
  const stop = async (signal: NodeJS.Signals) => {
    if (server.exitCode !== null || server.signalCode !== null) return;
    const exited = once(server, "exit");
    server.kill(signal);
    await exited;
  };
  let server = await start();
  const bridge = bridged ? await startBridge({ redisUrl, token: REST_TOKEN, port: 0 }) : undefined;
  return {
    redisUrl,
    restUrl: bridge?.url ?? "",
    pause: () => void server.kill("SIGSTOP"),
    resume: () => void server.kill("SIGCONT"),
    async restart() {
      await stop("SIGKILL");
      server = await start();
    },
    async [Symbol.asyncDispose]() {
      await bridge?.close();
      await stop("SIGTERM");
      await rm(folder, { recursive: true });
    },
  };
}

async function answers(url: string, log: () => string): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const client = createClient({ url, socket: { reconnectStrategy: false } });
    client.on("error", () => undefined);
    try {
      await client.connect();
      await client.ping();
      client.destroy();
      return;
    } catch {
      await new Promise((again) => setTimeout(again, 50));
    }
  }
  throw new Error(`redis-server does not answer:\n${log()}`);
}

/** A port that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  return port;
}
