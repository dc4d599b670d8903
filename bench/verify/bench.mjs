// What both scripts here share: a build of the bench, a workerd that serves it, and its costs.

import { spawn } from "node:child_process";
import { constants, createHmac, generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { once } from "node:events";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { createInterface } from "node:readline";
import { anonymous, pack } from "../../scripts/build.mjs";
import { root, run, say } from "../../scripts/setup.mjs";

/** Every algorithm that the guard verifies. */
export const algorithms = ["HS256", "HS384", "HS512", "ES256", "EdDSA", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512"];

/** More than the guard remembers, so that a token that comes round again is verified again. */
const tokenCount = 2100;

const issuer = "https://guard.test";
const audience = "https://members.test";

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

function makeKey(alg, rsa) {
  const hash = `sha${alg.slice(2)}`;
  if (alg.startsWith("HS")) {
    const secret = randomBytes(Number(alg.slice(2)) / 8);
    return { jwk: { kty: "oct", k: secret.toString("base64url") }, signer: (text) => createHmac(hash, secret).update(text).digest() };
  }
  if (alg === "EdDSA") {
    const { privateKey, publicKey } = generateKeyPairSync("ed25519");
    return { ...jwks(publicKey), signer: (text) => sign(null, Buffer.from(text), privateKey) };
  }
  if (alg === "ES256") {
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    return { ...jwks(publicKey), signer: (text) => sign(hash, Buffer.from(text), { key: privateKey, dsaEncoding: "ieee-p1363" }) };
  }
  const { RSA_PKCS1_PSS_PADDING, RSA_PKCS1_PADDING, RSA_PSS_SALTLEN_DIGEST } = constants;
  const padding = alg.startsWith("PS") ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING;
  const key = { key: rsa.privateKey, padding, saltLength: RSA_PSS_SALTLEN_DIGEST };
  return { ...jwks(rsa.publicKey), signer: (text) => sign(hash, Buffer.from(text), key) };
}

function jwks(publicKey) {
  const jwk = publicKey.export({ format: "jwk" });
  return { jwk, publicJwk: jwk };
}

function encode(value) {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

/** The workerds that run. Whatever ends the driver ends them, too. */
const running = new Set();
process.on("exit", () => running.forEach((child) => child.kill()));
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(1));

/** A workerd with the bench of this folder, loaded. */
export async function startBench(folder, load) {
  const args = ["serve", "--control-fd=3", join(folder, "config.capnp")];
  const child = spawn(workerd(), args, { stdio: ["ignore", "inherit", "inherit", "pipe"] });
  running.add(child);
  const [line] = await Promise.race([
    once(createInterface(child.stdio[3]), "line"),
    once(child, "exit").then(() => Promise.reject(new Error("workerd has ended"))),
  ]);
  const url = `http://127.0.0.1:${JSON.parse(line).port}`;
  const send = async (path, init) => {
    const response = await fetch(url + path, { ...init, signal: AbortSignal.timeout(60_000) });
    const text = await response.text();
    if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
  };
  const spent = process.platform === "linux" ? () => cpuMicros(child.pid) : () => performance.now() * 1000;
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
    async end() {
      const ended = once(child, "exit");
      child.kill();
      await ended;
      running.delete(child);
    },
  };
}

/** The program itself: npm's is a script that starts it. */
function workerd() {
  const packages = join(root, "node_modules/@cloudflare");
  const [own] = readdirSync(packages).filter((name) => name.startsWith(`workerd-${process.platform}`));
  return join(packages, own, "bin/workerd");
}

/** The processor time of a process since its start, all threads, in µs. */
function cpuMicros(pid) {
  const threads = readdirSync(`/proc/${pid}/task`).map((id) => readFileSync(`/proc/${pid}/task/${id}/schedstat`, "utf8"));
  return threads.reduce((sum, stat) => sum + Number(stat.split(" ")[0]) / 1000, 0);
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

/** Replaces one part of the document, which these scripts write; the rest is written by hand. */
export function write(part, text) {
  const file = join(root, "docs/verification-costs.md");
  const [before, , after] = readFileSync(file, "utf8").split(new RegExp(`(?<=<!-- ${part} -->\\n)([^]*?)(?=<!-- end -->)`));
  writeFileSync(file, `${before}\n${text}\n\n${after}`);
  say(`Written to ${relative(root, file)}`);
}

/** The median. */
export function median(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

/** Digits that mean something. */
export function micros(number) {
  return number < 10 ? number.toFixed(1) : String(Math.round(number));
}

/** A Markdown table, numbers to the right. */
export function table(head, rows) {
  const line = (cells) => `| ${cells.join(" | ")} |`;
  return [line(head), `|${head.map((_, at) => (at === 0 ? "---" : "---:")).join("|")}|`, ...rows.map(line)].join("\n");
}
