// `npm run bench -- scale`: measures how the cost of a request grows with the content of the store and with concurrent
// requests. Uses a real Redis behind the project's bridge.

import { once } from "node:events";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { root, logStep } from "../scripts/setup.mjs";
import { startNginx, startRedis } from "./lib/backends.mjs";
import { median, table, today, write } from "./lib/document.mjs";
import { makeKeys, makeUser, mint, redisKey } from "./lib/identities.mjs";
import { cores, load, writeCredentials } from "./lib/load.mjs";
import { versions } from "./lib/programs.mjs";
import { prepareWorker, seed } from "./lib/workers.mjs";
import { serve, startPinned } from "./lib/workerd.mjs";

const userCounts = [1, 1_000, 100_000, 1_000_000];
const sessionCounts = [1, 10, 100, 1_000];
const connectionCounts = [1, 8, 32, 128, 512];

/** The number of users that send requests; the guard caches this many tokens. */
const activeUsers = 1_000;

const folder = join(root, ".cache/bench-scale");
const keys = makeKeys(["HS256"]);

/** Measures growth and writes the tables in the document. */
export async function measureScale(effort) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const nginx = await startNginx(join(folder, "nginx"), makeUser(0).record);
  const redis = await startRedis(join(folder, "redis"));
  const environment = { folder, origin: nginx.origin, store: redis.url, keys };
  await growUsers(effort, redis, environment);
  await growSessions(effort, redis, environment);
  await growConnections(effort, redis, environment);
  await redis.end();
  await nginx.end();
}

async function growUsers(effort, redis, environment) {
  const rows = [];
  let filled = 0;
  for (const count of userCounts) {
    logStep(`${count} users with a session each`);
    const users = await fill(redis, filled, count, Math.ceil(count / activeUsers));
    const cost = await measure("guard", effort, redis, environment, users);
    rows.push([count.toLocaleString("en"), ...columns(cost), megabytes(await redis.send("INFO", "memory"))]);
    filled = count;
  }
  publish("users", ["users", ...heads, "memory of Redis, MB"], rows);
}

async function growSessions(effort, redis, environment) {
  const rows = [];
  for (const count of sessionCounts) {
    logStep(`${count} sessions per user`);
    await redis.send("FLUSHALL");
    const users = Array.from({ length: 100 }, (_, n) => makeUser(n));
    for (let at = 0; at < count; at++) await put(redis, users.map((user) => (at === 0 ? user : { ...makeUser(0), sub: user.sub })));
    const cost = await measure("guard", effort, redis, environment, users);
    const inObjects = await measure("guard, objects", effort, redis, environment, users.slice(0, 10).flatMap((user) => Array(count).fill(user)));
    rows.push([count.toLocaleString("en"), ...columns(cost), ...columns(inObjects, ["worker"])]);
  }
  publish("sessions", ["sessions", ...heads, "Durable Object: Worker, µs", "p50, ms", "p99, ms"], rows);
}

async function growConnections(effort, redis, environment) {
  const rows = [];
  await redis.send("FLUSHALL");
  const users = await fill(redis, 0, 100, 1);
  for (const connections of connectionCounts) {
    logStep(`${connections} connections`);
    const cost = await measure("guard", { ...effort, connections }, redis, environment, users);
    const floor = await measure("floor", { ...effort, connections }, redis, environment, users);
    rows.push([connections, ...columns(cost), cost.perSecond.toFixed(0), ...columns(floor, ["worker"]), floor.perSecond.toFixed(0)]);
  }
  publish("connections", ["connections", ...heads, "requests/s", "floor: Worker, µs", "p50, ms", "p99, ms", "requests/s"], rows);
}

/** Adds users with sessions up to a count, and returns every `step`th user. */
async function fill(redis, from, count, step) {
  const kept = [];
  for (let at = 0; at < count; at += 10_000) {
    const some = Array.from({ length: Math.min(10_000, count - at) }, (_, n) => makeUser(at + n));
    // Active users from an earlier step get another session, whose token they use.
    const fresh = some.filter((_, n) => at + n >= from || (at + n) % step === 0);
    if (fresh.length > 0) await put(redis, fresh);
    kept.push(...some.filter((_, n) => (at + n) % step === 0));
  }
  return kept;
}

/** Stores many sessions at once over the Redis protocol. */
async function put(redis, users) {
  const port = new URL(redis.redisUrl).port;
  const cli = startPinned(cores.others, "redis-cli", ["-p", port, "--pipe"], { stdio: ["pipe", "ignore", "inherit"] });
  const ended = once(cli, "exit");
  const encode = (args) => `*${args.length}\r\n${args.map((arg) => `$${Buffer.byteLength(arg)}\r\n${arg}\r\n`).join("")}`;
  cli.stdin.end(users.map(({ sub, sid, record }) => encode(["HSET", redisKey(sub), sid, record])).join(""));
  const [status] = await ended;
  if (status !== 0) throw new Error(`redis-cli exited with status ${status}`);
}

/** The medians of several rounds, each in a new process. */
async function measure(name, { rounds, seconds, connections = 32 }, redis, environment, users) {
  const all = [];
  for (let round = 0; round < rounds; round++) {
    const own = await prepareWorker(name, environment);
    const worker = await serve(own, cores.worker);
    const tokens = await seedInBatches(name, worker.url, users);
    const credentials = writeCredentials(join(folder, "credentials"), tokens);
    await load({ url: worker.url, credentials, connections, seconds: Math.min(2, seconds) });
    const counted = await load({ url: worker.url, credentials, connections, seconds, measured: { worker: worker.pid, redis: redis.pids.redis } });
    if (counted.refused + counted.broken > 0) throw new Error(`${counted.refused + counted.broken} of ${counted.requests} requests failed`);
    all.push(counted);
    await worker.end();
  }
  const of = (pick) => median(all.map(pick));
  return { worker: of(({ cpu }) => cpu.worker), redis: of(({ cpu }) => cpu.redis), p50: of(({ p50 }) => p50), p99: of(({ p99 }) => p99), perSecond: of(({ perSecond }) => perSecond) };
}

/** Begins sessions in small batches, and returns the last token of each user. */
async function seedInBatches(name, url, users) {
  if (!name.includes("objects")) return users.map(({ claims }) => mint(claims, "HS256", keys.HS256));
  const tokens = new Map();
  for (let at = 0; at < users.length; at += 20) {
    const some = users.slice(at, at + 20);
    (await seed(name, url, some, keys)).forEach((token, n) => tokens.set(some[n].sub, token));
  }
  return [...tokens.values()];
}

const heads = ["Worker, µs", "Redis, µs", "p50, ms", "p99, ms"];

function columns(cost, processes = ["worker", "redis"]) {
  return [...processes.map((name) => cost[name].toFixed(0)), (cost.p50 / 1000).toFixed(1), (cost.p99 / 1000).toFixed(1)];
}

function megabytes(info) {
  const [, bytes] = /^used_memory:(\d+)/m.exec(info) ?? [];
  return (Number(bytes) / 1024 / 1024).toFixed(0);
}

function publish(part, head, rows) {
  const shown = table(head, rows);
  console.log(`\n${shown}\n`);
  write("docs/benchmarks.md", `npm run bench -- scale: ${part}`, `Measured on ${today()}, with ${versions()}.\n\n${shown}`);
}
