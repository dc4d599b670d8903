// The members' application of a small rowing club, with its own users and pages. It knows
// nothing of sessions: who is asking stands in the identity headers that Session Guard sets, with its
// signature, and credentials are checked at one internal endpoint, for the guard alone.

import { createServer } from "node:http";
import { guardAt } from "./guard.mjs";
import { checkCredentials, nameOf } from "./members.mjs";
import { page } from "./pages.mjs";

const port = Number(process.env.ORIGIN_PORT ?? 8788);
const guard = process.env.GUARD_URL ?? "http://localhost:8787";
const { userOf, checkAsker } = guardAt(guard, process.env.ISSUER ?? guard, `http://127.0.0.1:${port}`);

const server = createServer(async (request, response) => {
  const path = (request.url ?? "/").split("?")[0];
  if (path === "/internal/login") return login(request, response);
  const member = await userOf(request.headers).catch(({ message }) => console.log(`refused: ${message}`));
  if (member === undefined) return send(response, 403, "text/plain", "This request did not come through the guard.\n");
  if (path === "/api/me") return me(request, response);
  const html = page(path, nameOf(member), new Date());
  if (html === undefined) return send(response, 404, "text/plain", "There is no such page.\n");
  send(response, 200, "text/html; charset=utf-8", html);
});

/** What the guard posts to LOGIN_URL: 200 with who it is, or 401. Nobody else may try passwords here. */
async function login(request, response) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  const isGuard = await checkAsker(request.headers, body).then(() => true, ({ message }) => console.log(`refused: ${message}`));
  if (!isGuard) return send(response, 403, "text/plain", "This request did not come from the guard.\n");
  const member = checkCredentials(JSON.parse(body));
  if (member === undefined) return send(response, 401, "application/json", "{}\n");
  const { sub, name, email, roles } = member;
  const answer = { sub, claims: { name, email }, roles };
  send(response, 200, "application/json", `${JSON.stringify(answer)}\n`);
}

/** Who is asking, as the guard told it. */
function me(request, response) {
  const header = (name) => request.headers[`x-auth-request-${name}`];
  const answer = { user: header("user"), email: header("email"), groups: header("groups"), session: header("session") };
  send(response, 200, "application/json", `${JSON.stringify(answer)}\n`);
}

function send(response, status, type, body) {
  response.writeHead(status, { "content-type": type, "cache-control": "no-store" }).end(body);
}

server.listen(port, "127.0.0.1", () => console.log(`members' application on http://127.0.0.1:${port}`));
