// The workers that are measured, each in a folder that workerd can serve.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../../scripts/setup.mjs";
import { restToken } from "./backends.mjs";
import { audience, checkScript, issuer, mint, signingKeys } from "./identities.mjs";
import { writeWorker } from "./workerd.mjs";

/** The key of the guard's own API, by which the bench begins sessions in Durable Objects. */
export const adminKey = "a-key-of-the-bench-of-no-use-elsewhere";

const guard = { "index.js": join(root, "build/index.js"), "guard_bg.wasm": join(root, "build/guard_bg.wasm") };

/** What each worker is made of; a peer's `entry` is in `bench/peers`. */
const kinds = {
  floor: { entry: "floor.js", vars: { SCAN: "yes" } },
  "floor without a look at names": { entry: "floor.js", vars: { SCAN: "" } },
  calls: { entry: "calls.js", objects: true },
  hono: { entry: "hono.js" },
  jose: { entry: "jose.js" },
  hand: { entry: "hand.js" },
  "hand, forgetful": { entry: "hand.js", vars: { MEMORY: "none" } },
  "hand, limited": { entry: "hand.js", vars: { LIMITS: "yes" } },
  "hand, objects": { entry: "hand-object.js", objects: true },
  "hand, forgetful, objects": { entry: "hand-object.js", vars: { MEMORY: "none" }, objects: true },
  "hand, limited, objects": { entry: "hand-object.js", vars: { LIMITS: "yes" }, objects: true },
  // The binding is there with Redis, too, as wrangler.toml has it. No peer logs its requests.
  guard: { modules: guard, vars: { SESSION_STORE: "redis", REQUEST_LOG: "off" }, objects: true },
  "guard, logging": { modules: guard, vars: { SESSION_STORE: "redis" }, objects: true },
  "guard, overlapping": { modules: guard, vars: { SESSION_STORE: "redis", REQUEST_LOG: "off", OVERLAP_SAFE_REQUESTS: "true" }, objects: true },
  "guard, asserting": { modules: guard, vars: { SESSION_STORE: "redis", REQUEST_LOG: "off" }, objects: true, asserts: true },
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
    ...vars,
  };
  writeWorker(own, { modules: modules ?? (await bundle(entry, folder)), bindings, objects: objects && "UserSessions", date, flags });
  return own;
}

/** Bundles a peer as the guard is bundled. */
async function bundle(entry, folder) {
  const { build } = await import("esbuild");
  const outfile = join(folder, "bundles", entry);
  await build({ entryPoints: [join(root, "bench/peers", entry)], outfile, bundle: true, format: "esm", target: "es2024", minify: true, external: ["cloudflare:*"], logLevel: "warning" });
  return { "index.js": outfile };
}

/**
 * Begins the users' sessions where the worker keeps them itself.
 * @returns the users' tokens
 */
export async function seed(name, url, users, keys) {
  if (name === "guard, objects") return Promise.all(users.map(({ sub, claims }) => begin(url, sub, claims)));
  if (name.startsWith("hand") && name.endsWith("objects")) await expect(fetch(url, { method: "PUT", body: JSON.stringify(users) }));
  return users.map(({ claims }) => mint(claims, "HS256", keys.HS256));
}

async function begin(url, sub, { email, roles }) {
  const sessions = fetch(`${url}/_auth/admin/users/${sub}/sessions`, { method: "POST", headers: admin, body: JSON.stringify({ claims: { email }, roles }) });
  return (await (await expect(sessions)).json()).access_token;
}

/** Ends the sessions of a user of the guard's. */
export const endSessions = (url, sub) => expect(fetch(`${url}/_auth/admin/users/${sub}/sessions`, { method: "DELETE", headers: admin }));

const admin = { authorization: `Bearer ${adminKey}`, "content-type": "application/json" };

async function expect(answer) {
  const response = await answer;
  if (!response.ok) throw new Error(`${response.url}: ${response.status} ${await response.text()}`);
  return response;
}
