// `session-guard doctor`: what is wrong with a guard and its settings.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { adminKey, clock, health, latency, publishedKeys } from "../doctor/guard_checks.js";
import { Patient } from "../doctor/patient.js";
import { note, printFinding, statusOf, summary, unknown } from "../doctor/report.js";
import { checkSettings } from "../doctor/settings_checks.js";
import { guarded, loginUrlHidden, originPastGuard, plainHttp, platform } from "../doctor/site_checks.js";
import { usageError } from "../errors.js";
import { findKey, isLoopback, parseUrl } from "../guard.js";
import { whyNot } from "../http.js";
import { home } from "../project.js";

/** @typedef {import("../terminal.js").Terminal} Terminal */
/** @typedef {import("../doctor/report.js").Finding} Finding */
/** @typedef {{ config?: string, env?: string, settings: boolean, origin?: string, connectTo?: string, keyFile?: string, json?: boolean }} Options */

const ABOUT = `
The doctor changes nothing. It sends about a dozen requests, none with a session, and takes some seconds. Without a URL,
it checks only the settings. It compares the guard with the settings if these are for its site: if ISSUER has the same
host, or if --config or --env is given.

The settings of a guard on a machine of your own are in session-guard.toml, which the doctor reads as the command \`serve\`
does, with the file of secrets and the environment. Without --config and --env, it takes ./session-guard.toml if this is
there. Run it as a user who may read the file of secrets.

Exit status: 0 no fault; 1 a fault was found; 3 something could not be found out, as when the guard cannot be reached.

Examples:
  session-guard doctor https://members.example.com
  session-guard doctor
  session-guard doctor https://members.example.com --env production
  session-guard doctor https://members.example.com --config /etc/session-guard/session-guard.toml
  session-guard doctor https://members.example.com --connect-to 203.0.113.7:443
  session-guard doctor https://members.example.com --json | jq '.findings[] | select(.state == "fault")'
`;

/** Where `session-guard serve` looks, too. */
const OWN = "session-guard.toml";

/** @param {Terminal} terminal */
export const doctor = (terminal) =>
  new Command("doctor")
    .description("find out what is wrong with a guard and its settings")
    .argument("[url]", "the site that is guarded, with its path if AUTH_PATH is not /_auth (env: SESSION_GUARD_URL)")
    .option("--config <file>", "the settings: a wrangler.toml, or the session-guard.toml of a machine of your own")
    .option("--env <name>", "the environment in wrangler.toml")
    .option("--no-settings", "check only the guard")
    .option("--origin <url>", "where the origin is, if the settings have no ORIGIN_URL")
    .option("--connect-to <host:port>", "connect to this address instead of the one that DNS has for the URL's host")
    .option("--key-file <file>", "the file that has ADMIN_API_KEY, alone or as a line ADMIN_API_KEY=…, if the environment does not")
    .option("--json", "print JSON")
    .addHelpText("after", ABOUT)
    .action(async (url, options) => examine(url ?? terminal.env["SESSION_GUARD_URL"], options, terminal));

/** @param {string | undefined} url @param {Options} options @param {Terminal} terminal */
async function examine(url, options, terminal) {
  if (url === undefined && !options.settings) throw usageError("There is nothing to look at: give a URL, or leave --no-settings out.");
  const site = url === undefined ? undefined : parseUrl(url);
  /** @type {Finding[]} */
  const findings = [];
  const found = (/** @type {(Finding | undefined)[]} */ ...all) => {
    for (const finding of all) {
      if (finding === undefined) continue;
      findings.push(finding);
      terminal.progress("");
      if (!options.json) printFinding(finding, terminal);
    }
  };
  const { settings, isOpen = false, isSelfHosted = false } = await settingsOf(site, options, found, terminal);
  const key = site === undefined ? undefined : ((await findKey(options, site.isLocal, terminal.env, { isNeeded: false })) ?? (isSelfHosted ? settings?.["ADMIN_API_KEY"] : undefined));
  const patient = site && new Patient(site, { connectTo: options.connectTo, settings, isOpen, isSelfHosted, key });
  if (patient) await examineGuard(patient, found, terminal);
  const originUrl = options.origin ?? settings?.["ORIGIN_URL"];
  const isBeside = isSelfHosted && options.origin === undefined && isLoopback(URL.parse(originUrl ?? "")?.hostname ?? "");
  found(...(await originPastGuard(originUrl, patient, { isBeside })));
  terminal.status = statusOf(findings);
  if (options.json) return terminal.printJson({ url: site && `${site.origin}${site.authPath}`, findings });
  terminal.note(`\n${summary(findings)}`);
}

/** The settings, if they are those of the site. @param {import("../doctor/patient.js").Site | undefined} site @param {Options} options @param {(...all: Finding[]) => void} found @param {Terminal} terminal */
async function settingsOf(site, options, found, terminal) {
  const isNamed = options.config !== undefined || options.env !== undefined;
  const own = !isNamed && existsSync(OWN) ? OWN : undefined;
  if (!options.settings || (!isNamed && own === undefined && !existsSync(join(home, "wrangler.toml")))) return { settings: undefined };
  terminal.progress("Reading the settings");
  const { findings, settings, isOpen = false, isSelfHosted } = await checkSettings(own === undefined ? options : { config: own }, terminal.env);
  const host = URL.parse(settings?.["ISSUER"] ?? "")?.host;
  if (site !== undefined && !isNamed && host !== new URL(site.origin).host) {
    found(note("settings", `Those in ${own ?? "wrangler.toml"} are of another site (${host ?? "no ISSUER"}), so the guard is looked at alone.`));
    return { settings: undefined };
  }
  found(...findings);
  return { settings, isOpen, isSelfHosted };
}

/** @param {Patient} patient @param {(...all: (Finding | undefined)[]) => void} found @param {Terminal} terminal */
async function examineGuard(patient, found, terminal) {
  terminal.progress(`Asking ${patient.site.origin}`);
  const { finding, answers } = await health(patient);
  found(finding);
  if (!answers) return;
  const isWell = finding.state === "ok";
  const checks = Object.entries({ clock, https: plainHttp, ...(isWell && { guarded, login: loginUrlHidden, keys: publishedKeys, "admin key": adminKey, latency }) });
  for (const [name, check] of checks) {
    try {
      terminal.progress(`Looking at: ${name}`);
      found(await check(patient));
    } catch (error) {
      found(unknown(name, `It could not be found out: ${whyNot(error)}.`, "Run the command again."));
    }
  }
  found(...platform(await patient.endpoint("health").catch(() => ({ status: 0, headers: {}, text: "", millis: 0 }))));
}
