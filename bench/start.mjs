// Measures the time from a guard's start to its first response, and the memory of a guard under continued load.

import { connect } from "node:net";
import { join } from "node:path";
import { logStep } from "../scripts/setup.mjs";
import { median, table, write } from "./lib/document.mjs";
import { makeUser, mint } from "./lib/identities.mjs";
import { cores, load, writeCredentials } from "./lib/load.mjs";
import { prepareWorker } from "./lib/workers.mjs";
import { residentMegabytes, serve } from "./lib/workerd.mjs";

const starterLabels = { guard: "**Session Guard, Redis**", hono: "Hono, hono/jwt and @upstash/redis", hand: "hand-written JavaScript" };

/** Measures the time from the start of workerd to the first guarded response. */
export async function measureStart(environment, starts) {
  logStep(`Starting each of ${Object.keys(starterLabels).length} workers ${starts} times`);
  const { users, keys } = environment;
  const token = mint(users[0].claims, "HS256", keys.HS256);
  const folders = await foldersOf(environment);
  const times = Object.fromEntries(Object.keys(starterLabels).map((name) => [name, []]));
  for (let start = 0; start <= starts; start++) {
    for (const name of Object.keys(starterLabels)) {
      const taken = await timeOne(folders[name], token);
      // The first start is ignored, because it reads the files from disk.
      if (start > 0) times[name].push(taken);
    }
  }
  const rows = Object.entries(starterLabels).map(([name, label]) => {
    const sorted = times[name].toSorted((a, b) => a - b);
    return [label, median(sorted).toFixed(1), `${sorted[0].toFixed(1)} to ${sorted.at(-1).toFixed(1)}`];
  });
  const shown = table(["worker", "first response, ms", "spread"], rows);
  console.log(`\n${shown}\n`);
  write("docs/benchmarks.md", "start", shown);
}

async function foldersOf({ folder, origin, stores, keys }) {
  // One key only, because a peer reads no others.
  const { HS256 } = keys;
  const named = Object.keys(starterLabels).map(async (name) => [name, await prepareWorker(name, { folder, origin, store: stores.nginx, keys: { HS256 } })]);
  return Object.fromEntries(await Promise.all(named));
}

async function timeOne(folder, token) {
  const started = performance.now();
  const worker = await serve(folder, cores.worker);
  await firstResponse(worker.port, token);
  const taken = performance.now() - started;
  await worker.end();
  return taken;
}

/** Sends one request over a plain socket, which needs no warm-up. */
function firstResponse(port, token) {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1");
    socket.write(`GET /boats HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/json\r\nAuthorization: Bearer ${token}\r\n\r\n`);
    socket.once("error", reject).once("data", (bytes) => {
      socket.destroy();
      const head = bytes.toString("latin1", 0, 12);
      head === "HTTP/1.1 200" ? resolve() : reject(new Error(`the first response was ${head}`));
    });
  });
}

/** Measures the memory of the guard's process after `count` requests from few users and from `count` users. */
export async function measureMemory({ folder, origin, stores, keys, users }, count) {
  logStep(`Sending requests of ${count} different users`);
  const own = await prepareWorker("guard", { folder, origin, store: stores.nginx, keys });
  const worker = await serve(own, cores.worker);
  const few = writeCredentials(join(folder, "few"), users.map(({ claims }) => mint(claims, "HS256", keys.HS256)));
  const many = writeCredentials(join(folder, "many"), Array.from({ length: count }, (_, n) => mint(makeUser(n).claims, "HS256", keys.HS256)));
  const steps = [
    [`${count / 10} requests of ${users.length} users`, few, count / 10],
    [`${count} more of them`, few, count],
    [`${count} requests of ${count} users`, many, count],
    [`the same again`, many, count],
    [`the same again`, many, count],
  ];
  const rows = [];
  for (const [label, credentials, requests] of steps) {
    const { errors = 0, refused, broken } = await load({ url: worker.url, credentials, count: requests });
    if (errors + refused + broken > 0) throw new Error(`${refused + broken} of ${requests} requests failed`);
    rows.push([label, residentMegabytes(worker.pid).toFixed(1)]);
  }
  await worker.end();
  const shown = table(["after", "memory of workerd, MB"], rows);
  console.log(`\n${shown}\n`);
  write("docs/benchmarks.md", "memory", shown);
}
