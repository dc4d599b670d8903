// The workers' backends: an origin, and Redis with the Upstash REST protocol.

import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { root } from "../../scripts/setup.mjs";
import { cores } from "./load.mjs";
import { end, startPinned } from "./workerd.mjs";

/** The token of the REST protocol. */
export const restToken = "bench";

/** A free port. */
async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

/**
 * Starts nginx as the origin and as a mock Redis, which knows every session and is faster than any real one. It answers a
 * check with the session that it asks for. Upstash's client requests base64, and always gets the same session.
 */
export async function startNginx(folder, record) {
  mkdirSync(folder, { recursive: true });
  const [origin, store] = [await freePort(), await freePort()];
  const quoted = (value) => JSON.stringify(value).replaceAll("\\", "\\\\").replaceAll("'", "\\'");
  const plain = quoted({ result: record.replace(JSON.parse(record).sid, "$sid") });
  const base64 = quoted({ result: Buffer.from(record).toString("base64") });
  writeFileSync(join(folder, "nginx.conf"), `
daemon off; master_process off; pid nginx.pid; error_log stderr error;
events { worker_connections 4096; }
http {
  access_log off; keepalive_requests 1000000000; keepalive_timeout 1h; server_tokens off;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  server {
    listen 127.0.0.1:${origin} backlog=4096;
    location / { default_type application/json; return 200 '{"boats":["Skylark","Heron"]}'; }
  }
  server {
    listen 127.0.0.1:${store} backlog=4096;
    default_type application/json;
    location / { return 404; }
    location ~ "^/evalsha/[^/]+/1/[^/]+/[^/]+/(?<sid>[^/]+)" { return 200 '${plain}'; }
    location /hget/ { return 200 '${quoted({ result: record })}'; }
    location = / { return 200 '${base64}'; }
    location = /pipeline { return 200 '[${base64}]'; }
  }
}
`);
  const child = startPinned(cores.others, "nginx", ["-p", folder, "-c", join(folder, "nginx.conf")]);
  await waitUntilListening(child, origin);
  return { origin: `http://127.0.0.1:${origin}`, store: `http://127.0.0.1:${store}`, end: () => end(child) };
}

/** Starts a Redis, without persistence, behind the project's bridge. */
export async function startRedis(folder) {
  mkdirSync(folder, { recursive: true });
  const [redisPort, port] = [await freePort(), await freePort()];
  const args = ["--port", `${redisPort}`, "--bind", "127.0.0.1", "--dir", folder, "--save", "", "--appendonly", "no", "--loglevel", "warning"];
  const redis = startPinned(cores.others, "redis-server", args, { stdio: ["ignore", "ignore", "inherit"] });
  await waitUntilListening(redis, redisPort);
  const env = { ...process.env, REDIS_URL: `redis://127.0.0.1:${redisPort}`, UPSTASH_REDIS_REST_TOKEN: restToken, BRIDGE_PORT: `${port}` };
  const bridge = startPinned(cores.others, process.execPath, [join(root, "scripts/redis.mjs")], { env, stdio: ["ignore", "ignore", "inherit"] });
  await waitUntilListening(bridge, port);
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    redisUrl: env.REDIS_URL,
    pids: { redis: redis.pid, bridge: bridge.pid },
    /** Sends a command through the bridge. */
    async send(...args) {
      const headers = { authorization: `Bearer ${restToken}` };
      const reply = await fetch(url, { method: "POST", headers, body: JSON.stringify(args) });
      const { result, error } = await reply.json();
      if (error !== undefined) throw new Error(error);
      return result;
    },
    end: async () => {
      await end(bridge);
      await end(redis);
    },
  };
}

/** Waits until a process listens on the port. */
async function waitUntilListening(child, port) {
  const { connect } = await import("node:net");
  for (;;) {
    if (child.exitCode !== null) throw new Error(`${child.spawnargs.join(" ")} exited`);
    const socket = connect(port, "127.0.0.1");
    const isListening = await new Promise((resolve) => socket.once("connect", () => resolve(true)).once("error", () => resolve(false)));
    socket.destroy();
    if (isListening) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
