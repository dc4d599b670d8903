// `npm run self-host`: the guard on plain workerd.

import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runCommand, useFolder } from "../harness/commands.ts";
import { root } from "../harness/docs.ts";
import { answerOf, bearer, KEY, loginInit, send, type LoggedIn } from "../harness/guard.ts";
import { startOrigin, type Origin } from "../harness/origin.ts";
import { startRedis } from "../harness/redis.ts";
import { selfHost, settingsOf } from "../harness/self_host.ts";

const parent = useFolder();
const newFolder = () => mkdtempSync(join(parent, "guard-"));
let origin: Origin;
beforeAll(async () => {
  origin = await startOrigin();
});
afterAll(() => origin[Symbol.asyncDispose]());

const login = async (url: string, username: string) => (await (await send(url, "/_auth/login", loginInit({ username }))).json()) as LoggedIn;
const statusOf = async (url: string, { access_token }: LoggedIn) => (await send(url, "/boats", bearer(access_token))).status;

describe.each(["disk", "redis"])("with sessions in %s", (store) => {
  test("stopping, a new build and a start end no session, and bring back none that was ended", { timeout: 90_000 }, async () => {
    await using redis = await startRedis({ bridged: false });
    const folder = newFolder();
    const config = settingsOf(folder, origin.url, { SESSION_LIMIT: "0" }, store === "redis" ? `redis = "${redis.redisUrl.replace("//", "//default:pass@word@")}"` : "");
    const sessions: LoggedIn[] = [];
    {
      await using guard = await selfHost(config);
      expect(guard.printed.text).toContain("state:    healthy");
      expect(guard.printed.text).not.toContain("word");
      for (const user of ["ada", "ada", "ben"]) sessions.push(await login(guard.url, user));
      expect((await send(guard.url, "/_auth/logout", { method: "POST", ...bearer(sessions[1]!.access_token) })).status).toBe(204);
      expect(await Promise.all(sessions.map((it) => statusOf(guard.url, it)))).toEqual([200, 401, 200]);
    }
    const build = join(folder, "a-new-build");
    cpSync(join(root, "build"), build, { recursive: true, filter: (path) => !path.includes("bindings") });
    await using guard = await selfHost(config, ["--build", build]);
    expect(await Promise.all(sessions.map((it) => statusOf(guard.url, it)))).toEqual([200, 401, 200]);
    const onDisk = readdirSync(join(folder, "data/objects"), { recursive: true }).filter((name) => String(name).endsWith(".sqlite"));
    expect(onDisk.length > 2).toBe(store === "disk");
  });
});

test("keeps secrets and sessions from others, and off the disk what is in the file of secrets", { timeout: 60_000 }, async () => {
  const folder = newFolder();
  await using guard = await selfHost(settingsOf(folder, origin.url), [], { GUARD_ADMIN_API_KEY: "k".repeat(40) });
  expect((await send(guard.url, "/_auth/admin/stats", bearer("k".repeat(40)))).status).toBe(200);
  expect(statSync(join(folder, "data")).mode & 0o077).toBe(0);
  const config = readFileSync(join(folder, "data/config.capnp"), "utf8");
  expect(config).toContain("SIGNING_KEYS");
  for (const secret of [KEY.k, "k".repeat(40)]) expect(config + guard.printed.text).not.toContain(secret);
});

test("refuses to share its folder with another guard", { timeout: 60_000 }, async () => {
  const config = settingsOf(newFolder(), origin.url);
  await using _ = await selfHost(config);
  await expect(selfHost(config)).rejects.toThrow("Another guard uses");
});

test("says which setting is wrong, and refuses every request meanwhile", { timeout: 60_000 }, async () => {
  await using guard = await selfHost(settingsOf(newFolder(), origin.url, { SESSION_TTL: "soon" }));
  expect(guard.printed.text).toContain("the settings are wrong");
  await expect.poll(() => guard.printed.text).toContain("SESSION_TTL: expected");
  expect((await answerOf(send(guard.url, "/boats"))).status).toBe(500);
});

test.each([
  ["a file that is not there", undefined, "ENOENT"],
  ["a member that is unknown", 'lisen = "127.0.0.1:1"', "`lisen` is unknown"],
  ["an address without a port", 'listen = "127.0.0.1"', 'listen: expected an address and a port, like `127.0.0.1:8080` or `*:8080`, got "127.0.0.1"'],
  ["a secret among the settings", '[vars]\nSIGNING_KEYS = "{}"', "SIGNING_KEYS is a secret"],
  ["secrets that everybody can read", 'secrets_file = "open.env"', "everybody on this machine can read the secrets. Run `chmod 600"],
  ["secrets that are not there", 'secrets_file = "none.env"', "ENOENT"],
])("ends with status 2 and the reason: %s", async (_, toml, reason) => {
  const folder = newFolder();
  const config = join(folder, "session-guard.toml");
  if (toml !== undefined) writeFileSync(config, toml);
  writeFileSync(join(folder, "open.env"), "A=b", { mode: 0o644 });
  const { status, printed } = await runCommand(process.execPath, ["selfhost/serve.mjs", "--config", config]);
  expect([status, printed]).toEqual([2, expect.stringContaining(reason)]);
});

test.skipIf(!existsSync("/usr/bin/systemd-analyze"))("the unit is one that systemd understands", () => {
  const { stderr } = spawnSync("systemd-analyze", ["verify", join(root, "selfhost/session-guard.service")], { encoding: "utf8" });
  // The program is not installed on this machine.
  expect(stderr.split("\n").filter((line) => line.includes("session-guard.service") && !/is not executable|Unit .* not found/.test(line))).toEqual([]);
});

test("is a command of the command line, too", async () => {
  const { status, printed } = await runCommand(process.execPath, ["cli/main.js", "serve", "--config", join(newFolder(), "none.toml")]);
  expect([status, printed]).toEqual([2, expect.stringContaining("ENOENT")]);
});
