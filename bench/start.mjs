// How soon a guard that was just started answers, and how much memory one holds that works for long.

import { connect } from "node:net";
import { join } from "node:path";
import { say } from "../scripts/setup.mjs";
import { median, table, write } from "./lib/document.mjs";
import { makeUser, mint } from "./lib/identities.mjs";
import { cores, load, writeCredentials } from "./lib/load.mjs";
import { prepareWorker } from "./lib/workers.mjs";
import { residentMegabytes, serve } from "./lib/workerd.mjs";

const starters = { guard: "**Session Guard, Redis**", hono: "Hono, hono/jwt and @upstash/redis", hand: "hand-written JavaScript" };

/** From the start of workerd to the first guarded answer. */
export async function measureStart(surroundings, starts) {
  say(`Starting each of ${Object.keys(starters).length} workers ${starts} times`);
  const { users, keys } = surroundings;
  const token = mint(users[0].claims, "HS256", keys.HS256);
  const folders = await foldersOf(surroundings);
  const times = Object.fromEntries(Object.keys(starters).map((name) => [name, []]));
  for (let start = 0; start <= starts; start++) {
    for (const name of Object.keys(starters)) {
      const taken = await timeOne(folders[name], token);
      // The first one finds its files on the disk, the others in memory.
      if (start > 0) times[name].push(taken);
    }
  }
  const rows = Object.entries(starters).map(([name, label]) => {
    const sorted = times[name].toSorted((a, b) => a - b);
    return [label, median(sorted).toFixed(1), `${sorted[0].toFixed(1)} to ${sorted.at(-1).toFixed(1)}`];
  });
  const shown = table(["worker", "first answer, ms", "spread"], rows);
  console.log(`\n${shown}\n`);
  write("docs/benchmarks.md", "start", shown);
}

async function foldersOf({ folder, origin, stores, keys }) {
  // One key, which is all that a peer reads.
  const { HS256 } = keys;
  const named = Object.keys(starters).map(async (name) => [name, await prepareWorker(name, { folder, origin, store: stores.nginx, keys: { HS256 } })]);
  return Object.fromEntries(await Promise.all(named));
}

async function timeOne(folder, token) {
  const started = performance.now();
  const worker = await serve(folder, cores.worker);
  await answer(worker.port, token);
  const taken = performance.now() - started;
  await worker.end();
  return taken;
}

/** One request over a bare socket, which needs no warming of its own. */
function answer(port, token) {
  return new Promise((answered, failed) => {
    const socket = connect(port, "127.0.0.1");
    socket.write(`GET /boats HTTP/1.1\r\nHost: bench.test\r\nAccept: application/json\r\nAuthorization: Bearer ${token}\r\n\r\n`);
    socket.once("error", failed).once("data", (bytes) => {
      socket.destroy();
      const head = bytes.toString("latin1", 0, 12);
      head === "HTTP/1.1 200" ? answered() : failed(new Error(`the first answer was ${head}`));
    });
  });
}

/** What the guard's process holds, after so many requests, and after so many users. */
export async function measureMemory({ folder, origin, stores, keys, users }, most) {
  say(`Sending requests of ${most} different users`);
  const own = await prepareWorker("guard", { folder, origin, store: stores.nginx, keys });
  const worker = await serve(own, cores.worker);
  const few = writeCredentials(join(folder, "few"), users.map(({ claims }) => mint(claims, "HS256", keys.HS256)));
  const many = writeCredentials(join(folder, "many"), Array.from({ length: most }, (_, n) => mint(makeUser(n).claims, "HS256", keys.HS256)));
  const steps = [
    [`${most / 10} requests of ${users.length} users`, few, most / 10],
    [`${most} more of them`, few, most],
    [`${most} requests of ${most} users`, many, most],
    [`the same again`, many, most],
    [`the same again`, many, most],
  ];
  const rows = [];
  for (const [what, credentials, count] of steps) {
    const { errors = 0, refused, broken } = await load({ url: worker.url, credentials, count });
    if (errors + refused + broken > 0) throw new Error(`${refused + broken} of ${count} requests failed`);
    rows.push([what, residentMegabytes(worker.pid).toFixed(1)]);
  }
  await worker.end();
  const shown = table(["after", "held by workerd, MB"], rows);
  console.log(`\n${shown}\n`);
  write("docs/benchmarks.md", "memory", shown);
}
