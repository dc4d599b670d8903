// A small server of the Model Context Protocol over Streamable HTTP, without a line about tokens: the guard says who it
// is in a header, and nobody else can set it.

import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";

/**
 * What a user's agent may do.
 * @param {string} user
 */
function harbour(user) {
  const server = new McpServer({ name: "harbour", version: "1.0.0" }, { capabilities: { logging: {} } });
  server.registerTool("boats", { description: "The user's boats" }, () => ({ content: [{ type: "text", text: `${user} owns the Merle and the Sanne.` }] }));
  server.registerTool("watch", { description: "Tells the tide on the stream, until it breaks" }, () => {
    const tide = setInterval(() => {
      const data = `The tide is ${(3 + Math.sin(Date.now() / 1000)).toFixed(2)} m.`;
      server.server.sendLoggingMessage({ level: "info", data }).catch(() => clearInterval(tide));
    }, 200);
    server.server.onclose = () => clearInterval(tide);
    return { content: [{ type: "text", text: "Watching." }] };
  });
  return server;
}

/** @type {Map<string, { user: string, transport: StreamableHTTPServerTransport }>} */
const sessions = new Map();

const server = createServer(async (request, response) => {
  const user = decodeURIComponent(request.headers["x-auth-request-user"]?.toString() ?? "");
  const id = request.headers["mcp-session-id"]?.toString();
  if (!request.url?.startsWith("/mcp")) return response.end("harbour");
  const known = id === undefined ? undefined : sessions.get(id);
  // Its own sessions are no credentials: they belong to whoever began them.
  if (id !== undefined && known?.user !== user) return response.writeHead(404).end();
  if (known !== undefined) return known.transport.handleRequest(request, response);
  /** @type {StreamableHTTPServerTransport} */
  const transport = new StreamableHTTPServerTransport({
    sessionIdGenerator: randomUUID,
    onsessioninitialized: (begun) => void sessions.set(begun, { user, transport }),
    onsessionclosed: (closed) => void sessions.delete(closed),
  });
  await harbour(user).connect(transport);
  await transport.handleRequest(request, response);
});
server.listen(Number(process.env["PORT"] ?? 0), "127.0.0.1", () => {
  const address = server.address();
  if (address !== null && typeof address === "object") console.log(`http://127.0.0.1:${address.port}`);
});
