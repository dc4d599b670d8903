// `npm run check-config`.

import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { runCommand, useFolder } from "../harness/commands.ts";
import { blocks, page, PAGES } from "../harness/docs.ts";
import { startSite } from "../harness/site.ts";

const folder = useFolder();

describe("npm run check-config", { timeout: 120_000 }, () => {
  const check = async (toml: string, env: Record<string, string> = {}, args: string[] = []) => {
    const config = join(folder, `${randomBytes(4).toString("hex")}.toml`);
    const binding = '\n[[durable_objects.bindings]]\nname = "USER_SESSIONS"\nclass_name = "UserSessions"\n';
    await writeFile(config, `name = "test"\ncompatibility_date = "2026-10-20"\n${toml}${binding}`);
    return runCommand(process.execPath, ["scripts/check-config.mjs", "--config", config, ...args], env);
  };
  const good = '[vars]\nISSUER = "https://a"\nAUDIENCE = "a"\n';

  test("accepts the project's own wrangler.toml, except for the example values", async () => {
    const { status, printed } = await runCommand(process.execPath, ["scripts/check-config.mjs"]);
    expect({ status, printed }).toMatchObject({ status: 0, printed: expect.stringContaining("ISSUER still has the example's value") });
  });

  test("names every invalid setting, and fails", async () => {
    const { status, printed } = await check(`${good}SESSION_TTL = "soon"\nSESSION_LIMIT = "many"\nROUTES = [{ path = "x" }]\n`);
    expect({ status, printed }).toMatchObject({ status: 1, printed: expect.stringMatching(/error: ROUTES\[0\]\.path: [^]*error: SESSION_TTL: [^]*error: SESSION_LIMIT: /) });
  });

  test("checks a secret, and never prints it", async () => {
    const keys = '{"keys":[{"kty":"oct","alg":"HS256","k":"dG9vLXNob3J0"}]}';
    const { status, printed } = await check(good, { SIGNING_KEYS: keys });
    expect({ status, printed }).toMatchObject({ status: 1, printed: expect.stringMatching(/error: SIGNING_KEYS\.keys\[0\]: .*32 bytes/) });
    expect(printed).not.toContain("dG9vLXNob3J0");
  });

  test("does not mistake the development keys for those that will be deployed", async () => {
    const keys = `{"keys":[{"kty":"oct","alg":"HS256","kid":"development-only-1","k":"${"A".repeat(43)}"}]}`;
    const { status, printed } = await check(good, { SIGNING_KEYS: keys });
    expect({ status, printed }).toMatchObject({ status: 0, printed: expect.stringContaining("note: SIGNING_KEYS is a secret that this machine does not have") });
  });

  test.each(PAGES.flatMap((path) => blocks(path, "toml").map((toml) => [path, toml] as const)))("accepts the settings that %s shows: %s", async (_, toml) => {
    // A block that has no settings of its own, or all but those of Redis, is completed.
    const hasOwn = toml.includes("[vars]") && !toml.includes('"redis"');
    const whole = hasOwn ? toml : toml.includes("[vars]") ? toml.replace("[vars]\n", good) : good + toml;
    const { status, printed } = await check(whole, { UPSTASH_REDIS_REST_TOKEN: "t" });
    expect({ status, printed }).toMatchObject({ status: 0, printed: expect.not.stringContaining("error:") });
  });

  test("finds a secret among the vars", async () => {
    const { status, printed } = await check(`${good}SIGNING_KEYS = "{}"\n`);
    expect({ status, printed }).toMatchObject({ status: 1, printed: expect.stringContaining("SIGNING_KEYS is a secret") });
  });

  test("explains which rule decides a request, as the documentation shows it, without secrets", async () => {
    const [routes = ""] = blocks("docs/routes.md", "toml");
    const [, args = "", expected = ""] = /\n\$ npm run --silent check-config -- (.*?)\n(.*?)```/s.exec(page("docs/routes.md")) ?? [];
    const words = [...args.matchAll(/"([^"]*)"|\S+/g)].map(([word, quoted]) => quoted ?? word);
    const { status, printed } = await check(`${good}${routes}`, {}, words);
    expect(status).toBe(0);
    expect(expected).toContain("Rule 3 applies");
    expect(printed.endsWith(expected), printed).toBe(true);
  });

  test.each([
    ["what is no request", ["--explain", "/admin/x"], "error: `/admin/x` is not a request"],
    ["an empty question", ["--explain"], "'--explain <value>' argument missing"],
    ["a misspelt option", ["--explian", "GET /"], "Unknown option '--explian'"],
  ])("refuses %s", async (_, args, message) => {
    expect(await check(good, {}, args)).toMatchObject({ status: 1, printed: expect.stringContaining(message) });
  });

  test("explains nothing with invalid settings", async () => {
    const { status, printed } = await check(`${good}ROUTES = [{ path = "x" }]\n`, {}, ["--explain", "GET /"]);
    expect({ status, printed }).toMatchObject({ status: 1, printed: expect.stringContaining("error: ROUTES[0].path: ") });
    expect(printed).not.toContain("applies");
  });

  test("compares LOGIN_RATE with the rate-limit binding", async () => {
    const bound = (limit: number) => `${good}\n[[ratelimits]]\nname = "LOGIN_RATE_LIMITER"\nnamespace_id = "1001"\nsimple = { limit = ${limit}, period = 60 }\n`;
    expect(await check(bound(10))).toMatchObject({ status: 0 });
    expect(await check(bound(20))).toMatchObject({ status: 1, printed: expect.stringContaining("error: LOGIN_RATE: differs from ") });
  });

  test("reads the settings of a named environment", async () => {
    const toml = `${good}[env.staging]\nvars = { ISSUER = "https://b", AUDIENCE = "b", SESSION_TTL = "soon" }\ndurable_objects.bindings = [{ name = "USER_SESSIONS", class_name = "UserSessions" }]\n`;
    expect(await check(toml)).toMatchObject({ status: 0 });
    const staging = await check(toml, {}, ["--env", "staging"]);
    expect(staging).toMatchObject({ status: 1, printed: expect.stringContaining("error: SESSION_TTL: expected a duration") });
  });

  describe("with a path of the origin below AUTH_PATH", () => {
    const checkOrigin = (url: string) => check(`${good}AUTH_PATH = "/auth/"\nORIGIN_URL = "${url}"\n`);

    test("says what the origin has there, and still succeeds", async () => {
      await using site = await startSite((path) => (path === "/auth/login" ? 200 : 404));
      const found = await checkOrigin(site.url);
      expect(found).toMatchObject({ status: 0, printed: expect.stringContaining("note: the origin has something at /auth/login, which nobody can reach") });
    });

    test("says nothing if the origin has nothing there", async () => {
      await using site = await startSite(() => 404);
      expect(await checkOrigin(site.url)).toMatchObject({ status: 0, printed: expect.not.stringContaining("has something") });
    });

    test("says that it does not know if the origin is down", async () => {
      expect(await checkOrigin("http://127.0.0.1:9")).toMatchObject({ status: 0, printed: expect.stringContaining("note: ORIGIN_URL is not reachable from this machine") });
    });
  });
});
