// What the commands use of the project's scripts. These are loaded by their URL, because they are not type-checked.

import { spawnSync } from "node:child_process";

/**
 * @typedef {object} Setup
 * @property {string} root
 * @property {boolean} isRepository
 * @property {string} home
 * @property {(needs: { rust: boolean }) => Promise<void>} ensureTools
 * @property {(command: string, args: string[]) => string | undefined} output
 */

/** @param {string} name @returns {Promise<unknown>} */
const script = (name) => import(new URL(`../scripts/${name}`, import.meta.url).href);

/**
 * @typedef {object} CheckConfig
 * @property {(args: string[], env: NodeJS.ProcessEnv, print: (text: string) => void) => Promise<number>} checkConfig
 * @property {(what: { config?: string, env?: string, token: string, jwks?: string }, env: NodeJS.ProcessEnv, print: (text: string) => void) => Promise<number>} explainToken
 * @property {(config: string | undefined, env: string | undefined, variables: NodeJS.ProcessEnv) => Promise<Record<string, string>>} readSettings
 * @property {(config?: string, env?: string) => Promise<import("wrangler").Unstable_Config>} readWranglerConfig
 * @property {new () => Error} ConfigError
 */

/** @typedef {{ listen: string, redis: string | undefined, secretsFile: string | undefined, vars: Record<string, string> }} MachineSettings */

/**
 * @typedef {object} SelfHosted
 * @property {(file: string) => boolean} isSelfHosted
 * @property {(file: string, env: NodeJS.ProcessEnv) => MachineSettings} readSettings
 */

/** What reads the settings of a guard on a machine of one's own. */
export const selfHosted = async () => /** @type {SelfHosted} */ (await import(new URL("../selfhost/settings.mjs", import.meta.url).href));

/** What reads and checks the settings. */
export const settingsCheck = async () => /** @type {CheckConfig} */ (await script("check-config.mjs"));

/** Can the guard's own code be built and asked here? That takes Rust and the repository. */
export const hasCore = () => isRepository && setup.output("cargo", ["--version"]) !== undefined;

const setup = /** @type {Setup} */ (await script("setup.mjs"));

/** The project's folder; whether it is the repository, and not a release; and the folder of the settings. */
export const { root, isRepository, home } = setup;

/** Installs the packages; on an old Node, runs the command again on the project's own. */
export const ensurePackages = () => setup.ensureTools({ rust: false });

/** The variables in `.dev.vars`. @param {string} [env] @returns {Promise<Record<string, string>>} */
export async function readDevVars(env) {
  const vars = /** @type {{ readDevVars(env?: string): Promise<Record<string, string>> }} */ (await script("dev-vars.mjs"));
  return vars.readDevVars(env);
}

/** @typedef {{ kid: string, alg: string, kty: string, [member: string]: unknown }} Jwk */

/** The algorithms of signing keys, and what makes one. */
export const signingKey = async () =>
  /** @type {{ algorithms: string[], makeKey(alg: string): Promise<Jwk> }} */ (await script("signing-key.mjs"));

/**
 * The hashes that the log may have for a user or session, or why they cannot be made.
 * @param {string} name @param {string} keys `SIGNING_KEYS` @returns {string[]}
 */
export function logIdentities(name, keys) {
  const args = ["run", "--quiet", "--locked", "--package", "xtask", "--", "log-identity", name];
  const { stdout, status } = spawnSync("cargo", args, { cwd: root, input: keys, encoding: "utf8", stdio: ["pipe", "pipe", "inherit"] });
  return status === 0 ? stdout.trim().split("\n").map((line) => line.split(" ")[0] ?? "") : [];
}
