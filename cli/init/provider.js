// The identity provider at which people sign in: what is asked about it, and its entry in `TRUSTED_ISSUERS`.

import { usageError } from "../errors.js";
import { isLoopback } from "../guard.js";
import { asked, chosen } from "../questions.js";
import { shown } from "../text.js";

/** @typedef {import("../terminal.js").Terminal} Terminal */
/** @typedef {{ provider?: string, issuer?: string, clientId?: string, allow?: string[] }} Flags */
/** @typedef {{ name: string, entry: Record<string, unknown>, secret: string }} Provider `secret` is the name of the client's secret */

/** @typedef {{ title: string, example?: string, form?: RegExp, issuer?: string, entry: (issuer: string) => object }} Known */

/**
 * Providers of which more is known than OpenID Connect says: how their issuers look, or the only one that they have, and
 * which members of the entry stand for it.
 * @type {Record<string, Known>}
 */
const KNOWN = {
  keycloak: { title: "Keycloak", example: "https://id.example.com/realms/staff", form: /\/realms\/[^/]+$/, entry: (issuer) => ({ provider: "keycloak", issuer }) },
  entra: { title: "Microsoft Entra ID", example: "https://login.microsoftonline.com/TENANT-ID/v2.0", form: /^https:\/\/login\.microsoftonline\.com\/[\da-f-]{36}\/v2\.0$/, entry: (issuer) => ({ provider: "entra", tenant: issuer.split("/")[3] }) },
  google: { title: "Google", issuer: "https://accounts.google.com", entry: (issuer) => ({ issuer }) },
  okta: { title: "Okta", example: "https://example.okta.com/oauth2/default", form: /\/oauth2\/[^/]+$/, entry: (issuer) => ({ provider: "okta", issuer }) },
  auth0: { title: "Auth0", example: "https://example.eu.auth0.com/", form: /\/$/, entry: (issuer) => ({ provider: "auth0", issuer }) },
  github: { title: "GitHub", issuer: "https://github.com", entry: () => ({ provider: "github" }) },
};

/** The names of those, for the help. */
export const PROVIDERS = Object.keys(KNOWN).join(", ");

/** The provider: from the flags, and from the person for what they leave open. @param {Flags} flags @param {Terminal} terminal @returns {Promise<Provider | undefined>} nothing, if it is to be named later */
export async function providerOf(flags, terminal) {
  const isAsked = flags.provider === undefined;
  const name = flags.provider ?? (await askName(terminal));
  if (name === undefined) return undefined;
  const known = knownOf(parseName(name));
  const issuer = parseIssuer(known.issuer ?? flags.issuer ?? (await askIssuer(known, terminal)), known);
  if (known.issuer !== undefined && flags.issuer !== undefined && flags.issuer !== known.issuer) throw usageError(`The issuer of ${known.title} is ${known.issuer}: leave --issuer out.`);
  const clientId = parseClientId(flags.clientId ?? (await question("--client-id", "    Your client's id there:", parseClientId, terminal)));
  const allow = parseAllow(flags.allow ?? (isAsked ? await askAllow(terminal) : []));
  return providerFor(name, issuer, clientId, allow);
}

/** @param {string} name @param {string} issuer @param {string} clientId @param {Record<string, string | string[]>} allow @returns {Provider} */
function providerFor(name, issuer, clientId, allow) {
  const secret = `${name.toUpperCase().replace(/-/g, "_")}_CLIENT_SECRET`;
  const entry = {
    ...knownOf(name).entry(issuer),
    client_id: clientId,
    client_secret_name: secret,
    ...(Object.keys(allow).length > 0 && { allow }),
  };
  return { name, entry, secret };
}

/** @param {Terminal} terminal */
async function askName(terminal) {
  const choices = Object.entries(KNOWN).map(([value, { title }]) => ({ name: title, value }));
  const name = await chosen("    At which provider?", [...choices, { name: "another that knows OpenID Connect", value: "other" }, { name: "I write it into the file later", value: "" }], terminal);
  if (name !== "other") return name === "" ? undefined : name;
  return asked("    A name for it, for the address to which people come back:", { default: "sso", validate: valid(parseName) }, terminal);
}

/** @param {string} name @returns {Known} */
const knownOf = (name) => (Object.hasOwn(KNOWN, name) ? KNOWN[name] : undefined) ?? { title: "the provider", example: "https://login.example.com", entry: (issuer) => ({ issuer, name }) };

/** @param {Known} known @param {Terminal} terminal */
const askIssuer = (known, terminal) => question("--issuer", `    The issuer of ${known.title}, like ${known.example}:`, (text) => parseIssuer(text, known), terminal);

/** @param {Terminal} terminal */
async function askAllow(terminal) {
  const parse = (/** @type {string} */ text) => parseAllow(text.split(/\s+/).filter(Boolean));
  const text = await asked("    Who may sign in, like groups=/crew or email_domain=example.com? Leave it empty for everybody with an account there:", { validate: valid(parse) }, terminal);
  return text.split(/\s+/).filter(Boolean);
}

/** @param {string} flag @param {string} message @param {(text: string) => unknown} parse @param {Terminal} terminal */
async function question(flag, message, parse, terminal) {
  if (!terminal.isInteractive) throw usageError(`Nobody can be asked here: give ${flag}, too.`);
  return asked(message, { validate: valid(parse) }, terminal);
}

/** What a parser says of a text, for a question. @param {(text: string) => unknown} parse @returns {(text: string) => true | string} */
export const valid = (parse) => (text) => {
  try {
    parse(text);
    return true;
  } catch (error) {
    return /** @type {Error} */ (error).message;
  }
};

/** @param {string} text */
function parseName(text) {
  if (!/^[a-z0-9][a-z0-9-]{0,31}$/.test(text)) throw usageError(`--provider is one of ${PROVIDERS}, or a name of your own in lower-case letters, digits and hyphens; not ${shown(text)}.`);
  return text;
}

/** @param {string} text @param {Known} known */
function parseIssuer(text, { title, example, form }) {
  const url = URL.parse(text);
  const isUrl = url !== null && (url.protocol === "https:" || (url.protocol === "http:" && isLoopback(url.hostname))) && url.search === "" && url.hash === "" && url.username === "";
  if (!isUrl || (form !== undefined && !form.test(text))) throw usageError(`The issuer of ${title} is an https URL like ${example}; not ${shown(text)}.`);
  return text;
}

/** @param {string} text */
function parseClientId(text) {
  if (!/^[!-~]+$/.test(text)) throw usageError("The client's id is one word. The provider shows it where you have registered the client.");
  return text;
}

/** @param {string[]} texts @returns {Record<string, string | string[]>} */
function parseAllow(texts) {
  const pairs = texts.map((text) => {
    const [, claim, value] = /^([^=]+)=(.+)$/s.exec(text) ?? [];
    if (claim === undefined || value === undefined) throw usageError(`Write who may sign in as CLAIM=VALUE, like groups=/crew; not ${shown(text)}.`);
    return /** @type {const} */ ([claim, value]);
  });
  const claims = Object.groupBy(pairs, ([claim]) => claim);
  return Object.fromEntries(Object.entries(claims).map(([claim, all = []]) => [claim, all.length === 1 ? (all[0]?.[1] ?? "") : all.map(([, value]) => value)]));
}
