// Two guards on one folder would each think that they alone write to the objects. So each holds a socket in it.

import { once } from "node:events";
import { rmSync } from "node:fs";
import { connect, createServer } from "node:net";

const NAME = "lock";

/**
 * Takes the lock of the current folder; the process holds it until it ends. The name is relative, because the path
 * of a socket must be short.
 * @returns {Promise<boolean>} `false` if another process has it
 */
export async function lockCurrentFolder() {
  const socket = connect(NAME);
  const isHeld = await once(socket, "connect").then(() => true, () => false);
  socket.destroy();
  if (isHeld) return false;
  rmSync(NAME, { force: true });
  const server = createServer((other) => other.destroy());
  server.listen(NAME).unref();
  await once(server, "listening");
  return true;
}
