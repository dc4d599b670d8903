// Commands that the bridge does not forward. All requests share one connection and one Redis, so no client
// may change or block the connection, or shut down, reconfigure or inspect Redis.

/** Blocked with all their subcommands. */
const BLOCKED = new Set(
  [
    // They change the connection's state.
    "ASKING AUTH CLIENT DISCARD EXEC HELLO MONITOR MULTI QUIT READONLY READWRITE RESET SELECT UNWATCH WATCH",
    "PSUBSCRIBE PSYNC PUNSUBSCRIBE REPLCONF SSUBSCRIBE SUBSCRIBE SUNSUBSCRIBE SYNC UNSUBSCRIBE",
    // They block the connection.
    "BLMOVE BLMPOP BLPOP BRPOP BRPOPLPUSH BZMPOP BZPOPMAX BZPOPMIN MIGRATE WAIT WAITAOF",
    // They administer Redis or reveal its internals.
    "ACL BGREWRITEAOF BGSAVE CLUSTER CONFIG DEBUG FAILOVER LATENCY MODULE PFDEBUG PFSELFTEST REPLICAOF",
    "RESTORE-ASKING SAVE SHUTDOWN SLAVEOF SLOWLOG SWAPDB",
  ].flatMap((line) => line.split(" ")),
);

/** The subcommands that are forwarded, of commands that are otherwise blocked. */
const ALLOWED_SUBCOMMANDS = new Map([
  ["SCRIPT", ["EXISTS", "FLUSH", "HELP", "LOAD"]],
  ["FUNCTION", ["DELETE", "DUMP", "FLUSH", "HELP", "LIST", "LOAD", "RESTORE", "STATS"]],
]);

/** Is this command blocked? */
export function isBlocked(command: readonly (string | Buffer)[]): boolean {
  const [name = "", subcommand = "", ...rest] = command.map((arg) => String(arg).toUpperCase());
  if (BLOCKED.has(name)) return true;
  const allowed = ALLOWED_SUBCOMMANDS.get(name);
  if (allowed) return !allowed.includes(subcommand);
  // Options precede `STREAMS`; the stream names after it may be any text, also `BLOCK`.
  const options = [subcommand, ...rest];
  return /^XREAD/.test(name) && options.slice(0, Math.max(options.indexOf("STREAMS"), 0)).includes("BLOCK");
}
