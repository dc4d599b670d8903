// The bridge's one connection to Redis. It is made anew when a failover has left it with a replica.

// The client that Redis itself maintains.
import { createClient, ErrorReply, RESP_TYPES } from "redis";
import type { Words } from "./protocol.ts";

/** Milliseconds between two attempts to find the primary, and how long a command waits for one. */
const [PAUSE, PATIENCE] = [1_000, 2_000];

/** What a primary that has become a replica says, also from within a script. */
const IS_REPLICA = /(^|-)(READONLY|MASTERDOWN) /;

/** What became of some commands: their replies, an `ErrorReply` among them where one failed. */
type Replies = unknown[];

/** A connection to one Redis. What is no reply of Redis's is an outage, and rejects the promises. */
export interface Connection {
  /** Sends commands, each for itself. */
  send(commands: Words[]): Promise<Replies>;
  /** Applies all or none. The promise is rejected with an `ErrorReply` if it is none. */
  transact(commands: Words[]): Promise<Replies>;
  /** Leaves Redis. */
  close(): void;
}

/** Connects to a Redis that is no cluster. */
export async function connect(url: string): Promise<Connection> {
  let client = await open(url);
  let renewal: Promise<void> | undefined;
  let renewed = 0;
  let isClosed = false;

  /** Connects once more, which looks the name up again, and takes the new connection for the old one. */
  const renew = async () => {
    renewed = Date.now();
    const next = await open(url);
    const old = client;
    client = next;
    // What it still carries is answered first.
    old.close().catch(() => undefined);
    if (isClosed) next.destroy();
  };
  /** What a replica has refused is sent again, with all that came with it: it has applied nothing. */
  const again = async (attempt: () => Promise<Replies>) => {
    const replies = await attempt();
    if (!replies.some(isOfReplica)) return replies;
    if (renewal === undefined && Date.now() - renewed < PAUSE) return replies;
    renewal ??= renew().catch(complain).finally(() => (renewal = undefined));
    await Promise.race([renewal, new Promise((waited) => setTimeout(waited, PATIENCE))]);
    return attempt();
  };
  return {
    send: (commands) => again(() => sendAll(client, commands)),
    async transact(commands) {
      const replies = await again(async () => {
        // EXEC comes last; what failed before it says why there is none.
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

const isOfReplica = (reply: unknown) => reply instanceof ErrorReply && IS_REPLICA.test(reply.message);

const complain = (error: unknown) => console.error(`redis: ${String(error)}`);

type Client = Awaited<ReturnType<typeof open>>;

/** Bytes stay bytes, so that they can be passed on as they are, and integers as exact as they come. */
async function open(url: string) {
  // Fails at once while Redis is away, as a hosted endpoint would, and connects again by itself.
  const client = createClient({ url, RESP: 2, disableOfflineQueue: true }).withTypeMapping({
    [RESP_TYPES.BLOB_STRING]: Buffer,
    [RESP_TYPES.NUMBER]: String,
  });
  client.on("error", complain);
  await client.connect();
  try {
    await refuseCluster(client);
  } catch (error) {
    client.destroy();
    throw error;
  }
  return client;
}

async function refuseCluster(client: { sendCommand(words: Words): Promise<unknown> }) {
  // Who may not ask is not before a cluster of which the bridge was ever told.
  const info = await client.sendCommand(["INFO", "cluster"]).catch((error: unknown) => {
    if (error instanceof ErrorReply && error.message.startsWith("NOPERM")) return "";
    throw error;
  });
  if (/cluster_enabled:1/.test(String(info))) {
    throw new Error("REDIS_URL is a node of a Redis Cluster, and the bridge speaks to a single Redis. Let it be one, with replicas if you like, or use Upstash.");
  }
}

/**
 * Sends commands one behind the other. Nothing of another request comes in between, nor after a lost
 * connection the rest without the start. Transactions go this way, too, because the client's own read all
 * replies as texts.
 */
async function sendAll(client: Client, commands: Words[]): Promise<Replies> {
  const chained = { chainId: Symbol("request") };
  const replies = await Promise.allSettled(commands.map((words) => client.sendCommand(words, chained)));
  return replies.map((reply) => {
    if (reply.status === "fulfilled") return reply.value;
    if (reply.reason instanceof ErrorReply) return reply.reason;
    throw reply.reason;
  });
}
