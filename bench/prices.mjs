// Computes the price of a million requests from measured costs and published prices.

import { table, write } from "./lib/document.mjs";

/** US dollars, beyond the allowance of a plan. */
const prices = {
  /** A million requests of a Worker. */
  request: 0.3,
  /** A million milliseconds of a Worker's CPU time. */
  cpu: 0.02,
  /** A million requests of Durable Objects. */
  objectRequest: 0.15,
  /** A million GB-seconds of active Durable Objects. */
  objectDuration: 12.5,
  /** A million commands of Upstash Redis, pay as you go. */
  command: 2,
};

/** The billed memory of a Durable Object, in GB. */
const objectMemory = 0.128;

/** Wall-clock time for which a check keeps an object active, in seconds: more than was measured. */
const objectSeconds = 0.001;

const kinds = [
  ["Session Guard, Redis", "guard", { commands: 1 }],
  ["Session Guard, Durable Object", "guard-object", { objects: 1 }],
  ["Session Guard, refused without a session check", "forged", {}],
  ["jose and @upstash/redis", "jose", { commands: 1 }],
];

/** Writes the table from the measured CPU µs of each row. */
export function writePrices(micros) {
  const dollars = (number) => `$${number.toFixed(number < 0.01 ? 4 : 3)}`;
  const rows = kinds.map(([label, id, { commands = 0, objects = 0 }]) => {
    const cpu = (micros[id] / 1000) * prices.cpu;
    const store = commands * prices.command + objects * (prices.objectRequest + objectSeconds * objectMemory * prices.objectDuration);
    const cells = [prices.request, cpu, store, prices.request + cpu + store];
    return [label, ...cells.map(dollars)];
  });
  const shown = table(["a million requests", "requests", "CPU time", "store", "total"], rows);
  console.log(`\n${shown}\n`);
  write("docs/benchmarks.md", "prices", shown);
}
