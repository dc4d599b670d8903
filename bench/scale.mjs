// `npm run bench -- scale`: how the cost of a request grows with what is in the store, and with how
// many come at once. With a real Redis behind the project's bridge.

import { once } from "node:events";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { root, say } from "../scripts/setup.mjs";
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

/** As many of the users make requests; the guard remembers this many tokens. */
const walked = 1_000;

const folder = join(root, ".cache/bench-scale");
const keys = makeKeys(["HS256"]);

/** Measures, and writes the document's parts. */
export async function measureScale(effort) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const nginx = await startNginx(join(folder, "nginx"), makeUser(0).record);
  const redis = await startRedis(join(folder, "redis"));
  const surroundings = { folder, origin: nginx.origin, store: redis.url, keys };
  await growUsers(effort, redis, surroundings);
  await growSessions(effort, redis, surroundings);
  await growConnections(effort, redis, surroundings);
  await redis.end();
  await nginx.end();
}

async function growUsers(effort, redis, surroundings) {
  const rows = [];
  let filled = 0;
  for (const count of userCounts) {
    say(`${count} users with a session each`);
    const users = await fill(redis, filled, count, Math.ceil(count / walked));
    const cost = await measure("guard", effort, redis, surroundings, users);
    rows.push([count.toLocaleString("en"), ...columns(cost), megabytes(await redis.send("INFO", "memory"))]);
    filled = count;
  }
  publish("users", ["users", ...heads, "held by Redis, MB"], rows);
}

async function growSessions(effort, redis, surroundings) {
  const rows = [];
  for (const count of sessionCounts) {
    say(`${count} sessions of a user`);
    await redis.send("FLUSHALL");
    const users = Array.from({ length: 100 }, (_, n) => makeUser(n));
    for (let at = 0; at < count; at++) await put(redis, users.map((user) => (at === 0 ? user : { ...makeUser(0), sub: user.sub })));
    const cost = await measure("guard", effort, redis, surroundings, users);
    const inObjects = await measure("guard, objects", effort, redis, surroundings, users.slice(0, 10).flatMap((user) => Array(count).fill(user)));
    rows.push([count.toLocaleString("en"), ...columns(cost), ...columns(inObjects, ["worker"])]);
  }
  publish("sessions", ["sessions", ...heads, "Durable Object: Worker, µs", "p50, ms", "p99, ms"], rows);
}

async function growConnections(effort, redis, surroundings) {
  const rows = [];
  await redis.send("FLUSHALL");
  const users = await fill(redis, 0, 100, 1);
  for (const connections of connectionCounts) {
    say(`${connections} at once`);
    const cost = await measure("guard", { ...effort, connections }, redis, surroundings, users);
    const besides = await measure("floor", { ...effort, connections }, redis, surroundings, users);
    rows.push([connections, ...columns(cost), cost.perSecond.toFixed(0), ...columns(besides, ["worker"]), besides.perSecond.toFixed(0)]);
  }
  publish("connections", ["at once", ...heads, "requests/s", "floor: Worker, µs", "p50, ms", "p99, ms", "requests/s"], rows);
}

/** Begins sessions of users up to a count, and returns every `step`th of them. */
async function fill(redis, from, count, step) {
  const kept = [];
  for (let at = 0; at < count; at += 10_000) {
    const some = Array.from({ length: Math.min(10_000, count - at) }, (_, n) => makeUser(at + n));
    // Those of before get a session more; that is what the ones who make requests need.
    const fresh = some.filter((_, n) => at + n >= from || (at + n) % step === 0);
    if (fresh.length > 0) await put(redis, fresh);
    kept.push(...some.filter((_, n) => (at + n) % step === 0));
  }
  return kept;
}

/** Many sessions at once, by Redis' own protocol. */
async function put(redis, users) {
  const port = new URL(redis.redisUrl).port;
  const cli = startPinned(cores.others, "redis-cli", ["-p", port, "--pipe"], { stdio: ["pipe", "ignore", "inherit"] });
  const ended = once(cli, "exit");
  const words = (list) => `*${list.length}\r\n${list.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join("")}`;
  cli.stdin.end(users.map(({ sub, sid, record }) => words(["HSET", redisKey(sub), sid, record])).join(""));
  const [status] = await ended;
  if (status !== 0) throw new Error(`redis-cli has ended with ${status}`);
}

/** The medians of several rounds, each in a fresh process. */
async function measure(name, { rounds, seconds, connections = 32 }, redis, surroundings, users) {
  const all = [];
  for (let round = 0; round < rounds; round++) {
    const own = await prepareWorker(name, surroundings);
    const worker = await serve(own, cores.worker);
    const tokens = await seedSlowly(name, worker.url, users);
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

/** Sessions begin a few at a time; the last token of each user is the one that is used. */
async function seedSlowly(name, url, users) {
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
