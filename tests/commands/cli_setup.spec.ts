// `session-guard init` and `keys`, and the help of all commands.

import { lstatSync, readFileSync, statSync, symlinkSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "smol-toml";
import { describe, expect, test } from "vitest";
import { commandReference } from "../../cli/reference.js";
import { writeWatched } from "../../cli/init/watched_file.js";
import { settingsCheck } from "../../cli/project.js";
import { call } from "../harness/cli.ts";
import { runCommand, useFolder } from "../harness/commands.ts";
import { blocks, page, PAGES } from "../harness/docs.ts";
import { startGuard } from "../harness/guard.ts";
import { HttpBrowser } from "../harness/http_browser.ts";
import { CLIENT_SECRET, startOidcProvider } from "../harness/oidc_provider.ts";
import { freePort } from "../harness/redis.ts";
import { signInAt } from "../harness/sign_in.ts";

const folder = useFolder();
const { checkConfig } = await settingsCheck();
const read = (file: string) => readFileSync(file, "utf8");
const keysIn = (file: string) => (JSON.parse(read(file)) as { keys: { kid: string; alg: string; d?: string; k?: string }[] }).keys;

describe("init", { timeout: 120_000 }, () => {
  const flags = { site: "https://members.rowing.org", origin: "zone", login: "/internal/login", sessions: "1", store: "durable-object" };
  const init = (out: string, given: Record<string, string>, ...more: string[]) =>
    call(["init", "--out", join(folder, out), "--keys", join(folder, "keys"), ...Object.entries(given).flatMap(([name, value]) => [`--${name}`, value]), ...more]);
  const tomlOf = (out: string) => parse(read(join(folder, out))) as { vars: Record<string, string>; routes: object[]; services?: object[]; workers_dev: boolean };

  test.each<[string, Partial<typeof flags>, object]>([
    ["the zone's own origin", {}, { routes: [{ pattern: "members.rowing.org/*", zone_name: "rowing.org" }], vars: { ISSUER: flags.site, AUDIENCE: flags.site, LOGIN_URL: `${flags.site}/internal/login`, SESSION_LIMIT: "1" } }],
    ["a zone below a suffix of two words", { site: "https://rowing.co.uk" }, { routes: [{ pattern: "rowing.co.uk/*", zone_name: "rowing.co.uk" }] }],
    ["another address", { origin: "https://o.example.net", sessions: "0" }, { routes: [{ pattern: "members.rowing.org", custom_domain: true }], vars: { ORIGIN_URL: "https://o.example.net", LOGIN_URL: "https://o.example.net/internal/login", SESSION_LIMIT: "0" } }],
    ["another Worker and Redis", { origin: "worker:boats", login: "own:/sign-in", store: "redis:https://x.upstash.io" }, { services: [{ binding: "ORIGIN", service: "boats" }], vars: { SESSION_STORE: "redis", UPSTASH_REDIS_REST_URL: "https://x.upstash.io", ROUTES: '[{"path":"/sign-in","access":"public","login":true}]' } }],
    ["an identity provider", { login: "provider" }, { vars: { ISSUER: flags.site } }],
  ])("writes valid settings for %s", async (name, given, expected) => {
    const out = `${name.replaceAll(" ", "-")}.toml`;
    const { status, err, out: said } = await init(out, { ...flags, ...given });
    expect({ status, err, said }).toMatchObject({ status: 0, err: "", said: expect.stringMatching(/Next:\n\n {2}1\. [^]* doctor https:\/\//) });
    const toml = tomlOf(out);
    expect(toml).toMatchObject({ ...expected, workers_dev: false });
    expect("LOGIN_URL" in toml.vars).toBe((given.login ?? flags.login).startsWith("/"));
    let checked = "";
    await checkConfig(["--config", join(folder, out)], process.env, (text) => (checked += text));
    expect(checked).toContain("The settings are valid.");
  });

  const id = "12345678-abcd-abcd-abcd-1234567890ab";
  test.each<[string, string | undefined, object]>([
    ["keycloak", "https://id.rowing.org/realms/staff", { provider: "keycloak", issuer: "https://id.rowing.org/realms/staff" }],
    ["entra", `https://login.microsoftonline.com/${id}/v2.0`, { provider: "entra", tenant: id }],
    ["okta", "https://rowing.okta.com/oauth2/default", { provider: "okta", issuer: "https://rowing.okta.com/oauth2/default" }],
    ["auth0", "https://rowing.eu.auth0.com/", { provider: "auth0", issuer: "https://rowing.eu.auth0.com/" }],
    ["google", undefined, { issuer: "https://accounts.google.com" }],
    ["github", undefined, { provider: "github" }],
    ["club-id", "https://id.rowing.org", { issuer: "https://id.rowing.org", name: "club-id" }],
  ])("writes valid settings for sign-in at %s, and says which address to register and which secret to set", async (provider, issuer, entry) => {
    const { login: _, ...rest } = flags;
    const out = `sign-in-${provider}.toml`;
    const allow = ["--allow", "preferred_username=ada", "--allow", "preferred_username=o'neill"];
    const { status, err, out: said } = await init(out, { ...rest, provider, ...(issuer !== undefined && { issuer }), "client-id": "members" }, ...allow);
    const secret = `${provider.toUpperCase().replace("-", "_")}_CLIENT_SECRET`;
    expect({ status, err }).toEqual({ status: 0, err: "" });
    expect(said).toMatch(new RegExp(`redirect URI +https://members\\.rowing\\.org/_auth/callback/${provider}\n[^]*npx wrangler secret put ${secret} --config`));
    const { vars } = tomlOf(out);
    expect(JSON.parse(vars["TRUSTED_ISSUERS"] ?? "")).toEqual([{ ...entry, client_id: "members", client_secret_name: secret, allow: { preferred_username: ["ada", "o'neill"] } }]);
    expect(vars["LOGIN_URL"]).toBeUndefined();
    let checked = "";
    await checkConfig(["--config", join(folder, out)], process.env, (text) => (checked += text));
    expect(checked).toMatch(new RegExp(`redirect URI +AUTH_PATH/callback/${provider} of the site[^]*The settings are valid\\.`));
  });

  test("people sign in by what it has written and by what it says to register, and others are kept out", async () => {
    await using provider = await startOidcProvider();
    for (const [name, groups] of [["ada", ["crew"]], ["mal", ["guests"]]] as const) provider.people.set(name, { email: `${name}@rowing.org`, groups });
    const port = await freePort();
    const { login: _, ...rest } = { ...flags, site: `http://localhost:${port}`, provider: "club", issuer: provider.url, "client-id": "members" };
    const { redirect_uri, secrets } = JSON.parse((await init("club.toml", rest, "--allow", "groups=crew", "--json")).out) as { redirect_uri: string; secrets: { name: string }[] };
    await provider.register({ redirect_uris: [redirect_uri], grant_types: ["authorization_code"], token_endpoint_auth_method: "client_secret_basic" }, "members");
    const { TRUSTED_ISSUERS } = tomlOf("club.toml").vars;
    await using guard = await startGuard({ LOGIN_URL: undefined, TRUSTED_ISSUERS, [secrets.at(-1)?.name ?? ""]: CLIENT_SECRET }, { port });
    const site = guard.url.replace("127.0.0.1", "localhost");
    expect(await signInAt(new HttpBrowser(), `${site}/boats`, "ada")).toMatchObject({ status: 200, url: `${site}/boats` });
    expect(await signInAt(new HttpBrowser(), `${site}/boats`, "mal")).toMatchObject({ status: 403 });
  });

  test("says that everybody may sign in at the provider, if nothing says who may", async () => {
    const { login: _, ...rest } = flags;
    const given = { ...rest, provider: "google", "client-id": "members" };
    expect((await init("everybody.toml", given)).out).toContain("Without it, everybody with an account at the provider may");
    expect((await init("somebody.toml", given, "--allow", "hd=rowing.org")).out).not.toContain("everybody with an account");
    expect(JSON.parse((await init("somebody.toml", given, "--force", "--json")).out)).toMatchObject({ redirect_uri: "https://members.rowing.org/_auth/callback/google", secrets: expect.arrayContaining([{ name: "GOOGLE_CLIENT_SECRET" }]) });
  });

  test("makes keys that only their owner can read, keeps them, shows none, and overwrites nothing", async () => {
    const given = { ...flags, site: "https://keys.rowing.org" };
    const first = await init("keys.toml", given);
    const [signing, admin] = [join(folder, "keys/keys.rowing.org.json"), join(folder, "keys/keys.rowing.org.admin-api-key")];
    const before = [signing, admin, join(folder, "keys.toml")].map(read);
    expect([signing, admin].map((file) => statSync(file).mode & 0o077)).toEqual([0, 0]);
    expect(await init("keys.toml", { ...given, sessions: "5" })).toMatchObject({ status: 2, err: expect.stringContaining("--force") });
    expect([signing, admin, join(folder, "keys.toml")].map(read)).toEqual(before);
    const again = await init("keys.toml", { ...given, sessions: "5" }, "--force");
    expect(again).toMatchObject({ status: 0, out: expect.stringContaining("Kept ") });
    expect([signing, admin].map(read)).toEqual(before.slice(0, 2));
    expect(tomlOf("keys.toml").vars["SESSION_LIMIT"]).toBe("5");
    const secrets = [keysIn(signing)[0]?.d ?? "", read(admin).trim()];
    expect(secrets.filter((secret) => secret.length < 32 || `${first.out}${again.out}`.includes(secret))).toEqual([]);
  });

  test("writes into the file that is there, so that `wrangler dev` goes on watching it", async () => {
    const [file, link] = [join(folder, "linked-to.toml"), join(folder, "linked.toml")];
    symlinkSync(file, link);
    const [many, few] = [{ ...flags, login: "own:/sign-in", store: "redis:https://boats.upstash.io" }, flags];
    const texts: string[] = [];
    for (const given of [many, few]) {
      expect(await init("linked.toml", given, "--force")).toMatchObject({ status: 0 });
      texts.push(readFileSync(file, "utf8"));
    }
    expect(texts[0]?.length).toBeGreaterThan(texts[1]?.length ?? 0);
    const { ino } = statSync(file);
    for (const text of texts) {
      await writeWatched(link, text);
      expect(readFileSync(file, "utf8")).toBe(text);
    }
    expect([statSync(file).ino, lstatSync(link).isSymbolicLink()]).toEqual([ino, true]);
  });

  test("asks a person five questions", async () => {
    const down = "\u001b[B";
    const { status, out, unanswered } = await call(["init", "--out", join(folder, "asked.toml"), "--keys", join(folder, "keys")], {
      answers: [["1/5", "boats.rowing.org\n"], ["2/5", `${down}\n`], ["Its address", "https://o.rowing.org\n"], ["3/5", "\n"], ["The path of your application", "\n"], ["4/5", "3\n"], ["5/5", "\n"]],
    });
    expect({ status, unanswered, out }).toMatchObject({ status: 0, unanswered: 0 });
    expect(tomlOf("asked.toml").vars).toMatchObject({ ISSUER: "https://boats.rowing.org", ORIGIN_URL: "https://o.rowing.org", LOGIN_URL: "https://o.rowing.org/internal/login", SESSION_LIMIT: "3" });
  });

  test("asks a person about the provider, too, who may also write it later", async () => {
    const [out, down] = [["--force", "--out", join(folder, "asked.toml"), "--keys", join(folder, "keys"), "--site", flags.site, "--origin", "zone", "--sessions", "1", "--store", "durable-object"], "\u001b[B"];
    const asked = await call(["init", ...out], {
      answers: [["3/5", `${down}${down}\n`], ["At which provider?", "\n"], ["The issuer of Keycloak", "https://id.rowing.org/realms/staff\n"], ["Your client's id", "members\n"], ["Who may sign in", "groups=/crew\n"]],
    });
    expect(asked).toMatchObject({ status: 0, unanswered: 0 });
    expect(JSON.parse(tomlOf("asked.toml").vars["TRUSTED_ISSUERS"] ?? "")).toMatchObject([{ provider: "keycloak", client_id: "members", allow: { groups: "/crew" } }]);
    const later = await call(["init", ...out], { answers: [["3/5", `${down}${down}\n`], ["At which provider?", `${down.repeat(7)}\n`]] });
    expect(later).toMatchObject({ status: 0, unanswered: 0, out: expect.stringContaining("Name your identity provider in TRUSTED_ISSUERS") });
    expect(tomlOf("asked.toml").vars["TRUSTED_ISSUERS"]).toBeUndefined();
  });

  test.each<[Record<string, string | undefined>, string]>([
    [{ login: undefined, provider: "keycloak" }, "give --issuer, too"],
    [{ login: undefined, provider: "google" }, "give --client-id, too"],
    [{ login: undefined, provider: "google", "client-id": "c", issuer: "https://id.rowing.org" }, "leave --issuer out"],
    [{ login: undefined, provider: "auth0", "client-id": "c", issuer: "https://rowing.eu.auth0.com" }, "like https://example.eu.auth0.com/; not"],
    [{ login: undefined, provider: "club", "client-id": "c", issuer: "http://id.rowing.org" }, "is an https URL"],
    [{ login: undefined, provider: "Club!", "client-id": "c" }, "lower-case letters"],
    [{ login: undefined, provider: "google", "client-id": "c", allow: "everybody" }, "CLAIM=VALUE"],
    [{ provider: "google", "client-id": "c" }, "leave --login out"],
    [{ "client-id": "c" }, "name it with --provider"],
    [{ store: undefined, login: undefined }, "give --login, --store, too"],
    [{ site: "http://members.rowing.org" }, "by https"],
    [{ site: "https://members.rowing.org/app" }, "without a path"],
    [{ origin: "here" }, "The origin is zone"],
    [{ login: "login" }, "The login is the path"],
    [{ sessions: "many" }, "The number of sessions"],
    [{ store: "postgres" }, "The store is durable-object"],
    [{ alg: "RS256" }, "--alg must be one of"],
  ])("writes nothing for %j", async (given, message) => {
    const all = Object.fromEntries(Object.entries({ ...flags, ...given }).filter(([, value]) => value !== undefined)) as Record<string, string>;
    expect(await init("never.toml", { ...all, ...(given["site"] === undefined && { site: "https://never.rowing.org" }) })).toMatchObject({ status: 2, err: expect.stringContaining(message) });
    expect(() => statSync(join(folder, "never.toml"))).toThrow();
    expect(() => statSync(join(folder, "keys/never.rowing.org.json"))).toThrow();
  });
});

describe("keys", () => {
  const file = join(folder, "set.json");
  const keys = (...args: string[]) => call(["keys", ...args]);

  test("are rotated at once, or published first, and no output has them", async () => {
    await runCommand(process.execPath, ["scripts/keys.mjs", "--alg", "EdDSA", "--out", file]);
    const [old] = keysIn(file);
    const rotated = await keys("rotate", file);
    expect(rotated).toMatchObject({ status: 0, out: expect.stringMatching(/^KID.*\n.* EdDSA +signs and verifies\n.* EdDSA +verifies\n$/), err: expect.stringContaining("npx wrangler secret put SIGNING_KEYS < ") });
    const [second] = keysIn(file);
    expect(keysIn(file)[1]).toEqual(old);
    expect(statSync(file).mode & 0o077).toBe(0);

    await keys("rotate", file, "--publish-first", "--alg", "ES256");
    const third = keysIn(file)[2];
    expect(keysIn(file).map(({ kid }) => kid)).toEqual([second?.kid, old?.kid, third?.kid]);
    await keys("sign-with", third?.kid ?? "", file);
    expect(keysIn(file).map(({ kid }) => kid)).toEqual([third?.kid, second?.kid, old?.kid]);
    expect(await keys("remove", third?.kid ?? "", file)).toMatchObject({ status: 2, err: expect.stringContaining("It is the key that signs.") });
    expect(await keys("remove", old?.kid ?? "", file)).toMatchObject({ status: 0 });
    const listed = await keys("list", file, "--json");
    expect(JSON.parse(listed.out)).toEqual({ file, keys: [{ kid: third?.kid, alg: "ES256", signs: true }, { kid: second?.kid, alg: "EdDSA", signs: false }] });
    const said = JSON.stringify([rotated, listed]);
    expect([old, second, third].filter((key) => key?.d === undefined || said.includes(key.d))).toEqual([]);
  });

  test("a file that is no key set is left as it is, and never shown", async () => {
    const other = join(folder, "other.json");
    await writeFile(other, '{"keys": [{"kty": "oct", "k": "c2VjcmV0"');
    const refused = await keys("rotate", other);
    expect(refused).toMatchObject({ status: 2, out: "", err: expect.stringContaining("is no key set") });
    expect(refused.err).not.toContain("c2VjcmV0");
    expect(read(other)).toContain("c2VjcmV0");
    expect(await keys("remove", "none", file)).toMatchObject({ status: 2, err: expect.stringContaining("has no key none") });
    expect(await keys("list", join(folder, "missing.json"))).toMatchObject({ status: 2, err: expect.stringContaining("no such file") });
  });
});

describe("the help", () => {
  test("is what the documentation shows; npm run command-reference writes it there", () => {
    const [, reference] = page("docs/command-line.md").split("\n## Commands\n\n");
    expect(reference).toBe(commandReference());
  });

  test("is printed by whatever asks for it", async () => {
    for (const args of [[], ["help"], ["--help"]]) expect(await call(args)).toMatchObject({ status: 0, err: "", out: expect.stringContaining("Usage: session-guard [options] [command]") });
    expect(await call(["help", "end"])).toMatchObject({ status: 0, out: expect.stringContaining("Usage: session-guard end [options] [sub] [sid...]") });
    expect(await call(["end", "--frob"])).toMatchObject({ status: 2, out: "", err: expect.stringContaining("unknown option '--frob'") });
  });

  test("no line of an example or a page names a command or an option that is not there", async () => {
    const lines = [...commandReference().split("\n"), ...PAGES.flatMap((path) => [...page(path).matchAll(/`([^`\n]+)`/g)].map(([, code = ""]) => code)), ...PAGES.flatMap((path) => blocks(path, "sh").flatMap((block) => block.split("\n")))];
    const called = lines.flatMap((line) => /(?:^|[|`] ?|npx |^ +)(?:session-guard|npm run guard --) (?!help)([a-z].*?)(?: \||$)/.exec(line)?.[1] ?? []);
    expect(called.length).toBeGreaterThan(40);
    for (const line of new Set(called)) {
      const [name = "", ...rest] = line.split(" ");
      const { out } = await call(["help", name]);
      expect(out, line).toContain(`Usage: session-guard ${name}`);
      const sub = /^(list|rotate|sign-with|remove|explain)$/.test(rest[0] ?? "") ? (await call([name, rest[0] ?? "", "--help"])).out : "";
      for (const option of rest.filter((word) => word.startsWith("--"))) expect(`${out}${sub}`, line).toContain(` ${option}`);
    }
  });
});
