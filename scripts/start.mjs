// `npm start`: runs the Worker locally in front of the example application. Arguments after `npm start --` are passed
// to `wrangler dev`. `npm run dev` builds the Worker more quickly, and again after each change. So does the first
// `npm start`, because who only wants to see it need not wait for the build that is deployed.

import { spawn } from "node:child_process";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { build, buildQuick, compileFirst, isBuilt, isBuiltQuick, quickOut } from "./build.mjs";
import { ensureTools, root, logStep } from "./setup.mjs";

const isDevelopment = process.argv[2] === "--quick";
const isQuick = isDevelopment || !isBuilt();
await ensureTools(isQuick && !isBuiltQuick() ? { meanwhile: compileFirst } : {});
await (isQuick ? buildQuick() : build());
makeDevelopmentKeys();

const port = await freePort(Number(process.env.PORT ?? 8787));
const originPort = await freePort(port + 1);
const origin = `http://127.0.0.1:${originPort}`;
const address = `http://localhost:${port}`;

const children = [
  start(process.execPath, ["examples/origin/server.mjs"], { ORIGIN_PORT: `${originPort}`, GUARD_URL: address, ISSUER: address }),
  start(join(root, "node_modules/.bin/wrangler"), [
    "dev", ...(isQuick ? [join(quickOut, "index.js")] : []), "--ip", "127.0.0.1", "--port", `${port}`, "--show-interactive-dev-session=false",
    // Otherwise, requests would have the host of a route in wrangler.toml.
    "--local-upstream", `localhost:${port}`, "--upstream-protocol", "http",
    ...process.argv.slice(isDevelopment ? 3 : 2),
    "--var", `ORIGIN_URL:${origin}`, `LOGIN_URL:${origin}/internal/login`, `ISSUER:${address}`, `AUDIENCE:${address}`,
  ], { WRANGLER_SEND_METRICS: "false", CLOUDFLARE_CF_FETCH_ENABLED: "false", ...(isQuick ? { GUARD_BUILD: "quick" } : {}) }),
];

await waitUntilHealthy(`${address}/_auth/health`);
console.log(`
Session Guard stands in front of a small members' application:

  ${address}

  user ada, password harbour-lights
  user ben, password early-tide

Sign in with two browsers as the same user: the second signs the first one out.
Press Ctrl-C to stop.
`);

/** Makes development keys unless there are keys already. `wrangler deploy` does not upload this file. */
function makeDevelopmentKeys() {
  const file = join(root, ".dev.vars");
  // Replaces the symmetric key of an earlier version, with which the origin could not verify assertions.
  const vars = (existsSync(file) ? readFileSync(file, "utf8") : "").replace(/^SIGNING_KEYS='.*"kty":"oct".*"kid":"development-only-.*\n/m, "");
  if (/^SIGNING_KEYS *=/m.test(vars)) return;
  // The guard rejects a key with this prefix unless the host is this machine.
  const kid = `development-only-${randomBytes(4).toString("hex")}`;
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const key = { ...privateKey.export({ format: "jwk" }), alg: "ES256", kid };
  const rest = vars === "" || vars.endsWith("\n") ? vars : `${vars}\n`;
  writeFileSync(file, `${rest}SIGNING_KEYS='${JSON.stringify({ keys: [key] })}'\n`, { mode: 0o600 });
  logStep("Made development keys in .dev.vars");
}

/** Starts a child process. When one exits, all are stopped. */
function start(command, args, env) {
  const child = spawn(command, args, { cwd: root, stdio: ["ignore", "inherit", "inherit"], env: { ...process.env, ...env } });
  child.on("exit", (status) => stop(status ?? 1));
  return child;
}

function stop(status) {
  for (const child of children) child.kill();
  process.exit(status);
}

for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => stop(0));

/** The preferred port if it is free, or else any free port. */
function freePort(preferred) {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", () => (preferred === 0 ? reject(new Error("no port is free")) : resolve(freePort(0))));
    probe.listen(preferred, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

async function waitUntilHealthy(url) {
  for (let attempt = 0; attempt < 240; attempt += 1) {
    try {
      if ((await fetch(url)).ok) return;
    } catch {
      // Not listening yet.
    }
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  console.error(`${url} does not respond.`);
  stop(1);
}
