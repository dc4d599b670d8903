// `session-guard rights SUB`: shows or changes what a user's sessions may do.

import { Command } from "commander";
import { usageError } from "../errors.js";
import { asksGuard, Guard, inPath } from "../guard.js";
import { repeatable } from "../options.js";
import { counted, shown } from "../text.js";
import { blockInWords } from "./sessions.js";

/** @typedef {import("../terminal.js").Terminal} Terminal */
/** @typedef {{ roles?: string, scopes?: string, claim?: string[], withoutClaim?: string[], reset?: string[], session?: string }} Options */

/** @param {Terminal} terminal */
export const rights = (terminal) =>
  asksGuard(new Command("rights"))
    .description("show or change what a user's sessions may do, whatever the tokens say")
    .argument("<sub>", "the user")
    .option("--roles <list>", "set these roles, separated by commas; '' for none")
    .option("--scopes <list>", "set these scopes, separated by commas; '' for none")
    .addOption(repeatable("--claim <name=value>", "set this public claim, as JSON or text"))
    .addOption(repeatable("--without-claim <name>", "remove this claim, whatever the token says"))
    .addOption(repeatable("--reset <member>", "go by the token again: roles, scopes, claims or all"))
    .option("--session <sid>", "change only this session")
    .addHelpText("after", `
Without an option that changes something, the command shows the user's rights and block. A change counts from the next
request on, for live sessions and later ones. Options that are not given change nothing.

Examples:
  session-guard rights ada
  session-guard rights ada --roles member --scopes ''
  session-guard rights ada --claim plan=free --claim 'groups=["crew"]'
  session-guard rights ada --reset all
`)
    .action(async (sub, options) => {
      const change = changeOf(options);
      if (change === undefined && options.session !== undefined) throw usageError("Say what to change for the session, like --roles member. `session-guard sessions SUB --json` shows its rights.");
      const guard = await Guard.of(options, terminal);
      const path = `admin/users/${inPath(sub)}`;
      if (change !== undefined) await guard.call("PATCH", options.session === undefined ? path : `${path}/sessions/${encodeURIComponent(options.session)}`, { rights: change });
      tell(await guard.call("GET", `${path}/sessions`), options, terminal);
    });

/** The change of rights that the options mean; `undefined` if they mean none. @param {Options} options */
function changeOf({ roles, scopes, claim = [], withoutClaim = [], reset = [] }) {
  if (reset.some((it) => !["roles", "scopes", "claims", "all"].includes(it))) throw usageError("--reset takes roles, scopes, claims or all.");
  const claims = Object.fromEntries([...claim.map(parseClaim), ...withoutClaim.map((name) => [name, null])]);
  const change = {
    ...(roles !== undefined && { roles: listOf(roles) }),
    ...(scopes !== undefined && { scopes: listOf(scopes) }),
    ...(Object.keys(claims).length > 0 && { claims }),
  };
  const isNothing = Object.keys(change).length === 0;
  if (reset.includes("all")) {
    if (!isNothing || reset.length > 1) throw usageError("--reset all takes no other change beside it.");
    return null;
  }
  const both = reset.find((it) => it in change);
  if (both !== undefined) throw usageError(`--reset ${both} and a new value for ${both} exclude each other.`);
  return isNothing && reset.length === 0 ? undefined : { ...change, ...Object.fromEntries(reset.map((it) => [it, null])) };
}

/** @param {string} text */
const listOf = (text) => text.split(/[\s,]+/).filter((word) => word !== "");

/** @param {string} text @returns {[string, unknown]} */
function parseClaim(text) {
  const at = text.indexOf("=");
  if (at < 1) throw usageError(`--claim ${shown(text)}: write it as NAME=VALUE.`);
  const value = text.slice(at + 1);
  if (value === "null") throw usageError("To take a claim away, use --without-claim NAME.");
  try {
    return [text.slice(0, at), JSON.parse(value)];
  } catch {
    return [text.slice(0, at), value];
  }
}

/** @param {import("./sessions.js").UserSessions} user @param {{ json?: boolean }} options @param {Terminal} terminal */
function tell(user, { json }, terminal) {
  if (json) return terminal.printJson({ sub: user.sub, rights: user.rights ?? null, block: user.block ?? null, sessions: user.sessions.map(({ sid, rights = null }) => ({ sid, rights })) });
  const all = inWords(user.rights);
  terminal.print(`${shown(user.sub)}: ${all ?? "as the tokens say"}`);
  for (const { sid, rights: own } of user.sessions) {
    const words = inWords(own) ?? "as the token says";
    if (words !== (all ?? "as the token says")) terminal.print(`  session ${sid}: ${words}`);
  }
  if (user.block !== undefined) terminal.print(`  ${blockInWords(user.block)}`);
  terminal.note(counted(user.sessions.length, "live session"));
}

/** @param {Record<string, unknown> | undefined} rights */
function inWords(rights) {
  if (rights === undefined) return undefined;
  const { roles, scopes, claims } = /** @type {{ roles?: string[], scopes?: string[], claims?: Record<string, unknown> }} */ (rights);
  const list = (/** @type {string} */ name, /** @type {string[] | undefined} */ words) => (words === undefined ? [] : [`${name} ${words.length === 0 ? "none" : words.join(" ")}`]);
  const each = Object.entries(claims ?? {}).map(([name, value]) => (value === null ? `no claim ${name}` : `claim ${name} ${JSON.stringify(value)}`));
  return shown([...list("roles", roles), ...list("scopes", scopes), ...each].join(", "));
}
