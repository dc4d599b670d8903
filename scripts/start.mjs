// `npm start`: the Worker in front of the example's members' application, on this machine. What
// follows `npm start --` is passed on to `wrangler dev`.

import { spawn } from "node:child_process";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { build } from "./build.mjs";
import { needTools, root, say } from "./setup.mjs";

await needTools();
await build();
makeKeys();

const port = await freePort(Number(process.env.PORT ?? 8787));
const originPort = await freePort(port + 1);
const origin = `http://127.0.0.1:${originPort}`;
const address = `http://localhost:${port}`;

const started = [
  start(process.execPath, ["examples/origin/server.mjs"], { ORIGIN_PORT: `${originPort}`, GUARD_URL: address, ISSUER: address }),
  start(join(root, "node_modules/.bin/wrangler"), [
    "dev", "--ip", "127.0.0.1", "--port", `${port}`, "--show-interactive-dev-session=false",
    // A route in wrangler.toml would otherwise lend the requests its host.
    "--local-upstream", `localhost:${port}`, "--upstream-protocol", "http",
    ...process.argv.slice(2),
    "--var", `ORIGIN_URL:${origin}`, `LOGIN_URL:${origin}/internal/login`, `ISSUER:${address}`, `AUDIENCE:${address}`,
  ], { WRANGLER_SEND_METRICS: "false", CLOUDFLARE_CF_FETCH_ENABLED: "false" }),
];

await answers(`${address}/_auth/health`);
console.log(`
Session Guard stands in front of a small members' application:

  ${address}

  user ada, password harbour-lights
  user ben, password early-tide

Sign in with two browsers as the same user: the second signs the first one out.
Press Ctrl-C to stop.
`);

/** Makes the development keys, once. `wrangler deploy` never sends this file anywhere. */
function makeKeys() {
  const file = join(root, ".dev.vars");
  // A key of an earlier version was a secret, by which the origin could not tell the guard from others.
  const vars = (existsSync(file) ? readFileSync(file, "utf8") : "").replace(/^SIGNING_KEYS='.*"kty":"oct".*"kid":"development-only-.*\n/m, "");
  if (/^SIGNING_KEYS *=/m.test(vars)) return;
  // The guard refuses a key of this name for any host but this machine.
  const kid = `development-only-${randomBytes(4).toString("hex")}`;
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const key = { ...privateKey.export({ format: "jwk" }), alg: "ES256", kid };
  const rest = vars === "" || vars.endsWith("\n") ? vars : `${vars}\n`;
  writeFileSync(file, `${rest}SIGNING_KEYS='${JSON.stringify({ keys: [key] })}'\n`, { mode: 0o600 });
  say("Made development keys in .dev.vars");
}

/** Starts a part; when one ends, all do. */
function start(command, args, env) {
  const part = spawn(command, args, { cwd: root, stdio: ["ignore", "inherit", "inherit"], env: { ...process.env, ...env } });
  part.on("exit", (status) => stop(status ?? 1));
  return part;
}

function stop(status) {
  for (const part of started) part.kill();
  process.exit(status);
}

for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => stop(0));

/** The wished port, or else a free one. */
function freePort(wished) {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", () => (wished === 0 ? reject(new Error("no port is free")) : resolve(freePort(0))));
    probe.listen(wished, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

async function answers(url) {
  for (let attempt = 0; attempt < 240; attempt += 1) {
    try {
      if ((await fetch(url)).ok) return;
    } catch {
      // Not listening yet.
    }
    await new Promise((again) => setTimeout(again, 250));
  }
  console.error(`${url} does not answer.`);
  stop(1);
}
