// Writes the answers of `session-guard init` into a wrangler.toml: the lines of the project's own, with the answers in
// their places, so that what it explains stays.

import { unknownError } from "../errors.js";

/** @typedef {import("./answers.js").Answers} Answers */

/** The text of a wrangler.toml. @param {string} template @param {Answers} answers @param {string} root the project's folder, as seen from the file's */
export function wranglerToml(template, answers, root) {
  const { site, origin, login, sessions, store } = answers;
  const file = new Lines(template);
  if (root !== "") file.set("main", `${root}/build/index.js`);
  if (root !== "" && file.has("command")) file.after("command", [`cwd = ${JSON.stringify(root)}`]);
  file.uncomment("routes", routesOf(answers), ["# The guard's own address would be a second way in.", "workers_dev = false"]);
  file.set("ISSUER", site.origin).set("AUDIENCE", site.origin);
  if (login.kind === "password") file.set("LOGIN_URL", login.url);
  else file.comment("LOGIN_URL");
  file.uncomment("SESSION_LIMIT", JSON.stringify(`${sessions}`));
  if (origin.kind === "url") file.uncomment("ORIGIN_URL", JSON.stringify(origin.url));
  if (origin.kind === "worker") file.uncommentBlock("[[services]]", { service: origin.name });
  if (login.kind === "own") file.after("SESSION_LIMIT", [`ROUTES = '''${JSON.stringify([{ path: login.path, access: "public", login: true }])}'''`]);
  if (login.kind === "provider" && login.provider !== undefined) file.after("SESSION_LIMIT", issuers(login.provider.entry));
  if (store.kind === "redis") file.after("SESSION_LIMIT", ['SESSION_STORE = "redis"', `UPSTASH_REDIS_REST_URL = ${JSON.stringify(store.url)}`]);
  return file.text;
}

/** `TRUSTED_ISSUERS` with this entry. @param {Record<string, unknown>} entry */
const issuers = (entry) => `TRUSTED_ISSUERS = '''${JSON.stringify([entry], null, 2).replaceAll("'", "\\u0027")}'''`.split("\n");

/** Requests reach the Worker by a route if DNS leads to the origin, and otherwise by a domain of its own. @param {Answers} answers */
function routesOf({ site, origin }) {
  if (origin.kind !== "zone") return `[{ pattern = ${JSON.stringify(site.hostname)}, custom_domain = true }]`;
  return `[{ pattern = ${JSON.stringify(`${site.hostname}/*`)}, zone_name = ${JSON.stringify(zoneOf(site))} }]`;
}

/** The zone that a host is probably in: without its first label, unless what is left is a suffix like `co.uk`. @param {URL} site */
export function zoneOf({ hostname }) {
  const rest = hostname.split(".").slice(1);
  const [first = ""] = rest;
  return rest.length < 2 || (rest.length === 2 && first.length <= 3) ? hostname : rest.join(".");
}

class Lines {
  /** @param {string} text */
  constructor(text) {
    this.lines = text.split("\n");
  }

  get text() {
    return this.lines.join("\n");
  }

  /** @param {string} name @param {string} value */
  set(name, value) {
    return this.replace(name, [`${name} = ${JSON.stringify(value)}`]);
  }

  /** @param {string} name */
  comment(name) {
    const at = this.find(name);
    return this.replace(name, [`# ${this.lines[at]?.replace(/^# /, "")}`]);
  }

  /** @param {string} name @param {string} value in TOML @param {string[]} [more] lines that follow */
  uncomment(name, value, more = []) {
    return this.replace(name, [`${name} = ${value}`, ...more]);
  }

  /** @param {string} head @param {Record<string, string>} values */
  uncommentBlock(head, values) {
    const at = this.lines.findIndex((line) => line.replace(/^# /, "") === head);
    if (at < 0) throw unknownError(`The template has no ${head}.`);
    for (let i = at; this.lines[i]?.startsWith("# "); i += 1) this.lines[i] = this.lines[i]?.slice(2) ?? "";
    for (const [name, value] of Object.entries(values)) this.lines = this.lines.with(this.find(name), `${name} = ${JSON.stringify(value)}`);
    return this;
  }

  /** @param {string} name @param {string[]} more */
  after(name, more) {
    return this.replace(name, [this.lines[this.find(name)] ?? "", ...more]);
  }

  /** @param {string} name @param {string[]} lines */
  replace(name, lines) {
    this.lines.splice(this.find(name), 1, ...lines);
    return this;
  }

  /** @param {string} name */
  has(name) {
    return this.indexOf(name) >= 0;
  }

  /** @param {string} name */
  indexOf(name) {
    return this.lines.findIndex((line) => line.replace(/^# /, "").startsWith(`${name} = `));
  }

  /** The line that sets a name, also as a comment. @param {string} name */
  find(name) {
    const at = this.indexOf(name);
    if (at < 0) throw unknownError(`The template has no line for ${name}. Restore the wrangler.toml that came with the project, and run this again.`);
    return at;
  }
}
