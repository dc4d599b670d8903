// The five questions of `session-guard init`, and what their answers mean.

import { usageError } from "../errors.js";
import { isLoopback } from "../guard.js";
import { asked, chosen } from "../questions.js";
import { shown } from "../text.js";
import { providerOf, valid } from "./provider.js";

/** @typedef {import("../terminal.js").Terminal} Terminal */
/** @typedef {import("./provider.js").Provider} Provider */
/** @typedef {import("./provider.js").Flags & { site?: string, origin?: string, login?: string, sessions?: string, store?: string }} Flags */

/**
 * @typedef {object} Answers
 * @property {URL} site
 * @property {{ kind: "zone" } | { kind: "url", url: string } | { kind: "worker", name: string }} origin
 * @property {{ kind: "password", url: string } | { kind: "own", path: string } | { kind: "provider", provider?: Provider }} login
 * @property {number} sessions
 * @property {{ kind: "durable-object" } | { kind: "redis", url: string }} store
 */

/** The answers: from the flags, and from the person for what they leave open. @param {Flags} flags @param {Terminal} terminal @returns {Promise<Answers>} */
export async function answers(flags, terminal) {
  const open = ["site", "origin", "login", "sessions", "store"].filter((name) => !(name in flags) && !(name === "login" && flags.provider !== undefined));
  if (open.length > 0 && !terminal.isInteractive) throw usageError(`Nobody can be asked here: give ${open.map((name) => `--${name}`).join(", ")}, too.`);
  const site = parseSite(flags.site ?? (await asked("1/5 What is your site's address?", { default: "https://members.example.com", validate: valid(parseSite) }, terminal)));
  const origin = parseOrigin(flags.origin ?? (await askOrigin(site, terminal)));
  return {
    site,
    origin,
    login: await loginOf(flags, origin.kind === "url" ? origin.url : site.href, terminal),
    sessions: parseSessions(flags.sessions ?? (await asked("4/5 On how many devices may a user be signed in at once? 0 is any number.", { default: "1", validate: valid(parseSessions) }, terminal))),
    store: parseStore(flags.store ?? (await askStore(terminal))),
  };
}

/** @param {Flags} flags @param {string} base @param {Terminal} terminal @returns {Promise<Answers["login"]>} */
async function loginOf(flags, base, terminal) {
  if (flags.provider === undefined && (flags.issuer ?? flags.clientId ?? flags.allow) !== undefined) throw usageError("--issuer, --client-id and --allow are of an identity provider: name it with --provider.");
  if (flags.provider !== undefined && flags.login !== undefined && flags.login !== "provider") throw usageError("With --provider, people sign in there: leave --login out.");
  const isAsked = flags.login === undefined && flags.provider === undefined;
  const login = parseLogin(flags.provider !== undefined ? "provider" : (flags.login ?? (await askLogin(terminal))), base);
  if (login.kind !== "provider" || (!isAsked && flags.provider === undefined)) return login;
  const provider = await providerOf(flags, terminal);
  return { kind: "provider", ...(provider !== undefined && { provider }) };
}

/** @param {string} text */
export function parseSite(text) {
  const url = URL.parse(/^[a-z]+:\/\//i.test(text) ? text : `https://${text}`);
  if (url === null || url.pathname !== "/" || url.search !== "" || url.hash !== "" || url.username !== "") throw usageError(`${shown(text)} is no address of a site. Write it like https://members.example.com, without a path.`);
  if (url.protocol !== "https:" && !(url.protocol === "http:" && isLoopback(url.hostname))) throw usageError("The site must be reached by https: the guard's cookie travels no other way.");
  return url;
}

/** @param {URL} site @param {Terminal} terminal */
async function askOrigin(site, terminal) {
  const kind = await chosen("2/5 Where is your application, which the guard is to stand before?", [
    { name: `at ${site.hostname} already, as DNS has it`, value: "zone" },
    { name: "at another address", value: "url" },
    { name: "it is another Worker", value: "worker" },
  ], terminal);
  if (kind === "url") return asked("    Its address:", { default: "https://origin.example.com", validate: valid(parseOrigin) }, terminal);
  return kind === "zone" ? kind : `worker:${await asked("    The Worker's name:", { validate: (name) => valid(parseOrigin)(`worker:${name}`) }, terminal)}`;
}

/** @param {string} text @returns {Answers["origin"]} */
export function parseOrigin(text) {
  if (text === "zone") return { kind: "zone" };
  const [, name] = /^worker:([\w-]+)$/.exec(text) ?? [];
  if (name !== undefined) return { kind: "worker", name };
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol) || url.pathname !== "/" || url.search !== "") throw usageError(`The origin is zone, worker:NAME, or an address like https://origin.example.com; not ${shown(text)}.`);
  return { kind: "url", url: url.origin };
}

/** @param {Terminal} terminal */
async function askLogin(terminal) {
  const kind = await chosen("3/5 How do people sign in?", [
    { name: "with a password, which my application checks for the guard", value: "password" },
    { name: "on my application's own login page", value: "own" },
    { name: "at an identity provider, like Google or Keycloak", value: "provider" },
  ], terminal);
  if (kind === "provider") return kind;
  if (kind === "own") return `own:${await asked("    The path that logs people in:", { default: "/login", validate: (path) => validPath(path) }, terminal)}`;
  return asked("    The path of your application that checks a password, for the guard alone:", { default: "/internal/login", validate: (path) => validPath(path) }, terminal);
}

/** @param {string} path */
const validPath = (path) => (isPath(path) ? true : "Write a path, like /login.");

/** @param {string} path */
const isPath = (path) => /^\/[!-~]+$/.test(path);

/** @param {string} text @param {string} base the server that has the path @returns {Answers["login"]} */
export function parseLogin(text, base) {
  if (text === "provider") return { kind: "provider" };
  if (text.startsWith("own:") && isPath(text.slice(4))) return { kind: "own", path: text.slice(4) };
  const url = isPath(text) ? URL.parse(text, base) : URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) throw usageError(`The login is the path that checks passwords, like /internal/login, or own:/PATH, or provider; not ${shown(text)}.`);
  return { kind: "password", url: url.href };
}

/** @param {string} text */
export function parseSessions(text) {
  if (!/^\d{1,4}$/.test(text.trim())) throw usageError("The number of sessions is 1, or more, or 0 for no limit.");
  return Number(text);
}

/** @param {Terminal} terminal */
async function askStore(terminal) {
  const kind = await chosen("5/5 Where are sessions kept?", [
    { name: "in Durable Objects, which come with the Worker", value: "durable-object" },
    { name: "in Redis, by Upstash's REST protocol", value: "redis" },
  ], terminal);
  return kind === "redis" ? `redis:${await asked("    Its REST URL:", { default: "https://NAME.upstash.io", validate: (url) => valid(parseStore)(`redis:${url}`) }, terminal)}` : kind;
}

/** @param {string} text @returns {Answers["store"]} */
export function parseStore(text) {
  if (text === "durable-object") return { kind: "durable-object" };
  const url = text.startsWith("redis:") ? URL.parse(text.slice(6)) : null;
  if (url === null || !/^https?:$/.test(url.protocol)) throw usageError(`The store is durable-object, or redis:URL with the REST URL; not ${shown(text)}.`);
  return { kind: "redis", url: url.origin };
}
