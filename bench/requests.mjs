// Measures all rows in several rounds and writes the results.

import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root, logStep } from "../scripts/setup.mjs";
import { startNginx, startRedis } from "./lib/backends.mjs";
import { median, table, today, write } from "./lib/document.mjs";
import { checkScript, makeKeys, makeUser, mint, redisKey } from "./lib/identities.mjs";
import { cores, load, writeCredentials } from "./lib/load.mjs";
import { plot } from "./lib/plot.mjs";
import { versions } from "./lib/programs.mjs";
import { checkSameness } from "./lib/sameness.mjs";
import { prepareWorker, seed } from "./lib/workers.mjs";
import { serve } from "./lib/workerd.mjs";
import { writePrices } from "./prices.mjs";
import { floorOf, rows } from "./rows.mjs";
import { measureMemory, measureStart } from "./start.mjs";

/** The number of users that send the requests in turn. */
const userCount = 100;

const folder = join(root, ".cache/bench");

/** Measures the rows and writes the tables in the document. */
export async function measureRequests({ rounds, seconds, warm, only }) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const environment = await prepare();
  const chosen = rows.filter(({ id }) => !only || only.includes(id));
  await checkAll(chosen, environment.keys);
  const results = await measureAll(chosen, rounds, { seconds, warm }, environment);
  report(chosen, results, rounds);
  if (!only) {
    await measureStart(environment, Math.max(3, rounds * 2));
    await measureMemory(environment, seconds < 2 ? 2_000 : 100_000);
  }
  await environment.end();
}

/** Starts the backends, and makes the keys and users. */
async function prepare() {
  const users = Array.from({ length: userCount }, (_, n) => makeUser(n));
  const nginx = await startNginx(join(folder, "nginx"), users[0].record);
  const redis = await startRedis(join(folder, "redis"));
  await redis.send("SCRIPT", "LOAD", checkScript().text);
  for (const { sub, sid, record } of users) await redis.send("HSET", redisKey(sub), sid, record);
  const stores = { nginx: nginx.store, redis: redis.url };
  const end = () => Promise.all([nginx.end(), redis.end()]);
  return { folder, origin: nginx.origin, stores, users, keys: makeKeys(["HS256", "ES256", "EdDSA", "RS256"]), end };
}

async function checkAll(chosen, keys) {
  logStep("Verifying that every worker makes the same checks");
  const names = new Set(chosen.map(({ worker }) => worker).filter((name) => !name.startsWith("floor") && name !== "guard, provider"));
  for (const name of names) await checkSameness(name, folder, keys);
}

/** Each round starts at a different row, so that the order does not favour any. */
async function measureAll(chosen, rounds, { seconds, warm }, environment) {
  const minutes = Math.ceil((chosen.length * rounds * (seconds + warm + 2)) / 60);
  logStep(`Measuring ${chosen.length} rows in ${rounds} rounds (about ${minutes} minutes)`);
  const results = Object.fromEntries(chosen.map(({ id }) => [id, []]));
  for (let round = 0; round < rounds; round++) {
    const first = (round * 5) % chosen.length;
    for (const row of [...chosen.slice(first), ...chosen.slice(0, first)]) {
      results[row.id].push(await measure(row, { seconds, warm }, environment));
    }
    logStep(`Round ${round + 1} of ${rounds}`);
  }
  return results;
}

/** Warms up and measures a row's worker in a new process. */
async function measure(row, { seconds, warm }, environment) {
  const { origin, stores, users, keys } = environment;
  const own = await prepareWorker(row.worker, { folder, origin, store: stores[row.store ?? "nginx"], keys });
  const worker = await serve(own, cores.worker);
  try {
    const tokens = await tokensOf(row, await seed(row.worker, worker.url, users, keys), environment);
    const credentials = writeCredentials(join(folder, "credentials"), tokens);
    await expectStatus(row, worker.url, tokens[0]);
    const sent = { url: worker.url, credentials, addresses: row.addresses };
    await load({ ...sent, seconds: warm });
    const counted = await load({ ...sent, seconds, measured: { worker: worker.pid } });
    const expectedRefusals = row.status ? counted.requests : 0;
    const errors = counted.broken + Math.abs(counted.refused - expectedRefusals);
    if (errors > counted.requests / 100) throw new Error(`${row.label}: ${errors} of ${counted.requests} responses have another status than the row's`);
    return { ...counted, errors };
  } finally {
    await worker.end();
  }
}

async function tokensOf(row, seeded, { users, keys }) {
  const { sent = "good", alg = "HS256" } = row;
  if (sent === "none") return [""];
  if (sent === "forged") return seeded.map((token) => token.slice(0, -10) + "AAAAAAAAAA");
  if (sent === "expired") return users.map(({ claims }) => mint({ ...claims, exp: claims.iat - 3600, iat: claims.iat - 7200 }, alg, keys[alg]));
  return alg === "HS256" ? seeded : users.map(({ claims }) => mint(claims, alg, keys[alg]));
}

async function expectStatus({ label, status = 200 }, url, token) {
  const headers = { accept: "application/json", ...(token === "" ? {} : { authorization: `Bearer ${token}` }) };
  const response = await fetch(`${url}/boats`, { headers });
  const text = await response.text();
  if (response.status !== status) throw new Error(`${label}: ${response.status} ${text}`);
}

function report(chosen, results, rounds) {
  const summaries = chosen.map((row) => summarise(row, results));
  const shown = table(
    ["worker", "CPU, µs", "ratio", "spread", "requests/s", "p50, ms", "p99, ms", "errors", "what differs"],
    summaries.map(({ row, cpu, ratio, spread, perSecond, p50, p99, errors }) => [
      row.ours ? `**${row.label}**` : row.label,
      cpu.toFixed(0),
      ratio === undefined ? "" : ratio.toFixed(2),
      spread === undefined ? "" : spread,
      perSecond.toFixed(0),
      (p50 / 1000).toFixed(1),
      (p99 / 1000).toFixed(1),
      errors,
      row.differs ?? "",
    ]),
    [0, 8],
  );
  console.log(`\n${shown}\n`);
  if (chosen.length < rows.length) return;
  write("docs/benchmarks.md", "npm run bench", `Measured on ${today()} in ${rounds} rounds, with ${versions()}.\n\n${shown}`);
  const bars = summaries.filter(({ row }) => row.store !== "redis").map(({ row, ratio }) => ({ label: row.label, value: ratio, ours: row.ours === true }));
  writePrices(Object.fromEntries(summaries.map(({ row, cpu }) => [row.id, cpu])));
  writeFileSync(join(root, "docs/benchmarks.svg"), plot({ title: "CPU time per request", unit: "floor = 1", line: 1, bars }));
}

/** The medians of a row. The ratio is to the floor in the same round. */
function summarise(row, results) {
  const own = results[row.id];
  const of = (name) => median(own.map((result) => result[name]));
  const floor = results[floorOf(row)];
  const ratios = floor?.map((result, round) => own[round].cpu.worker / result.cpu.worker).toSorted((a, b) => a - b);
  return {
    row,
    cpu: median(own.map((result) => result.cpu.worker)),
    ratio: ratios && median(ratios),
    spread: ratios && `${ratios[0].toFixed(2)} to ${ratios.at(-1).toFixed(2)}`,
    perSecond: of("perSecond"),
    p50: of("p50"),
    p99: of("p99"),
    errors: own.reduce((sum, { errors }) => sum + errors, 0),
  };
}
