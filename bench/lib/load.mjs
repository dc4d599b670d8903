// The load: wrk, on the core of the back-ends.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { root } from "../../scripts/setup.mjs";
import { cpuMicros, startPinned } from "./workerd.mjs";

/** The worker's core, and that of everything else. */
export const cores = { worker: 0, others: 1 };

/** What a program that calls an API sends. */
const headers = {
  "User-Agent": "members-app/3.2 (Linux; x86_64)",
  Accept: "application/json",
  "Accept-Language": "en-GB,en;q=0.8",
  "Accept-Encoding": "gzip, br",
};

/** Writes the file of `Authorization` values that the load walks through; "" stands for none. */
export function writeCredentials(file, tokens) {
  writeFileSync(file, tokens.map((token) => (token === "" ? "\n" : `Bearer ${token}\n`)).join(""));
  return file;
}

/**
 * Puts load on a server, and measures what it costs. Without `seconds`, `count` requests.
 * @returns what wrk counted, requests per second, and each measured process's µs per request
 */
export async function load({ url, credentials, connections = 32, seconds = 600, count = 0, addresses = 1, measured = {} }) {
  const named = Object.entries(headers).flatMap(([name, value]) => ["-H", `${name}: ${value}`]);
  const script = join(root, "bench/lib/load.lua");
  const args = ["-t1", `-c${connections}`, `-d${seconds}s`, "--timeout", "10s", ...named, "-s", script, url, "--", credentials, `${count}`, `${addresses}`];
  const before = cpuOf(measured);
  const wrk = startPinned(cores.others, "wrk", args, { stdio: ["ignore", "pipe", "inherit"] });
  const stdout = await text(wrk.stdout);
  const after = cpuOf(measured);
  const [, json] = /^JSON (.*)$/m.exec(stdout) ?? [];
  if (json === undefined) throw new Error(`wrk said ${stdout}`);
  const counted = JSON.parse(json);
  const each = Object.keys(measured).map((name) => [name, (after[name] - before[name]) / counted.requests]);
  return { ...counted, perSecond: (counted.requests / counted.micros) * 1e6, cpu: Object.fromEntries(each) };
}

function cpuOf(measured) {
  return Object.fromEntries(Object.entries(measured).map(([name, pid]) => [name, cpuMicros(pid)]));
}
