// The measured workers, each in a folder that workerd can serve.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../../scripts/setup.mjs";
import { restToken } from "./backends.mjs";
import { audience, checkScript, issuer, mint, mintProviders, provider, providerSecret, signingKeys } from "./identities.mjs";
import { writeWorker } from "./workerd.mjs";

/** The guard's admin key, with which the bench begins sessions in Durable Objects. */
export const adminKey = "a-key-of-the-bench-of-no-use-elsewhere";

const guard = { "index.js": join(root, "build/index.js"), "guard_bg.wasm": join(root, "build/guard_bg.wasm") };

/** The parts of each worker; a peer's `entry` is in `bench/peers`. */
const kinds = {
  floor: { entry: "floor.js", vars: { SCAN: "yes" } },
  "floor without header scan": { entry: "floor.js", vars: { SCAN: "" } },
  calls: { entry: "calls.js", objects: true },
  hono: { entry: "hono.js" },
  jose: { entry: "jose.js" },
  hand: { entry: "hand.js" },
  "hand, uncached": { entry: "hand.js", vars: { CACHE: "off" } },
  "hand, timeouts": { entry: "hand.js", vars: { TIMEOUTS: "yes" } },
  "hand, objects": { entry: "hand-object.js", objects: true },
  "hand, uncached, objects": { entry: "hand-object.js", vars: { CACHE: "off" }, objects: true },
  "hand, timeouts, objects": { entry: "hand-object.js", vars: { TIMEOUTS: "yes" }, objects: true },
  // As in wrangler.toml, the Durable Objects are bound with Redis, too. The log is off because no peer logs requests.
  guard: { modules: guard, vars: { SESSION_STORE: "redis", REQUEST_LOG: "off" }, objects: true },
  "guard, logging": { modules: guard, vars: { SESSION_STORE: "redis" }, objects: true },
  "guard, overlapping": { modules: guard, vars: { SESSION_STORE: "redis", REQUEST_LOG: "off", OVERLAP_SAFE_REQUESTS: "true" }, objects: true },
  "guard, asserting": { modules: guard, vars: { SESSION_STORE: "redis", REQUEST_LOG: "off" }, objects: true, asserts: true },
  // Without a limit, because its sessions begin beside those that the other workers check.
  "guard, provider": { modules: guard, vars: { SESSION_STORE: "redis", SESSION_LIMIT: "0", REQUEST_LOG: "off", TRUSTED_ISSUERS: JSON.stringify([provider]) }, objects: true },
  "guard, objects": { modules: guard, vars: { SESSION_STORE: "durable-object", SESSION_LIMIT: "0", REQUEST_LOG: "off" }, objects: true },
};

/** The names of the workers. */
export const workers = Object.keys(kinds);

/**
 * Writes a worker's folder, and returns its path.
 * @param {{ folder: string, origin: string, store: string, keys: Record<string, any> }} surroundings
 */
export async function prepareWorker(name, { folder, origin, store, keys }) {
  const { entry, modules, vars = {}, objects, asserts = false } = kinds[name];
  const own = join(folder, name.replaceAll(/\W+/g, "-"));
  const { parse } = await import("smol-toml");
  const { compatibility_date: date, compatibility_flags: flags } = parse(readFileSync(join(root, "wrangler.toml"), "utf8"));
  const bindings = {
    ORIGIN_URL: origin,
    ISSUER: issuer,
    AUDIENCE: audience,
    SIGNING_KEYS: signingKeys(keys, asserts),
    UPSTASH_REDIS_REST_URL: store,
    UPSTASH_REDIS_REST_TOKEN: restToken,
    SCRIPT: checkScript().sha1,
    ADMIN_API_KEY: adminKey,
    PROVIDER_SECRET: keys.HS256 ? providerSecret(keys) : "",
    ...vars,
  };
  writeWorker(own, { modules: modules ?? (await bundle(entry, folder)), bindings, objects: objects && "UserSessions", date, flags });
  return own;
}

/** Bundles a peer with the same options as the guard. */
async function bundle(entry, folder) {
  const { build } = await import("esbuild");
  const outfile = join(folder, "bundles", entry);
  await build({ entryPoints: [join(root, "bench/peers", entry)], outfile, bundle: true, format: "esm", target: "es2024", minify: true, external: ["cloudflare:*"], logLevel: "warning" });
  return { "index.js": outfile };
}

/**
 * Begins the users' sessions if the worker stores them in Durable Objects.
 * @returns the users' tokens
 */
export async function seed(name, url, users, keys) {
  if (name === "guard, objects") return Promise.all(users.map(({ sub, claims }) => begin(url, sub, claims)));
  if (name === "guard, provider") return users.map(({ claims }) => mintProviders(claims, keys.HS256));
  if (name.startsWith("hand") && name.endsWith("objects")) await expectSuccess(fetch(url, { method: "PUT", body: JSON.stringify(users) }));
  return users.map(({ claims }) => mint(claims, "HS256", keys.HS256));
}

async function begin(url, sub, { email, roles }) {
  const sessions = fetch(`${url}/_auth/admin/users/${sub}/sessions`, { method: "POST", headers: admin, body: JSON.stringify({ claims: { email }, roles }) });
  return (await (await expectSuccess(sessions)).json()).access_token;
}

/** Ends a user's sessions in the guard. */
export const endSessions = (url, sub) => expectSuccess(fetch(`${url}/_auth/admin/users/${sub}/sessions`, { method: "DELETE", headers: admin }));

const admin = { authorization: `Bearer ${adminKey}`, "content-type": "application/json" };

async function expectSuccess(pending) {
  const response = await pending;
  if (!response.ok) throw new Error(`${response.url}: ${response.status} ${await response.text()}`);
  return response;
}
