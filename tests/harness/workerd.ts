// The Workers runtime itself. Miniflare starts the same program, but surrounds the Worker with seven of its own.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { createInterface } from "node:readline";

const program = createRequire(createRequire(import.meta.url).resolve("miniflare"))("workerd").default as string;

/** A module of a Worker: a file, or its text. */
export interface Module {
  type: "ESModule" | "CompiledWasm";
  path: string;
  contents?: string;
}

/** What the Worker under test is made of, and what is around it. */
export interface WorkerdOptions {
  modules: Module[];
  /** The folder of the modules. */
  modulesRoot: string;
  compatibilityDate: string;
  compatibilityFlags: string[];
  bindings: Record<string, unknown>;
  /** Binds the Durable Objects. */
  objects: boolean;
  /** A folder for the Durable Objects; otherwise one that is deleted at the end. */
  persist: string | undefined;
  /** The script of a Worker that is bound as `ORIGIN`. */
  bound: string | undefined;
  /** The script of a Worker that gets all requests, with the guard bound as `AUTH` and its class as `GUARD`. */
  caller: string | undefined;
  /** The script of a Worker through which all goes that the Worker fetches. */
  outbound: string | undefined;
  /** Where it listens; 0 for any free port. */
  port: number;
  /** It listens over TLS, with this key and certificate, in PEM. */
  tls: { key: string; certificate: string } | undefined;
  /** Gets each line that the runtime or a Worker in it logs. */
  onLog(message: string): void;
}

/** A running Worker. */
export interface Workerd {
  url: string;
  stop(): Promise<void>;
  miniflare?: undefined;
}

/** The header in which a request says what `request.cf` is, as JSON. */
export const CF_HEADER = "mf-cf-blob";

/** As Cloudflare does with a Worker's requests to an origin. */
const OUTBOUND = `
export default {
  fetch(request) {
    const headers = new Headers(request.headers);
    headers.delete("cf-connecting-ip");
    headers.set("cf-worker", "guard.example.com");
    return fetch(request, { headers });
  },
};
`;

/** Those that run, to be killed if this process ends early. */
const running = new Set<ReturnType<typeof spawn>>();
process.on("exit", () => running.forEach((child) => child.kill("SIGKILL")));

/** Starts a Worker. */
export async function startWorkerd(options: WorkerdOptions): Promise<Workerd> {
  const folder = await mkdtemp(join(tmpdir(), "session-guard-workerd-"));
  const objects = options.persist ?? join(folder, "objects");
  await mkdir(objects, { recursive: true });
  const config = join(folder, "config.capnp");
  await writeFile(config, configOf(options, objects));
  const child = spawn(program, ["serve", config, "--experimental", "--import-path=/", "--control-fd=3"], {
    stdio: ["ignore", "pipe", "pipe", "pipe"],
    env: { ...process.env, TZ: "UTC" },
  });
  running.add(child);
  const exited = once(child, "exit").finally(() => running.delete(child));
  const [, stdout, stderr, control] = child.stdio as NodeJS.ReadableStream[];
  const lines: string[] = [];
  for (const stream of [stdout, stderr]) {
    createInterface(stream!).on("line", (line) => {
      const message = messageOf(line);
      lines.push(message);
      options.onLog(message);
    });
  }
  const failed = exited.then(([status]) => {
    throw new Error(`workerd ended with ${String(status)}:\n${lines.join("\n")}`);
  });
  failed.catch(() => undefined);
  const [listening] = (await Promise.race([once(createInterface(control!), "line"), failed])) as [string];
  return {
    url: `http://127.0.0.1:${(JSON.parse(listening) as { port: number }).port}`,
    async stop() {
      child.kill("SIGKILL");
      await exited;
      await rm(folder, { recursive: true });
    },
  };
}

/** The text of a line of the structured log. The runtime writes some before it begins with that. */
function messageOf(line: string): string {
  try {
    return (JSON.parse(line) as { message: string }).message ?? line;
  } catch {
    return line;
  }
}

/** The runtime's configuration, as Cap'n Proto text. */
function configOf(options: WorkerdOptions, objects: string): string {
  const { compatibilityDate, compatibilityFlags, bound, caller, outbound } = options;
  const modules = options.modules.map(({ type, path, contents }) => {
    const kind = type === "ESModule" ? "esModule" : "wasm";
    return `(name = ${text(basename(path))}, ${kind} = ${contents === undefined ? `embed ${text(path)}` : text(contents)})`;
  });
  const bindings = Object.entries(options.bindings).map(([name, value]) =>
    `(name = ${text(name)}, ${typeof value === "string" ? `text = ${text(value)}` : `json = ${text(JSON.stringify(value))}`})`);
  if (options.objects) bindings.push('(name = "USER_SESSIONS", durableObjectNamespace = "UserSessions")');
  if (bound !== undefined) bindings.push('(name = "ORIGIN", service = "origin")');
  const script = (name: string, source: string, bindings = "") =>
    `(name = "${name}", worker = (modules = [(name = "index.js", esModule = ${text(source)})], compatibilityDate = "${compatibilityDate}", bindings = [${bindings}], globalOutbound = "internet"))`;
  const guards = '(name = "GUARD", service = (name = "guard", entrypoint = "SessionGuard")), (name = "AUTH", service = "guard")';
  const http = `(cfBlobHeader = "${CF_HEADER}")`;
  const { tls } = options;
  const protocol = tls === undefined ? `http = ${http}` : `https = (options = ${http}, tlsOptions = (keypair = (privateKey = ${text(tls.key)}, certificateChain = ${text(tls.certificate)})))`;
  return `
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "guard", worker = (
      modules = [${modules.join()}],
      compatibilityDate = "${compatibilityDate}",
      compatibilityFlags = [${compatibilityFlags.map(text).join()}],
      bindings = [${bindings.join()}],
      durableObjectNamespaces = [(className = "UserSessions", enableSql = true, uniqueKey = "guard-UserSessions")],
      durableObjectStorage = (localDisk = "objects"),
      globalOutbound = "outbound")),
    ${script("outbound", outbound ?? OUTBOUND)},
    ${bound === undefined ? "" : `${script("origin", bound)},`}
    ${caller === undefined ? "" : `${script("caller", caller, guards)},`}
    (name = "objects", disk = (path = ${text(objects)}, writable = true)),
    (name = "internet", network = (allow = ["public", "private", "240.0.0.0/4"], tlsOptions = (trustBrowserCas = true))),
  ],
  sockets = [(name = "http", address = "127.0.0.1:${options.port}", ${protocol}, service = "${caller === undefined ? "guard" : "caller"}")],
  structuredLogging = true,
);
`;
}

/** A text literal, which has the escapes of C. */
function text(value: string): string {
  const escaped = value.replace(/["\\]/g, "\\$&").replace(/[\u0000-\u001f\u007f]/g, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, "0")}`);
  return `"${escaped}"`;
}
