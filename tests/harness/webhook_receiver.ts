// A real receiver of events over HTTP, which believes only what is signed.

import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Webhook } from "standardwebhooks";

/** An event as it was posted. */
export interface Delivery {
  /** The `webhook-id`. */
  id: string;
  type: string;
  timestamp: string;
  data: Record<string, unknown> & { sub: string; sid: string };
}

/** A receiver on a free port, and the settings that send events there. */
export interface Receiver extends AsyncDisposable {
  vars: { EVENTS_WEBHOOK_URL: string; EVENTS_WEBHOOK_SECRET: string };
  /** Every attempt, in the order they came. */
  attempts: Delivery[];
  /** What was posted without a good signature. */
  forged: string[];
  /** How the next attempts are answered; after those, 204. `0` never answers. */
  statuses: number[];
  /** The types of the events about one user, without those that were sent again. */
  typesOf(sub: string): string[];
}

/** Starts a receiver. */
export async function startReceiver(): Promise<Receiver> {
  const secret = `whsec_${randomBytes(32).toString("base64")}`;
  const webhook = new Webhook(secret);
  const receiver: Receiver = {
    vars: { EVENTS_WEBHOOK_URL: "", EVENTS_WEBHOOK_SECRET: secret },
    attempts: [],
    forged: [],
    statuses: [],
    typesOf(sub) {
      const once = new Map(receiver.attempts.map((it) => [it.id, it]));
      return [...once.values()].filter(({ data }) => data.sub === sub).map(({ type }) => type);
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const body = Buffer.concat(chunks).toString();
    try {
      const headers = request.headers as Record<string, string>;
      const event = webhook.verify(body, headers) as Omit<Delivery, "id">;
      receiver.attempts.push({ id: headers["webhook-id"] ?? "", ...event });
    } catch (error) {
      receiver.forged.push(`${String(error)}: ${body}`);
    }
    const status = receiver.statuses.shift() ?? 204;
    if (status !== 0) response.writeHead(status, status < 400 ? { location: "/" } : {}).end();
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  receiver.vars.EVENTS_WEBHOOK_URL = `http://127.0.0.1:${(server.address() as AddressInfo).port}/events?from=guard`;
  return receiver;
}
