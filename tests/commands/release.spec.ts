// `npm run release`: a prebuilt Worker that needs neither Rust nor a C compiler.

import { execFile, execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, test } from "vitest";
import { ADMIN_API_KEY } from "../harness/cli.ts";
import { runCommand, startCommand, stopCommand, useFolder } from "../harness/commands.ts";
import { page, root, section } from "../harness/docs.ts";
import { KEY, startGuard } from "../harness/guard.ts";
import { freePort, startRedis } from "../harness/redis.ts";
import { startOrigin } from "../harness/origin.ts";
import { selfHost, settingsOf } from "../harness/self_host.ts";

const parent = useFolder();
const modules = join(root, "node_modules");

interface Made {
  folder: string;
  archive: string;
}
let made: Made;

const { release } = (await import(new URL("../../scripts/release.mjs", import.meta.url).href)) as { release(out: string): Promise<Made> };

/** Programs are found as on a machine with Node alone: no cargo, no rustc, no cc. */
const PATH = join(parent, "programs");
const env = { PATH, WRANGLER_SEND_METRICS: "false", CLOUDFLARE_CF_FETCH_ENABLED: "false" };

const packagesOf = (project: string) => JSON.parse(readFileSync(join(project, "package.json"), "utf8")) as Record<"dependencies" | "devDependencies", Record<string, string>>;

/** Puts a package into a folder, as npm does. */
function link(folder: string, name: string) {
  const to = join(folder, "node_modules", name);
  mkdirSync(dirname(to), { recursive: true });
  if (name === "session-guard") cpSync(made.folder, to, { recursive: true });
  else symlinkSync(join(modules, name), to);
}

/** A copy of a folder, with the packages that `npm install` would put there. */
function installed(from: string): string {
  const folder = join(mkdtempSync(join(parent, "copy-")), "it");
  cpSync(from, folder, { recursive: true });
  const named = { ...packagesOf(from).dependencies, ...packagesOf(from).devDependencies };
  for (const name of Object.keys({ ...packagesOf(made.folder).dependencies, ...named })) link(folder, name);
  return folder;
}

const wrangler = (folder: string, ...args: string[]) => runCommand(process.execPath, [join(modules, "wrangler/bin/wrangler.js"), ...args, "--cwd", folder], env);

beforeAll(async () => {
  mkdirSync(PATH);
  symlinkSync(process.execPath, join(PATH, "node"));
  made = await release(join(parent, "out"));
}, 60_000);

test("the archive unpacks to what the checksums say, with nothing of this machine in it", () => {
  const folder = mkdtempSync(join(parent, "unpacked-"));
  execFileSync("tar", ["-xzf", made.archive, "-C", folder]);
  const [name = ""] = readdirSync(folder);
  const unpacked = join(folder, name);
  expect(execFileSync("sha256sum", ["--check", "--strict", "--quiet", "SHA256SUMS"], { cwd: unpacked, encoding: "utf8" })).toBe("");
  const files = readdirSync(unpacked, { recursive: true, withFileTypes: true }).filter((it) => it.isFile());
  const listed = readFileSync(join(unpacked, "SHA256SUMS"), "utf8").trim().split("\n");
  expect(listed).toHaveLength(files.length - 1);
  for (const it of files) expect(readFileSync(join(it.parentPath, it.name), "latin1").includes(root), it.name).toBe(false);
  const wanted = [".dev.vars.example", "LICENSE-APACHE", "LICENSE-MIT", "README.md", "build/guard_bg.wasm", "build/index.js", "cli/main.js", "package.json", "selfhost/serve.mjs", "worker-configuration.d.ts", "wrangler.toml"];
  expect(wanted.filter((path) => !existsSync(join(unpacked, path)))).toEqual([]);
});

test("two releases of one source are the same bytes, whatever lies beside it, and whoever may read the files", { timeout: 60_000 }, async () => {
  const secrets = join(root, "selfhost/secrets-of-a-test.env");
  const umask = process.umask(0o077);
  try {
    writeFileSync(secrets, "SIGNING_KEYS='{}'\n");
    const again = await release(join(parent, "again"));
    expect(existsSync(join(again.folder, "selfhost/secrets-of-a-test.env"))).toBe(false);
    expect(readFileSync(again.archive).equals(readFileSync(made.archive))).toBe(true);
  } finally {
    process.umask(umask);
    rmSync(secrets, { force: true });
  }
});

test("is deployed by wrangler where neither cargo nor a C compiler is", { timeout: 60_000 }, async () => {
  const folder = installed(made.folder);
  const out = join(parent, "uploaded");
  const { status, printed } = await wrangler(folder, "deploy", "--dry-run", "--outdir", out);
  expect([status, printed]).toEqual([0, expect.stringContaining("env.USER_SESSIONS")]);
  expect(printed).not.toMatch(/warning/i);
  const uploaded = readdirSync(out, { recursive: true }).map(String);
  expect(uploaded.some((name) => name.endsWith("index.js")) && uploaded.some((name) => name.endsWith("guard_bg.wasm"))).toBe(true);
});

test("answers under `wrangler dev`, with the key that its README makes", { timeout: 90_000 }, async () => {
  const folder = installed(made.folder);
  expect(readFileSync(join(folder, "README.md"), "utf8")).toContain("npm run --silent keys -- --print > signing-keys.json");
  const keys = execFileSync(process.execPath, [join(folder, "scripts/keys.mjs"), "--print"], { env, encoding: "utf8" });
  writeFileSync(join(folder, ".dev.vars"), `SIGNING_KEYS='${keys}'\nORIGIN_URL=http://127.0.0.1:1\n`);
  const port = await freePort();
  const { child, printed } = startCommand(process.execPath, [join(modules, "wrangler/bin/wrangler.js"), "dev", "--cwd", folder, "--ip", "127.0.0.1", "--port", `${port}`, "--show-interactive-dev-session=false", "--local-upstream", `localhost:${port}`, "--upstream-protocol", "http"], env);
  try {
    const statusOf = (path: string) => fetch(`http://127.0.0.1:${port}${path}`).then(({ status }) => status, () => 0);
    await expect.poll(() => statusOf("/_auth/health"), { timeout: 60_000, message: printed.text }).toBe(200);
    expect(await statusOf("/boats")).toBe(401);
  } finally {
    await stopCommand(child);
  }
});

test("runs on plain workerd before a Redis, as npm installs it, with the packages that it names", { timeout: 60_000 }, async () => {
  const folder = installed(made.folder);
  const own = join(folder, "node_modules/session-guard");
  cpSync(made.folder, own, { recursive: true });
  mkdirSync(join(folder, "node_modules/.bin"));
  const program = join(folder, "node_modules/.bin/session-guard-serve");
  symlinkSync("../session-guard/selfhost/serve.mjs", program);
  await using origin = await startOrigin();
  await using redis = await startRedis({ bridged: false });
  const config = settingsOf(parent, origin.url, {}, `redis = "${redis.redisUrl}"`);
  await using guard = await selfHost(config, [], { PATH }, program);
  expect(guard.printed.text).toContain("state:    healthy");
  expect(guard.printed.text).toContain(`sessions: ${redis.redisUrl}`);
});

test("the container file's steps make a folder in which the guard runs, and its health check tells how it is", { timeout: 60_000 }, async () => {
  const file = readFileSync(join(made.folder, "selfhost/Containerfile"), "utf8").replaceAll(/^#.*\n/gm, "");
  const folder = mkdtempSync(join(parent, "image-"));
  for (const [, from = "", to = ""] of file.matchAll(/^COPY (\S+) (\S+)$/gm)) cpSync(join(made.folder, from), join(folder, to === "./" ? from : to), { recursive: true });
  // `npm install --omit=dev`
  expect(file).toMatch(/^RUN npm install --omit=dev /m);
  for (const name of Object.keys(packagesOf(folder).dependencies)) link(folder, name);
  const [entry, check] = [/^ENTRYPOINT (\[.*\])$/m, /^HEALTHCHECK .* CMD (\[.*\])$/m].map((pattern) => JSON.parse(pattern.exec(file)?.[1] ?? "[]") as string[]);
  const set = Object.fromEntries([.../^ENV (.*)$/m.exec(file)?.[1]?.matchAll(/(\w+)=(\S+)/g) ?? []].map(([, name = "", value = ""]) => [name, value]));
  expect(set).toEqual({ GUARD_DATA: "/var/lib/session-guard", GUARD_LISTEN: "*:8080" });
  await using origin = await startOrigin();
  const own = { GUARD_DATA: join(folder, "data"), GUARD_LISTEN: `*:${await freePort()}`, GUARD_AUTH_PATH: "/guard" };
  const given = { GUARD_ISSUER: "https://members.example.com", GUARD_AUDIENCE: "https://members.example.com", GUARD_ORIGIN_URL: origin.url, GUARD_LOGIN_URL: `${origin.url}/login`, GUARD_SIGNING_KEYS: JSON.stringify({ keys: [KEY] }) };
  const inside = { ...set, ...own, ...given, PATH };
  const healthy = () => promisify(execFile)(process.execPath, check?.slice(1) ?? [], { cwd: folder, env: inside }).then(({ stdout }) => [0, stdout.trim()], (failed: { code: number; stdout: string }) => [failed.code, failed.stdout.trim()]);
  expect(await healthy()).toEqual([1, expect.stringMatching(/^not healthy: /)]);
  const { child, printed } = startCommand(process.execPath, entry?.slice(1) ?? [], inside, folder);
  try {
    await expect.poll(() => printed.text, { timeout: 20_000 }).toContain("state:    healthy");
    expect(await healthy()).toEqual([0, "healthy"]);
  } finally {
    await stopCommand(child);
  }
});

describe("has the command line, which asks for neither the repository nor Rust", { timeout: 60_000 }, () => {
  const given = ["--site", "https://members.rowing.org", "--origin", "zone", "--login", "/internal/login", "--sessions", "1", "--store", "durable-object"];
  const command = (program: string, cwd: string, args: string[], more: Record<string, string> = {}) =>
    promisify(execFile)(process.execPath, [program, ...args], { cwd, env: { ...env, ...more } }).catch((failed: { code: number; stdout: string; stderr: string }) => failed);

  test.each([
    ["in its own folder", () => installed(made.folder), "cli/main.js", "build/index.js"],
    ["as a package of a site's project", () => installed(join(root, "template")), "node_modules/session-guard/cli/main.js", "node_modules/session-guard/build/index.js"],
  ])("%s: settings and keys are written there, and wrangler takes them", async (_, install, main, worker) => {
    const folder = install();
    expect(await command(join(folder, main), folder, ["init", "--force", ...given])).toMatchObject({ stderr: "", stdout: expect.stringMatching(/Wrote wrangler\.toml[^]*Made \.cache\/keys\/members\.rowing\.org\.json/) as string });
    expect(readFileSync(join(folder, "wrangler.toml"), "utf8")).toContain(`main = "${worker}"`);
    expect(JSON.parse(readFileSync(join(folder, ".cache/keys/members.rowing.org.json"), "utf8"))).toMatchObject({ keys: [{ alg: "ES256" }] });
    const deployed = await wrangler(folder, "deploy", "--dry-run");
    expect([deployed.status, deployed.printed]).toEqual([0, expect.stringContaining("members.rowing.org")]);
    const listed = await command(join(folder, main), folder, ["keys", "list", "--json"]);
    expect(JSON.parse(listed.stdout)).toMatchObject({ keys: [{ alg: "ES256" }] });
  });

  test("for a guard that runs, and says what only the repository can tell", async () => {
    const folder = installed(made.folder);
    await using guard = await startGuard({ ADMIN_API_KEY, ISSUER: "http://127.0.0.1:1" });
    await guard.login("ada");
    const ask = (...args: string[]) => command(join(folder, "cli/main.js"), folder, args, { ADMIN_API_KEY, SESSION_GUARD_URL: guard.url });
    expect((await ask("sessions", "ada")).stderr).toContain("ada has 1 live session.");
    expect((await ask("doctor", guard.url, "--config", "wrangler.toml")).stdout).toMatch(/a release does not have it[^]*npm run check-config/);
  });
});

test("the template deploys it as a package, with a named environment beside", { timeout: 60_000 }, async () => {
  const folder = installed(join(root, "template"));
  for (const [name, site] of [["", "members"], ["staging", "staging"]]) {
    const { status, printed } = await wrangler(folder, "deploy", "--dry-run", `--env=${name}`);
    expect([status, printed]).toEqual([0, expect.stringContaining("env.USER_SESSIONS")]);
    expect(printed).toContain(`https://${site}.example.com`);
    expect(printed).not.toMatch(/warning/i);
  }
});

test("the template describes every binding and secret, as the button that deploys it shows them", () => {
  const read = (path: string) => readFileSync(join(root, "template", path), "utf8");
  const { cloudflare, dependencies } = JSON.parse(read("package.json")) as { cloudflare: { bindings: Record<string, { description: string }> }; dependencies: Record<string, string> };
  const secrets = [...read(".dev.vars.example").matchAll(/^([A-Z_]+)=/gm)].map(([, name = ""]) => name);
  const [, vars = ""] = /^\[vars\]\n(.*?)^\[/ms.exec(read("wrangler.toml")) ?? [];
  const set = [...vars.matchAll(/^([A-Z_]+) = /gm)].map(([, name = ""]) => name);
  expect(Object.keys(cloudflare.bindings).sort()).toEqual(["USER_SESSIONS", ...secrets, ...set].sort());
  expect(dependencies["session-guard"]).toBe((JSON.parse(page("package.json")) as { version: string }).version);
  const migrations = (toml: string) => toml.slice(toml.indexOf("[[migrations]]"), toml.indexOf("[observability]"));
  expect(migrations(read("wrangler.toml"))).toBe(migrations(page("wrangler.toml")));
});

test("the page on deploying shows the environment that check-config and wrangler accept", { timeout: 60_000 }, async () => {
  const [, shown = ""] = /```toml\n(.*?)```/s.exec(section("docs/deploy.md", "A second environment, to try things")) ?? [];
  const file = join(mkdtempSync(join(parent, "staging-")), "wrangler.toml");
  writeFileSync(file, page("wrangler.toml").replace('"build/index.js"', JSON.stringify(join(root, "build/index.js"))).replace(/\[build\]\n.*\n.*\n/, "") + shown);
  const { status, printed } = await runCommand(process.execPath, [join(modules, "wrangler/bin/wrangler.js"), "deploy", "--dry-run", "--config", file, "--env", "staging"], env);
  expect([status, printed]).toEqual([0, expect.stringContaining("https://staging.example.com")]);
  const check = await runCommand(process.execPath, ["scripts/check-config.mjs", "--config", file, "--env", "staging"]);
  expect(check.printed).not.toContain("error: ISSUER");
});
