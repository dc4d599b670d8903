// `session-guard tail`: the guard's log, in words.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { open as openFile } from "node:fs/promises";
import { Command } from "commander";
import { unknownError, usageError } from "../errors.js";
import { repeatable } from "../options.js";
import { hasCore, home, logIdentities, readDevVars } from "../project.js";
import { entriesOf } from "../tail/entries.js";
import { filter } from "../tail/filter.js";
import { jsonObjects } from "../tail/json_stream.js";
import { inWords, WORDS } from "../tail/words.js";
import { shown, table } from "../text.js";

/** @typedef {import("../terminal.js").Terminal} Terminal */
/** @typedef {import("../tail/entries.js").Entry} Entry */
/** @typedef {{ worker?: string, env?: string, code?: string[], path?: string, user?: string, status?: string, problems?: boolean, count?: boolean, json?: boolean }} Options */

const ABOUT = `
Without FILE, the log comes from \`wrangler tail\` of the deployed guard, which needs your Cloudflare account. FILE, or -
for standard input, reads what \`wrangler tail --format json\`, Logpush or a workerd of your own has written. Times are
UTC.

The log has hashes in place of users. For --user, the command makes the hash with SIGNING_KEYS, from the environment or
.dev.vars; these must be the deployed ones. You can also give the hash itself.

Examples:
  session-guard tail
  session-guard tail --problems
  session-guard tail --code session_superseded --code session_revoked
  session-guard tail --user ada --path '/reports/*' --status 4xx
  journalctl -u session-guard -o cat | session-guard tail - --count
`;

/** @param {Terminal} terminal */
export const tail = (terminal) =>
  new Command("tail")
    .description("show the guard's log, in words")
    .argument("[file]", "a saved log; - is standard input")
    .option("--worker <name>", "the Worker's name, if it is not the one in wrangler.toml")
    .option("--env <name>", "the environment in wrangler.toml")
    .addOption(repeatable("--code <code>", "lines with this code of a refusal or failure, or type of an event"))
    .option("--path <pattern>", "requests for this path; * stands for anything")
    .option("--user <sub>", "lines about this user, or about the user with this hash")
    .option("--status <status>", "requests with this status, or one like 5xx")
    .option("--problems", "only refusals, failures and warnings")
    .option("--count", "only count how often each code came")
    .option("--json", "print JSON, one entry a line")
    .addHelpText("after", ABOUT)
    .action(async (file, options) => show(file, options, terminal));

/** @param {string | undefined} file @param {Options} options @param {Terminal} terminal */
async function show(file, options, terminal) {
  for (const code of options.code ?? []) if (!WORDS.has(code)) throw usageError(`There is no code ${shown(code)}. docs/refusals.md, docs/logs.md and docs/events.md have them.`);
  const isWanted = filter({ ...options, names: await namesOf(options.user, terminal) });
  const source = await open(file, options, terminal);
  /** @type {Map<string, number>} */
  const counts = new Map();
  for await (const object of jsonObjects(source.stream)) {
    for (const entry of entriesOf(object).filter(isWanted)) {
      const name = entry.code || String(entry.line["decision"]);
      if (options.count) counts.set(name, (counts.get(name) ?? 0) + 1);
      else if (options.json) terminal.print(JSON.stringify({ time: entry.time === undefined ? undefined : new Date(entry.time).toISOString(), kind: entry.kind, path: entry.path, ...entry.line }));
      else terminal.print(inWords(entry, (colour, text) => terminal.coloured(colour, text)));
    }
  }
  if (options.count) tellCounts(counts, options.json === true, terminal);
  await source.end();
}

/** @param {Map<string, number>} counts @param {boolean} json @param {Terminal} terminal */
function tellCounts(counts, json, terminal) {
  const sorted = [...counts].sort(([, a], [, b]) => b - a);
  if (json) return terminal.printJson(Object.fromEntries(sorted));
  if (sorted.length === 0) return terminal.note("The log has nothing of that.");
  terminal.print(table(["COUNT", "CODE", "MEANS"], sorted.map(([code, count]) => [`${count}`, code, WORDS.get(code) ?? ""]), terminal.width));
}

/** Where the log comes from. @param {string | undefined} file @param {Options} options @param {Terminal} terminal */
async function open(file, options, terminal) {
  if (file === "-") return { stream: terminal.streams.stdin, end: async () => {} };
  if (file !== undefined) {
    const handle = await openFile(file).catch((/** @type {NodeJS.ErrnoException} */ error) => {
      throw usageError(`${file} cannot be read: ${error.code === "ENOENT" ? "there is no such file" : error.code}.`);
    });
    return { stream: handle.createReadStream(), end: async () => {} };
  }
  return openWrangler(options, terminal);
}

/** @param {Options} options @param {Terminal} terminal */
function openWrangler({ worker, env }, terminal) {
  const args = ["tail", ...(worker === undefined ? [] : [worker]), "--format", "json", ...(env === undefined ? [] : ["--env", env])];
  const child = spawn("wrangler", args, { cwd: home, stdio: ["ignore", "pipe", "inherit"], env: { ...terminal.env, WRANGLER_SEND_METRICS: "false" } });
  terminal.note("Waiting for requests. Press Ctrl-C to stop.");
  const exited = once(child, "exit");
  return {
    stream: child.stdout,
    async end() {
      const [status] = await exited;
      if (status !== 0 && status !== null) throw unknownError("wrangler tail ended. Log in with `npx wrangler login`, and see what it said above.");
    },
  };
}

/** The names that the log may have for a user. @param {string | undefined} user @param {Terminal} terminal */
async function namesOf(user, terminal) {
  if (user === undefined) return undefined;
  if (/^[0-9a-f]{32}$/.test(user)) return [user];
  const keys = terminal.env["SIGNING_KEYS"] ?? (await readDevVars())["SIGNING_KEYS"];
  if (keys !== undefined && hasCore()) return [user, ...logIdentities(user, keys)];
  terminal.note(`note: ${keys === undefined ? "SIGNING_KEYS is not set here" : "the repository or Rust is missing here"}, so the user is found only if LOG_IDENTITY is plain.`);
  return [user];
}
