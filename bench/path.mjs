// The regression guard, which `npm test` runs: how long the path of a request is in the built Worker.
// Counted are the instructions executed in wasm, the calls from there to JavaScript, and the calls to
// the platform. Counts are alike on every machine, however busy. What rises is compared with
// `path.json`; `npm run bench -- path --accept` writes that anew.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { giveUp, root, run, say } from "../scripts/setup.mjs";
import { makeKeys, makeUser, mint } from "./lib/identities.mjs";
import { loadWorker } from "./lib/metered.mjs";

const baseline = join(root, "bench/path.json");

/** How much longer the path in wasm may become before somebody must say that it is meant. */
const leeway = 1.15;

const [warmUp, measured] = [30, 50];

/** Counts every kind of request, and compares. */
export async function checkPath({ accept }) {
  const folder = join(root, ".cache/bench-path");
  mkdirSync(folder, { recursive: true });
  say("Counting what a request executes");
  run("cargo", ["run", "--quiet", "--locked", "--package", "xtask", "--", "meter", join(root, "build/bindings/guard_bg.wasm"), join(folder, "metered.wasm")]);
  const keys = makeKeys(["HS256"]);
  const user = makeUser(1);
  const token = mint(user.claims, "HS256", keys.HS256);
  const load = (kind) => loadWorker(folder, keys, user, kind);
  const found = await countAll(load, token, mint({ ...user.claims, exp: user.claims.iat - 3600 }, "HS256", keys.HS256));
  if (accept) {
    writeFileSync(baseline, `${JSON.stringify(found, null, 2)}\n`);
    return say("Written to bench/path.json");
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

/** The counts of one request, once the Worker is warm. */
async function count(worker, token, status, pathOf = () => undefined) {
  for (let n = 0; n < warmUp; n++) await send(worker, status, token, pathOf(n));
  const before = worker.counts();
  for (let n = 0; n < measured; n++) await send(worker, status, token, pathOf(warmUp + n));
  const after = worker.counts();
  return Object.fromEntries(Object.keys(after).map((what) => [what, Math.round((after[what] - before[what]) / measured)]));
}

async function send(worker, status, ...said) {
  const answer = await worker.send(...said);
  if (answer.status !== status) throw new Error(`answered by ${answer.status}: ${await answer.text()}`);
}

function compare(known, found) {
  const risen = [];
  for (const [request, counts] of Object.entries(found)) {
    for (const [what, number] of Object.entries(counts)) {
      const before = known[request]?.[what] ?? 0;
      const most = what === "instructions" ? before * leeway : before;
      const change = before === 0 ? "" : `, ${number < before ? "" : "+"}${(100 * (number / before - 1)).toFixed(0)} %`;
      if (number > most) risen.push(`  ${request}: ${number} ${what} instead of ${before}${change}`);
      else if (number < before / leeway) say(`${request}: only ${number} ${what} instead of ${before}${change}. Have that written down: npm run bench -- path --accept`);
    }
  }
  if (risen.length === 0) return;
  giveUp(`A request's path through the Worker has become longer:

${risen.join("\n")}

If that is meant, accept it with \`npm run bench -- path --accept\` and commit bench/path.json. Otherwise
look at what has come into Guard::decide, Guard::judge, the stores, src/proxy/.`);
}
