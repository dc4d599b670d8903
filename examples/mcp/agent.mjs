// An agent: the public SDK's client, which finds out by itself where its user logs in.

import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { UnauthorizedError } from "@modelcontextprotocol/sdk/client/auth.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

/** @typedef {import("@modelcontextprotocol/sdk/client/auth.js").OAuthClientProvider} OAuthClientProvider */
/** @typedef {import("@modelcontextprotocol/sdk/shared/auth.js").OAuthClientInformationMixed} ClientInformation */
/** @typedef {import("@modelcontextprotocol/sdk/shared/auth.js").OAuthTokens} Tokens */

/** Where the provider sends the user back to. Nobody is there: the code is read from the address. */
const CALLBACK = "https://agent.example.com/callback";

/**
 * What an agent remembers, and how its user logs in.
 * @implements {OAuthClientProvider}
 */
export class Account {
  /** @type {ClientInformation | undefined} */
  #client;
  /** @type {Tokens | undefined} */
  #tokens;
  #verifier = "";
  #code = "";
  #logIn;

  /** @param {(address: string) => Promise<URLSearchParams>} logIn opens an address in the user's browser, and returns what comes back */
  constructor(logIn) {
    this.#logIn = logIn;
  }

  redirectUrl = CALLBACK;
  clientMetadata = {
    client_name: "An agent",
    redirect_uris: [CALLBACK],
    grant_types: ["authorization_code", "refresh_token"],
    response_types: ["code"],
    token_endpoint_auth_method: "none",
  };

  clientInformation() {
    return this.#client;
  }
  /** @param {ClientInformation} client */
  saveClientInformation(client) {
    this.#client = client;
  }
  tokens() {
    return this.#tokens;
  }
  /** @param {Tokens} tokens */
  saveTokens(tokens) {
    this.#tokens = tokens;
  }
  codeVerifier() {
    return this.#verifier;
  }
  /** @param {string} verifier */
  saveCodeVerifier(verifier) {
    this.#verifier = verifier;
  }
  /** @param {URL} address */
  async redirectToAuthorization(address) {
    this.#code = (await this.#logIn(address.href)).get("code") ?? "";
  }

  /** The code that came back from the last login. */
  get code() {
    return this.#code;
  }
}

/**
 * Connects to a server. If it wants a token, the user logs in first.
 * @param {string} url
 * @param {Account} account
 */
export async function connect(url, account) {
  const open = () => new StreamableHTTPClientTransport(new URL(url), { authProvider: account, reconnectionOptions: { initialReconnectionDelay: 100, maxReconnectionDelay: 100, reconnectionDelayGrowFactor: 1, maxRetries: 1 } });
  const newClient = () => new Client({ name: "agent", version: "1.0.0" });
  let [client, transport] = [newClient(), open()];
  try {
    await client.connect(/** @type {any} */ (transport));
  } catch (error) {
    if (!(error instanceof UnauthorizedError)) throw error;
    await transport.finishAuth(account.code);
    [client, transport] = [newClient(), open()];
    await client.connect(/** @type {any} */ (transport));
  }
  return { client, transport };
}
