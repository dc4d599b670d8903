// A certified OpenID Connect provider (oidc-provider) over HTTP, and people who log in there by the code flow. Its
// access tokens are JWTs of RFC 9068, with what an operator would add: the session, its beginning, and the user's roles.
// The guard can be one of its applications, too, at which people sign in by redirect: see `sign_in.ts`.

import { createHash, generateKeyPairSync, randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import Provider, { interactionPolicy, type Context, type Source } from "oidc-provider";
import { HttpBrowser } from "./http_browser.ts";

/** Where the provider sends people back to. Nobody is there: the code is read from the address. */
const CALLBACK = "https://app.example.com/callback";

/** The id of the application in the entry of `TRUSTED_ISSUERS`. */
export const APPLICATION = "harbour";

/** The secret of every application that has one. What is in it must be escaped in several places. */
export const CLIENT_SECRET = "s/e:c r+e%t&=?-of-the-guard";

/** The scopes that an application of the tests knows. */
const SCOPES = "boats:read boats:write";

/** A provider. */
export interface OidcProvider extends AsyncDisposable {
  /** Its `iss`, and where it is. */
  url: string;
  /** The roles of its users, by their `sub`. */
  roles: Map<string, string[]>;
  /** The claims of its users, by their `sub`; `userinfo` holds those that only that endpoint tells. */
  people: Map<string, Record<string, unknown> & { userinfo?: object }>;
  /** Why back-channel logouts have failed. */
  failures: string[];
  /** The requests that reached it: method and path. */
  requests: string[];
  /** Answers a request in its place, if it returns true. */
  interfere: ((request: IncomingMessage, response: ServerResponse) => boolean) | undefined;
  /** Nobody can reach it any more. */
  stop(): Promise<void>;
  /** It is there again, at the same address, with what it knew. */
  start(): Promise<void>;
  /** An entry of `TRUSTED_ISSUERS` for tokens of this resource. */
  entry(resource: string, accessTokens?: object): object;
  /** Registers an application (RFC 7591), under this id if one is given. Returns its id. */
  register(metadata?: object, clientId?: string): Promise<string>;
  /** Logs a user in to an application, in a browser that may be logged in at the provider already. */
  logIn(user: string, application: Application, browser?: HttpBrowser): Promise<ProviderLogin>;
  /** Logs a browser out at the provider, which tells its applications. */
  logOut(browser: HttpBrowser): Promise<void>;
}

/** An application, and what it asks tokens for. */
export interface Application {
  clientId: string;
  resource: string;
  scope?: string;
}

/** What an application has after a login. */
export interface ProviderLogin {
  accessToken: string;
  browser: HttpBrowser;
  /** Exchanges the refresh token, which is replaced. Returns the new access token. */
  refresh(): Promise<string>;
}

/** Starts one on a free port. */
export async function startOidcProvider(): Promise<OidcProvider> {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  const roles = new Map<string, string[]>();
  const people: OidcProvider["people"] = new Map();
  const failures: string[] = [];
  const ids: string[] = [];
  const provider = withoutNotices(() => new Provider(url, configuration(roles, people, ids)));
  provider.on("backchannel.error", (_, error) => failures.push(error.message));
  provider.on("server_error", (_, error) => failures.push(error.stack ?? error.message));
  const answer = provider.callback();
  server.on("request", (request: IncomingMessage, response: ServerResponse) => {
    const { method = "", url: target = "" } = request;
    self.requests.push(`${method} ${target.split("?")[0]}`);
    if (self.interfere?.(request, response)) return;
    if (!target.startsWith("/interaction/")) return answer(request, response);
    interact(provider, request, response).catch((error: unknown) => {
      failures.push(String(error));
      response.writeHead(500, { "content-type": "text/html" }).end("<title>error</title>");
    });
  });
  const token = async (fields: Record<string, string>) => {
    const response = await fetch(`${url}/token`, { method: "POST", body: new URLSearchParams(fields) });
    const body = (await response.json()) as { access_token: string; refresh_token: string };
    if (response.status !== 200) throw new Error(`the provider's token endpoint: ${JSON.stringify(body)}`);
    return body;
  };
  const self: OidcProvider = {
    url,
    roles,
    people,
    failures,
    requests: [],
    interfere: undefined,
    async stop() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
    start: () => new Promise<void>((listening) => server.listen(port, "127.0.0.1", listening)),
    entry: (resource, accessTokens = {}) => ({
      issuer: url, audience: APPLICATION, jwks_uri: `${url}/jwks`, subject_prefix: "",
      access_tokens: { audience: resource, session_claim: "sid", roles_claim: "roles", scope_claim: "scope", ...accessTokens },
    }),
    async register(metadata = {}, clientId = randomBytes(16).toString("base64url")) {
      ids.push(clientId);
      const body = {
        redirect_uris: [CALLBACK], grant_types: ["authorization_code", "refresh_token"], response_types: ["code"],
        token_endpoint_auth_method: "none", ...metadata,
      };
      const response = await fetch(`${url}/reg`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
      const registered = (await response.json()) as { client_id: string };
      if (response.status !== 201) throw new Error(`the provider's registration endpoint: ${JSON.stringify(registered)}`);
      return registered.client_id;
    },
    async logIn(user, { clientId, resource, scope = SCOPES }, browser = new HttpBrowser()) {
      const verifier = randomBytes(32).toString("base64url");
      const challenge = createHash("sha256").update(verifier).digest("base64url");
      const query = new URLSearchParams({
        client_id: clientId, response_type: "code", redirect_uri: CALLBACK, scope: `openid ${scope}`, resource,
        code_challenge: challenge, code_challenge_method: "S256",
      });
      const code = (await browser.logInAt(`${url}/auth?${query}`, user)).get("code") ?? "";
      const first = await token({ grant_type: "authorization_code", code, client_id: clientId, redirect_uri: CALLBACK, code_verifier: verifier, resource });
      let refreshToken = first.refresh_token;
      return {
        accessToken: first.access_token,
        browser,
        async refresh() {
          const next = await token({ grant_type: "refresh_token", refresh_token: refreshToken, client_id: clientId, resource });
          refreshToken = next.refresh_token;
          return next.access_token;
        },
      };
    },
    async logOut(browser) {
      const { action = "", fields } = await browser.open(`${url}/session/end`);
      const { text } = await browser.open(action, fields);
      if (!text.includes("success")) throw new Error(`the provider's logout: ${text}`);
    },
    [Symbol.asyncDispose]: () => self.stop(),
  };
  return self;
}


/** `ids` are those of the applications that register next. */
function configuration(roles: Map<string, string[]>, people: OidcProvider["people"], ids: string[]) {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const key = { ...privateKey.export({ format: "jwk" }), alg: "RS256", use: "sig", kid: "provider-1" };
  const always = () => true;
  return {
    jwks: { keys: [key] },
    cookies: { keys: [randomBytes(32).toString("base64url")] },
    scopes: ["openid", "offline_access", "email", "profile", ...SCOPES.split(" ")],
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name", "preferred_username", "groups", "nickname"] },
    // As most providers do, against section 5.4 of OpenID Connect Core.
    conformIdTokenClaims: false,
    acrValues: ["basic", "strong"],
    findAccount: (_: Context, sub: string) => ({
      accountId: sub,
      claims: (use: string) => {
        const { userinfo, ...claims } = people.get(sub) ?? {};
        return { sub, ...claims, ...(use === "userinfo" ? userinfo : {}) };
      },
    }),
    interactions: { url: (_: Context, { uid }: { uid: string }) => `/interaction/${uid}`, policy: withChoiceOfAccount() },
    extraTokenClaims: ({ oidc: { entities } }: Context, token: Source) => {
      const { authTime } = entities.AuthorizationCode ?? entities.RefreshToken ?? {};
      return { sid: token.sid ?? token.sessionUid, auth_time: authTime, roles: roles.get(token.accountId) ?? [] };
    },
    issueRefreshToken: always,
    // The provider refuses loopback addresses, where the guard is.
    fetch: (address: string | URL, init: RequestInit & { dispatcher?: unknown }) => {
      const { dispatcher: _, ...plain } = init;
      return fetch(address, plain);
    },
    ttl: { AccessToken: 3600, AuthorizationCode: 60, Grant: 86_400, IdToken: 3600, Interaction: 600, RefreshToken: 86_400, Session: 86_400 },
    rotateRefreshToken: always,
    renderError: (context: Context, out: object) => void (context.body = JSON.stringify(out)),
    features: {
      devInteractions: { enabled: false },
      backchannelLogout: { enabled: true },
      claimsParameter: { enabled: true },
      pushedAuthorizationRequests: { enabled: true },
      registration: { enabled: true, idFactory: () => ids.shift() ?? randomBytes(16).toString("base64url"), secretFactory: () => CLIENT_SECRET },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: (context: Context, form: string) =>
          void (context.body = `<title>logout</title>${form.replace("</form>", `<input type="hidden" name="logout" value="yes"><button>Sign out</button></form>`)}`),
        postLogoutSuccessSource: (context: Context) => void (context.body = "success"),
      },
      resourceIndicators: {
        enabled: true,
        useGrantedResource: always,
        getResourceServerInfo: (_: Context, resource: string) => ({
          scope: SCOPES, audience: resource, accessTokenFormat: "jwt", accessTokenTTL: 3600, jwt: { sign: { alg: "RS256" } },
        }),
      },
    },
  };
}

/** As an application may ask for by `prompt=select_account`. */
function withChoiceOfAccount() {
  const policy = interactionPolicy.base();
  policy.add(new interactionPolicy.Prompt({ name: "select_account", requestable: true }), 0);
  return policy;
}

/** What people are asked: who they are, and whether the client may act for them. */
async function interact(provider: Provider, request: IncomingMessage, response: ServerResponse) {
  const { prompt, params, session } = await provider.interactionDetails(request, response);
  const asksWho = prompt.name !== "consent";
  if (request.method !== "POST") {
    const field = asksWho ? `<input name="user" aria-label="User" value="${params.login_hint ?? ""}">` : `<input type="hidden" name="allow" value="yes">`;
    const buttons = "<button>Go on</button><button name=refuse value=yes>Refuse</button>";
    response.setHeader("content-type", "text/html").end(`<title>${prompt.name}</title><form method="post" action="${request.url}">${field}${buttons}</form>`);
    return;
  }
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  const form = new URLSearchParams(Buffer.concat(chunks).toString());
  const finish = (result: object) => provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
  if (form.has("refuse")) return finish({ error: "access_denied", error_description: "The user said <b>no</b>." });
  if (asksWho) {
    const { values = params.acr_values?.split(" ") } = prompt.details.acr ?? {};
    return finish({ login: { accountId: form.get("user") ?? "", acr: values?.[0] }, select_account: {} });
  }
  const grant = new provider.Grant({ accountId: session?.accountId ?? "", clientId: params.client_id });
  const { missingOIDCScope = [], missingOIDCClaims = [], missingResourceScopes = {} } = prompt.details;
  grant.addOIDCScope(["openid", ...missingOIDCScope].join(" "));
  grant.addOIDCClaims(missingOIDCClaims);
  for (const [resource, scopes] of Object.entries(missingResourceScopes)) grant.addResourceScope(resource, scopes.join(" "));
  await finish({ consent: { grantId: await grant.save() } });
}

/** The provider says on the console that it runs over http, and keeps its data in memory. */
function withoutNotices<T>(make: () => T): T {
  const { info, warn } = console;
  console.info = console.warn = () => {};
  try {
    return make();
  } finally {
    Object.assign(console, { info, warn });
  }
}
