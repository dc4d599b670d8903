// The Worker in Miniflare, for what the Workers runtime does not have by itself.

import { createRequire } from "node:module";
import type { V4WorkerOptions } from "miniflare";
import type { WorkerdOptions } from "./workerd.ts";

// It is a CommonJS module of megabytes, which `import` would search for the names that it exports.
const { convertV4MiniflareOptions, Miniflare } = createRequire(import.meta.url)("miniflare") as typeof import("miniflare");

/** Starts a Worker; `limiter` is the limit of its rate-limit binding in each minute. */
export async function startMiniflare(options: WorkerdOptions, limiter?: number) {
  const { modules, modulesRoot, compatibilityDate, compatibilityFlags, bindings, objects, persist, bound, outbound, port, onLog } = options;
  const worker: V4WorkerOptions = {
    name: "guard",
    modules,
    modulesRoot,
    compatibilityDate,
    compatibilityFlags,
    bindings: bindings as Record<string, string>,
    // Past Miniflare's own proxy, which rewrites paths and Accept-Encoding.
    unsafeDirectSockets: [{ host: "127.0.0.1", port }],
    ...(objects ? { durableObjects: { USER_SESSIONS: { className: "UserSessions", useSQLite: true } } } : {}),
    ...(limiter === undefined ? {} : { ratelimits: { LOGIN_RATE_LIMITER: { namespace_id: "1001", simple: { limit: limiter, period: 60 } } } }),
    ...(bound === undefined ? {} : { serviceBindings: { ORIGIN: "origin" } }),
    ...(outbound === undefined ? {} : { outboundService: "outbound" }),
  };
  const scripts = Object.entries({ origin: bound, outbound });
  const others: V4WorkerOptions[] = scripts.flatMap(([name, script]) => script === undefined ? [] : [{ name, modules: true, script, compatibilityDate }]);
  const miniflare = new Miniflare(convertV4MiniflareOptions({
    workers: [worker, ...others],
    ...(persist === undefined ? {} : { resourcePersistencePath: persist }),
    handleStructuredLogs: ({ message }) => onLog(message),
  }));
  return { url: (await miniflare.unsafeGetDirectURL()).origin, stop: () => miniflare.dispose(), miniflare };
}
