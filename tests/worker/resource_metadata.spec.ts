// OAuth 2.0 Protected Resource Metadata, and the challenge that leads there.

import { describe, expect, test } from "vitest";
import { answerOf, useGuard } from "../harness/guard.ts";

const guard = useGuard({
  RESOURCE_METADATA: JSON.stringify({ authorization_servers: ["https://login.example.com"], name: "Harbour" }),
  ROUTES: JSON.stringify([{ path: "/mcp/*", access: "session", resource: true, scopes: ["boats:read"] }]),
  ALLOWED_ORIGINS: JSON.stringify(["https://spa.example"]),
});
const PATH = "/.well-known/oauth-protected-resource";

describe("metadata of the resource", () => {
  test("are at the address that the challenge names, for scripts of every origin", async () => {
    const refused = await answerOf(guard.fetch("/mcp/x", { method: "POST" }));
    const [, address = ""] = /^Bearer scope="boats:read", resource_metadata="([^"]+)"$/.exec(refused.headers["www-authenticate"] ?? "") ?? [];
    expect(refused.status).toBe(401);
    const { origin, pathname } = new URL(address);
    expect({ origin, pathname }).toEqual({ origin: guard.url, pathname: `${PATH}/mcp` });
    expect(await answerOf(guard.fetch(pathname))).toMatchObject({
      status: 200,
      headers: { "content-type": "application/json", "cache-control": "public, max-age=300", "access-control-allow-origin": "*", "x-content-type-options": "nosniff" },
      body: {
        resource: `${guard.url}/mcp`,
        authorization_servers: ["https://login.example.com"],
        bearer_methods_supported: ["header"],
        scopes_supported: ["boats:read"],
        resource_name: "Harbour",
      },
    });
    expect(await answerOf(guard.fetch(PATH))).toMatchObject({ status: 200, body: { resource: guard.url } });
    expect(guard.origin.received).toEqual([]);
  });

  test.each(["https://any.example", "https://spa.example"])("may be asked for by scripts of %s, with the headers of their protocol", async (origin) => {
    const headers = { origin, "access-control-request-method": "GET", "access-control-request-headers": "mcp-protocol-version" };
    const answer = await answerOf(guard.fetch(PATH, { method: "OPTIONS", headers }));
    const allowed = origin === "https://spa.example" ? origin : "*";
    expect(answer).toMatchObject({ status: 204, headers: { "access-control-allow-origin": allowed, "access-control-allow-headers": "*" } });
  });

  test("have no body in the answer to HEAD, and no other method", async () => {
    const head = await guard.fetch(PATH, { method: "HEAD" });
    expect([head.status, await head.text()]).toEqual([200, ""]);
    expect(await answerOf(guard.fetch(PATH, { method: "POST" }))).toMatchObject({ status: 405, headers: { allow: "GET, HEAD" } });
  });
});
