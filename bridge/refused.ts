// Commands that are not passed on. All requests share one connection and one Redis: what would change the
// one, block it, or end or expose the other, is not a client's to ask for.

/** With all their subcommands. */
const REFUSED = new Set(
  [
    // They change what the connection is.
    "ASKING AUTH CLIENT DISCARD EXEC HELLO MONITOR MULTI QUIT READONLY READWRITE RESET SELECT UNWATCH WATCH",
    "PSUBSCRIBE PSYNC PUNSUBSCRIBE REPLCONF SSUBSCRIBE SUBSCRIBE SUNSUBSCRIBE SYNC UNSUBSCRIBE",
    // They block it.
    "BLMOVE BLMPOP BLPOP BRPOP BRPOPLPUSH BZMPOP BZPOPMAX BZPOPMIN MIGRATE WAIT WAITAOF",
    // They end Redis, have it say other things or say what only its owner should know.
    "ACL BGREWRITEAOF BGSAVE CLUSTER CONFIG DEBUG FAILOVER LATENCY MODULE PFDEBUG PFSELFTEST REPLICAOF",
    "RESTORE-ASKING SAVE SHUTDOWN SLAVEOF SLOWLOG SWAPDB",
  ].flatMap((line) => line.split(" ")),
);

/** Commands of which only some subcommands are passed on. */
const SUBCOMMANDS = new Map([
  ["SCRIPT", ["EXISTS", "FLUSH", "HELP", "LOAD"]],
  ["FUNCTION", ["DELETE", "DUMP", "FLUSH", "HELP", "LIST", "LOAD", "RESTORE", "STATS"]],
]);

/** Is this command not passed on? */
export function isRefused(command: readonly (string | Buffer)[]): boolean {
  const [name = "", subcommand = "", ...rest] = command.map((word) => String(word).toUpperCase());
  if (REFUSED.has(name)) return true;
  const passed = SUBCOMMANDS.get(name);
  if (passed) return !passed.includes(subcommand);
  // Options come before the names of streams, which may be anything.
  const options = [subcommand, ...rest];
  return /^XREAD/.test(name) && options.slice(0, Math.max(options.indexOf("STREAMS"), 0)).includes("BLOCK");
}
