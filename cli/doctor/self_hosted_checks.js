// What surrounds the settings of a guard on a machine of one's own: its port, the proxy in front, its files.

import { statSync } from "node:fs";
import { isLoopback } from "../guard.js";
import { fault, note } from "./report.js";

/** @typedef {import("./report.js").Finding} Finding */
/** @typedef {import("../project.js").MachineSettings} Settings */

const RESTART = "and restart the guard.";

/** Checks what a session-guard.toml says beside the guard's settings. @param {string} file @param {Settings} settings @param {NodeJS.ProcessEnv} variables @returns {Finding[]} */
export const ownMachine = (file, settings, variables) => [...origin(settings), ...proxy(settings), ...openPassword(file, settings, variables)];

/** What the check of the settings calls a secret that this machine does not have. @param {string} name @param {Settings | undefined} settings @returns {Finding[]} */
export function missingSecret(name, settings) {
  // They may be in the environment of a container.
  if (settings?.secretsFile === undefined) return [];
  const how = name === "SIGNING_KEYS" ? "npm run keys -- --print makes one. " : "";
  return [fault("settings", `The secret ${name} is missing.`, `${how}Put it into ${settings.secretsFile}, ${RESTART}`)];
}

/** @param {Settings} settings @returns {Finding[]} */
const origin = ({ vars }) => (vars["ORIGIN_URL"] ? [] : [fault("settings", "ORIGIN_URL is missing, so the guard does not know where your application is.", `Set it below [vars], ${RESTART}`)]);

/** Is the proxy in front named, and is it the only way in? @param {Settings} settings @returns {Finding[]} */
function proxy({ listen, vars }) {
  const host = listen.slice(0, listen.lastIndexOf(":"));
  const proxies = vars["TRUSTED_PROXIES"] ?? "none";
  const site = URL.parse(vars["ISSUER"] ?? "");
  const isPublic = site !== null && site.protocol === "https:" && !isLoopback(site.hostname);
  if (isLoopback(host) && proxies === "none" && isPublic) return [fault("proxy", `Only a proxy on this machine can reach ${listen}, and TRUSTED_PROXIES does not name it: all clients count as one address, and browsers are redirected to https again and again.`, `Set TRUSTED_PROXIES = "127.0.0.1" below [vars], ${RESTART}`)];
  if (!isLoopback(host) && proxies !== "none") return [note("proxy", `The guard listens on ${listen} over plain http, so whoever reaches this port gets past the proxy. Listen on 127.0.0.1, or close the port to all but the proxy.`)];
  return [];
}

/** @param {string} file @param {Settings} settings @param {NodeJS.ProcessEnv} variables @returns {Finding[]} */
function openPassword(file, { redis }, variables) {
  const isOpen = variables["GUARD_REDIS_URL"] === undefined && URL.parse(redis ?? "")?.password && (statSync(file).mode & 0o007) !== 0;
  return isOpen ? [fault("settings", `redis has a password, and everybody on this machine can read ${file}.`, `Run chmod 640 ${file}, or set GUARD_REDIS_URL in the environment instead.`)] : [];
}
