// Runs the built Worker in Node with wasm that counts its instructions. Store and origin are mocks that respond at once.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { originalModules } from "../../scripts/build.mjs";
import { root } from "../../scripts/setup.mjs";
import { audience, issuer, signingKeys } from "./identities.mjs";

const origin = "https://origin.test";
const store = "https://store.test";

/** The platform calls that are counted: methods, functions and constructors. */
const methods = [
  [Headers.prototype, ["append", "delete", "forEach", "get", "has", "keys", "set"]],
  [AbortSignal, ["any", "timeout"]],
  [JSON, ["parse", "stringify"]],
  [console, ["log"]],
].flatMap(([holder, names]) => names.map((name) => [holder, name, holder[name]]));
const functions = ["fetch", "setTimeout", "clearTimeout"].map((name) => [globalThis, name, globalThis[name]]);
const classes = ["AbortController", "Headers", "Request", "Response"].map((name) => [globalThis, name, globalThis[name]]);

/** Loads the Worker with a store in which the user's session is live. */
export async function loadWorker(folder, keys, { sub, record }, kind, vars = {}) {
  const outfile = join(folder, `${kind}.mjs`);
  await bundle(outfile, join(folder, "metered.wasm"));
  const counts = { calls: 0, instances: [] };
  const { default: worker, UserSessions } = await countInstances(counts, () => import(`${pathToFileURL(outfile)}?${Date.now()}`));
  const env = {
    ORIGIN_URL: origin,
    ISSUER: issuer,
    AUDIENCE: audience,
    SIGNING_KEYS: signingKeys(keys),
    SESSION_STORE: kind,
    UPSTASH_REDIS_REST_URL: store,
    UPSTASH_REDIS_REST_TOKEN: "bench",
    ...vars,
  };
  const object = new UserSessions({ storage: nowhere }, env);
  env.USER_SESSIONS = new DurableObjectNamespace(object);
  if (kind === "durable-object") object.apply(JSON.stringify({ open: { session: JSON.parse(record), limit: null, end: [], now: Date.now() } }));
  const tally = countPlatform(record);
  return {
    send: (token, path, headers) => tally.during(() => worker.fetch(request(token, path, headers), env)),
    counts: () => ({
      instructions: counts.instances.reduce((sum, { exports }) => sum + Number(exports.instructions.value), 0),
      "calls from wasm": counts.calls,
      "calls to the platform": tally.calls,
    }),
  };
}

/** Has one object. The guard knows a binding by the name of its class. */
class DurableObjectNamespace {
  constructor(object) {
    this.object = object;
  }

  getByName() {
    return { check: async (...check) => this.object.check(...check) };
  }
}

/** An object's storage that keeps nothing: a check finds its session in memory. */
const nowhere = {
  sql: { exec: () => ({ raw: () => [].values() }) },
  transactionSync: (step) => step(),
  getAlarm: async () => 1,
  setAlarm: async () => {},
};

function request(token, path = "/boats?of=mine", more = {}) {
  const headers = new Headers({ accept: "application/json", "accept-language": "en-GB", "user-agent": "members-app/3.2", ...more });
  if (token !== "") headers.set("authorization", `Bearer ${token}`);
  return new Request(`https://guard.test${path}`, { headers });
}

/** Bundles the Worker's entry for Node. */
async function bundle(outfile, wasm) {
  const { build } = await import("esbuild");
  const runtime = `export class DurableObject { constructor(ctx, env) { this.ctx = ctx; this.env = env; } }
    export class WorkerEntrypoint extends DurableObject {}
    export const env = {};
    export const waitUntil = () => {};`;
  const compiled = `import { readFileSync } from "node:fs";
    export default new WebAssembly.Module(readFileSync(${JSON.stringify(wasm)}));`;
  const asNode = {
    name: "as-node",
    setup(builder) {
      builder.onResolve({ filter: /^cloudflare:/ }, ({ path }) => ({ path, namespace: "runtime" }));
      builder.onResolve({ filter: /\.wasm$/ }, ({ path }) => ({ path, namespace: "compiled" }));
      builder.onLoad({ filter: /.*/, namespace: "runtime" }, () => ({ contents: runtime }));
      builder.onLoad({ filter: /.*/, namespace: "compiled" }, () => ({ contents: compiled }));
      builder.onLoad({ filter: /bindings\/guard\.js$/ }, ({ path }) => ({
        contents: readFileSync(path, "utf8").replace("import source ", "import "),
      }));
    },
  };
  await build({ entryPoints: [join(root, "src/entry.js")], outfile, bundle: true, format: "esm", target: "es2024", platform: "node", logLevel: "error", plugins: [asNode, originalModules] });
}

/** Counts the calls to the imports of all wasm instances that `load` creates. */
async function countInstances(counts, load) {
  const { Instance } = WebAssembly;
  WebAssembly.Instance = class extends Instance {
    constructor(module, imports) {
      super(module, counting(imports, counts));
      counts.instances.push(this);
    }
  };
  try {
    return await load();
  } finally {
    WebAssembly.Instance = Instance;
  }
}

function counting(imports, counts) {
  const counted = (call) => (...args) => {
    counts.calls += 1;
    return call(...args);
  };
  const all = (module) => Object.entries(module).map(([name, item]) => [name, typeof item === "function" ? counted(item) : item]);
  return Object.fromEntries(Object.entries(imports).map(([name, module]) => [name, Object.fromEntries(all(module))]));
}

/** Counts platform calls, with mocks of `fetch` and the log, while a request is served. */
function countPlatform(record) {
  const tally = { calls: 0, during };
  // With `Content-Length`, because the guard ends bodies without one with their session.
  const responses = { [origin]: () => new Response("{}", { headers: { "content-length": "2" } }), [store]: (isPost) => new Response(JSON.stringify({ result: isPost ? ["found", record] : record })) };
  const mocks = { fetch: async (to, init) => responses[new URL(to.url ?? to).origin]((to.method ?? init?.method) === "POST"), log: () => {} };
  const counted = (call) => function (...args) {
    tally.calls += 1;
    return call.apply(this, args);
  };
  const construct = (target, args) => {
    tally.calls += 1;
    return Reflect.construct(target, args);
  };

  async function during(serve) {
    for (const [holder, name, call] of [...methods, ...functions]) holder[name] = counted(mocks[name] ?? call);
    for (const [holder, name, made] of classes) holder[name] = new Proxy(made, { construct });
    try {
      return await serve();
    } finally {
      for (const [holder, name, before] of [...methods, ...functions, ...classes]) holder[name] = before;
    }
  }
  return tally;
}
