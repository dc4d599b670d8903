// The built Worker in a real workerd, before a recording origin.

import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { fileURLToPath } from "node:url";
import { SignJWT, type JWTPayload } from "jose";
import type { Miniflare } from "miniflare";
import { parse } from "smol-toml";
import { afterAll, beforeAll, inject } from "vitest";
import { LOGIN_PATH, PASSWORD, startOrigin, type Origin } from "./origin.ts";
import { REST_TOKEN } from "./redis.ts";
import { WITH_ANALYTICS, WITH_CLOCK, WITH_FAKE_OBJECTS, WITH_FAULTS, WITH_FAULTY_OBJECTS, type Fault, type StubBehaviour, type StubCounts } from "./worker_wrappers.ts";
import { startWorkerd, type WorkerdOptions } from "./workerd.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const { compatibility_date, compatibility_flags } = parse(readFileSync(`${root}/wrangler.toml`, "utf8")) as {
  compatibility_date: string;
  compatibility_flags: string[];
};

/** The issuer and audience of every guard in the tests. */
export const ISSUER = "https://guard.test";
export const AUDIENCE = "https://members.test";
/** The key of every guard in the tests. */
export const KEY = { kty: "oct", alg: "HS256", kid: "test", k: randomBytes(32).toString("base64url") };

/** A running guard, its origin, and what it logged. */
export interface Guard extends AsyncDisposable {
  url: string;
  origin: Origin;
  /** Only if it was started with Miniflare. */
  miniflare: Miniflare | undefined;
  /** What the Worker wrote to its console. */
  log: string[];
  /** Sends a request; redirects are shown, not followed. */
  fetch(path: string, init?: RequestInit): Promise<Response>;
  /** Has the objects fail at a command, by its name in `store.rs` or `push.rs`: see `faultyObjects`. */
  fault(command: string, how: Fault, times?: number): Promise<void>;
  /** Lets the objects go on that were held. */
  release(): Promise<void>;
  /** Says what the fake stubs do from now on, and returns what they counted since the last time: see `fakeObjects`. */
  stubs(how: StubBehaviour): Promise<StubCounts>;
  /** Logs a user in with JSON, and fails if that fails. */
  login(username: string, headers?: Record<string, string>): Promise<LoggedIn>;
}

/** The answer to a login. */
export interface LoggedIn {
  access_token: string;
  token_type: string;
  expires_in: number;
  session: Record<string, unknown> & { sid: string };
  ended: (Record<string, unknown> & { sid: string })[];
}

/** Bindings by name; `undefined` takes a default away. */
export type Vars = Record<string, string | number | boolean | object | undefined>;

/** How a guard differs from the others. */
export interface GuardOptions {
  /** Cloudflare's rate-limit binding is there, with this limit in each minute. */
  limiter?: number;
  /** A dataset of the Analytics Engine is bound; its data points are written to the log. */
  analytics?: boolean;
  /** The clock fails when a request's `X-Fault` says so: after that many looks at it. With `X-Fault-Set`, the setting of a header does. */
  faulty?: boolean;
  /** The Durable Objects fail when `Guard.fault` says so. */
  faultyObjects?: boolean;
  /** In place of the Durable Objects there are stubs that do what `Guard.stubs` said last. */
  fakeObjects?: boolean;
  /** The clock is ahead by as many milliseconds as the last `X-Clock` of a request said. */
  clock?: boolean;
  /** The binding of the Durable Objects is missing. */
  withoutObjects?: boolean;
  /** A folder for the Durable Objects, to outlive this guard. */
  persist?: string;
  /** The script of a Worker that is bound as `ORIGIN`, in place of `ORIGIN_URL`. */
  bound?: string;
  /** The script of a Worker that gets all requests in place of the guard, which is bound as `AUTH`, and its class as `GUARD`. */
  caller?: string;
  /** The script of a Worker through which all goes that the guard fetches. */
  outbound?: string;
  /** Where the guard listens; any free port if left out. */
  port?: number;
  /** It listens over TLS, with this key and certificate, in PEM; for browsers only. */
  tls?: WorkerdOptions["tls"];
  /** Miniflare runs it, so that a test can call its Durable Objects. It takes four times as long to start. */
  miniflare?: boolean;
}

/** One guard for all tests of a file or a `describe`: started before the first, stopped after the last. */
export function useGuard(vars: Vars | (() => Vars | Promise<Vars>) = {}, options: GuardOptions = {}): Guard {
  let guard: Guard;
  beforeAll(async () => {
    guard = await startGuard(typeof vars === "function" ? await vars() : vars, options);
  });
  afterAll(() => guard[Symbol.asyncDispose]());
  // It is there before it has started, so that helpers can be made of it.
  return new Proxy({} as Guard, { get: (_, name) => Reflect.get(guard, name) as unknown });
}

/** Starts a guard with the store of this test project and the settings that differ. */
export async function startGuard(vars: Vars = {}, options: GuardOptions = {}): Promise<Guard> {
  const { limiter, analytics = false, faulty = false, faultyObjects = false, fakeObjects = false, clock = false, withoutObjects = false, persist, bound, caller, outbound, port = 0, tls, miniflare: byMiniflare = false } = options;
  const origin = await startOrigin();
  const log: string[] = [];
  const all: Vars = {
    ORIGIN_URL: bound === undefined ? origin.url : undefined,
    LOGIN_URL: origin.url + LOGIN_PATH,
    ISSUER,
    AUDIENCE,
    SIGNING_KEYS: JSON.stringify({ keys: [KEY] }),
    // Generous, because many tests share two cores; outages set their own.
    STORE_TIMEOUT: "20 seconds",
    // Because all of a file's tests log in from one address; what it does has tests of its own.
    LOGIN_RATE: "off",
    LOGIN_RATE_PER_ADDRESS: "off",
    ...storeVars(),
    ...vars,
  };
  const bindings = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
  const runtime: WorkerdOptions = {
    modules: [
      ...(analytics ? [WITH_ANALYTICS] : []),
      ...(faulty ? [WITH_FAULTS] : []),
      ...(faultyObjects ? [WITH_FAULTY_OBJECTS] : []),
      ...(fakeObjects ? [WITH_FAKE_OBJECTS] : []),
      ...(clock ? [WITH_CLOCK] : []),
      { type: "ESModule", path: `${root}/build/index.js` },
      { type: "CompiledWasm", path: `${root}/build/guard_bg.wasm` },
    ],
    modulesRoot: `${root}/build`,
    compatibilityDate: compatibility_date,
    compatibilityFlags: compatibility_flags,
    bindings,
    objects: !withoutObjects,
    onLog: (message) => log.push(message),
    persist,
    bound,
    caller,
    outbound,
    port,
    tls,
  };
  const { url, stop, miniflare } = byMiniflare || limiter !== undefined ? await (await import("./miniflare.ts")).startMiniflare(runtime, limiter) : await startWorkerd(runtime);
  const guard: Guard = {
    url,
    origin,
    miniflare,
    log,
    fetch: (path, init) => send(url, path, init),
    async fault(command, how, times = 1) {
      await send(url, `/test/fault/${command}/${how}/${times}`);
    },
    async release() {
      await send(url, "/test/release");
    },
    async stubs(how) {
      const answer = await send(url, "/test/stubs", { method: "POST", body: JSON.stringify(how) });
      return (await answer.json()) as StubCounts;
    },
    async login(username, headers = {}) {
      const response = await guard.fetch("/_auth/login", loginInit({ username }, headers));
      const text = await response.text();
      if (response.status !== 200) throw new Error(`login of ${username}: ${response.status} ${text}`);
      return JSON.parse(text) as LoggedIn;
    },
    async [Symbol.asyncDispose]() {
      await stop();
      await origin[Symbol.asyncDispose]();
    },
  };
  return guard;
}

/** Sends a request as it stands: `fetch` itself would normalise the path and add headers. */
export async function send(url: string, path: string, init: RequestInit = {}): Promise<Response> {
  const typed = init.body == null ? undefined : new Response(init.body);
  const headers = new Headers(init.headers);
  const type = typed?.headers.get("content-type");
  if (type && !headers.has("content-type") && typeof init.body !== "string") headers.set("content-type", type);
  const body = typed && Buffer.from(await typed.arrayBuffer());
  const { hostname, port } = new URL(url);
  const request = httpRequest({ hostname, port, method: init.method ?? "GET", path, headers: Object.fromEntries(headers) });
  request.end(body);
  const [answer] = (await once(request, "response")) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of answer as AsyncIterable<Buffer>) chunks.push(chunk);
  const { statusCode: status = 0, rawHeaders } = answer;
  const pairs = Array.from({ length: rawHeaders.length / 2 }, (_, i) => rawHeaders.slice(2 * i, 2 * i + 2) as [string, string]);
  return new Response([204, 304].includes(status) ? null : Buffer.concat(chunks), { status, headers: pairs });
}

/** A JSON login with the right password, unless the fields say otherwise. */
export function loginInit(fields: Record<string, unknown>, headers: Record<string, string> = {}): RequestInit {
  return {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({ password: PASSWORD, ...fields }),
  };
}

/** A form login with the right password, unless the fields say otherwise. */
export function formInit(fields: Record<string, string>, headers: Record<string, string> = {}): RequestInit {
  return { method: "POST", headers, body: new URLSearchParams({ password: PASSWORD, ...fields }) };
}

/** What came back, in a form that a failing expectation prints whole. */
export async function answerOf(response: Response | Promise<Response>) {
  const received = await response;
  const { status, headers } = received;
  const text = await received.text();
  const isJson = /json/.test(headers.get("content-type") ?? "");
  return { status, headers: Object.fromEntries(headers), body: isJson ? (JSON.parse(text) as Record<string, unknown>) : text };
}

/** The `User-Agent` of a phone. */
export const PHONE = { "user-agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Mobile/15E148" };

/** A token signed with the tests' key, with these claims in place of good ones. */
export function mint(claims: JWTPayload, header: Record<string, unknown> = {}): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  const good = { iss: ISSUER, aud: AUDIENCE, sub: "ada", sid: randomBytes(16).toString("base64url"), jti: "jti", iat: now, exp: now + 60 };
  const key = Buffer.from(KEY.k, "base64url");
  return new SignJWT({ ...good, ...claims })
    .setProtectedHeader({ alg: "HS256", typ: "at+jwt", kid: KEY.kid, ...header })
    .sign(key);
}

/** The session cookie that a response sets, as a request sends it. */
export function cookieOf(response: Response): string {
  return response.headers.getSetCookie().map((cookie) => cookie.split(";")[0]).join("; ");
}

/** An `Authorization` header. */
export function bearer(token: string): { headers: Record<string, string> } {
  return { headers: { authorization: `Bearer ${token}` } };
}

function storeVars(): Vars {
  if (inject("store") !== "redis") return {};
  return {
    SESSION_STORE: "redis",
    UPSTASH_REDIS_REST_URL: inject("restUrl"),
    UPSTASH_REDIS_REST_TOKEN: REST_TOKEN,
    REDIS_KEYSPACE: `test:${randomBytes(6).toString("hex")}:`,
  };
}

declare module "vitest" {
  export interface ProvidedContext {
    /** The store that the tests of this project run on. */
    store: "durable-object" | "redis";
    restUrl: string;
    redisUrl: string;
  }
}
