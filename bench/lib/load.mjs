// Generates load with wrk, on the backends' core.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { root } from "../../scripts/setup.mjs";
import { cpuMicros, startPinned } from "./workerd.mjs";

/** The CPU core of the worker, and that of all other processes. */
export const cores = { worker: 0, others: 1 };

/** The request headers of a typical API client. */
const headers = {
  "User-Agent": "members-app/3.2 (Linux; x86_64)",
  Accept: "application/json",
  "Accept-Language": "en-GB,en;q=0.8",
  "Accept-Encoding": "gzip, br",
};

/** Writes the file of `Authorization` values that requests use in turn; an empty token stands for none. */
export function writeCredentials(file, tokens) {
  writeFileSync(file, tokens.map((token) => (token === "" ? "\n" : `Bearer ${token}\n`)).join(""));
  return file;
}

/**
 * Loads a server for `seconds`, or with `count` requests, and measures the CPU time.
 * @returns wrk's results, requests per second, and the CPU µs per request of each process in `measured`
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
  if (json === undefined) throw new Error(`wrk printed no result: ${stdout}`);
  const counted = JSON.parse(json);
  const each = Object.keys(measured).map((name) => [name, (after[name] - before[name]) / counted.requests]);
  return { ...counted, perSecond: (counted.requests / counted.micros) * 1e6, cpu: Object.fromEntries(each) };
}

function cpuOf(measured) {
  return Object.fromEntries(Object.entries(measured).map(([name, pid]) => [name, cpuMicros(pid)]));
}
