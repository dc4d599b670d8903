// What `session-guard.toml`, the file of secrets and the environment say about a guard on this machine.

import { readFileSync, statSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { parseEnv } from "node:util";
import { parse } from "smol-toml";

/** What is wrong with the settings, and what to change. */
export class SettingsError extends Error {
  name = "SettingsError";
}

/** The members of the file, each with the variable of the environment that overrides it. */
const MEMBERS = { listen: "GUARD_LISTEN", data: "GUARD_DATA", redis: "GUARD_REDIS_URL", secrets_file: "GUARD_SECRETS_FILE" };

/** What these variables begin with, and those of the guard's own settings. */
const PREFIX = "GUARD_";

/** Settings that are secrets whatever they are called by. */
const SECRETS = /^(SIGNING_KEYS|.*_(KEY|SECRET|TOKEN))$/;

/** Members that the configuration of a Worker has, and such a file has not. */
const WRANGLERS = ["name", "main", "compatibility_date"];

/**
 * @typedef {{ listen: string, data: string, redis: string | undefined, secretsFile: string | undefined, vars: Record<string, string> }} Settings
 */

/** Is a file a `session-guard.toml`, whatever its name, and no `wrangler.toml`? @param {string} file */
export function isSelfHosted(file) {
  if (basename(file) === "session-guard.toml") return true;
  if (!/\.toml$/.test(file)) return false;
  try {
    const all = parse(readFileSync(file, "utf8"));
    return !WRANGLERS.some((name) => name in all);
  } catch {
    return false;
  }
}

/**
 * Reads the settings.
 * @param {string | undefined} file `session-guard.toml`; `undefined`: the environment says everything
 * @param {NodeJS.ProcessEnv} env
 * @returns {Settings}
 */
export function readSettings(file, env) {
  const { vars = {}, ...said } = file === undefined ? {} : readFile(file);
  const unknown = Object.keys(said).find((name) => !(name in MEMBERS));
  if (unknown !== undefined) throw new SettingsError(`${file}: \`${unknown}\` is unknown. Known are ${Object.keys(MEMBERS).join(", ")}, and the guard's settings under [vars].`);
  const member = (/** @type {keyof typeof MEMBERS} */ name) => env[MEMBERS[name]] ?? text(said[name], `${file}: ${name}`);
  const secret = Object.keys(vars).find((name) => SECRETS.test(name));
  if (secret !== undefined) throw new SettingsError(`${file}: ${secret} is a secret. Put it into the file that \`secrets_file\` names, or set ${PREFIX}${secret} in the environment.`);
  const beside = (/** @type {string} */ path) => resolve(file === undefined ? "." : dirname(file), path);
  const secrets = member("secrets_file");
  const secretsFile = secrets === undefined ? undefined : beside(secrets);
  return {
    listen: address(member("listen") ?? "127.0.0.1:8080"),
    data: beside(member("data") ?? "session-guard-data"),
    redis: member("redis"),
    secretsFile,
    vars: { TRUSTED_PROXIES: "none", ...texts(vars), ...(secretsFile === undefined ? {} : readSecrets(secretsFile)), ...fromEnvironment(env) },
  };
}

/** @param {string} file @returns {Record<string, any>} */
function readFile(file) {
  try {
    return parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new SettingsError(`${file}: ${error instanceof Error ? error.message : error}`);
  }
}

/** The secrets in a file of lines like `NAME=value`, which nobody else can read. @param {string} file */
function readSecrets(file) {
  try {
    if (statSync(file).mode & 0o007) throw new SettingsError(`${file}: everybody on this machine can read the secrets. Run \`chmod 600 ${file}\`.`);
    return /** @type {Record<string, string>} */ (parseEnv(readFileSync(file, "utf8")));
  } catch (error) {
    if (error instanceof SettingsError) throw error;
    throw new SettingsError(`secrets_file: ${error instanceof Error ? error.message : error}`);
  }
}

/** The guard's settings that the environment has. @param {NodeJS.ProcessEnv} env */
function fromEnvironment(env) {
  const own = Object.values(MEMBERS);
  const named = Object.entries(env).filter(([name]) => name.startsWith(PREFIX) && !own.includes(name));
  return Object.fromEntries(named.map(([name, value]) => [name.slice(PREFIX.length), value ?? ""]));
}

/** Values as the guard reads them: texts, and others as JSON. @param {Record<string, unknown>} vars */
function texts(vars) {
  return Object.fromEntries(Object.entries(vars).map(([name, value]) => [name, typeof value === "string" ? value : JSON.stringify(value)]));
}

/** @param {unknown} value @param {string} name */
function text(value, name) {
  if (value === undefined || typeof value === "string") return value;
  throw new SettingsError(`${name} must be a text.`);
}

/** @param {string} text */
function address(text) {
  const [, host, port] = /^(\*|[\w.-]+|\[[\da-fA-F:.]+\])?:(\d{1,5})$/.exec(text) ?? [];
  if (port === undefined) throw new SettingsError(`listen: expected an address and a port, like \`127.0.0.1:8080\` or \`*:8080\`, got "${text}"`);
  return `${host ?? "*"}:${port}`;
}
