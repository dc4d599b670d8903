// What pages show for a shell: each command is run, here or by another test, or needs what no test has.

import { execFile } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { ADMIN_API_KEY, call } from "../harness/cli.ts";
import { useFolder } from "../harness/commands.ts";
import { blocks, PAGES } from "../harness/docs.ts";
import { startGuard } from "../harness/guard.ts";
import { redisVars, startRedis } from "../harness/redis.ts";

const parent = useFolder();

/** The commands of a block; one that goes on in the next line, or in a quotation, is one. */
function commandsOf(block: string): string[] {
  const all: string[] = [];
  for (const line of block.trimEnd().split("\n")) {
    const last = all.at(-1);
    const goesOn = last?.endsWith("\\") || ((last?.match(/'/g)?.length ?? 0) % 2 === 1);
    if (last !== undefined && goesOn) all[all.length - 1] = `${last}\n${line}`;
    else all.push(line);
  }
  return all;
}

const shown = PAGES.flatMap((path) => blocks(path, "sh").flatMap(commandsOf).map((command) => [command, path] as const));
const commands = [...new Map(shown)].map(([command, path]) => ({ command, path }));

/** Is it run here? */
const isRun = (command: string) => /^curl .*\$ADMIN_API_KEY/s.test(command) || /^npm run guard -- (move|backup|restore)/.test(command);

/** Why it is not, and who runs it. */
const OTHERS: [pattern: RegExp, why: string][] = [
  [/^npx wrangler (deploy|versions|secret put)\b/, "needs an account"],
  [/api\.cloudflare\.com/, "needs an account"],
  [/^curl -i https:\/\/members\.example\.com\/_auth\/health$/, "asks a deployed guard; tests/contract/health.spec.ts"],
  [/^systemctl |^journalctl /, "needs systemd; tests/commands/self_host.spec.ts"],
  [/^git pull$/, "updates the clone"],
  [/^npm (start|test|install)$/, "start.spec.ts, the tests themselves, and release.spec.ts"],
  [/^npm run (build|dev|release)$/, "the tests' own build, start.spec.ts and release.spec.ts"],
  [/^npm run self-host -- /, "self_host.spec.ts"],
  [/^npm run (--silent )?(keys|check-config|log-identity)\b/, "keys.spec.ts, check_config.spec.ts and log_identity.spec.ts"],
  [/^npm run try:/, "tests/worker and examples"],
  [/^\(umask 077; /, "release.spec.ts and self_host.spec.ts"],
  [/^npm run guard -- (help|doctor)\b/, "cli_setup.spec.ts and cli_doctor_self_hosted.spec.ts"],
  [/^npx --package @hey-api/, "tests/docs/client.spec.ts"],
  [/^npx vitest |^sha256sum --check/, "the tests themselves, and release.spec.ts"],
];

test("every command that a page shows is run here, by a test that is named here, or needs what no test has", () => {
  expect(commands.length).toBeGreaterThan(40);
  expect(commands.filter(({ command }) => !isRun(command) && !OTHERS.some(([pattern]) => pattern.test(command)))).toEqual([]);
  expect(OTHERS.filter(([pattern]) => !commands.some(({ command }) => pattern.test(command))), "of no command any more").toEqual([]);
});

test("those about sessions are run as they are shown, and the guard does what they ask for", { timeout: 60_000 }, async () => {
  await using redis = await startRedis();
  const site = { ...redisVars(redis.restUrl), SESSION_STORE: "durable-object", SESSION_STORE_BEFORE: "redis", ADMIN_API_KEY };
  await using guard = await startGuard(site);
  for (const name of ["m-001", "cleo", "dan"]) await guard.login(name);
  const cwd = mkdtempSync(join(parent, "shown-"));
  const run = commands.filter(({ command }) => isRun(command));
  expect(run.length).toBeGreaterThan(7);
  for (const { command, path } of run) {
    const here = command.replaceAll(/https:\/\/(\w+\.)*example\.com|(?<= )localhost:8787/g, guard.url);
    expect(here, path).toContain(guard.url);
    if (here.startsWith("curl ")) {
      const { stdout } = await promisify(execFile)("sh", ["-c", here.replace("curl ", "curl --silent --show-error --fail-with-body ")], { cwd, env: { ...process.env, ADMIN_API_KEY } });
      expect(() => JSON.parse(stdout || "{}") as unknown, `${command}\n${stdout}`).not.toThrow();
    } else {
      const args = here.replace("npm run guard -- ", "").split(" ").map((word) => (word === "sessions.jsonl" ? join(cwd, word) : word));
      // Nobody can be asked here.
      const answered = args[0] === "restore" ? [...args, "--yes"] : args;
      expect(await call(answered), command).toMatchObject({ status: 0 });
    }
  }
});
