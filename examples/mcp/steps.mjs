// What an agent does with the server, from finding the provider to being ended in mid-use.

import { LoggingMessageNotificationSchema } from "@modelcontextprotocol/sdk/types.js";
import { HttpBrowser } from "../../tests/harness/http_browser.ts";
import { demand, until } from "../lib/told.mjs";
import { Account, connect } from "./agent.mjs";

/** How long a stream may go on after its session's end, in milliseconds. */
const MOST_LATE = 2_000;

/** Takes all steps. */
export async function use({ site, provider, key }, take) {
  const server = `${site}/mcp`;
  const newAccount = () => new Account((address) => new HttpBrowser().logInAt(address, "ada"));
  const account = newAccount();
  const authorization = `Bearer ${key}`;
  const admin = (path, init = {}) => fetch(`${site}/_auth/admin/users/ada/${path}`, { ...init, headers: { authorization } });
  const sessions = async () => (await (await admin("sessions")).json()).sessions;
  const heard = [];
  const errors = [];
  let agent;

  await take("without a token, a 401 leads to the metadata, and these to the provider", async () => {
    const refused = await fetch(server, { method: "POST" });
    const [, address] = /resource_metadata="([^"]+)"/.exec(refused.headers.get("www-authenticate") ?? "") ?? [];
    demand(refused.status === 401 && address !== undefined, `it was answered ${refused.status}`);
    const metadata = await (await fetch(address)).json();
    demand(metadata.resource === server && metadata.authorization_servers[0] === provider.url, JSON.stringify(metadata));
    return JSON.stringify(metadata);
  });
  await take("the SDK's client goes that way by itself, registers there, and its user logs in", async () => {
    agent = await connect(server, account);
  });
  const ask = async () => (await agent.client.callTool({ name: "boats" })).content[0].text;
  await take("it calls a tool, which knows the user", async () => {
    const text = await ask();
    demand(text.startsWith("ada owns"), text);
    return text;
  });
  await take("its session is listed as an agent's", async () => {
    const all = await sessions();
    demand(all.length === 1 && all[0].device === "agent", JSON.stringify(all));
  });
  await take("messages come on its stream", async () => {
    agent.client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => void heard.push(params.data));
    agent.transport.onerror = ({ message }) => void errors.push({ message, at: Date.now() });
    await agent.client.callTool({ name: "watch" });
    await until(() => heard.length > 5, "no messages");
    return heard.at(-1);
  });
  await take("an admin ends the session, and the stream breaks", async () => {
    const [{ sid }] = await sessions();
    const began = Date.now();
    await admin(`sessions/${sid}`, { method: "DELETE" });
    const end = () => errors.find(({ message }) => message.startsWith("SSE stream disconnected"));
    await until(() => end() !== undefined, "the stream goes on");
    demand(end().at - began <= MOST_LATE, `it went on for ${end().at - began} ms`);
    return `${end().at - began} ms later`;
  });
  await take("its next call is a 401, although it gets a new token at the provider", async () => {
    const error = await ask().catch((error) => error);
    demand(error.code === 401, `${error}`);
    const headers = { authorization: `Bearer ${account.tokens().access_token}` };
    const { code, detail } = await (await fetch(server, { method: "POST", headers })).json();
    demand(code === "session_revoked", code);
    return detail;
  });
  await take("its user logs in anew, and it goes on", async () => {
    await agent.client.close();
    // Not the old one: what still runs for it may bring it a new token of the ended session.
    agent = await connect(server, newAccount());
    const text = await ask();
    await agent.client.close();
    return text;
  });
}
