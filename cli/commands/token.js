// `session-guard token explain`: what a token says, and whether the guard would accept it.

import { Command } from "commander";
import { EXIT, unknownError, usageError } from "../errors.js";
import { parseUrl, urlOption } from "../guard.js";
import { problemOf, send, whyNot } from "../http.js";
import { readText } from "../input.js";
import { hasCore, settingsCheck } from "../project.js";
import { fromNow, shown } from "../text.js";

/** @typedef {import("../terminal.js").Terminal} Terminal */
/** @typedef {{ url?: string, file?: string, config?: string, env?: string, jwks?: string, claims?: boolean, allowHttp?: boolean, json?: boolean }} Options */
/** @typedef {{ header: Record<string, unknown>, claims: Record<string, unknown> }} Parts */

const ABOUT = `
A token is like a password, and arguments are kept by the shell's history and shown by lists of processes. So pass the
token by --file or on standard input, where it may also be part of a header or cookie. The signature is never shown, and
claims of your own only with --claims.

With --url, the guard itself is asked; that does not count as use of the session. Otherwise, the settings in wrangler.toml
and the secrets on this machine decide, and it stays open whether the session is live.

Exit status: 0 it is accepted; 1 it is refused; 3 it could not be found out.

Examples:
  pbpaste | session-guard token explain --url https://members.example.com
  session-guard token explain --file token.txt
  session-guard token explain --file token.txt --jwks keys.json
`;

/** @param {Terminal} terminal */
export function token(terminal) {
  const all = new Command("token").description("explain a token");
  all
    .command("explain")
    .description("say what a token claims, and whether the guard accepts it")
    .argument("[token]", "the token; otherwise from --file or standard input")
    .option("--file <file>", "the file that has it")
    .addOption(urlOption())
    .option("--config <file>", "the settings, if no guard is asked (default: wrangler.toml)")
    .option("--env <name>", "the environment in that file")
    .option("--jwks <file>", "the keys of the token's provider, if this machine cannot fetch them")
    .option("--claims", "show every claim")
    .option("--allow-http", "send the token over plain http to another machine")
    .option("--json", "print JSON")
    .addHelpText("after", ABOUT)
    .action(async (text, options) => explain(text, options, terminal));
  return all;
}

/** @param {string | undefined} text @param {Options} options @param {Terminal} terminal */
async function explain(text, options, terminal) {
  const jwt = await tokenOf(text, options, terminal);
  const parts = partsOf(jwt);
  if (!options.json) describe(parts, options.claims === true, terminal);
  const verdict = options.url === undefined ? await askSettings(jwt, options, terminal) : await askGuard(jwt, options);
  terminal.status = verdict.accepted ? EXIT.ok : EXIT.found;
  if (options.json) terminal.printJson({ header: parts.header, claims: options.claims ? parts.claims : known(parts.claims), ...verdict });
  else terminal.print(`\n${verdict.says}`);
}

/** @param {string | undefined} argument @param {Options} options @param {Terminal} terminal */
async function tokenOf(argument, { file }, terminal) {
  if (argument !== undefined && argument !== "-" && file !== undefined) throw usageError("Give the token or --file, not both.");
  const fromInput = argument === "-" || argument === undefined;
  if (fromInput && file === undefined && terminal.streams.stdin.isTTY) terminal.note("Paste the token, then press Enter and Ctrl-D.");
  const text = fromInput ? await readText(file ?? "-", terminal) : argument;
  const [found] = /[\w-]{2,}\.[\w-]+\.[\w-]*(\.[\w-]*)*/.exec(text) ?? [];
  if (found === undefined) throw usageError("There is no JWT in that. A JWT has three parts with dots between, and begins with eyJ.");
  if (found.split(".").length === 5) throw usageError("The token is encrypted (JWE): nobody but its receiver can read it, and the guard accepts no such token.");
  return found;
}

/** @param {string} jwt @returns {Parts} */
function partsOf(jwt) {
  const [header = "", claims = ""] = jwt.split(".");
  const read = (/** @type {string} */ part) => /** @type {Record<string, unknown>} */ (JSON.parse(Buffer.from(part, "base64url").toString()));
  try {
    const parts = { header: read(header), claims: read(claims) };
    if ([parts.header, parts.claims].every((it) => typeof it === "object" && it !== null && !Array.isArray(it))) return parts;
  } catch {
    // As what is read, but is no object.
  }
  throw usageError("That is no JWT: its parts are not JSON in base64url. Was it cut off?");
}

const TIMES = ["iat", "nbf", "exp", "auth_time"];
const KNOWN = ["iss", "sub", "aud", "sid", "jti", "roles", "scope", "scopes", "scp", "client_id", "azp", "acr", "amr", ...TIMES];

/** @param {Record<string, unknown>} claims */
const known = (claims) => Object.fromEntries(Object.entries(claims).filter(([name]) => KNOWN.includes(name)));

/** @param {Parts} parts @param {boolean} all @param {Terminal} terminal */
function describe({ header, claims }, all, terminal) {
  const line = (/** @type {string} */ name, /** @type {unknown} */ value) => terminal.print(`  ${shown(name).padEnd(10)} ${shown(typeof value === "string" ? value : JSON.stringify(value))}`);
  terminal.print("The token says, whether it is genuine or not:\n");
  for (const name of ["alg", "typ", "kid"]) if (name in header) line(name, header[name]);
  for (const name of KNOWN) if (name in claims) line(name, TIMES.includes(name) ? time(claims[name]) : claims[name]);
  const others = Object.keys(claims).filter((name) => !KNOWN.includes(name));
  if (all) for (const name of others) line(name, claims[name]);
  else if (others.length > 0) line("and", `${others.join(", ")} (--claims shows them)`);
}

/** @param {unknown} seconds */
function time(seconds) {
  const date = new Date(Number(seconds) * 1000);
  return Number.isNaN(date.getTime()) ? String(seconds) : `${date.toISOString().replace(".000Z", "Z")}, ${fromNow(date.getTime())}`;
}

/** @param {string} jwt @param {Options} options */
async function askGuard(jwt, { url, allowHttp }) {
  const { origin, authPath, isLocal, isPlain } = parseUrl(url);
  if (isPlain && !isLocal && !allowHttp) throw usageError(`The token would travel to ${origin} in the clear. Use https, or --allow-http if the network between is yours.`);
  const headers = { accept: "application/json", authorization: `Bearer ${jwt}`, "x-guard-touch": "false" };
  const answer = await send(origin, `${authPath}/session`, { headers }).catch((error) => {
    throw unknownError(`${origin} cannot be reached: ${whyNot(error)}.`);
  });
  const { status, text } = answer;
  const type = answer.headers["content-type"] ?? "";
  if (status === 200 && /^application\/json\b/.test(type)) {
    const session = JSON.parse(text);
    return { accepted: true, says: `Accepted. Its session is live: signed in ${fromNow(session.created_at)}, last used ${fromNow(session.last_seen_at)}, over ${fromNow(session.expires_at)}.`, session: { sid: session.sid, created_at: session.created_at, last_seen_at: session.last_seen_at, expires_at: session.expires_at } };
  }
  const problem = problemOf(answer);
  if (problem === undefined) throw unknownError(`No guard answers at ${origin}${authPath} (${status} ${shown(type)}).`);
  const { code, title, detail } = problem;
  const isOfToken = [401, 403, 409].includes(status) && code !== "https_required";
  if (!isOfToken) throw unknownError(`The guard could not find out. ${shown(title)}: ${shown(detail)} (${status} ${shown(code)})`);
  return { accepted: false, says: `Refused: ${shown(code)}. ${shown(detail)}`, code, detail };
}

/** @param {string} jwt @param {Options} options @param {Terminal} terminal */
async function askSettings(jwt, { config, env, jwks }, terminal) {
  if (!hasCore()) throw unknownError("Whether the guard accepts it is checked by the guard's own code, which needs the repository and Rust (https://rustup.rs). Or ask a guard, with --url.");
  const { explainToken, ConfigError } = await settingsCheck();
  let says = "";
  const what = { token: jwt, ...(config !== undefined && { config }), ...(env !== undefined && { env }), ...(jwks !== undefined && { jwks }) };
  const status = await explainToken(what, terminal.env, (text) => (says += text)).catch((error) => {
    throw error instanceof ConfigError ? unknownError(error.message.replace(/^error: /, "")) : error;
  });
  // What this machine lacks says nothing about the token.
  const [lacks] = /^error: .*(that this machine does not have|could not be fetched|were not fetched).*$/m.exec(says) ?? [];
  if (lacks !== undefined) throw unknownError(`Whether the guard accepts it cannot be found out here. ${lacks.replace(/^error: /, "")}`);
  return { accepted: status === 0, says: says.trimEnd() };
}
