// `session-guard doctor` and `npm run check-config` on the settings of a guard on a machine of one's own.

import { execFile } from "node:child_process";
import { chmodSync, copyFileSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ADMIN_API_KEY, call, type Called } from "../harness/cli.ts";
import { runCommand, useFolder } from "../harness/commands.ts";
import { root } from "../harness/docs.ts";
import { KEY } from "../harness/guard.ts";
import { startOrigin, type Origin } from "../harness/origin.ts";
import { selfHost, settingsOf } from "../harness/self_host.ts";

const parent = useFolder();
let origin: Origin;
beforeAll(async () => {
  origin = await startOrigin();
});
afterAll(() => origin[Symbol.asyncDispose]());

/** A `session-guard.toml` with these settings, and the file of secrets beside it. */
function configOf(vars: Record<string, string> = {}, members = "") {
  const folder = mkdtempSync(join(parent, "guard-"));
  const file = settingsOf(folder, origin.url, { TRUSTED_PROXIES: "127.0.0.1", ...vars }, members);
  writeFileSync(join(folder, "secrets.env"), `${readFileSync(join(folder, "secrets.env"), "utf8")}ADMIN_API_KEY=${ADMIN_API_KEY}\n`, { mode: 0o600 });
  return file;
}

interface Finding {
  check: string;
  state: string;
  says: string;
  advice?: string;
}

async function examine(args: string[], called: Called = {}) {
  const { status, out, err } = await call(["doctor", "--json", ...args], { ...called, env: { ADMIN_API_KEY: "", ...called.env } });
  const { findings } = JSON.parse(out || '{"findings":[]}') as { findings: Finding[] };
  const of = (state: string) => findings.filter((it) => it.state === state).map(({ check }) => check);
  return { status, err, faults: of("fault"), unknown: of("unknown"), notes: of("note"), ok: of("ok"), text: JSON.stringify(findings) };
}

describe("a session-guard.toml", { timeout: 300_000 }, () => {
  test("that is right has no fault, and neither has its guard, which is asked with the key in the file of secrets", async () => {
    const config = configOf();
    await using guard = await selfHost(config);
    const found = await examine([guard.url, "--config", config]);
    expect(found).toMatchObject({ status: 0, faults: [], unknown: [], ok: expect.arrayContaining(["settings", "guard", "guarded", "login", "admin key"]), notes: expect.arrayContaining(["origin"]) });
    expect(found.text).not.toMatch(/wrangler|Cloudflare/);
    expect([KEY.k, ADMIN_API_KEY].filter((secret) => found.text.includes(secret))).toEqual([]);
  });

  type Change = (file: string) => void;
  const replace = (from: RegExp | string, to: string): Change => (file) => writeFileSync(file, readFileSync(file, "utf8").replace(from, to));
  const secrets = (file: string) => join(dirname(file), "secrets.env");
  test.each<[string, Change, string, RegExp, Called?]>([
    ["a wrong value", replace("[vars]", '[vars]\nSESSION_TTL = "soon"'), "settings", /SESSION_TTL: expected/],
    ["a wrong value in the environment", () => undefined, "settings", /SESSION_TTL: expected/, { env: { GUARD_SESSION_TTL: "soon" } }],
    ["a member that is unknown", replace("listen", "lisen"), "settings", /`lisen` is unknown/],
    ["a secret among the settings", replace("[vars]", `[vars]\nADMIN_API_KEY = "${ADMIN_API_KEY}"`), "settings", /ADMIN_API_KEY is a secret/],
    ["secrets that everybody can read", (file) => chmodSync(secrets(file), 0o644), "settings", /chmod 600/],
    ["no signing key", (file) => writeFileSync(secrets(file), ""), "settings", /secret SIGNING_KEYS is missing/],
    ["no secret of its identity provider", replace("[vars]", `[vars]\nTRUSTED_ISSUERS = '[{"issuer":"https://id.guard.test","client_id":"c","client_secret_name":"ID_SECRET","subject_prefix":"id|"}]'`), "settings", /secret ID_SECRET is missing/],
    ["no origin", replace(/^ORIGIN_URL.*$/m, ""), "settings", /ORIGIN_URL is missing/],
    ["a proxy that it does not name", replace(/^TRUSTED_PROXIES.*$/m, ""), "proxy", /TRUSTED_PROXIES does not name it/],
    ["a Redis whose password everybody can read", replace("[vars]", 'redis = "redis://default:pass-word@127.0.0.1"\n[vars]'), "settings", /everybody on this machine can read/],
  ])("with %s", async (_, change, fault, says, called) => {
    const config = configOf();
    change(config);
    const found = await examine(["--config", config], called);
    expect(found).toMatchObject({ status: 1, faults: [fault], text: expect.stringMatching(says) });
    expect([KEY.k, ADMIN_API_KEY, "pass-word"].filter((secret) => found.text.includes(secret))).toEqual([]);
  });

  test("that is only risky, or of a Redis, is noted", async () => {
    const open = configOf();
    writeFileSync(open, readFileSync(open, "utf8").replace("127.0.0.1:0", "*:8080"));
    expect(await examine(["--config", open])).toMatchObject({ status: 0, notes: expect.arrayContaining(["proxy"]) });
    expect(await examine(["--config", configOf({}, 'redis = "redis://127.0.0.1"')])).toMatchObject({ status: 0, faults: [], ok: ["settings"] });
    expect(await examine(["--config", open, "--env", "production"])).toMatchObject({ status: 1, text: expect.stringContaining("has no environments") });
  });

  test("that was changed while the guard runs on the old one", async () => {
    const config = configOf({ ROUTES: '[{"path":"/*","access":"public"}]' });
    await using guard = await selfHost(config);
    expect(await examine([guard.url, "--config", config])).toMatchObject({ status: 0, notes: expect.arrayContaining(["guarded"]) });
    writeFileSync(config, readFileSync(config, "utf8").replace(/^ROUTES.*$/m, ""));
    expect(await examine([guard.url, "--config", config])).toMatchObject({ status: 1, faults: ["guarded"], text: expect.stringContaining("Was the guard restarted") });
  });

  test("in the folder is read without being named, if it is of the site", async () => {
    const config = configOf({ SESSION_TTL: "soon" });
    const folder = dirname(config);
    copyFileSync(config, join(folder, "session-guard.toml"));
    const doctor = (...args: string[]) =>
      new Promise<string>((resolve) => execFile(process.execPath, [join(root, "cli/main.js"), "doctor", ...args], { cwd: folder }, (_, out) => resolve(out)));
    expect(await doctor()).toMatch(/^FAULT {2}settings {2}SESSION_TTL: expected/m);
    expect(await doctor("http://127.0.0.1:9")).toMatch(/^note {3}settings {2}Those in session-guard\.toml are of another site \(guard\.test\)/m);
  });

  test("is checked by npm run check-config, too", async () => {
    const check = (file: string, ...more: string[]) => runCommand(process.execPath, ["scripts/check-config.mjs", "--config", file, ...more]);
    const good = await check(configOf());
    expect(good).toMatchObject({ status: 0, printed: expect.stringContaining("The settings are valid.") });
    expect(good.printed).not.toMatch(/TRUSTED_PROXIES|wrangler/);
    expect(await check(configOf({ SESSION_TTL: "soon" }))).toMatchObject({ status: 1, printed: expect.stringContaining("error: SESSION_TTL: expected") });
    expect(await check(configOf(), "--explain", "GET /boats")).toMatchObject({ status: 0, printed: expect.stringContaining("Access:") });
    expect(await check(join(parent, "session-guard.toml"))).toMatchObject({ status: 1, printed: expect.stringMatching(/error: .*ENOENT/) });
  });
});
