// Shared by both scripts: builds the bench, serves it with workerd, and measures its cost.

import { generateKeyPairSync, randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { remapRegistryPath, pack } from "../../scripts/build.mjs";
import { root, run } from "../../scripts/setup.mjs";
import * as document from "../lib/document.mjs";
import { audience, encode, issuer, makeKey } from "../lib/identities.mjs";
import { cpuMicros, serve } from "../lib/workerd.mjs";

export { median, table } from "../lib/document.mjs";

/** Every algorithm that the guard verifies. */
export const algorithms = ["HS256", "HS384", "HS512", "ES256", "EdDSA", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512"];

/** More tokens than the guard caches, so that a repeated token is verified again. */
const tokenCount = 2100;

const target = "wasm32-unknown-unknown";

/** Builds a package for wasm32 with additional cargo settings, and returns the path of the wasm. */
export function buildWasm(name, config) {
  const configArgs = [remapRegistryPath, ...config].flatMap((one) => ["--config", one]);
  run("cargo", ["build", "--quiet", "--locked", "--release", "--lib", "--package", name, "--target", target, ...configArgs]);
  return join(root, "target", target, "release", `${name.replaceAll("-", "_")}.wasm`);
}

/** Builds the bench with the Worker's options, and returns its folder. */
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

/** Makes a key and tokens in the guard's format for each algorithm. */
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
  // The guard requires a key that can sign.
  const spare = { alg: "HS256", kid: "spare", ...makeKey("HS256").jwk };
  const keys = made.map(({ alg, jwk }) => ({ ...jwk, alg, kid: alg }));
  const publicKeys = made.map(({ alg, publicJwk, jwk }) => ({ ...(publicJwk ?? jwk), alg, kid: alg }));
  return JSON.stringify({ issuer, audience, keys: [...keys, spare], publicKeys, tokens: Object.fromEntries(tokens) });
}

/** Starts workerd with the bench in a folder, and sends it the load. */
export async function startBench(folder, load) {
  const { pid, url, end } = await serve(folder);
  const send = async (path, init) => {
    const response = await fetch(url + path, { ...init, signal: AbortSignal.timeout(60_000) });
    const text = await response.text();
    if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
  };
  const cpu = process.platform === "linux" ? () => cpuMicros(pid) : () => performance.now() * 1000;
  await send("/", { method: "PUT", body: load });
  return {
    /** The CPU time of one request that verifies `n` tokens, in µs. */
    async cost(way, alg, n) {
      const before = cpu();
      await send(`/${way}/${alg}/${n}`, { method: "POST" });
      return cpu() - before;
    },
    /** The wall-clock time of the same. */
    async wait(way, alg, n) {
      const before = performance.now();
      await send(`/${way}/${alg}/${n}`, { method: "POST" });
      return (performance.now() - before) * 1000;
    },
    /** Stops workerd. */
    end,
  };
}

/** The number of verifications that take about this many µs when warm. */
export async function calibrate(bench, way, alg, micros) {
  let n = 20;
  for (let step = 0; step < 4; step++) {
    const cost = await bench.cost(way, alg, n);
    n = Math.max(10, Math.min(500_000, n * 10, Math.round((n * micros) / cost)));
  }
  return n;
}

/** The cost of one verification, in µs: that of a request with `n`, minus that of a request with none. */
export async function costOfOne(bench, way, alg, n) {
  const empty = await bench.cost(way, alg, 0);
  return ((await bench.cost(way, alg, n)) - empty) / n;
}

/** Replaces a generated part of docs/verification-costs.md. */
export function write(part, text) {
  document.write("docs/verification-costs.md", part, text);
}

/** Formats µs with significant digits only. */
export function micros(number) {
  return number < 10 ? number.toFixed(1) : String(Math.round(number));
}
