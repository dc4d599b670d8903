// The server, an identity provider, and the guard between them.

import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { root } from "../../scripts/setup.mjs";
import { startOidcProvider } from "../../tests/harness/oidc_provider.ts";
import { startParts } from "../lib/parts.mjs";

const key = randomBytes(32).toString("hex");

/** Starts all parts. Logs go to `folder`. */
export async function start(folder) {
  const provider = await startOidcProvider();
  const startServer = (port, _, log) =>
    spawn(process.execPath, [join(root, "examples/mcp/server.mjs")], { env: { ...process.env, PORT: `${port}` }, stdio: ["ignore", log, log] });
  const vars = (site) => ({
    TRUSTED_ISSUERS: JSON.stringify([provider.entry(`${site}/mcp`, { agents: "*" })]),
    ROUTES: JSON.stringify([{ path: "/mcp/*", access: "session", resource: true, scopes: ["boats:read"] }]),
    SESSION_LIMIT: "agent=5, desktop=1",
    ADMIN_API_KEY: key,
  });
  const parts = await startParts(folder, startServer, { vars });
  const stop = async () => {
    await parts.stop();
    await provider[Symbol.asyncDispose]();
  };
  return { site: parts.site, provider, key, stop };
}
