// `npm run check-config [-- --env NAME] [--explain "GET /admin/x"]…`: says what is wrong with the
// settings before they are deployed, or which rule holds for a request. Secrets are read from the
// environment or from .dev.vars, if they are there.

import { spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { devVars } from "./dev-vars.mjs";
import { giveUp, needTools, root } from "./setup.mjs";

/** The rate-limit bindings that the guard knows. */
const LIMITERS = ["LOGIN_RATE_LIMITER", "LOGIN_RATE_PER_ADDRESS_LIMITER"];

await needTools();
const { values } = options();
const settings = await read(values.config, values.env);
const check = xtask(["check-settings", ...values.explain], { input: JSON.stringify(settings), stdio: ["pipe", "inherit", "inherit"] });
if (check.status === 0 && values.explain.length === 0) await lookBelowAuthPath(settings);
process.exit(check.status ?? 1);

function options() {
  try {
    return parseArgs({
      options: {
        env: { type: "string" },
        config: { type: "string", default: join(root, "wrangler.toml") },
        explain: { type: "string", multiple: true, default: [] },
      },
    });
  } catch (error) {
    giveUp(`error: ${error.message}`);
  }
}

/** The settings as the Worker will see them, as far as they can be seen from here. */
async function read(config, env) {
  const { unstable_readConfig } = await import("wrangler");
  const wrangler = unstable_readConfig({ config, env });
  const secrets = { ...(await devVars(env)), ...process.env };
  // A key made for development is not the one that will be deployed, so that one is not seen.
  const isSeen = (name) => secrets[name] !== undefined && !secrets[name].includes("development-only-");
  const all = ["SIGNING_KEYS", "UPSTASH_REDIS_REST_TOKEN", "ADMIN_API_KEY", "INTROSPECTION_KEY", "EVENTS_WEBHOOK_SECRET"];
  const names = all.filter(isSeen);
  for (const name of all) {
    if (name in wrangler.vars) giveUp(`error: ${name} is a secret and does not belong into [vars]; set it with \`npx wrangler secret put ${name}\`.`);
  }
  const vars = Object.entries(wrangler.vars).map(([name, value]) => [name, typeof value === "string" ? value : JSON.stringify(value)]);
  const settings = Object.fromEntries([...names.map((name) => [name, secrets[name]]), ...vars]);
  const bound = wrangler.durable_objects.bindings.some(({ name }) => name === "USER_SESSIONS");
  if (!bound && settings.SESSION_STORE !== "redis") {
    giveUp("error: USER_SESSIONS is not bound: wrangler.toml needs the Durable Object binding of that name.");
  }
  // The text by which the settings know a binding.
  if (wrangler.services?.some(({ binding }) => binding === "ORIGIN")) settings.ORIGIN = "(bound)";
  for (const { name, simple } of wrangler.ratelimits ?? []) {
    if (LIMITERS.includes(name)) settings[name] = `${simple.limit} per ${simple.period} seconds`;
  }
  return settings;
}

/** Asks the origin what AUTH_PATH would hide, if it can be asked from here. */
async function lookBelowAuthPath({ ORIGIN_URL = "", AUTH_PATH = "/_auth" }) {
  if (ORIGIN_URL === "") return;
  const authPath = AUTH_PATH.trim().replace(/\/+$/, "") || "/_auth";
  const { userAgent, paths } = JSON.parse(xtask(["auth-path", authPath], { encoding: "utf8" }).stdout);
  const statusOf = async (path) => {
    const init = { headers: { "user-agent": userAgent }, redirect: "manual", signal: AbortSignal.timeout(5000) };
    const answer = await fetch(new URL(path, ORIGIN_URL), init);
    await answer.body?.cancel();
    return answer.status;
  };
  const nowhere = `/${randomUUID()}`;
  const statuses = await Promise.all([nowhere, ...paths].map(statusOf)).catch(() => undefined);
  if (statuses === undefined) console.log("note: ORIGIN_URL cannot be reached from here, so it is not known whether AUTH_PATH hides something of it");
  else xtask(["auth-path", authPath, ...statuses.map(String)], { stdio: "inherit" });
}

function xtask(words, options) {
  return spawnSync("cargo", ["run", "--quiet", "--locked", "--package", "xtask", "--", ...words], { cwd: root, ...options });
}
