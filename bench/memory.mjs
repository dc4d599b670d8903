// The memory regression test, which `npm test` runs: measures how much the memory of a guard in workerd grows when
// clients send requests that fill its caches.

import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { Agent, createServer, request } from "node:http";
import { join } from "node:path";
import { exitWithError, root, logStep } from "../scripts/setup.mjs";
import { audience, issuer, makeKeys, makeUser, mint, redisKey, signingKeys } from "./lib/identities.mjs";
import { residentMegabytes, serve, writeWorker } from "./lib/workerd.mjs";

/**
 * The limit of the process's growth, in MB. It covers the limits of the caches (see ARCHITECTURE.md) and workerd's own
 * growth, which is up to 16 MB without caching.
 */
const maxMegabytes = 32;

const [requests, atOnce, long] = [6_000, 16, 3_000];

/** Requests between two garbage collections, because only reachable memory matters here. */
const collectionInterval = 200;

/** The Worker, with a path that collects garbage. */
const entry = `
  import guard from "./guard.js";
  export { UserSessions } from "./guard.js";
  export default {
    fetch(request, env) {
      if (!request.url.endsWith("/collect")) return guard.fetch(request, env);
      gc();
      return new Response();
    },
  };`;

/** @typedef {{ token: string, path?: string, headers?: Record<string, string> }} Sent */

/** The number of the user whose session has a lot of data. */
const userWithData = 1_000_000;

/** The nth request of each scenario. Most values repeat, because most caches ignore a value that is sent once. */
function scenariosOf(tokenOf) {
  const one = tokenOf(0);
  const cookie = (n, letter = "x") => Buffer.from(`n=${n}; x=${letter.repeat(long / Buffer.byteLength(letter))}`).toString("latin1");
  const often = (n, headers) => ({ headers: { ...headers, [`x-${n % 7}`]: "1" } });
  return {
    "one token in a different cookie header each time": (n) => ({ token: "", ...often(n, { cookie: `${cookie(n >> 3)}; __Host-session=${one}` }) }),
    "one token beside a different cookie each time": (n) => ({ token: one, ...often(n, { cookie: cookie(n >> 3) }) }),
    "one token in a different cookie header of two-byte characters each time": (n) => ({ token: "", ...often(n, { cookie: `__Host-session=${one}; ${cookie(n >> 3, "ж")}` }) }),
    "one token after a varying number of spaces": (n) => ({ token: " ".repeat(n) + one }),
    "one token with a different long path each time": (n) => ({ token: one, path: `/${n >> 1}/${"x".repeat(long)}` }),
    "one token with different headers each time": (n) => ({ token: one, headers: { [`x-${n >> 1}-${"x".repeat(100)}`]: "x".repeat(long) } }),
    "many tokens with growing headers": (n) => ({ token: tokenOf(n >> 3), headers: { "x-grows": n % 8 < 4 ? "1" : "x".repeat(long), [`x-${n % 2}`]: "1" } }),
    "many tokens beside long cookies": (n) => ({ token: tokenOf(Math.floor(n / 3)), headers: { cookie: cookie(0) } }),
    "many tokens with long claims": (n) => ({ token: tokenOf(Math.floor(n / 3), { list: Array(400).fill(0), text: "x".repeat(2_000) }) }),
    "many tokens of sessions with a lot of data": (n) => ({ token: tokenOf(userWithData, { n: n >> 2 }) }),
  };
}

/** Fails if the memory grows beyond the limit in any scenario. With `verbose`, prints the growth of each. */
export async function checkMemory({ verbose = false } = {}) {
  logStep("Measuring the memory of the Worker's caches");
  const keys = makeKeys(["HS256"]);
  const backend = await startBackend(makeUser(0).record);
  const tokenOf = (n, claims) => mint({ ...makeUser(n).claims, sid: backend.sid, jti: backend.jti, ...claims }, "HS256", keys.HS256);
  const folder = await prepare(keys, backend.url);
  const growth = {};
  for (const [scenario, requestOf] of Object.entries(scenariosOf(tokenOf))) {
    growth[scenario] = await measureGrowth(folder, requestOf, tokenOf(0));
    if (verbose) logStep(`${scenario}: ${growth[scenario].toFixed(0)} MB`);
  }
  backend.server.closeAllConnections();
  backend.server.close();
  const tooMuch = Object.entries(growth).filter(([, megabytes]) => megabytes > maxMegabytes);
  if (tooMuch.length === 0) return;
  exitWithError(`After ${requests} requests, the Worker holds more than ${maxMegabytes} MB:

${tooMuch.map(([scenario, megabytes]) => `  ${scenario}: ${megabytes.toFixed(0)} MB`).join("\n")}

Check what is cached and how its size is counted: src/proxy/decision_cache.js, src/proxy/token_context.rs, auth/src/token/cache.rs,
auth/src/decision/header_filter.rs.`);
}

/** The growth of a process, in MB. */
async function measureGrowth(folder, requestOf, token) {
  const worker = await serve(folder);
  const agent = new Agent({ keepAlive: true, maxSockets: atOnce });
  const send = (sent) => sendOne(worker.port, agent, sent);
  const collect = () => send({ token: "", path: "/collect" });
  const residentAfterCollection = async () => {
    for (let run = 0; run < 3; run += 1) await collect();
    return residentMegabytes(worker.pid);
  };
  const sendAll = async (count, nth) => {
    let next = 0;
    const one = async () => {
      for (let n = next++; n < count; n = next++) {
        await send(nth(n));
        if (n % collectionInterval === 0) await collect();
      }
    };
    await Promise.all(Array.from({ length: atOnce }, one));
  };
  try {
    // Warm up first: buffers and compiled code do not depend on the requests.
    await sendAll(500, () => ({ token }));
    const before = await residentAfterCollection();
    await sendAll(requests, requestOf);
    return (await residentAfterCollection()) - before;
  } finally {
    agent.destroy();
    await worker.end();
  }
}

async function prepare(keys, backend) {
  const folder = join(root, ".cache/bench-memory");
  mkdirSync(folder, { recursive: true });
  const file = join(folder, "entry.js");
  writeFileSync(file, entry);
  const { parse } = await import("smol-toml");
  const { compatibility_date: date, compatibility_flags: flags } = parse(readFileSync(join(root, "wrangler.toml"), "utf8"));
  const bindings = {
    ORIGIN_URL: backend,
    ISSUER: issuer,
    AUDIENCE: audience,
    SIGNING_KEYS: signingKeys(keys),
    SESSION_STORE: "redis",
    UPSTASH_REDIS_REST_URL: backend,
    UPSTASH_REDIS_REST_TOKEN: "bench",
    STORE_TIMEOUT: "20 seconds",
    REQUEST_LOG: "off",
  };
  const modules = { "entry.js": file, "guard.js": join(root, "build/index.js"), "guard_bg.wasm": join(root, "build/guard_bg.wasm") };
  const worker = join(folder, "worker");
  writeWorker(worker, { modules, bindings, objects: "UserSessions", date, flags, v8Flags: ["--expose-gc", "--max-semi-space-size=1"] });
  return worker;
}

/** Starts one server that is both origin and store. Every session has this record, and is live. */
async function startBackend(record) {
  const large = JSON.stringify({ ...JSON.parse(record), data: JSON.stringify({ x: "x".repeat(16_000) }) });
  const [reply, longReply] = [record, large].map((result) => JSON.stringify({ result }));
  const key = encodeURIComponent(redisKey(makeUser(userWithData).sub));
  const server = createServer({ maxHeaderSize: 64 * 1024 }, ({ url = "" }, response) => {
    response.setHeader("content-type", "application/json");
    response.end(!url.startsWith("/evalsha/") ? "{}" : url.includes(key) ? longReply : reply);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { sid, jti } = JSON.parse(record);
  return { server, sid, jti, url: `http://127.0.0.1:${server.address().port}` };
}

/** @param {Sent} sent */
function sendOne(port, agent, { token, path = "/boats", headers = {} }) {
  const authorization = token === "" ? {} : { authorization: `Bearer ${token}` };
  return new Promise((resolve, reject) => {
    const outgoing = request({ port, host: "127.0.0.1", path, agent, headers: { ...headers, ...authorization } }, (response) => {
      response.resume().once("end", () => {
        if (response.statusCode === 200) resolve();
        else reject(new Error(`${path.slice(0, 100)} was answered by ${response.statusCode}`));
      });
    });
    outgoing.once("error", reject).end();
  });
}
