// `npm run plots`: draws docs/images/*.svg from the figures in docs/benchmarks.md and docs/cost.md. Measures nothing.

import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { plot } from "../bench/lib/plot.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));

/** The plots, as SVG by their names. */
export function plots() {
  const requests = rows("benchmarks", "npm run bench -->");
  const users = rows("benchmarks", "npm run bench -- scale: users");
  const distances = rows("cost", "| from the Worker to the store |");
  const costs = [
    ["no guard: only the two requests", "floor: the two fetches, unguarded"],
    ["Session Guard, Durable Objects", "**Session Guard, Durable Object**"],
    ["Session Guard, Redis", "**Session Guard, Redis**"],
    ["by hand, each token verified anew", "hand-written JavaScript, without caches"],
    ["jose and @upstash/redis", "jose and @upstash/redis"],
    ["Hono, hono/jwt and @upstash/redis", "Hono, hono/jwt and @upstash/redis"],
  ];
  const loads = [
    ["forwarded, with a live session", "**Session Guard, Durable Object**"],
    ["refused: a forged signature", "**refused: bad signature**"],
    ["refused: no token", "**refused: no token**"],
  ];
  return {
    "request-cost": plot({ title: "The processor's work for one request", unit: "milliseconds", bars: bars(requests, costs, 1, (it) => it / 1000) }),
    "requests-per-second": plot({ title: "What one core answers in a second", unit: "requests", digits: 0, bars: bars(requests, loads, 4) }),
    "live-sessions": plot({ title: "Work for one request, with so many people signed in", unit: "milliseconds", bars: bars(users, users.map(([name = ""]) => [name, name]), 1, (it) => it / 1000) }),
    "distance": plot({ title: "What a person waits for the check, by distance", unit: "milliseconds", digits: 0, bars: bars(distances, distances.map(([name = ""]) => [name, name]), 1) }),
  };
}

/** Bars of a column of a table, each with a label of its own. */
function bars(table, labels, column, scale = (it) => it) {
  return labels.map(([label, name]) => {
    const row = table.find(([first]) => first === name);
    if (row === undefined) throw new Error(`no table has the row ${name}`);
    return { label, value: scale(Number.parseFloat(row[column].replaceAll(",", ""))), ours: /^(Session Guard|refused|forwarded|[\d,]+$|.* to |within)/.test(label) };
  });
}

/** The rows of the first table of a page after a mark. */
function rows(name, mark) {
  const text = readFileSync(`${root}docs/${name}.md`, "utf8");
  const [, table = ""] = /(?:^|\n)\|[^\n]*\n\|[-:| ]+\n((?:\|[^\n]*\n)+)/.exec(text.slice(text.indexOf(mark))) ?? [];
  return table.trim().split("\n").map((row) => row.split("|").slice(1, -1).map((cell) => cell.trim()));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [name, svg] of Object.entries(plots())) writeFileSync(`${root}docs/images/${name}.svg`, svg);
}
