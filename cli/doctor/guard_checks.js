// Does the guard answer, and is it the guard? Its store, its clock, its keys.

import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { problemOf, whyNot } from "../http.js";
import { clockOffset } from "./patient.js";
import { fault, note, ok, unknown } from "./report.js";

/** @typedef {import("./patient.js").Patient} Patient */
/** @typedef {import("./report.js").Finding} Finding */

/** Is there a guard, and does its store answer? Without one, nothing else can be asked. @param {Patient} patient @returns {Promise<{ finding: Finding, answers: boolean }>} */
export async function health(patient) {
  const { origin, authPath } = patient.site;
  try {
    const answer = await patient.endpoint("health");
    return { finding: judgeHealth(answer, `${origin}${authPath}`, patient.advice), answers: isGuard(answer) };
  } catch (error) {
    return { finding: unknown("guard", `${origin} cannot be reached: ${whyNot(error)}.`, patient.advice.unreachable), answers: false };
  }
}

/** @param {import("../http.js").Answer} answer */
function isGuard(answer) {
  return problemOf(answer)?.code !== undefined || /"status"\s*:\s*"ok"/.test(answer.text.slice(0, 100));
}

/** @param {import("../http.js").Answer} answer @param {string} url @param {import("./advice.js").Advice} advice @returns {Finding} */
function judgeHealth(answer, url, advice) {
  const code = problemOf(answer)?.code;
  if (answer.status === 200 && isGuard(answer)) return ok("guard", "It answers, and so does its session store.");
  if (code === "store_unavailable") return fault("store", "The session store does not answer, so nobody gets in.", `${advice.log} ${advice.store} docs/failures.md has what else it can be.`);
  if (code === "misconfigured") return fault("settings", "A setting or a binding is wrong or missing, so every request is answered with 500.", `${advice.log} ${advice.settings}`);
  if (code !== undefined) return fault("guard", `Its health is answered with ${answer.status} ${code}.`, advice.log);
  return fault("guard", `No guard answers at ${url}: ${answer.status} ${answer.headers["content-type"] ?? ""}.`, advice.none);
}

/** More milliseconds than a check of the session should take. */
const SLOW = 250;

/** How long the store takes: the health check, which asks it at most once a second, compared with a file that asks nobody. @param {Patient} patient @returns {Promise<Finding>} */
export async function latency(patient) {
  const [asking, idle] = [/** @type {number[]} */ ([]), /** @type {number[]} */ ([])];
  // One good sample is enough; a bad one may be an accident.
  for (let sample = 0; sample < 3 && (sample === 0 || difference(asking, idle) > SLOW); sample += 1) {
    await sleep(1050);
    idle.push((await patient.endpoint("style.css")).millis);
    const answer = await patient.endpoint("health");
    if (answer.status !== 200) return fault("store", "The session store answered at first, and then did not.", patient.advice.log);
    asking.push(answer.millis);
  }
  const millis = difference(asking, idle);
  if (millis > SLOW) return fault("latency", `The session store takes about ${millis} ms, and so does every request.`, patient.advice.slow);
  return ok("latency", `The session store takes about ${millis} ms.`);
}

/** @param {number[]} asking @param {number[]} idle */
const difference = (asking, idle) => Math.max(0, Math.round(median(asking) - median(idle)));

/** @param {number[]} all */
const median = (all) => all.toSorted((a, b) => a - b)[Math.floor(all.length / 2)] ?? 0;

/** Seconds by which clocks may differ. */
const CLOCK_TOLERANCE = 10;

/** @param {Patient} patient @returns {Promise<Finding>} */
export async function clock(patient) {
  const offset = clockOffset(await patient.endpoint("health"));
  if (offset === undefined) return note("clock", "The guard's answers have no Date, so its clock cannot be seen from here.");
  return judgeClock("clock", "The guard's clock", offset, "Set this machine's clock by NTP. If the guard runs on a workerd of your own, set that machine's.");
}

/** @param {string} check @param {string} whose @param {number} offset @param {string} advice @returns {Finding} */
export function judgeClock(check, whose, offset, advice) {
  const seconds = Math.round(Math.abs(offset) / 1000);
  if (seconds <= CLOCK_TOLERANCE) return ok(check, `${whose} agrees with this machine's.`);
  return fault(check, `${whose} is ${seconds} seconds ${offset > 0 ? "ahead of" : "behind"} this machine's: tokens count as expired too early or too late.`, advice);
}

/** The keys that others verify the guard's tokens by. @param {Patient} patient @returns {Promise<Finding | undefined>} */
export async function publishedKeys(patient) {
  const answer = await patient.get("/.well-known/jwks.json");
  if (problemOf(answer)?.code === "https_required") return undefined;
  const keys = keysIn(answer);
  if (keys === undefined) return fault("keys", `/.well-known/jwks.json is answered with ${answer.status}, and not with the guard's keys.`, patient.advice.keyPath);
  if (keys.some(({ d, k }) => d !== undefined || k !== undefined)) return fault("keys", "/.well-known/jwks.json has private keys: these are not the guard's.", "Find out what answers there, and change these keys at once.");
  const own = localKids(patient);
  const missing = own.filter((kid) => !keys.some((key) => key.kid === kid));
  if (missing.length > 0) return note("keys", `This machine's SIGNING_KEYS have ${missing.join(", ")}, which the guard does not publish. If you have rotated the key, set the secret.`);
  if (keys.length === 0) return note("keys", "The guard signs with a shared secret, so your origin cannot verify that a request came through it. An ES256 key can: docs/verify-requests.md.");
  return ok("keys", `It publishes ${keys.map(({ kid, alg }) => `${kid} (${alg})`).join(", ")}.`);
}

/** @param {import("../http.js").Answer} answer @returns {Record<string, string>[] | undefined} */
function keysIn({ status, text }) {
  try {
    const { keys } = JSON.parse(text);
    return status === 200 && Array.isArray(keys) ? keys : undefined;
  } catch {
    return undefined;
  }
}

/** The names of this machine's keys that have a public half. @param {Patient} patient @returns {string[]} */
function localKids({ settings, site }) {
  if (site.isLocal) return [];
  try {
    const { keys } = JSON.parse(settings?.["SIGNING_KEYS"] ?? "{}");
    return keys.filter((/** @type {{ kty: string }} */ { kty }) => kty !== "oct").map((/** @type {{ kid: string }} */ { kid }) => kid);
  } catch {
    return [];
  }
}

/** @param {Patient} patient @returns {Promise<Finding | undefined>} */
export async function adminKey(patient) {
  if (patient.key === undefined) return undefined;
  const { origin, isPlain, isLocal } = patient.site;
  if (isPlain && !isLocal) return note("admin key", `It was not tried, because it would travel to ${origin} in the clear.`);
  const answer = await patient.endpoint("admin/stats", { accept: "application/json", authorization: `Bearer ${patient.key}` });
  if (answer.status === 200) return ok("admin key", `The guard knows this ADMIN_API_KEY. ${JSON.parse(answer.text).sessions} sessions are live.`);
  const code = problemOf(answer)?.code ?? "";
  if (code === "store_unavailable") return unknown("admin key", "The store did not answer.", "Try again.");
  return fault("admin key", "The guard does not know this ADMIN_API_KEY, or has none.", patient.advice.adminKey);
}

/** A path that nobody has. */
export const unusedPath = () => `/session-guard-doctor-${randomUUID()}`;
