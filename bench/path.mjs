// The hot-path regression test, which `npm test` runs: counts what a request executes in the built Worker, as
// instructions in wasm, calls from wasm to JavaScript, and calls to the platform. The counts do not depend on the
// machine or its load. They are compared with `path.json`, which `npm run bench -- path --accept` updates.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { wasmBuild } from "../scripts/build.mjs";
import { exitWithError, root, logStep } from "../scripts/setup.mjs";
import { makeKeys, makeUser, mint, mintProviders, provider, providerRecord, providerSecret } from "./lib/identities.mjs";
import { loadWorker } from "./lib/metered.mjs";

const baseline = join(root, "bench/path.json");

/** The factor by which instructions may rise before the increase must be accepted. */
const tolerance = 1.15;

const [warmUp, measured] = [30, 50];

/** Counts every kind of request, and compares the counts with the baseline, or with `accept` replaces it. */
export async function checkPath({ accept }) {
  const folder = join(root, ".cache/bench-path");
  mkdirSync(folder, { recursive: true });
  logStep("Counting what a request executes");
  wasmBuild(["meter", join(root, "build/bindings/guard_bg.wasm"), join(folder, "metered.wasm")]);
  const keys = makeKeys(["HS256"]);
  const user = makeUser(1);
  const token = mint(user.claims, "HS256", keys.HS256);
  const load = (kind) => loadWorker(folder, keys, user, kind);
  const ofProvider = () => {
    const vars = { TRUSTED_ISSUERS: JSON.stringify([provider]), PROVIDER_SECRET: providerSecret(keys) };
    return loadWorker(folder, keys, { ...user, record: providerRecord(user) }, "redis", vars);
  };
  const found = await countAll(load, token, mint({ ...user.claims, exp: user.claims.iat - 3600 }, "HS256", keys.HS256));
  found["passes, a provider's token"] = await count(await ofProvider(), mintProviders(user.claims, keys.HS256), 200);
  if (accept) {
    writeFileSync(baseline, `${JSON.stringify(found, null, 2)}\n`);
    return logStep("Written to bench/path.json");
  }
  compare(JSON.parse(readFileSync(baseline, "utf8")), found);
}

async function countAll(load, token, expired) {
  const redis = await load("redis");
  const objects = await load("durable-object");
  return {
    "passes, Redis": await count(redis, token, 200),
    "passes, Durable Object": await count(objects, token, 200),
    "passes, another address each time": await count(redis, token, 200, (n) => `/boats?page=${n}`),
    "refused, no token": await count(redis, "", 401),
    "refused, bad signature": await count(redis, token.slice(0, -8) + "AAAAAAAA", 401),
    "refused, expired": await count(redis, expired, 401),
  };
}

/** The mean counts of one request, after warming up. */
async function count(worker, token, status, pathOf = () => undefined) {
  for (let n = 0; n < warmUp; n++) await send(worker, status, token, pathOf(n));
  const before = worker.counts();
  for (let n = 0; n < measured; n++) await send(worker, status, token, pathOf(warmUp + n));
  const after = worker.counts();
  return Object.fromEntries(Object.keys(after).map((what) => [what, Math.round((after[what] - before[what]) / measured)]));
}

async function send(worker, status, ...args) {
  const response = await worker.send(...args);
  if (response.status !== status) throw new Error(`expected status ${status}, got ${response.status}: ${await response.text()}`);
}

function compare(known, found) {
  const risen = [];
  for (const [request, counts] of Object.entries(found)) {
    for (const [what, number] of Object.entries(counts)) {
      const before = known[request]?.[what] ?? 0;
      const limit = what === "instructions" ? before * tolerance : before;
      const change = before === 0 ? "" : `, ${number < before ? "" : "+"}${(100 * (number / before - 1)).toFixed(0)} %`;
      if (number > limit) risen.push(`  ${request}: ${number} ${what} instead of ${before}${change}`);
      else if (number < before / tolerance) logStep(`${request}: only ${number} ${what} instead of ${before}${change}. Update the baseline: npm run bench -- path --accept`);
    }
  }
  if (risen.length === 0) return;
  exitWithError(`Requests execute more than before:

${risen.join("\n")}

If this is intended, run \`npm run bench -- path --accept\` and commit bench/path.json. Otherwise, check recent changes to
Guard::decide, Guard::judge, the stores and src/proxy/.`);
}
