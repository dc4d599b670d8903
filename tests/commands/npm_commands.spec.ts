// The commands that people run, as they run them.

import { spawn, type ChildProcess } from "node:child_process";
import { createHmac, randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, readFileSync, statSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { calculateJwkThumbprint } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { blocks, PAGES, page, printed as pattern, root, scenes } from "../harness/docs.ts";
import { freePort } from "../harness/redis.ts";

const README = "README.md";
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "session-guard-commands-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** Starts a command and collects what it prints. */
function start(command: string, args: string[], env: Record<string, string> = {}) {
  const child = spawn(command, args, { cwd: root, env: { ...process.env, ...env } });
  const printed = { text: "" };
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (printed.text += chunk.toString()));
  return { child, printed };
}

/** Runs a command to its end. */
async function finish(command: string, args: string[], env: Record<string, string> = {}) {
  const { child, printed } = start(command, args, env);
  const [status] = (await once(child, "close")) as [number | null];
  return { status, printed: printed.text };
}

async function stop(child: ChildProcess) {
  if (child.exitCode !== null) return;
  child.kill();
  await once(child, "exit");
}

describe("npm start", () => {
  test("brings up the scenes that the documentation prints, word for word", { timeout: 120_000 }, async () => {
    const port = await freePort();
    const { child, printed } = start(process.execPath, ["scripts/start.mjs", "--persist-to", folder], { PORT: `${port}` });
    let origin = "";
    try {
      await expect.poll(() => printed.text, { timeout: 100_000 }).toContain("Press Ctrl-C to stop");
      expect(printed.text).toContain(`http://localhost:${port}`);
      // The port beside may be taken; the origin then has another.
      [, origin = ""] = /application on http:\/\/([\d.]+:\d+)/.exec(printed.text) ?? [];
      expect(origin).not.toBe("");
      // The README's come first, and sign in.
      const shown = scenes([README, ...PAGES.filter((path) => path !== README)].flatMap((path) => blocks(path, "console")));
      expect(shown.length).toBeGreaterThan(4);
      for (const [command, expected] of shown) {
        const here = (text: string) => text.replaceAll("localhost:8787", `localhost:${port}`).replaceAll("localhost:8788", origin);
        const shell = await finish("sh", ["-c", `cd '${folder}' && ${here(command)}`]);
        expect(shell.printed.trim(), command).toMatch(pattern(here(expected)));
      }
    } finally {
      await stop(child);
    }
    const isOver = async () => {
      const all = [`127.0.0.1:${port}`, origin].map((it) => fetch(`http://${it}/`).then(() => false, () => true));
      return (await Promise.all(all)).every(Boolean);
    };
    await expect.poll(isOver, { timeout: 10_000, message: "everything it started has ended" }).toBe(true);
  });

  test("keeps its keys out of the repository and marks them for development", () => {
    expect(readFileSync(join(root, ".gitignore"), "utf8")).toContain("/.dev.vars");
    const file = join(root, ".dev.vars");
    if (existsSync(file)) expect(readFileSync(file, "utf8")).toContain("development-only-");
  });
});

describe("npm run keys", () => {
  const make = (...args: string[]) => finish(process.execPath, ["scripts/keys.mjs", ...args]);
  const read = (file: string) => (JSON.parse(readFileSync(file, "utf8")) as { keys: Record<string, string>[] }).keys;

  test.each(["HS256", "HS384", "HS512", "ES256", "EdDSA"])("makes a key for %s, named by its thumbprint, and never prints it", async (alg) => {
    const file = join(folder, `${alg}.json`);
    const { status, printed } = await make("--alg", alg, "--out", file);
    expect({ status, printed }).toMatchObject({ status: 0, printed: expect.stringContaining("npx wrangler secret put SIGNING_KEYS <") });
    const [key = {}] = read(file);
    expect(key).toMatchObject({ alg, use: "sig", kid: await calculateJwkThumbprint(key) });
    expect(printed).not.toContain(key["d"] ?? key["k"]);
    expect(statSync(file).mode & 0o077, "others cannot read it").toBe(0);
  });

  test("puts a new key in front of the old one", async () => {
    const file = join(folder, "rotated.json");
    await make("--alg", "HS256", "--out", file);
    const [old] = read(file);
    await make("--alg", "ES256", "--add", file);
    expect(read(file)).toEqual([expect.objectContaining({ alg: "ES256" }), old]);
  });

  test("overwrites nothing, and knows what it cannot make", async () => {
    const file = join(folder, "once.json");
    await make("--out", file);
    expect(await make("--out", file)).toMatchObject({ status: 1, printed: expect.stringContaining("is there already") });
    expect(await make("--alg", "RS256")).toMatchObject({ status: 1, printed: expect.stringContaining("--alg must be one of") });
  });
});

describe("npm run redis", () => {
  test("starts a Redis and a bridge, prints the settings, and keeps its data over a restart", { timeout: 60_000 }, async () => {
    const [redisPort, bridgePort] = [await freePort(), await freePort()];
    const env = { REDIS_DIR: join(folder, "redis"), REDIS_PORT: `${redisPort}`, BRIDGE_PORT: `${bridgePort}`, UPSTASH_REDIS_REST_TOKEN: "of-this-test" };
    const key = `commands:${randomBytes(6).toString("hex")}`;
    const call = async (...words: string[]) => {
      const headers = { authorization: "Bearer of-this-test" };
      const response = await fetch(`http://127.0.0.1:${bridgePort}/${words.join("/")}`, { headers });
      return ((await response.json()) as { result: unknown }).result;
    };
    for (const expected of [null, "kept"]) {
      const { child, printed } = start(process.execPath, ["scripts/redis.mjs"], env);
      try {
        await expect.poll(() => printed.text, { timeout: 20_000 }).toContain("Press Ctrl-C to stop");
        expect(printed.text).toContain(`UPSTASH_REDIS_REST_URL = "http://127.0.0.1:${bridgePort}"`);
        expect(printed.text).not.toContain("of-this-test");
        expect(await call("get", key)).toBe(expected);
        expect(await call("set", key, "kept", "EX", "60")).toBe("OK");
      } finally {
        await stop(child);
      }
    }
  });
});

describe("npm run log-identity", { timeout: 120_000 }, () => {
  const key = (kid: string) => ({ kty: "oct", alg: "HS256", kid, k: randomBytes(32).toString("base64url") });
  const keys = [key("new"), key("old")];
  const name = (...args: string[]) => finish(process.execPath, ["scripts/log-identity.mjs", ...args], { SIGNING_KEYS: JSON.stringify({ keys }) });

  test("prints what the log calls a user, for each key that could have signed", async () => {
    const hmac = (secret: Buffer, text: string) => createHmac("sha256", secret).update(text).digest();
    const lines = keys.map(({ kid, k }) => `${hmac(hmac(Buffer.from(k, "base64url"), "session-guard: names in the log"), "m-001").toString("hex").slice(0, 32)} ${kid}`);
    expect(await name("--user", "m-001")).toMatchObject({ status: 0, printed: `${lines.join("\n")}\n` });
    expect(await name("--session", "m-001")).toMatchObject({ status: 0, printed: `${lines.join("\n")}\n` });
  });

  test.each([[[]], [["--user", "a", "--session", "b"]], [["--nobody"]]])("wants one name: %j", async (args) => {
    expect(await name(...args)).toMatchObject({ status: 1, printed: expect.stringContaining("error: ") });
  });
});

describe("npm run check-config", { timeout: 120_000 }, () => {
  const check = async (toml: string, env: Record<string, string> = {}, args: string[] = []) => {
    const config = join(folder, `${randomBytes(4).toString("hex")}.toml`);
    const binding = '\n[[durable_objects.bindings]]\nname = "USER_SESSIONS"\nclass_name = "UserSessions"\n';
    await writeFile(config, `name = "test"\ncompatibility_date = "2026-10-20"\n${toml}${binding}`);
    return finish(process.execPath, ["scripts/check-config.mjs", "--config", config, ...args], env);
  };
  const good = '[vars]\nISSUER = "https://a"\nAUDIENCE = "a"\n';

  test("is content with the project's own file, but for its examples", async () => {
    const { status, printed } = await finish(process.execPath, ["scripts/check-config.mjs"]);
    expect({ status, printed }).toMatchObject({ status: 0, printed: expect.stringContaining("ISSUER still has the example's value") });
  });

  test("names every setting that is wrong, and fails", async () => {
    const { status, printed } = await check(`${good}SESSION_TTL = "soon"\nSESSION_LIMIT = "many"\nROUTES = [{ path = "x" }]\n`);
    expect({ status, printed }).toMatchObject({ status: 1, printed: expect.stringMatching(/error: ROUTES [^]*error: SESSION_LIMIT [^]*error: SESSION_TTL /) });
  });

  test("checks a secret that it is given, and never prints it", async () => {
    const keys = '{"keys":[{"kty":"oct","alg":"HS256","k":"dG9vLXNob3J0"}]}';
    const { status, printed } = await check(good, { SIGNING_KEYS: keys });
    expect({ status, printed }).toMatchObject({ status: 1, printed: expect.stringMatching(/error: SIGNING_KEYS .*32 bytes/) });
    expect(printed).not.toContain("dG9vLXNob3J0");
  });

  test("does not take the development keys for those that will be deployed", async () => {
    const keys = `{"keys":[{"kty":"oct","alg":"HS256","kid":"development-only-1","k":"${"A".repeat(43)}"}]}`;
    const { status, printed } = await check(good, { SIGNING_KEYS: keys });
    expect({ status, printed }).toMatchObject({ status: 0, printed: expect.stringContaining("note: SIGNING_KEYS is a secret that is not seen here") });
  });

  test.each(PAGES.flatMap((path) => blocks(path, "toml").map((toml) => [path, toml] as const)))("accepts the settings that %s shows: %s", async (_, toml) => {
    // A block that has no settings of its own, or all but those of Redis, is completed.
    const hasOwn = toml.includes("[vars]") && !toml.includes('"redis"');
    const whole = hasOwn ? toml : toml.includes("[vars]") ? toml.replace("[vars]\n", good) : good + toml;
    const { status, printed } = await check(whole, { UPSTASH_REDIS_REST_TOKEN: "t" });
    expect({ status, printed }).toMatchObject({ status: 0, printed: expect.not.stringContaining("error:") });
  });

  test("finds a secret that is written among the vars", async () => {
    const { status, printed } = await check(`${good}SIGNING_KEYS = "{}"\n`);
    expect({ status, printed }).toMatchObject({ status: 1, printed: expect.stringContaining("SIGNING_KEYS is a secret") });
  });

  test("explains by which rule a request is decided, as the documentation shows it, without secrets", async () => {
    const [routes = ""] = blocks("docs/routes.md", "toml");
    const [, args = "", expected = ""] = /\n\$ npm run --silent check-config -- (.*?)\n(.*?)```/s.exec(page("docs/routes.md")) ?? [];
    const words = [...args.matchAll(/"([^"]*)"|\S+/g)].map(([word, quoted]) => quoted ?? word);
    const { status, printed } = await check(`${good}${routes}`, {}, words);
    expect(status).toBe(0);
    expect(expected).toContain("Rule 3 holds");
    expect(printed.endsWith(expected), printed).toBe(true);
  });

  test.each([
    ["what is no request", ["--explain", "/admin/x"], "error: `/admin/x` is no request"],
    ["an empty question", ["--explain"], "'--explain <value>' argument missing"],
    ["a misspelt option", ["--explian", "GET /"], "Unknown option '--explian'"],
  ])("refuses %s", async (_, args, message) => {
    expect(await check(good, {}, args)).toMatchObject({ status: 1, printed: expect.stringContaining(message) });
  });

  test("explains nothing by settings that are wrong", async () => {
    const { status, printed } = await check(`${good}ROUTES = [{ path = "x" }]\n`, {}, ["--explain", "GET /"]);
    expect({ status, printed }).toMatchObject({ status: 1, printed: expect.stringContaining("error: ROUTES ") });
    expect(printed).not.toContain("holds");
  });

  test("compares LOGIN_RATE with the rate-limit binding", async () => {
    const bound = (limit: number) => `${good}\n[[ratelimits]]\nname = "LOGIN_RATE_LIMITER"\nnamespace_id = "1001"\nsimple = { limit = ${limit}, period = 60 }\n`;
    expect(await check(bound(10))).toMatchObject({ status: 0 });
    expect(await check(bound(20))).toMatchObject({ status: 1, printed: expect.stringContaining("error: LOGIN_RATE ") });
  });

  test("reads the settings of a named environment", async () => {
    const toml = `${good}[env.staging]\nvars = { ISSUER = "https://b", AUDIENCE = "b", SESSION_TTL = "soon" }\ndurable_objects.bindings = [{ name = "USER_SESSIONS", class_name = "UserSessions" }]\n`;
    expect(await check(toml)).toMatchObject({ status: 0 });
    const staging = await check(toml, {}, ["--env", "staging"]);
    expect(staging).toMatchObject({ status: 1, printed: expect.stringContaining("error: SESSION_TTL ") });
  });
});
