// `npm run check-config`.

import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { runCommand, startCommand, useFolder } from "../harness/commands.ts";
import { blocks, page, PAGES, root } from "../harness/docs.ts";
import { published, startIssuer } from "../harness/identity_provider.ts";
import { startSite } from "../harness/site.ts";

const folder = useFolder();

const { checkConfig, ConfigError } = (await import(join(root, "scripts/check-config.mjs"))) as {
  checkConfig(args: string[], env: NodeJS.ProcessEnv, print: (text: string) => void): Promise<number>;
  ConfigError: new () => Error;
};

describe("npm run check-config", { timeout: 120_000 }, () => {
  const configOf = async (toml: string) => {
    const config = join(folder, `${randomBytes(4).toString("hex")}.toml`);
    const binding = '\n[[durable_objects.bindings]]\nname = "USER_SESSIONS"\nclass_name = "UserSessions"\n';
    await writeFile(config, `name = "test"\ncompatibility_date = "2026-10-20"\n${toml}${binding}`);
    return config;
  };
  const byCommand = async (toml: string, env: Record<string, string> = {}, args: string[] = []) =>
    runCommand(process.execPath, ["scripts/check-config.mjs", "--config", await configOf(toml), ...args], env);
  /** In this process, because a command that starts takes seconds to load wrangler. */
  const check = async (toml: string, env: Record<string, string> = {}, args: string[] = []) => {
    let printed = "";
    const print = (text: string) => void (printed += text);
    try {
      const status = await checkConfig(["--config", await configOf(toml), ...args], { ...process.env, ...env }, print);
      return { status, printed };
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      return { status: 1, printed: printed + error.message };
    }
  };
  const good = '[vars]\nISSUER = "https://a"\nAUDIENCE = "a"\n';

  test("accepts the project's own wrangler.toml, except for the example values", async () => {
    const { status, printed } = await runCommand(process.execPath, ["scripts/check-config.mjs"]);
    expect({ status, printed }).toMatchObject({ status: 0, printed: expect.stringContaining("ISSUER still has the example's value") });
  });

  test("names every invalid setting, and fails", async () => {
    const { status, printed } = await byCommand(`${good}SESSION_TTL = "soon"\nSESSION_LIMIT = "many"\nROUTES = [{ path = "x" }]\n`);
    expect({ status, printed }).toMatchObject({ status: 1, printed: expect.stringMatching(/error: ROUTES\[0\]\.path: [^]*error: SESSION_TTL: [^]*error: SESSION_LIMIT: /) });
  });

  test("checks a secret, and never prints it", async () => {
    const keys = '{"keys":[{"kty":"oct","alg":"HS256","k":"dG9vLXNob3J0"}]}';
    const { status, printed } = await byCommand(good, { SIGNING_KEYS: keys });
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
    const url = toml.includes('"redis"') && !toml.includes("UPSTASH_REDIS_REST_URL") ? 'UPSTASH_REDIS_REST_URL = "https://boats.upstash.io"\n' : "";
    const whole = hasOwn ? toml : toml.includes("[vars]") ? toml.replace("[vars]\n", good + url) : good + url + toml;
    const { status, printed } = await check(whole, { UPSTASH_REDIS_REST_TOKEN: "t" });
    expect({ status, printed }).toMatchObject({ status: 0, printed: expect.not.stringContaining("error:") });
  });

  test("finds a secret among the vars", async () => {
    const { status, printed } = await byCommand(`${good}SIGNING_KEYS = "{}"\n`);
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

  describe("with the access tokens of an identity provider", () => {
    const withIssuers = (...issuers: object[]) => `${good}TRUSTED_ISSUERS = '''${JSON.stringify(issuers)}'''\n`;

    test("shows what a preset came to, and a secret only by the name of its variable", async () => {
      const supabase = { provider: "supabase", project: "abcdefgh", subject_prefix: "a|", access_tokens: { secret: "SUPABASE_JWT_SECRET" } };
      const secret = randomBytes(24).toString("hex");
      const found = await check(withIssuers(supabase), { SUPABASE_JWT_SECRET: secret });
      expect(found).toMatchObject({ status: 0, printed: expect.stringContaining("TRUSTED_ISSUERS[0]: https://abcdefgh.supabase.co/auth/v1\n") });
      expect(found.printed).toMatch(/ID tokens +refused.*\n.*\n +secret +HS256 by SUPABASE_JWT_SECRET\n[^]* session +`session_id`\n/);
      expect(found.printed).not.toContain(secret);
      expect(await check(`${withIssuers(supabase)}SUPABASE_JWT_SECRET = "${secret}"\n`)).toMatchObject({ status: 1, printed: expect.stringContaining("SUPABASE_JWT_SECRET is a secret") });
    });

    test("says of a token whether it would be accepted, by keys from the network or a file, and never prints it", async () => {
      await using issuer = await startIssuer();
      const toml = withIssuers(issuer.entry({ access_tokens: { audience: "boats", session_claim: "sid", scope_claim: "scope" } }));
      const file = (name: string) => join(folder, name);
      const token = issuer.idToken({ aud: "boats", sid: "s-1", scope: "boats:read", note: "hidden" }, { typ: "at+jwt" });
      await writeFile(file("token"), `${token}\n`);
      await writeFile(file("keys"), JSON.stringify({ keys: issuer.keys.map(published) }));

      const byNetwork = await check(toml, {}, ["--token", file("token")]);
      expect(byNetwork).toMatchObject({ status: 0, printed: expect.stringMatching(/ok: signature\n[^]*accepted[^]*user +"idp\|u-1"\n +session +"s-1"\n +scopes +"boats:read"\n/) });
      expect(issuer.fetches).toBe(1);

      issuer.answer = { status: 404 };
      expect(await check(toml, {}, ["--token", file("token")])).toMatchObject({ status: 1, printed: expect.stringContaining("could not be fetched: the answer was 404") });
      const args = ["--config", await configOf(toml), "--token", "-", "--jwks", file("keys")];
      const { child, printed } = startCommand(process.execPath, ["scripts/check-config.mjs", ...args]);
      child.stdin?.end(issuer.idToken({ sid: "s-1", note: "hidden" }));
      const [status] = (await once(child, "close")) as [number];
      expect(status).toBe(1);
      expect(printed.text).toMatch(/ok: signature\n[^]*error: kind: [^]*error: audience: [^]*The token is refused\./);
      for (const text of [byNetwork.printed, printed.text]) {
        expect(text).not.toContain("hidden");
        expect(text).not.toContain(token.split(".")[1]);
      }
    });
  });
});
