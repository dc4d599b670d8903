// A server of the Model Context Protocol behind the guard, and the public SDK's client: see examples/mcp.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { LoggingMessageNotificationSchema } from "@modelcontextprotocol/sdk/types.js";
import { expect, test } from "vitest";
import { Account, connect } from "../../examples/mcp/agent.mjs";
import { adminApi, KEY, sessionsOf } from "../harness/admin_api.ts";
import { answerOf, bearer, startGuard } from "../harness/guard.ts";
import { HttpBrowser } from "../harness/http_browser.ts";
import { startOidcProvider } from "../harness/oidc_provider.ts";
import { freePort } from "../harness/redis.ts";

/** Starts the example. */
async function startServer() {
  const path = fileURLToPath(new URL("../../examples/mcp/server.mjs", import.meta.url));
  const server = spawn(process.execPath, [path], { env: { ...process.env, PORT: "0" }, stdio: ["ignore", "pipe", "inherit"] });
  const [line] = (await once(server.stdout, "data")) as [Buffer];
  return { url: line.toString().trim(), [Symbol.dispose]: () => void server.kill() };
}

test("an agent finds the authorization server by itself, calls a tool, and is ended in mid-use", async () => {
  using server = await startServer();
  await using provider = await startOidcProvider();
  const port = await freePort();
  const url = `http://127.0.0.1:${port}/mcp`;
  const vars = {
    ORIGIN_URL: server.url,
    ADMIN_API_KEY: KEY,
    SESSION_LIMIT: "agent=1, desktop=1",
    TRUSTED_ISSUERS: JSON.stringify([provider.entry(url, { agents: "*" })]),
    ROUTES: JSON.stringify([{ path: "/mcp/*", access: "session", resource: true, scopes: ["boats:read"] }]),
  };
  await using guard = await startGuard(vars, { port });
  const { call } = adminApi(() => guard);
  const newAccount = () => new Account((address) => new HttpBrowser().logInAt(address, "ada"));
  const account = newAccount();
  const { client, transport } = await connect(url, account);

  expect(await client.callTool({ name: "boats" })).toMatchObject({ content: [{ text: "ada owns the Merle and the Sanne." }] });
  const listed = await call(sessionsOf("ada"));
  expect(listed.body).toMatchObject({ sessions: [{ device: "agent" }] });

  const heard: unknown[] = [];
  const broken: string[] = [];
  client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => void heard.push(params.data));
  transport.onerror = ({ message }) => void broken.push(message);
  await client.callTool({ name: "watch" });
  await expect.poll(() => heard.length, { timeout: 5_000 }).toBeGreaterThan(1);
  expect(broken).toEqual([]);

  const { sessions: [session] } = listed.body as { sessions: [{ sid: string }] };
  const ended = Date.now();
  expect(await call(`${sessionsOf("ada")}/${session.sid}`, { method: "DELETE" })).toMatchObject({ status: 200 });
  await expect.poll(() => broken.join(), { timeout: 5_000 }).toContain("SSE stream disconnected");
  expect(Date.now() - ended).toBeLessThan(4_000);
  await expect(client.callTool({ name: "boats" })).rejects.toMatchObject({ code: 401 });
  const refreshed = account.tokens()?.access_token ?? "";
  expect(await answerOf(guard.fetch("/mcp", bearer(refreshed)))).toMatchObject({ status: 401, body: { code: "session_revoked" } });
  await client.close();

  const again = await connect(url, newAccount());
  expect(await again.client.callTool({ name: "boats" })).toMatchObject({ content: [{ text: "ada owns the Merle and the Sanne." }] });
  await again.client.close();
  expect(provider.failures).toEqual([]);
});
