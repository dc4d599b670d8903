// The bridge's single connection to Redis. After a failover that leaves it on a replica, it reconnects.

// Redis's official client.
import { createClient, ErrorReply, RESP_TYPES } from "redis";
import type { CommandArgs } from "./protocol.ts";

/** Milliseconds between two reconnects. */
const RECONNECT_INTERVAL = 1_000;

/** Milliseconds that a command waits for a reconnect before it is retried. */
const RECONNECT_WAIT = 2_000;

/** The error of a primary that has become a replica, also from within a script. */
const REPLICA_ERROR = /(^|-)(READONLY|MASTERDOWN) /;

/** One reply per command; an `ErrorReply` for a command that failed. */
type Replies = unknown[];

/** A connection to one Redis. Promises are rejected if Redis does not reply. */
export interface Connection {
  /** Sends commands that succeed or fail independently. */
  send(commands: CommandArgs[]): Promise<Replies>;
  /** Applies all commands or none. Rejects with an `ErrorReply` if none is applied. */
  transact(commands: CommandArgs[]): Promise<Replies>;
  /** Disconnects. */
  close(): void;
}

/** Connects to a single Redis; a Redis Cluster is an error. */
export async function connect(url: string): Promise<Connection> {
  let client = await openClient(url);
  let reconnecting: Promise<void> | undefined;
  let lastReconnect = 0;
  let isClosed = false;

  /** Opens a new connection, which resolves the host name again, and replaces the old one. */
  const reconnect = async () => {
    lastReconnect = Date.now();
    const replacement = await openClient(url);
    const old = client;
    client = replacement;
    // Pending commands are answered first.
    old.close().catch(() => undefined);
    if (isClosed) replacement.destroy();
  };
  /** Retries all commands after a reconnect if a replica refused one. A replica has applied none of them. */
  const retryOnReplica = async (attempt: () => Promise<Replies>) => {
    const replies = await attempt();
    if (!replies.some(isReplicaError)) return replies;
    if (reconnecting === undefined && Date.now() - lastReconnect < RECONNECT_INTERVAL) return replies;
    reconnecting ??= reconnect().catch(logError).finally(() => (reconnecting = undefined));
    await Promise.race([reconnecting, new Promise((resolve) => setTimeout(resolve, RECONNECT_WAIT))]);
    return attempt();
  };
  return {
    send: (commands) => retryOnReplica(() => sendAll(client, commands)),
    async transact(commands) {
      const replies = await retryOnReplica(async () => {
        // The reply to EXEC is the last one. If a command before it failed, its error is the reason.
        const all = await sendAll(client, [["MULTI"], ...commands, ["EXEC"]]);
        const failed = all.find((reply) => reply instanceof ErrorReply);
        return failed ? [failed] : [all.at(-1)];
      });
      if (replies[0] instanceof ErrorReply) throw replies[0];
      return replies[0] as Replies;
    },
    close() {
      isClosed = true;
      client.destroy();
    },
  };
}

const isReplicaError = (reply: unknown) => reply instanceof ErrorReply && REPLICA_ERROR.test(reply.message);

const logError = (error: unknown) => console.error(`redis: ${String(error)}`);

type Client = Awaited<ReturnType<typeof openClient>>;

/** Connects. The client returns strings as bytes, to forward them unchanged, and integers as text, to keep them exact. */
async function openClient(url: string) {
  // Commands fail at once while Redis is unreachable, as with a hosted endpoint. The client reconnects by itself.
  const client = createClient({ url, RESP: 2, disableOfflineQueue: true }).withTypeMapping({
    [RESP_TYPES.BLOB_STRING]: Buffer,
    [RESP_TYPES.NUMBER]: String,
  });
  client.on("error", logError);
  await client.connect();
  try {
    await rejectCluster(client);
  } catch (error) {
    client.destroy();
    throw error;
  }
  return client;
}

async function rejectCluster(client: { sendCommand(args: CommandArgs): Promise<unknown> }) {
  // Without permission for INFO, assume a single Redis.
  const info = await client.sendCommand(["INFO", "cluster"]).catch((error: unknown) => {
    if (error instanceof ErrorReply && error.message.startsWith("NOPERM")) return "";
    throw error;
  });
  if (/cluster_enabled:1/.test(String(info))) {
    throw new Error("REDIS_URL is a node of a Redis Cluster, which the bridge does not support. Use a single Redis, with or without replicas, or Upstash.");
  }
}

/**
 * Sends commands as one chain: no command of another request comes between them, and if the connection is
 * lost, the rest is not sent without the start. Also used for transactions, because the client's own
 * `multi` decodes all replies as text.
 */
async function sendAll(client: Client, commands: CommandArgs[]): Promise<Replies> {
  const chained = { chainId: Symbol("request") };
  const replies = await Promise.allSettled(commands.map((args) => client.sendCommand(args, chained)));
  return replies.map((reply) => {
    if (reply.status === "fulfilled") return reply.value;
    if (reply.reason instanceof ErrorReply) return reply.reason;
    throw reply.reason;
  });
}
