// `session-guard init`: writes wrangler.toml and makes the keys, by five questions or flags.

import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import { Command } from "commander";
import { usageError } from "../errors.js";
import { answers } from "../init/answers.js";
import { PROVIDERS } from "../init/provider.js";
import { writeWatched } from "../init/watched_file.js";
import { wranglerToml, zoneOf } from "../init/wrangler_toml.js";
import { KEYS_FOLDER, newKey, typed, writeKeys, writeSecret } from "../key_file.js";
import { repeatable } from "../options.js";
import { home, isRepository, root } from "../project.js";
import { confirmed } from "../questions.js";

/** @typedef {import("../terminal.js").Terminal} Terminal */
/** @typedef {import("../init/answers.js").Answers} Answers */
/** @typedef {import("../init/answers.js").Flags & { out: string, keys: string, alg: string, force?: boolean, json?: boolean }} Options */

const ABOUT = `
On a terminal, the command asks for what the flags leave open. It keeps keys that are there already, and sends nothing
anywhere.

Examples:
  session-guard init
  session-guard init --force --site https://members.example.com --origin zone --login /internal/login --sessions 1 --store durable-object
  session-guard init --force --site https://members.example.com --origin zone --sessions 3 --store durable-object --provider keycloak --issuer https://id.example.com/realms/staff --client-id members --allow groups=/crew
  session-guard init --out staging.toml --site https://staging.example.com --origin https://10-0-0-7.example.net --login own:/login --sessions 2 --store redis:https://eu1-boats.upstash.io
`;

/** @param {Terminal} terminal */
export const init = (terminal) =>
  new Command("init")
    .description("write wrangler.toml and make the keys for your site")
    .option("--site <url>", "your site's address")
    .option("--origin <where>", "where your application is: zone, if DNS already leads to it; its URL; or worker:NAME")
    .option("--login <how>", "the path that checks passwords; own:/PATH, for your application's own login; or provider")
    .option("--provider <name>", `the identity provider at which people sign in: ${PROVIDERS}, or a name of your own for another`)
    .option("--issuer <url>", "its issuer, as its tokens have it in `iss`")
    .option("--client-id <id>", "the id of your client there")
    .addOption(repeatable("--allow <claim=value>", "who may sign in, like groups=/crew or email_domain=example.com; without it, everybody with an account there"))
    .option("--sessions <number>", "on how many devices a user may be signed in at once; 0 for any number")
    .option("--store <store>", "where sessions are kept: durable-object, or redis:URL")
    .option("--alg <alg>", "the algorithm of the signing key: ES256, EdDSA, HS256, HS384, HS512", "ES256")
    .option("--out <file>", "the file to write", join(home, "wrangler.toml"))
    .option("--keys <folder>", "where the keys are put", KEYS_FOLDER)
    .option("--force", "replace the file if it is there")
    .option("--json", "print JSON")
    .addHelpText("after", ABOUT)
    .configureHelp({ optionDescription: (option) => option.description + (option.long === "--alg" ? " (default: ES256)" : option.long === "--out" ? " (default: wrangler.toml)" : option.long === "--keys" ? " (default: .cache/keys)" : "") })
    .action(async (options) => write(options, terminal));

/** @param {Options} options @param {Terminal} terminal */
async function write(options, terminal) {
  const file = resolve(options.out);
  await mayReplace(file, options, terminal);
  const template = await readFile(join(root, "wrangler.toml"), "utf8");
  const given = await answers(options, terminal);
  const text = wranglerToml(template, given, relative(dirname(file), root));
  const keys = await makeKeys(options, given.site.hostname);
  await mkdir(dirname(file), { recursive: true });
  await writeWatched(file, text);
  const secrets = secretsOf(given, keys);
  const redirectUri = redirectUriOf(given);
  if (options.json) return terminal.printJson({ file, secrets, ...(redirectUri !== undefined && { redirect_uri: redirectUri }) });
  terminal.print(`\nWrote ${typed(file)}.${given.origin.kind === "zone" ? ` It takes ${zoneOf(given.site)} for your zone at Cloudflare: correct zone_name if it has another name.` : ""}`);
  for (const { file: path, isNew } of [keys.signing, keys.admin]) terminal.print(`${isNew ? "Made" : "Kept"} ${typed(path)}. Keep it secret: whoever has it can sign in as anybody.`);
  terminal.print(`\nNext:\n\n${steps(given, secrets, file, terminal).map((step, i) => `  ${i + 1}. ${step.replace(/\n(?=.)/g, "\n     ")}`).join("\n\n")}\n`);
}

/** @param {string} file @param {Options} options @param {Terminal} terminal */
async function mayReplace(file, { force, json }, terminal) {
  if (!existsSync(file) || force) return;
  const isAsked = terminal.isInteractive && !json;
  if (isAsked && (await confirmed(`${typed(file)} is there already. Replace it?`, terminal))) return;
  throw usageError(`${typed(file)} is there already. Pass --force to replace it, or another file as --out.`);
}

/** Makes the keys that are not there. @param {Options} options @param {string} host */
async function makeKeys({ keys, alg }, host) {
  const [signing, admin] = [join(resolve(keys), `${host}.json`), join(resolve(keys), `${host}.admin-api-key`)];
  const isNew = { signing: !existsSync(signing), admin: !existsSync(admin) };
  const key = await newKey(alg);
  if (isNew.signing) await writeKeys(signing, [key]);
  if (isNew.admin) await writeSecret(admin, `${randomBytes(32).toString("base64url")}\n`);
  return { signing: { file: signing, isNew: isNew.signing }, admin: { file: admin, isNew: isNew.admin } };
}

/** The secrets to set, and from which file. @param {Answers} given @param {Awaited<ReturnType<typeof makeKeys>>} keys @returns {{ name: string, file?: string }[]} */
const secretsOf = ({ store, login }, { signing, admin }) => [
  { name: "SIGNING_KEYS", file: signing.file },
  { name: "ADMIN_API_KEY", file: admin.file },
  ...(login.kind === "provider" && login.provider !== undefined ? [{ name: login.provider.secret }] : []),
  ...(store.kind === "redis" ? [{ name: "UPSTASH_REDIS_REST_TOKEN" }] : []),
];

/** @param {Answers} given @param {{ name: string, file?: string }[]} secrets @param {string} file @param {Terminal} terminal */
function steps(given, secrets, file, terminal) {
  const config = file === join(home, "wrangler.toml") ? "" : ` --config ${typed(file)}`;
  const adminFile = secrets.find(({ name }) => name === "ADMIN_API_KEY")?.file ?? "";
  return [
    ...(providerSteps(given) ?? LOGIN_STEPS[given.login.kind]),
    ...(isRepository ? [`Check the settings:\n\nnpm run check-config${config === "" ? "" : ` --${config}`}`] : []),
    `Set the secrets. This needs your Cloudflare account:\n\n${secrets.map(({ name, file: path }) => `npx wrangler secret put ${name}${config}${path === undefined ? "" : ` < ${typed(path)}`}`).join("\n")}`,
    `Deploy. On a site that is in use, set MODE = "monitor" first: docs/adopt.md.\n\nnpx wrangler deploy${config}`,
    `See whether all is well:\n\n${terminal.me} doctor ${given.site.origin} --key-file ${typed(adminFile)}`,
  ];
}

/** Where the provider sends people back to. @param {Answers} given */
const redirectUriOf = ({ login, site }) => (login.kind === "provider" && login.provider !== undefined ? `${site.origin}/_auth/callback/${login.provider.name}` : undefined);

/** What is to be done at the provider. @param {Answers} given */
function providerSteps(given) {
  if (given.login.kind !== "provider" || given.login.provider === undefined) return undefined;
  const { entry, secret } = given.login.provider;
  const who = entry["allow"] === undefined ? ["Say who may sign in, as `allow` in TRUSTED_ISSUERS. Without it, everybody with an account at the provider may: docs/sign-in.md#who-may-sign-in."] : [];
  return [`At the provider, enter these addresses for your client ${entry["client_id"]}, the last two if it has a place for them. The client's secret becomes ${secret} below. docs/sign-in.md#providers has the rest.\n\nredirect URI         ${redirectUriOf(given)}\nafter a logout       ${given.site.origin}/_auth/logged-out\nback-channel logout  ${given.site.origin}/_auth/backchannel-logout`, ...who];
}

/** What the way to sign in still needs. @type {Record<Answers["login"]["kind"], string[]>} */
const LOGIN_STEPS = {
  password: ["Have your application check passwords at LOGIN_URL: docs/login.md."],
  own: ["Have your application's login answer with X-Guard-Login: docs/own-login.md."],
  provider: ["Name your identity provider in TRUSTED_ISSUERS: docs/sign-in.md."],
};
