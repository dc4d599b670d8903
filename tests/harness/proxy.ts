// nginx and Caddy before an origin, with the configurations of docs/forward-auth.md and docs/self-hosting.md.

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { blocks } from "./docs.ts";
import { freePort } from "./redis.ts";

/** What stands behind a proxy. */
export interface Behind {
  guard: string;
  origin: string;
  key: string;
}

/** A proxy that runs. */
export interface Proxy extends AsyncDisposable {
  url: string;
}

/** The programs, by their names. */
export const PROXIES = ["nginx", "caddy"] as const;

const PAGE = "docs/forward-auth.md";

/** Starts a proxy with the configuration that the page shows, but for its addresses. */
export async function startProxy(name: (typeof PROXIES)[number], behind: Behind): Promise<Proxy> {
  return run(name, behind.key, (folder, port) => (name === "nginx" ? nginx(folder, port, behind) : caddy(folder, port, behind)));
}

/** Starts a proxy that ends TLS before a guard, as the page on self-hosting shows it, with a certificate of its own. */
export async function startFrontProxy(name: (typeof PROXIES)[number], guard: string): Promise<Proxy> {
  const page = "docs/self-hosting.md";
  const proxy = await run(name, "", (folder, port) => {
    const [certificate, key] = [join(folder, "certificate.pem"), join(folder, "key.pem")];
    spawnSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1", "-subj", "/CN=members.example.com", "-keyout", key, "-out", certificate]);
    const own: [string | RegExp, string] = ["127.0.0.1:8080", new URL(guard).host];
    if (name === "caddy") {
      const site = replaced(blocks(page, "caddyfile")[0] ?? "", [["members.example.com {", `https://members.example.com:${port} {\nbind 127.0.0.1\ntls ${certificate} ${key}`], own]);
      return caddyWith(folder, site);
    }
    const listen: [string, string] = ["listen 443 ssl;", `listen 127.0.0.1:${port} ssl;`];
    const files: [string, string][] = [["/etc/nginx/members.pem", certificate], ["/etc/nginx/members.key", key]];
    return nginxWith(folder, replaced(blocks(page, "nginx")[0] ?? "", [listen, ...files, own]));
  });
  return { ...proxy, url: proxy.url.replace("http:", "https:") };
}

type Run = [config: string, command: string, ...args: string[]];

async function run(name: string, key: string, configure: (folder: string, port: number) => Run): Promise<Proxy> {
  const folder = await mkdtemp(join(tmpdir(), `session-guard-${name}-`));
  const port = await freePort();
  const [config, command, ...args] = configure(folder, port);
  await writeFile(join(folder, "config"), config);
  const child = spawn(command, args, { cwd: folder, env: { ...process.env, HOME: folder, FORWARD_AUTH_KEY: key } });
  let log = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (log += chunk.toString()));
  const exited = once(child, "exit");
  const failed = exited.then(() => {
    throw new Error(`${name} has ended:\n${log}`);
  });
  failed.catch(() => undefined);
  await Promise.race([listening(port), failed]);
  return {
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await exited;
      await rm(folder, { recursive: true });
    },
  };
}

/** A text with each of these in place of another, which must be there. */
function replaced(text: string, pairs: [string | RegExp, string][]): string {
  return pairs.reduce((before, [from, to]) => {
    const after = before.replaceAll(from, () => to);
    if (after === before) throw new Error(`the page does not have ${String(from)}`);
    return after;
  }, text);
}

function nginx(folder: string, port: number, { guard, origin, key }: Behind): Run {
  const [shown = ""] = blocks(PAGE, "nginx");
  const server = replaced(shown, [
    ["listen 443 ssl;", `listen 127.0.0.1:${port};`],
    [/ssl_certificate(_key)? .*;/g, ""],
    ["https://guard.example.com", guard],
    ["http://127.0.0.1:3000", origin],
    ["the value of FORWARD_AUTH_KEY", key],
  ]);
  return nginxWith(folder, server);
}

function nginxWith(folder: string, server: string): Run {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `${name}_temp_path ${folder}/${name};`);
  const config = `daemon off; master_process off; pid ${folder}/pid; error_log stderr; events {}
http { access_log off; ${temporary.join(" ")}
${server} }`;
  const program = ["/usr/sbin/nginx"].find(existsSync) ?? "nginx";
  return [config, program, "-p", folder, "-c", join(folder, "config"), "-e", "stderr"];
}

function caddy(folder: string, port: number, { guard, origin }: Behind): Run {
  const [shown = ""] = blocks(PAGE, "caddyfile");
  const site = replaced(shown, [
    ["app.example.com {", `http://127.0.0.1:${port} {`],
    ["https://guard.example.com", guard],
    ["127.0.0.1:3000", new URL(origin).host],
  ]);
  return caddyWith(folder, site);
}

function caddyWith(folder: string, site: string): Run {
  const config = `{\nadmin off\nauto_https off\nstorage file_system ${folder}\n}\n${site}`;
  return [config, "caddy", "run", "--adapter", "caddyfile", "--config", join(folder, "config")];
}

/** Waits until somebody listens. */
async function listening(port: number): Promise<void> {
  for (;;) {
    const socket = connect(port, "127.0.0.1");
    const isThere = await Promise.race([once(socket, "connect").then(() => true, () => false), once(socket, "close").then(() => false)]);
    socket.destroy();
    if (isThere) return;
    await new Promise((resume) => setTimeout(resume, 20));
  }
}
