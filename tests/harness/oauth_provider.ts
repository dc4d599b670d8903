// A provider that knows OAuth only, as GitHub does: no ID tokens, no discovery, and a token endpoint that answers errors
// with 200, and in a form unless JSON is asked for.

import { createHash, randomBytes } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** A provider. */
export interface OAuthProvider extends AsyncDisposable {
  url: string;
  /** What it tells of whoever signs in next. */
  user: Record<string, unknown>;
  /** What the token endpoint was sent last. */
  tokenRequest: URLSearchParams | undefined;
  /** An entry of `TRUSTED_ISSUERS`, changed by `changes`. */
  entry(changes?: object): object;
}

/** Starts one on a free port. */
export async function startOAuthProvider(clientId: string, secret: string): Promise<OAuthProvider> {
  const codes = new Map<string, string | null>();
  const tokens = new Set<string>();
  const random = () => randomBytes(12).toString("base64url");
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? "", provider.url);
    if (url.pathname === "/authorize") {
      const code = random();
      codes.set(code, url.searchParams.get("code_challenge"));
      const back = new URL(url.searchParams.get("redirect_uri") ?? "");
      back.search = new URLSearchParams({ code, state: url.searchParams.get("state") ?? "" }).toString();
      return response.writeHead(302, { location: back.href }).end();
    }
    if (url.pathname === "/token") {
      const chunks: Buffer[] = [];
      for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
      const form = (provider.tokenRequest = new URLSearchParams(Buffer.concat(chunks).toString()));
      const code = form.get("code") ?? "";
      const challenge = createHash("sha256").update(form.get("code_verifier") ?? "").digest("base64url");
      const good = codes.get(code) === challenge && form.get("client_id") === clientId && form.get("client_secret") === secret;
      codes.delete(code);
      const token = random();
      if (good) tokens.add(token);
      const fields: Record<string, string> = good
        ? { access_token: token, token_type: "bearer", scope: "" }
        : { error: "bad_verification_code", error_description: "The code passed is incorrect or expired." };
      const isJson = request.headers.accept?.includes("json");
      return response.writeHead(200, { "content-type": isJson ? "application/json; charset=utf-8" : "application/x-www-form-urlencoded" })
        .end(isJson ? JSON.stringify(fields) : new URLSearchParams(fields).toString());
    }
    const [, token = ""] = request.headers.authorization?.split(" ") ?? [];
    if (url.pathname !== "/user" || !tokens.has(token)) return response.writeHead(401).end();
    if (!request.headers["user-agent"]) return response.writeHead(403).end("Request forbidden by administrative rules.");
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(provider.user));
  });
  const provider: OAuthProvider = {
    url: "",
    user: { id: 583231, login: "octo", name: "Octo Cat", email: "octo@hub.example" },
    tokenRequest: undefined,
    entry: (changes = {}) => ({
      issuer: provider.url, name: "hub", title: "Hub", client_id: clientId, client_secret_name: "HUB_SECRET", client_authentication: "client_secret_post",
      subject_prefix: "hub|", scope: "read:user", endpoints: { authorization: `${provider.url}/authorize`, token: `${provider.url}/token`, userinfo: `${provider.url}/user` },
      userinfo: { sub: "id", email: "email", name: "name", preferred_username: "login" }, ...changes,
    }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  provider.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return provider;
}
