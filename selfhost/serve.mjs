#!/usr/bin/env node
// `npm run self-host -- --config FILE`: runs the guard on this machine, with sessions on disk or in a Redis.

import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, realpathSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { lockCurrentFolder } from "./lock.mjs";
import { readSettings, SettingsError } from "./settings.mjs";
import { startWorkerd } from "./workerd.mjs";

const HELP = `Runs Session Guard on this machine, on the Workers runtime.

  --config FILE   the settings; without it, ./session-guard.toml if it is there, and the environment
  --build FOLDER  the built Worker, if it is not the one beside this program
  --health        only asks the guard that runs with these settings whether it is healthy; the exit status is 0 if it is

An example of the file is selfhost/session-guard.toml. docs/self-hosting.md says the rest.`;

/** How long Redis may take to start, in tries of a quarter of a second. */
const REDIS_TRIES = 40;

/**
 * Runs the guard until it is told to stop. Returns the exit status.
 * @param {{ config?: string, build?: string, env?: NodeJS.ProcessEnv }} options
 */
export async function serve({ config, build = fileURLToPath(new URL("../build", import.meta.url)), env = process.env }) {
  const settings = settingsOf(config, env);
  const folder = resolve(build);
  if (!existsSync(join(folder, "index.js"))) throw new SettingsError(`${folder} has no built Worker. Run \`npm run build\`.`);
  mkdirSync(settings.data, { recursive: true, mode: 0o700 });
  process.chdir(settings.data);
  if (!(await lockCurrentFolder())) throw new SettingsError(`Another guard uses ${settings.data}. Stop it first: two would not know of each other's sessions.`);
  const bridge = settings.redis === undefined ? undefined : await startBridge(settings.redis);
  const workerd = await startWorkerd({ ...settings, vars: { ...settings.vars, ...bridge?.vars }, build: folder });
  const stopped = new Promise((stop) => ["SIGINT", "SIGTERM"].forEach((signal) => process.on(signal, () => stop(0))));
  console.error(await introduction(settings, workerd.port));
  const status = await Promise.race([stopped, workerd.exited.then(() => 1)]);
  await workerd.stop();
  await bridge?.close();
  return status;
}

/** @param {string | undefined} config @param {NodeJS.ProcessEnv} env */
function settingsOf(config, env) {
  const file = config ?? (existsSync("session-guard.toml") ? "session-guard.toml" : undefined);
  return readSettings(file === undefined ? undefined : resolve(file), env);
}

/** Stands before a Redis, for this guard alone. @param {string} redisUrl */
async function startBridge(redisUrl) {
  const { startBridge } = await import("../bridge/server.ts");
  const token = randomBytes(24).toString("base64url");
  for (let left = REDIS_TRIES; ; left -= 1) {
    try {
      const bridge = await startBridge({ redisUrl, token, port: 0 });
      const vars = { SESSION_STORE: "redis", UPSTASH_REDIS_REST_URL: bridge.url, UPSTASH_REDIS_REST_TOKEN: token };
      return { vars, close: () => bridge.close() };
    } catch (error) {
      if (left === 0 || !/ECONNREFUSED|LOADING/.test(String(error))) throw new SettingsError(`redis: ${error instanceof Error ? error.message : error}`);
      await new Promise((resume) => setTimeout(resume, 250));
    }
  }
}

/** Where the guard answers on this machine. @param {import("./settings.mjs").Settings} settings @param {number} [port] */
function addressOf({ listen }, port) {
  const at = listen.lastIndexOf(":");
  const host = listen.slice(0, at);
  return `http://${/^(\*|0\.0\.0\.0|\[::\])$/.test(host) ? "127.0.0.1" : host}:${port ?? listen.slice(at + 1)}`;
}

/** The status of `GET health`, or why there is none. @param {string} address @param {import("./settings.mjs").Settings} settings */
async function health(address, { vars }) {
  const path = `${(vars["AUTH_PATH"] ?? "/_auth").replace(/\/+$/, "")}/health`;
  const answer = await fetch(address + path, { redirect: "manual", signal: AbortSignal.timeout(20_000) }).catch(String);
  return typeof answer === "string" ? answer : answer.status;
}

/** What runs where, and whether it works. @param {import("./settings.mjs").Settings} settings @param {number} port */
async function introduction(settings, port) {
  const { data, redis, vars } = settings;
  const address = addressOf(settings, port);
  const status = await health(address, settings);
  const proxies = vars["TRUSTED_PROXIES"] === "none" ? "none, so the client is whoever connects" : vars["TRUSTED_PROXIES"];
  const state = status === 200 ? "healthy" : status === 500 ? "the settings are wrong: the line above says which" : `health answers ${status}: see the lines above`;
  return `Session Guard listens on ${address}
  origin:   ${vars["ORIGIN_URL"] ?? "missing: set ORIGIN_URL"}
  sessions: ${redis === undefined ? join(data, "objects") : withoutPassword(redis)}
  proxies:  ${proxies}
  state:    ${state}
Press Ctrl-C to stop.`;
}

/** @param {string} redisUrl */
function withoutPassword(redisUrl) {
  const url = URL.parse(redisUrl);
  return url === null ? "a Redis" : `${url.protocol}//${url.host}${url.pathname}`;
}

/** Asks the guard that runs with these settings. Returns the exit status. @param {string | undefined} config */
async function checkHealth(config) {
  const settings = settingsOf(config, process.env);
  const status = await health(addressOf(settings), settings);
  console.log(status === 200 ? "healthy" : `not healthy: ${status}`);
  return status === 200 ? 0 : 1;
}

/** Runs it as a command. @param {string[]} args */
export async function main(args) {
  try {
    const { values } = parseArgs({ args, options: { config: { type: "string" }, build: { type: "string" }, health: { type: "boolean" }, help: { type: "boolean", short: "h" } } });
    if (values.health) return await checkHealth(values.config);
    if (!values.help) return await serve(values);
    console.log(HELP);
    return 0;
  } catch (error) {
    const isUsage = error instanceof SettingsError || (error instanceof Error && "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS"));
    if (!isUsage) throw error;
    console.error(error.message);
    return 2;
  }
}

// A link may lead here: npm's to a command, or a folder's to the newest release.
const isCommand = process.argv[1] !== undefined && fileURLToPath(import.meta.url) === realpathSync(process.argv[1]);
if (isCommand) process.exit(await main(process.argv.slice(2)));
