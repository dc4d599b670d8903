// What both scripts here share: a build of the bench, a workerd that serves it, and its costs.

import { generateKeyPairSync, randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { anonymous, pack } from "../../scripts/build.mjs";
import { root, run } from "../../scripts/setup.mjs";
import * as document from "../lib/document.mjs";
import { audience, encode, issuer, makeKey } from "../lib/identities.mjs";
import { cpuMicros, serve } from "../lib/workerd.mjs";

export { median, table } from "../lib/document.mjs";

/** Every algorithm that the guard verifies. */
export const algorithms = ["HS256", "HS384", "HS512", "ES256", "EdDSA", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512"];

/** More than the guard remembers, so that a token that comes round again is verified again. */
const tokenCount = 2100;

const target = "wasm32-unknown-unknown";

/** Builds a package for wasm32, with settings of cargo that differ, and returns the wasm's path. */
export function buildWasm(name, config) {
  const differing = [anonymous, ...config].flatMap((one) => ["--config", one]);
  run("cargo", ["build", "--quiet", "--locked", "--release", "--lib", "--package", name, "--target", target, ...differing]);
  return join(root, "target", target, "release", `${name.replaceAll("-", "_")}.wasm`);
}

/** Builds the bench as the Worker is built, and returns the folder it is in. */
export async function buildBench(config = []) {
  const out = join(root, ".cache/bench-verify");
  await pack(buildWasm("bench-verify", config), join(root, "bench/verify/worker.js"), out);
  const { parse } = await import("smol-toml");
  const { compatibility_date } = parse(readFileSync(join(root, "wrangler.toml"), "utf8"));
  writeFileSync(join(out, "config.capnp"), capnp(compatibility_date));
  return out;
}

function capnp(date) {
  return `using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [(name = "bench", worker = .bench)],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "bench")],
);

const bench :Workerd.Worker = (
  modules = [
    (name = "index.js", esModule = embed "index.js"),
    (name = "guard_bg.wasm", wasm = embed "guard_bg.wasm"),
  ],
  compatibilityDate = "${date}",
);
`;
}

/** Keys of every algorithm, and tokens as the guard issues them. */
export function makeLoad(names = algorithms) {
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const made = names.map((alg) => ({ alg, ...makeKey(alg, rsa) }));
  const now = Math.floor(Date.now() / 1000);
  const tokens = made.map(({ alg, signer }) => {
    const header = encode({ alg, kid: alg, typ: "at+jwt" });
    const one = (_, n) => {
      const who = { sub: `m-${n}`, sid: randomBytes(16).toString("base64url"), jti: randomBytes(16).toString("base64url") };
      const claims = { iss: issuer, aud: audience, ...who, email: `m-${n}@rowing.example`, roles: ["member", "board"], iat: now, exp: now + 86_400 };
      const text = `${header}.${encode(claims)}`;
      return `${text}.${signer(text).toString("base64url")}`;
    };
    return [alg, Array.from({ length: tokenCount }, one)];
  });
  // The guard wants one key in the set that can sign.
  const spare = { alg: "HS256", kid: "spare", ...makeKey("HS256").jwk };
  const keys = made.map(({ alg, jwk }) => ({ ...jwk, alg, kid: alg }));
  const publicKeys = made.map(({ alg, publicJwk, jwk }) => ({ ...(publicJwk ?? jwk), alg, kid: alg }));
  return JSON.stringify({ issuer, audience, keys: [...keys, spare], publicKeys, tokens: Object.fromEntries(tokens) });
}

/** A workerd with the bench of this folder, loaded. */
export async function startBench(folder, load) {
  const { pid, url, end } = await serve(folder);
  const send = async (path, init) => {
    const response = await fetch(url + path, { ...init, signal: AbortSignal.timeout(60_000) });
    const text = await response.text();
    if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
  };
  const spent = process.platform === "linux" ? () => cpuMicros(pid) : () => performance.now() * 1000;
  await send("/", { method: "PUT", body: load });
  return {
    /** What verifying `n` tokens in one request costs, in µs. */
    async cost(way, alg, n) {
      const before = spent();
      await send(`/${way}/${alg}/${n}`, { method: "POST" });
      return spent() - before;
    },
    /** The same by the clock. */
    async wait(way, alg, n) {
      const before = performance.now();
      await send(`/${way}/${alg}/${n}`, { method: "POST" });
      return (performance.now() - before) * 1000;
    },
    /** Ends it. */
    end,
  };
}

/** How many verifications take about this many µs, once the code is warm. */
export async function calibrate(bench, way, alg, micros) {
  let n = 20;
  for (let step = 0; step < 4; step++) {
    const cost = await bench.cost(way, alg, n);
    n = Math.max(10, Math.min(500_000, n * 10, Math.round((n * micros) / cost)));
  }
  return n;
}

/** What one of `n` costs, in µs: the request that verifies them, less one that verifies none. */
export async function costOfOne(bench, way, alg, n) {
  const empty = await bench.cost(way, alg, 0);
  return ((await bench.cost(way, alg, n)) - empty) / n;
}

/** Replaces one part of the document, which these scripts write. */
export function write(part, text) {
  document.write("docs/verification-costs.md", part, text);
}

/** Digits that mean something. */
export function micros(number) {
  return number < 10 ? number.toFixed(1) : String(Math.round(number));
}
