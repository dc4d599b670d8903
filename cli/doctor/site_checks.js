// Is the site guarded: without a session, over plain http, and past the guard?

import { problemOf, whyNot } from "../http.js";
import { judgeClock, unusedPath } from "./guard_checks.js";
import { ask, clockOffset, NAVIGATION } from "./patient.js";
import { fault, note, ok } from "./report.js";

/** @typedef {import("./patient.js").Patient} Patient */
/** @typedef {import("./report.js").Finding} Finding */

/** Is a request without a session stopped? @param {Patient} patient @returns {Promise<Finding>} */
export async function guarded(patient) {
  const answer = await patient.get(unusedPath());
  const code = problemOf(answer)?.code;
  if (answer.status === 401 && code !== undefined) return ok("guarded", "A path that nobody has is refused without a session.");
  if (code === "https_required") return ok("guarded", "Over plain http, nothing is answered.");
  if (patient.isMonitoring) return note("guarded", "MODE is monitor: the guard refuses nothing yet.");
  const says = `Without a session, a path that nobody has is answered with ${answer.status}, and not refused.`;
  if (patient.settings === undefined || patient.isOpen) return note("guarded", `${says} That is right only if ROUTES opens every path, or MODE is monitor.`);
  return fault("guarded", says, `By the settings, it needs a session. ${patient.advice.open}`);
}

/** Can clients ask the origin's password check past the guard's limit? @param {Patient} patient @returns {Promise<Finding | undefined>} */
export async function loginUrlHidden(patient) {
  const loginUrl = URL.parse(patient.settings?.["LOGIN_URL"] ?? "");
  if (loginUrl === null || patient.isMonitoring) return undefined;
  const answer = await patient.get(loginUrl.pathname);
  if (problemOf(answer)?.code === "not_found" || problemOf(answer)?.code === "https_required") return ok("login", "Clients cannot reach LOGIN_URL.");
  return fault("login", `The guard does not hide LOGIN_URL: ${loginUrl.pathname} is answered with ${answer.status}, so passwords may be guessed there without a limit.`, "Either the deployed LOGIN_URL is another one, or this path does not go through the guard.");
}

/** What happens over plain http? @param {Patient} patient @returns {Promise<Finding | undefined>} */
export async function plainHttp(patient) {
  const { origin, authPath, isLocal, isPlain } = patient.site;
  if (isLocal) return undefined;
  const url = new URL(origin);
  if (!isPlain && url.port !== "") return note("https", `Whether plain http leads to https is not known: ${origin} has a port of its own.`);
  const path = `${authPath}/login`;
  const answer = await (isPlain ? patient.get(path, NAVIGATION) : ask(`http://${url.host}${path}`, NAVIGATION)).catch(() => undefined);
  if (answer === undefined) return ok("https", "Nothing answers over plain http.");
  if (answer.status >= 300 && answer.status < 400 && answer.headers.location?.startsWith("https://")) return ok("https", "Plain http leads to https.");
  return fault("https", `Over plain http, the login page is answered with ${answer.status} and does not lead to https: passwords travel in the clear, and browsers keep no session cookie.`, "Set REQUIRE_HTTPS = \"true\", or have what ends TLS redirect to https. In Cloudflare: Always Use HTTPS.");
}

/** Headers that claim an identity, as an origin may believe them. */
const FORGED = { "x-auth-request-user": "doctor", "x-auth-request-email": "doctor@invalid", "x-forwarded-user": "doctor", "remote-user": "doctor" };

const CLOSE_ORIGIN = "Have the origin verify the guard's signature (docs/verify-requests.md), and put it behind a tunnel or a firewall.";

/** Does the origin answer who comes past the guard? @param {string | undefined} originUrl @param {Patient | undefined} patient @param {{ isBeside: boolean }} where is the origin on the guard's machine? @returns {Promise<Finding[]>} */
export async function originPastGuard(originUrl, patient, { isBeside }) {
  if (originUrl === undefined || originUrl === "") return [];
  if (isBeside) return [note("origin", `${originUrl} is on the guard's machine. Whether it answers others past the guard is seen from another machine: run the doctor there, with --origin.`)];
  const path = unusedPath();
  try {
    const plain = await ask(new URL(path, originUrl).href);
    const forged = await ask(new URL(path, originUrl).href, { accept: "application/json", ...FORGED });
    const offset = clockOffset(plain);
    return [judgeOrigin(originUrl, plain, forged, patient), ...(offset === undefined ? [] : [judgeClock("clock", "The origin's clock", offset, "Set the origin's clock by NTP: the guard's signature is good for a minute.")])];
  } catch (error) {
    return [ok("origin", `${originUrl} cannot be reached past the guard from this machine: ${whyNot(error)}.`)];
  }
}

/** @param {string} url @param {import("../http.js").Answer} plain @param {import("../http.js").Answer} forged @param {Patient | undefined} patient @returns {Finding} */
function judgeOrigin(url, plain, forged, patient) {
  const refuses = ({ status = 0 }) => status === 401 || status === 403;
  if (refuses(plain) && refuses(forged)) return ok("origin", `${url} refuses requests that did not come through the guard.`);
  if (refuses(plain)) return fault("origin", `${url} believes identity headers of anybody: it refused a request, and answered the same one with X-Auth-Request-User: doctor.`, CLOSE_ORIGIN);
  const leads = URL.parse(plain.headers.location ?? "", url)?.origin;
  if (plain.status >= 300 && plain.status < 400 && patient !== undefined && leads === patient.site.origin) return ok("origin", `${url} leads to the guard.`);
  return fault("origin", `${url} answers past the guard (${plain.status}), from this machine.`, CLOSE_ORIGIN);
}

/** Notes about what only Cloudflare knows. @param {import("../http.js").Answer} answer @returns {Finding[]} */
export function platform(answer) {
  if (answer.headers["cf-ray"] === undefined) return [];
  return [note("platform", "Whether the route fails open cannot be seen from here. It must fail closed, or the site is open when the day's requests are used up: in the dashboard, at the Worker's route.")];
}
