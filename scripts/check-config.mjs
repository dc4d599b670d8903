// `npm run check-config [-- --env NAME] [--explain "GET /admin/x"]…`: validates the settings before you deploy,
// or shows which rules apply to a request. `--token FILE` (or `-`) says step by step whether a token would be accepted,
// by the keys of its provider, or by those of `--jwks FILE`. Reads secrets from the environment or .dev.vars, if they
// are set there. `--config FILE` may also be the session-guard.toml of a guard on a machine of one's own.

import { spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { readDevVars } from "./dev-vars.mjs";
import { exitWithError, ensureTools, home, logStep, root } from "./setup.mjs";

/** The names of the guard's rate-limit bindings. */
const LIMITERS = ["LOGIN_RATE_LIMITER", "LOGIN_RATE_PER_ADDRESS_LIMITER"];

const DEFAULT_CONFIG = join(home, "wrangler.toml");

/** What is wrong with the arguments or the configuration, so that there is nothing to check. */
export class ConfigError extends Error {}

/** Checks what the arguments say, and returns the exit status. */
export async function checkConfig(args, env, print) {
  const values = options(args);
  const settings = await readSettings(values.config, values.env, env);
  if (values.token !== undefined) return checkToken(settings, read(values.token), values.jwks, print);
  const check = xtask(["check-settings", ...values.explain], JSON.stringify(settings));
  print((await isOwnMachine(values.config)) ? forOwnMachine(check.stdout) : check.stdout);
  if (check.status === 0 && values.explain.length === 0) await checkAuthPath(settings, print);
  return check.status ?? 1;
}

/** Says whether a token would be accepted by the settings of a file, and returns the exit status. */
export async function explainToken({ config, env: name, token, jwks }, env, print) {
  return checkToken(await readSettings(config, name, env), token, jwks, print);
}

function options(args) {
  try {
    const { values } = parseArgs({
      args,
      options: {
        env: { type: "string" },
        config: { type: "string", default: DEFAULT_CONFIG },
        explain: { type: "string", multiple: true, default: [] },
        token: { type: "string" },
        jwks: { type: "string" },
      },
    });
    return values;
  } catch (error) {
    throw new ConfigError(`error: ${error.message}`);
  }
}

/** The configuration as wrangler will read it. */
export async function readWranglerConfig(config = DEFAULT_CONFIG, env = undefined) {
  const { unstable_readConfig } = await import("wrangler");
  return unstable_readConfig({ config, env });
}

/** The settings as the Worker will read them, with the secrets that this machine has. */
export async function readSettings(config = DEFAULT_CONFIG, name, env) {
  if (await isOwnMachine(config)) return readOwnMachine(config, name, env);
  const wrangler = await readWranglerConfig(config, name);
  const secrets = { ...(await readDevVars(name)), ...env };
  // Development keys are ignored, because they are not the deployed ones.
  const isAvailable = (name) => secrets[name] !== undefined && !secrets[name].includes("development-only-");
  const own = ["SIGNING_KEYS", "UPSTASH_REDIS_REST_TOKEN", "ADMIN_API_KEY", "INTROSPECTION_KEY", "FORWARD_AUTH_KEY", "EVENTS_WEBHOOK_SECRET"];
  const all = [...own, ...secretsOfIssuers(wrangler.vars.TRUSTED_ISSUERS)];
  const names = all.filter(isAvailable);
  for (const name of all) {
    if (name in wrangler.vars) throw new ConfigError(`error: ${name} is a secret and does not belong in [vars]; set it with \`npx wrangler secret put ${name}\`.`);
  }
  const vars = Object.entries(wrangler.vars).map(([name, value]) => [name, typeof value === "string" ? value : JSON.stringify(value)]);
  const settings = Object.fromEntries([...names.map((name) => [name, secrets[name]]), ...vars]);
  const bound = wrangler.durable_objects.bindings.some(({ name }) => name === "USER_SESSIONS");
  if (!bound && (settings.SESSION_STORE !== "redis" || settings.SESSION_STORE_BEFORE === "durable-object")) {
    throw new ConfigError("error: USER_SESSIONS is not bound. Add the Durable Object binding of this name to wrangler.toml.");
  }
  // The value that stands for a binding in the settings.
  if (wrangler.services?.some(({ binding }) => binding === "ORIGIN")) settings.ORIGIN = "(bound)";
  for (const { name, simple } of wrangler.ratelimits ?? []) {
    if (LIMITERS.includes(name)) settings[name] = `${simple.limit} per ${simple.period} seconds`;
  }
  return settings;
}

async function isOwnMachine(config = DEFAULT_CONFIG) {
  const { isSelfHosted } = await import("../selfhost/settings.mjs");
  return isSelfHosted(config);
}

/** The settings of a guard on a machine of one's own, as selfhost/serve.mjs passes them on. */
async function readOwnMachine(config, name, env) {
  if (name !== undefined) throw new ConfigError(`error: ${config} has no environments; leave --env out.`);
  const { readSettings, SettingsError } = await import("../selfhost/settings.mjs");
  try {
    const { vars, redis } = readSettings(resolve(config), env);
    // The bridge's values are made when the guard starts.
    const bridge = { SESSION_STORE: "redis", UPSTASH_REDIS_REST_URL: "http://127.0.0.1:8079", UPSTASH_REDIS_REST_TOKEN: "made-by-the-bridge" };
    return redis === undefined ? vars : { ...vars, ...bridge };
  } catch (error) {
    throw error instanceof SettingsError ? new ConfigError(`error: ${error.message}`) : error;
  }
}

/** What the tool says is for Cloudflare. */
const forOwnMachine = (text) =>
  text
    .replace(/^note: TRUSTED_PROXIES is for a `workerd` of your own.*\n/m, "")
    .replace(/set it with `npx wrangler secret put (\w+)`/g, "set it in the file that `secrets_file` names, or as GUARD_$1");

/** The variables that TRUSTED_ISSUERS names as those of secrets. What is wrong with it, the check says. */
function secretsOfIssuers(list = []) {
  try {
    const issuers = typeof list === "string" ? JSON.parse(list) : list;
    const names = issuers.flatMap((issuer) => [issuer?.access_tokens?.secret, issuer?.client_secret_name]);
    return names.filter((name) => /^[A-Z][A-Z0-9_]*$/.test(name));
  } catch {
    return [];
  }
}

/** Says whether a token would be accepted, and returns the exit status. */
async function checkToken(settings, token, jwksFile, print) {
  const input = { settings, token, now: Date.now() };
  const { jwks_uri, metadata } = JSON.parse(xtask(["token-keys"], JSON.stringify(input)).stdout);
  const keys = jwksFile === undefined ? await fetchKeys(jwks_uri ?? await keysBy(metadata)) : { jwks: read(jwksFile) };
  const check = xtask(["check-token"], JSON.stringify({ ...input, ...keys }));
  print(check.stdout);
  return check.status ?? 1;
}

function read(file) {
  try {
    return readFileSync(file === "-" ? 0 : file, "utf8");
  } catch (error) {
    throw new ConfigError(`error: ${file} cannot be read: ${error.code}`);
  }
}

/** Where a provider's metadata say that its keys are. */
async function keysBy(url) {
  if (url === undefined) return undefined;
  const response = await fetch(url, { redirect: "manual", signal: AbortSignal.timeout(5000) }).catch(() => undefined);
  const metadata = await response?.json().catch(() => undefined);
  return metadata?.jwks_uri ?? url;
}

/** A provider's keys, as the Worker fetches them: without following redirects. */
async function fetchKeys(url) {
  if (url === undefined) return {};
  try {
    const response = await fetch(url, { redirect: "manual", signal: AbortSignal.timeout(5000) });
    return response.status === 200 ? { jwks: await response.text() } : { problem: `could not be fetched: the answer was ${response.status}` };
  } catch {
    return { problem: "could not be fetched from this machine; download them, and name the file with --jwks" };
  }
}

/** Warns if AUTH_PATH hides something that the origin serves, provided that this machine can reach the origin. */
async function checkAuthPath({ ORIGIN_URL = "", AUTH_PATH = "/_auth" }, print) {
  if (ORIGIN_URL === "") return;
  const authPath = AUTH_PATH.trim().replace(/\/+$/, "") || "/_auth";
  const { userAgent, paths } = JSON.parse(xtask(["auth-path", authPath]).stdout);
  const statusOf = async (path) => {
    const init = { headers: { "user-agent": userAgent }, redirect: "manual", signal: AbortSignal.timeout(5000) };
    const response = await fetch(new URL(path, ORIGIN_URL), init);
    await response.body?.cancel();
    return response.status;
  };
  const unusedPath = `/${randomUUID()}`;
  const statuses = await Promise.all([unusedPath, ...paths].map(statusOf)).catch(() => undefined);
  if (statuses === undefined) print("note: ORIGIN_URL is not reachable from this machine, so check-config cannot tell whether AUTH_PATH hides anything of it\n");
  else print(xtask(["auth-path", authPath, ...statuses.map(String)]).stdout);
}

/** Runs the project's tool, which is built once. Its errors are shown as they come. */
function xtask(args, input = "") {
  executable ??= buildXtask();
  return spawnSync(executable, args, { cwd: root, input, encoding: "utf8", stdio: ["pipe", "pipe", "inherit"] });
}

let executable;

/** Builds the tool, and returns its path. */
function buildXtask() {
  const folder = process.env.CARGO_TARGET_DIR ?? join(root, "target");
  if (!existsSync(join(folder, "debug/xtask"))) logStep("Building what checks the settings (the first time takes a minute or two)");
  const args = ["build", "--quiet", "--locked", "--package", "xtask", "--message-format", "json-render-diagnostics"];
  const { status, stdout } = spawnSync("cargo", args, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
  if (status !== 0) throw new ConfigError("error: the project's tool xtask cannot be built.");
  return stdout.trim().split("\n").map((line) => JSON.parse(line).executable).findLast(Boolean);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await ensureTools();
  try {
    process.exitCode = await checkConfig(process.argv.slice(2), process.env, (text) => process.stdout.write(text));
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    exitWithError(error.message);
  }
}
