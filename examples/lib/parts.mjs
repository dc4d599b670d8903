// What runs in every try: the application, somebody to check passwords, and the guard in front.

import { spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { appendFileSync, openSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { root } from "../../scripts/setup.mjs";

/**
 * Starts all parts on free ports, and waits until they answer.
 * @param {string} folder where logs go
 * @param {(port: number, site: string, log: number) => import("node:child_process").ChildProcess} startApplication
 * @param {{ vars?: Record<string, string> | ((site: string) => Record<string, string>), path?: string }} options settings of the guard, and what the application answers when it is up
 */
export async function startParts(folder, startApplication, { vars = {}, path = "/" } = {}) {
  const [originPort, membersPort, port] = [await freePort(), await freePort(), await freePort()];
  const [origin, members, site] = [`http://127.0.0.1:${originPort}`, `http://127.0.0.1:${membersPort}`, `http://localhost:${port}`];
  const parts = [
    startApplication(originPort, site, openSync(join(folder, "application.log"), "w")),
    // It checks that the guard asks, by its public keys.
    spawn(process.execPath, [join(root, "examples/origin/server.mjs")], { env: { ...process.env, ORIGIN_PORT: `${membersPort}`, GUARD_URL: site, ISSUER: site }, stdio: "ignore" }),
  ];
  const guard = await startGuard(folder, port, { ORIGIN_URL: origin, LOGIN_URL: `${members}/internal/login`, ISSUER: site, AUDIENCE: site, ...(typeof vars === "function" ? vars(site) : vars) });
  const stop = async () => {
    const ended = parts.filter(({ exitCode }) => exitCode === null).map((part) => once(part, "exit"));
    for (const part of parts) part.kill();
    await Promise.all([...ended, guard.dispose()]);
  };
  try {
    for (const url of [`${origin}${path}`, members, `${site}/_auth/health`]) await answers(url, folder);
  } catch (error) {
    await stop();
    throw error;
  }
  return { origin, site, folder, stop };
}

/** The built Worker in workerd, past Miniflare's proxy, which rewrites paths. */
async function startGuard(folder, port, vars) {
  const { convertV4MiniflareOptions, Miniflare } = await import("miniflare");
  const { parse } = await import("smol-toml");
  const { compatibility_date, compatibility_flags } = parse(readFileSync(join(root, "wrangler.toml"), "utf8"));
  rmSync(join(folder, "guard.log"), { force: true });
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const key = { ...privateKey.export({ format: "jwk" }), alg: "ES256", kid: "try" };
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
async function answers(url, folder) {
  for (let attempt = 0; attempt < 240; attempt += 1) {
    try {
      // All of it: Node's own client fails when a server closes on an answer that nobody has read.
      await (await fetch(url)).arrayBuffer();
      return;
    } catch {
      await new Promise((again) => setTimeout(again, 250));
    }
  }
  throw new Error(`${url} does not answer; see ${folder}/application.log`);
}
