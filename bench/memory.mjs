// The regression guard of memory, which `npm test` runs: how much a guard in workerd holds after
// clients have said as much and as many things as they can, beside what it held before.

import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { Agent, createServer, request } from "node:http";
import { join } from "node:path";
import { giveUp, root, say } from "../scripts/setup.mjs";
import { audience, issuer, makeKeys, makeUser, mint, redisKey, signingKeys } from "./lib/identities.mjs";
import { residentMegabytes, serve, writeWorker } from "./lib/workerd.mjs";

/**
 * What requests may leave behind, whatever they say, in MB of the process. It is what may be remembered
 * (see ARCHITECTURE.md), and what workerd takes for itself, which is up to 16 when nothing is.
 */
const mostMegabytes = 32;

const [requests, atOnce, long] = [6_000, 16, 3_000];

/** So often the garbage is collected: what nobody holds any more is not the matter here. */
const collectedEach = 200;

/** The Worker, and a path that has the garbage collected. */
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

/** @typedef {{ token: string, path?: string, headers?: Record<string, string> }} Said */

/** The number of the user whose session has much data. */
const talkative = 1_000_000;

/** What the nth request says. Most is said several times, because what is said once is hardly remembered. */
function waysOf(tokenOf) {
  const one = tokenOf(0);
  const cookie = (n, letter = "x") => Buffer.from(`n=${n}; x=${letter.repeat(long / Buffer.byteLength(letter))}`).toString("latin1");
  const often = (n, headers) => ({ headers: { ...headers, [`x-${n % 7}`]: "1" } });
  return {
    "one token in another cookie each time": (n) => ({ token: "", ...often(n, { cookie: `${cookie(n >> 3)}; __Host-session=${one}` }) }),
    "one token beside another cookie each time": (n) => ({ token: one, ...often(n, { cookie: cookie(n >> 3) }) }),
    "one token in another cookie of two-byte characters each time": (n) => ({ token: "", ...often(n, { cookie: `__Host-session=${one}; ${cookie(n >> 3, "ж")}` }) }),
    "one token with more or fewer spaces before it": (n) => ({ token: " ".repeat(n) + one }),
    "one token for another long path each time": (n) => ({ token: one, path: `/${n >> 1}/${"x".repeat(long)}` }),
    "one token with other headers each time": (n) => ({ token: one, headers: { [`x-${n >> 1}-${"x".repeat(100)}`]: "x".repeat(long) } }),
    "many tokens with headers that grow": (n) => ({ token: tokenOf(n >> 3), headers: { "x-grows": n % 8 < 4 ? "1" : "x".repeat(long), [`x-${n % 2}`]: "1" } }),
    "many tokens beside long cookies": (n) => ({ token: tokenOf(Math.floor(n / 3)), headers: { cookie: cookie(0) } }),
    "many tokens of long claims": (n) => ({ token: tokenOf(Math.floor(n / 3), { list: Array(400).fill(0), text: "x".repeat(2_000) }) }),
    "many tokens of sessions with much data": (n) => ({ token: tokenOf(talkative, { n: n >> 2 }) }),
  };
}

/** Fails if a guard holds more than it may after any of them; `tells`: says how much it holds after each. */
export async function checkMemory({ tells = false } = {}) {
  say("Measuring what the Worker remembers");
  const keys = makeKeys(["HS256"]);
  const backend = await startBackend(makeUser(0).record);
  const tokenOf = (n, claims) => mint({ ...makeUser(n).claims, sid: backend.sid, jti: backend.jti, ...claims }, "HS256", keys.HS256);
  const folder = await prepare(keys, backend.url);
  const found = {};
  for (const [what, way] of Object.entries(waysOf(tokenOf))) {
    found[what] = await leftBehind(folder, way, tokenOf(0));
    if (tells) say(`${what}: ${found[what].toFixed(0)} MB`);
  }
  backend.server.closeAllConnections();
  backend.server.close();
  const tooMuch = Object.entries(found).filter(([, megabytes]) => megabytes > mostMegabytes);
  if (tooMuch.length === 0) return;
  giveUp(`${requests} requests leave more than ${mostMegabytes} MB behind:

${tooMuch.map(([what, megabytes]) => `  ${what}: ${megabytes.toFixed(0)} MB`).join("\n")}

Look at what is remembered, and at how it is counted: src/proxy/decision_cache.js, src/proxy/token_context.rs, auth/src/token/cache.rs,
auth/src/decision/header_filter.rs.`);
}

/** What a process holds more than before, in MB. */
async function leftBehind(folder, way, token) {
  const worker = await serve(folder);
  const agent = new Agent({ keepAlive: true, maxSockets: atOnce });
  const send = (said) => sendOne(worker.port, agent, said);
  const collect = () => send({ token: "", path: "/collect" });
  const held = async () => {
    for (let often = 0; often < 3; often += 1) await collect();
    return residentMegabytes(worker.pid);
  };
  const all = async (count, saidBy) => {
    let next = 0;
    const one = async () => {
      for (let n = next++; n < count; n = next++) {
        await send(saidBy(n));
        if (n % collectedEach === 0) await collect();
      }
    };
    await Promise.all(Array.from({ length: atOnce }, one));
  };
  try {
    // What every use takes, as buffers and compiled code, is no matter of what is said.
    await all(500, () => ({ token }));
    const before = await held();
    await all(requests, way);
    return (await held()) - before;
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

/** Origin and store in one: every session is this one, and lives. */
async function startBackend(record) {
  const much = JSON.stringify({ ...JSON.parse(record), data: JSON.stringify({ x: "x".repeat(16_000) }) });
  const [reply, longReply] = [record, much].map((result) => JSON.stringify({ result }));
  const key = encodeURIComponent(redisKey(makeUser(talkative).sub));
  const server = createServer({ maxHeaderSize: 64 * 1024 }, ({ url = "" }, answer) => {
    answer.setHeader("content-type", "application/json");
    answer.end(!url.startsWith("/evalsha/") ? "{}" : url.includes(key) ? longReply : reply);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { sid, jti } = JSON.parse(record);
  return { server, sid, jti, url: `http://127.0.0.1:${server.address().port}` };
}

/** @param {Said} said */
function sendOne(port, agent, { token, path = "/boats", headers = {} }) {
  const authorization = token === "" ? {} : { authorization: `Bearer ${token}` };
  return new Promise((resolve, reject) => {
    const sent = request({ port, host: "127.0.0.1", path, agent, headers: { ...headers, ...authorization } }, (answer) => {
      answer.resume().once("end", () => {
        if (answer.statusCode === 200) resolve();
        else reject(new Error(`${path.slice(0, 100)} was answered by ${answer.statusCode}`));
      });
    });
    sent.once("error", reject).end();
  });
}
