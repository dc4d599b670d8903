// The guard as people run it on a machine of their own.

import { randomUUID } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { startCommand, stopCommand } from "./commands.ts";
import { root } from "./docs.ts";
import { AUDIENCE, ISSUER, KEY } from "./guard.ts";
import { LOGIN_PATH } from "./origin.ts";

/** A guard on this machine. */
export interface SelfHosted extends AsyncDisposable {
  url: string;
  /** What it has printed. */
  printed: { text: string };
}

/** The settings of a guard before this origin, with the tests' key; any free port. */
export function settingsOf(folder: string, origin: string, vars: Record<string, string> = {}, members = ""): string {
  const secrets = join(folder, "secrets.env");
  writeFileSync(secrets, `SIGNING_KEYS='${JSON.stringify({ keys: [KEY] })}'\n`, { mode: 0o600 });
  const file = join(folder, `${randomUUID()}.toml`);
  const all = { ISSUER, AUDIENCE, ORIGIN_URL: origin, LOGIN_URL: origin + LOGIN_PATH, LOGIN_RATE: "off", LOGIN_RATE_PER_ADDRESS: "off", STORE_TIMEOUT: "20 seconds", ...vars };
  const lines = Object.entries(all).map(([name, value]) => `${name} = ${JSON.stringify(value)}`);
  writeFileSync(file, `listen = "127.0.0.1:0"\ndata = "data"\nsecrets_file = "secrets.env"\n${members}\n[vars]\n${lines.join("\n")}\n`);
  return file;
}

/** Starts it, and waits until it says how it is. */
export async function selfHost(config: string, args: string[] = [], env: Record<string, string> = {}, program = join(root, "selfhost/serve.mjs")): Promise<SelfHosted> {
  const { child, printed } = startCommand(process.execPath, [program, "--config", config, ...args], env);
  const isUp = () => printed.text.includes("Press Ctrl-C to stop");
  while (!isUp() && child.exitCode === null) await new Promise((resume) => setTimeout(resume, 20));
  if (!isUp()) throw new Error(printed.text);
  const [, url = ""] = /listens on (\S+)/.exec(printed.text) ?? [];
  return { url, printed, [Symbol.asyncDispose]: () => stopCommand(child) };
}
