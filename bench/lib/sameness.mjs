// Do all workers make the same checks? Asked of each before it is measured, with an origin and a store
// that see what they are sent.

import { once } from "node:events";
import { createServer } from "node:http";
import { rm } from "node:fs/promises";
import { makeUser, mint } from "./identities.mjs";
import { endSessions, prepareWorker, seed } from "./workers.mjs";
import { serve } from "./workerd.mjs";

/** Tokens that must be refused, by what is wrong with them. */
const wrong = {
  "no token": () => "",
  "another signature": ({ token }) => token.slice(0, -6) + (token.endsWith("AAAAAA") ? "BBBBBB" : "AAAAAA"),
  "another issuer": ({ sign }) => sign({ iss: "https://elsewhere.test" }),
  "another audience": ({ sign }) => sign({ aud: "https://elsewhere.test" }),
  "an expiry that is over": ({ sign }) => sign({ exp: Math.floor(Date.now() / 1000) - 60 }),
  "a time that is to come": ({ sign }) => sign({ nbf: Math.floor(Date.now() / 1000) + 60 }),
  "a session that nobody knows": ({ sign }) => sign({ sid: "AAAAAAAAAAAAAAAAAAAAAA" }),
  "a session that has ended": ({ ended }) => ended,
};

/** Fails if a worker lets something pass that the others refuse, or tells the origin other things. */
export async function checkSameness(name, folder, keys) {
  const users = [makeUser(1), makeUser(2)];
  // It asks the origin before it knows, and drops the answer.
  const asksAhead = name === "guard, overlapping";
  const seen = [];
  const backend = await startBackend(users, seen);
  const own = await prepareWorker(name, { folder, origin: backend.url, store: backend.url, keys });
  const worker = await serve(own);
  try {
    const [token, ended] = await seed(name, worker.url, users, keys);
    backend.end(users[1]);
    await endSession(name, worker.url, users[1]);
    const claims = name === "guard, objects" ? JSON.parse(Buffer.from(token.split(".")[1], "base64url")) : users[0].claims;
    const sign = (differing) => mint({ ...claims, ...differing }, "HS256", keys.HS256);
    await passes(name, worker.url, token, seen);
    for (const [what, make] of Object.entries(wrong)) {
      const before = seen.length;
      const status = await send(worker.url, make({ token, sign, ended }));
      const isSeen = seen.length !== before && !asksAhead;
      if (status !== 401 || isSeen) throw new Error(`${name}: ${what} is answered by ${status}`);
    }
  } finally {
    await worker.end();
    backend.close();
    await rm(own, { recursive: true });
  }
}

async function passes(name, url, token, seen) {
  const status = await send(url, token, { "X-Auth-Request-User": "forged", x_auth_request_email: "forged", Cookie: "theme=dark" });
  const [headers] = seen.slice(-1);
  const expected = { "x-auth-request-user": "m-0000001", "x-auth-request-groups": "member,board", "x-auth-request-claim-email": "m-0000001@rowing.example", cookie: "theme=dark" };
  const differing = Object.entries(expected).filter(([header, value]) => headers?.[header] !== value);
  if (status !== 200 || differing.length > 0 || headers.authorization !== undefined || headers.x_auth_request_email !== undefined) {
    throw new Error(`${name}: a good request is answered by ${status}, and the origin gets ${JSON.stringify(headers)}`);
  }
}

async function send(url, token, headers = {}) {
  const credential = token === "" ? {} : { authorization: `Bearer ${token}` };
  const response = await fetch(`${url}/boats?of=mine`, { headers: { accept: "application/json", ...headers, ...credential } });
  await response.arrayBuffer();
  return response.status;
}

async function endSession(name, url, { sub, sid, record }) {
  const ended = { ...JSON.parse(record), ended: { why: "revoked", at: Date.now() } };
  if (name.startsWith("hand") && name.endsWith("objects")) await fetch(url, { method: "PUT", body: JSON.stringify([{ sub, sid, record: JSON.stringify(ended) }]) });
  if (name === "guard, objects") await endSessions(url, sub);
}

/** An origin that notes the headers it gets, and a store, in one server. */
async function startBackend(users, seen) {
  const records = new Map(users.map(({ sid, record }) => [sid, record]));
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    response.setHeader("content-type", "application/json");
    const isOrigin = request.url.startsWith("/boats");
    if (isOrigin) seen.push(request.headers);
    response.end(JSON.stringify(isOrigin ? {} : answer(request, Buffer.concat(chunks).toString())));
  }).listen(0, "127.0.0.1");
  const answer = ({ url, headers }, body) => {
    const base64 = headers["upstash-encoding"] === "base64";
    const one = (words) => {
      const record = records.get(words.at(-1)) ?? null;
      return { result: record && base64 ? Buffer.from(record).toString("base64") : record };
    };
    if (url === "/pipeline") return JSON.parse(body).map(one);
    return one(url === "/" ? JSON.parse(body) : url.split("/"));
  };
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    end: ({ sid, record }) => records.set(sid, JSON.stringify({ ...JSON.parse(record), ended: { why: "revoked", at: Date.now() } })),
    close: () => server.closeAllConnections() ?? server.close(),
  };
}
