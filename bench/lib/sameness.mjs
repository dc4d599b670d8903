// Verifies, before a worker is measured, that it makes the same checks as the others. The origin and the store are mocks;
// the origin records the headers that it receives.

import { once } from "node:events";
import { createServer } from "node:http";
import { rm } from "node:fs/promises";
import { makeUser, mint } from "./identities.mjs";
import { endSessions, prepareWorker, seed } from "./workers.mjs";
import { serve } from "./workerd.mjs";

/** Tokens that must be refused, by the reason. */
const invalidTokens = {
  "no token": () => "",
  "bad signature": ({ token }) => token.slice(0, -6) + (token.endsWith("AAAAAA") ? "BBBBBB" : "AAAAAA"),
  "another issuer": ({ sign }) => sign({ iss: "https://elsewhere.test" }),
  "another audience": ({ sign }) => sign({ aud: "https://elsewhere.test" }),
  "expired": ({ sign }) => sign({ exp: Math.floor(Date.now() / 1000) - 60 }),
  "not yet valid": ({ sign }) => sign({ nbf: Math.floor(Date.now() / 1000) + 60 }),
  "unknown session": ({ sign }) => sign({ sid: "AAAAAAAAAAAAAAAAAAAAAA" }),
  "ended session": ({ ended }) => ended,
};

/** Fails if a worker accepts an invalid token, or forwards other headers than expected. */
export async function checkSameness(name, folder, keys) {
  const users = [makeUser(1), makeUser(2)];
  // It sends the origin request before the session check has finished, and drops the response.
  const overlaps = name === "guard, overlapping";
  const received = [];
  const backend = await startBackend(users, received);
  const own = await prepareWorker(name, { folder, origin: backend.url, store: backend.url, keys });
  const worker = await serve(own);
  try {
    const [token, ended] = await seed(name, worker.url, users, keys);
    backend.end(users[1]);
    await endSession(name, worker.url, users[1]);
    const claims = name === "guard, objects" ? JSON.parse(Buffer.from(token.split(".")[1], "base64url")) : users[0].claims;
    const sign = (differing) => mint({ ...claims, ...differing }, "HS256", keys.HS256);
    await checkForwarding(name, worker.url, token, received);
    for (const [reason, makeToken] of Object.entries(invalidTokens)) {
      const before = received.length;
      const status = await send(worker.url, makeToken({ token, sign, ended }));
      const isForwarded = received.length !== before && !overlaps;
      if (status !== 401 || isForwarded) throw new Error(`${name}: ${reason} is answered by ${status}${isForwarded ? " and forwarded" : ""}, not refused`);
    }
  } finally {
    await worker.end();
    backend.close();
    await rm(own, { recursive: true });
  }
}

async function checkForwarding(name, url, token, received) {
  const status = await send(url, token, { "X-Auth-Request-User": "forged", x_auth_request_email: "forged", Cookie: "theme=dark" });
  const [headers] = received.slice(-1);
  const expected = { "x-auth-request-user": "m-0000001", "x-auth-request-groups": "member,board", "x-auth-request-claim-email": "m-0000001@rowing.example", cookie: "theme=dark" };
  const differing = Object.entries(expected).filter(([header, value]) => headers?.[header] !== value);
  if (status !== 200 || differing.length > 0 || headers.authorization !== undefined || headers.x_auth_request_email !== undefined) {
    throw new Error(`${name} answers a valid request by ${status}, and forwards ${JSON.stringify(headers)}`);
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

/** Starts one server that is the store and an origin that records the headers that it receives. */
async function startBackend(users, received) {
  const records = new Map(users.map(({ sid, record }) => [sid, record]));
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    response.setHeader("content-type", "application/json");
    const isOrigin = request.url.startsWith("/boats");
    if (isOrigin) received.push(request.headers);
    response.end(JSON.stringify(isOrigin ? {} : reply(request, Buffer.concat(chunks).toString())));
  }).listen(0, "127.0.0.1");
  const reply = ({ url, headers }, body) => {
    const base64 = headers["upstash-encoding"] === "base64";
    const lookUp = (args) => {
      // The guard's check has arguments after the sid.
      const record = records.get(args.findLast((arg) => records.has(arg))) ?? null;
      return { result: record && base64 ? Buffer.from(record).toString("base64") : record };
    };
    if (url === "/pipeline") return JSON.parse(body).map(lookUp);
    return lookUp(url === "/" ? JSON.parse(body) : url.split("/"));
  };
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    end: ({ sid, record }) => records.set(sid, JSON.stringify({ ...JSON.parse(record), ended: { why: "revoked", at: Date.now() } })),
    close: () => server.closeAllConnections() ?? server.close(),
  };
}
