// What the settings say that are to be deployed, or were.

import { resolve } from "node:path";
import { hasCore, isRepository, selfHosted, settingsCheck } from "../project.js";
import { fault, note, ok, unknown } from "./report.js";
import { missingSecret, ownMachine } from "./self_hosted_checks.js";

/** @typedef {import("./report.js").Finding} Finding */
/** @typedef {import("../project.js").MachineSettings} MachineSettings */
/** @typedef {{ config?: string, env?: string }} Where */
/** @typedef {{ findings: Finding[], settings: Record<string, string> | undefined, isOpen?: boolean, isSelfHosted: boolean }} Checked */

/** Checks a wrangler.toml or a session-guard.toml. @param {Where} where @param {NodeJS.ProcessEnv} variables @returns {Promise<Checked>} */
export async function checkSettings({ config, env }, variables) {
  const { readSettings, ConfigError } = await settingsCheck();
  const own = await selfHosted();
  const isSelfHosted = config !== undefined && own.isSelfHosted(config);
  try {
    const settings = await readSettings(config, env, variables);
    const isOpen = hasCore() && (await opensAll({ config, env }, variables));
    const machine = isSelfHosted ? own.readSettings(resolve(config), variables) : undefined;
    const around = machine === undefined ? await ofWorker({ config, env }, settings) : ownMachine(config ?? "", machine, variables);
    return { isOpen, isSelfHosted, findings: [...(await byTool({ config, env }, machine, variables)), ...around], settings };
  } catch (error) {
    const says = error instanceof ConfigError || isUserError(error) ? /** @type {Error} */ (error).message.replace(/^error: /, "") : undefined;
    if (says === undefined) throw error;
    return { findings: [unusable(says, isSelfHosted)], isSelfHosted, settings: undefined };
  }
}

/** @param {string} says @param {boolean} isSelfHosted @returns {Finding} */
function unusable(says, isSelfHosted) {
  if (/not bound/.test(says)) return fault("binding", says, "docs/deploy.md has the lines.");
  if (/\b(EACCES|EPERM)\b/.test(says)) return unknown("settings", says, "Run the doctor as a user who may read them.");
  return fault("settings", says, correct(isSelfHosted));
}

const correct = (/** @type {boolean} */ isSelfHosted) => (isSelfHosted ? "Correct it, and restart the guard." : "Correct it, and deploy.");

/** What surrounds a Worker's settings. @param {{ config: string | undefined, env: string | undefined }} where @param {Record<string, string>} settings */
async function ofWorker({ config, env }, settings) {
  const wrangler = await (await settingsCheck()).readWranglerConfig(config, env);
  return [...bindings(wrangler, settings), ...routes(wrangler)];
}

/** Is it wrangler's account of a file that it cannot read? @param {unknown} error */
const isUserError = (error) => error instanceof Error && /UserError|ParseError|ENOENT/.test(`${error.name} ${error.constructor.name} ${error.message}`);

/** What `npm run check-config` says. @param {{ config: string | undefined, env: string | undefined }} where @param {MachineSettings | undefined} machine @param {NodeJS.ProcessEnv} variables @returns {Promise<Finding[]>} */
async function byTool(where, machine, variables) {
  if (!hasCore()) return [unknown("settings", `The guard's own code checks the settings, and ${isRepository ? "Rust is not installed here" : "a release does not have it"}.`, isRepository ? "Install it from https://rustup.rs." : "Run `npm run check-config` in the repository.")];
  const { checkConfig } = await settingsCheck();
  let text = "";
  await checkConfig(argsOf(where), variables, (more) => (text += more));
  const findings = text.split("\n").flatMap((line) => ofLine(line, machine));
  return findings.some(({ state }) => state === "fault") ? findings : [ok("settings", "They are valid."), ...findings];
}

/** Do the rules open a path that no rule names? @param {{ config: string | undefined, env: string | undefined }} where @param {NodeJS.ProcessEnv} variables */
async function opensAll(where, variables) {
  let text = "";
  const { checkConfig } = await settingsCheck();
  await checkConfig([...argsOf(where), "--explain", "GET /session-guard-doctor"], variables, (more) => (text += more));
  return /^ {2}Access: (public|optional)/m.test(text);
}

/** @param {{ config: string | undefined, env: string | undefined }} where */
const argsOf = ({ config, env }) => [...(config === undefined ? [] : ["--config", config]), ...(env === undefined ? [] : ["--env", env])];

/** @param {string} line @param {MachineSettings | undefined} machine @returns {Finding[]} */
function ofLine(line, machine) {
  const [, kind, says = ""] = /^(error|note): (.*)$/.exec(line) ?? [];
  const [, secret] = /^(\w+) is a secret that this machine does not have/.exec(says) ?? [];
  if (secret !== undefined) return missingSecret(secret, machine);
  if (kind === undefined || /is not reachable from this machine/.test(says)) return [];
  if (/^the origin has something at/.test(says)) return [fault("AUTH_PATH", says, "Choose another AUTH_PATH.")];
  return [kind === "error" ? fault("settings", says, correct(machine !== undefined)) : note("settings", says)];
}

/** @param {import("wrangler").Unstable_Config} wrangler @param {Record<string, string>} settings @returns {Finding[]} */
function bindings(wrangler, settings) {
  const isBound = wrangler.durable_objects.bindings.some(({ name }) => name === "USER_SESSIONS");
  if (isBound || settings["SESSION_STORE"] !== "redis") return [];
  return [note("binding", "USER_SESSIONS is not bound, so nobody is told at once that a session has ended: GET events answers 501.")];
}

/** Which requests reach the guard at all. @param {import("wrangler").Unstable_Config} wrangler @returns {Finding[]} */
function routes(wrangler) {
  const all = [wrangler.route ?? [], wrangler.routes ?? []].flat().map((route) => (typeof route === "string" ? { pattern: route } : route));
  const patterns = all.filter((route) => !("custom_domain" in route && route.custom_domain)).map(({ pattern }) => pattern);
  /** @type {Finding[]} */
  const found = [];
  for (const pattern of patterns) {
    if (!/\/\*$|[^/]\*$/.test(pattern)) found.push(fault("route", `${pattern} does not cover what is below: other paths go to the origin past the guard.`, "End the pattern with /*."));
    else if (/^https:/.test(pattern)) found.push(fault("route", `${pattern} covers https only: requests over http go to the origin past the guard.`, "Write the pattern without https://."));
    else if (!/^(http:\/\/)?[^/]+\/?\*$/.test(pattern)) found.push(note("route", `${pattern} covers only a part of the host: everything else goes to the origin past the guard.`));
  }
  if (all.length > 0 && wrangler.workers_dev !== false) found.push(note("route", "workers_dev is not false, so the guard also answers at its workers.dev address."));
  return found;
}
