// docs/openapi.yaml is complete and true: Schemathesis sends requests made from it, valid and invalid ones, to the
// running Worker, and compares the responses.

import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { page, rows } from "../harness/docs.ts";
import { answerOf, loginInit, mint, startGuard, type Vars } from "../harness/guard.ts";
import { CLIENT_ID, startIssuer } from "../harness/identity_provider.ts";
import { makeKey } from "../harness/signing_keys.ts";
import { ADMIN_API_KEY, FORWARD_AUTH_KEY, readDescription, redocly, refusals, schemathesis, untyped, type Description } from "../harness/openapi.ts";
import { freePort, redisVars, startRedis } from "../harness/redis.ts";

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
/** With it, the guard answers all paths of the description. */
const RESOURCE_METADATA = JSON.stringify({ authorization_servers: ["https://login.example.com"] });
/** What makes a trusted issuer a provider that people sign in at. */
const SIGN_IN = {
  client_id: CLIENT_ID, name: "google", frontchannel_logout: true,
  endpoints: { authorization: "https://login.example.com/authorize", token: "https://login.example.com/token", end_session: "https://login.example.com/logout" },
};
/** Refusals of another status, as `verify?redirect=off` tells them. */
const AS_403 = /^403 (bad_request|not_found|method_not_allowed|session_limit|uri_too_long)$/;
const unique = (texts: string[]) => [...new Set(texts)].sort();

describe("the description", () => {
  let description: Description;
  const operations = () =>
    Object.entries(description.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ call: `${method.toUpperCase()} ${path}`, operation })),
    );
  beforeAll(async () => {
    description = await readDescription();
  });

  test("has no lint", async () => {
    const { status, output } = await redocly("lint", "--config", "tests/openapi/redocly.yaml");
    expect(status, output).toBe(0);
  });

  test("is of this version", () => {
    expect(description.info.version).toBe((JSON.parse(read("package.json")) as Description["info"]).version);
  });

  test("has one operation for each endpoint in the code, by its name there", () => {
    const variants = (path: string, name: string) => {
      const [, body = ""] = new RegExp(`pub enum ${name} \\{(.*?)\n\\}`, "s").exec(read(path)) ?? [];
      return [...body.matchAll(/^ {4}([A-Z]\w*)/gm)].map(([, variant = ""]) => variant);
    };
    const requests = variants("auth/src/admin/request.rs", "AdminRequest").map((request) => `Admin${request}`);
    // Preflights are no operation of their own: OpenAPI leaves CORS to the server.
    const endpoints = variants("auth/src/route.rs", "Endpoint").filter((name) => name !== "Preflight").flatMap((name) => (name === "Admin" ? requests : name));
    const names = endpoints.map((name) => name.charAt(0).toLowerCase() + name.slice(1));
    expect(operations().map(({ operation }) => operation.operationId).sort()).toEqual(names.sort());
  });

  test("has every path in the code", () => {
    const literals = [...read("auth/src/route.rs").matchAll(/"(\/[^"]*)"/g)].map(([, literal = ""]) => literal);
    const paths = Object.keys(description.paths).map((path) => path.replace(/^\/_auth/, ""));
    expect(literals.length).toBeGreaterThan(10);
    expect(literals.filter((it) => !paths.some((path) => path === it || (it.endsWith("/") && path.startsWith(it))))).toEqual([]);
  });

  test("has every method that an endpoint says it knows, and no other", async () => {
    await using guard = await startGuard({ RESOURCE_METADATA });
    for (const [path, methods] of Object.entries(description.paths)) {
      // A proxy may ask with the method of its client.
      if (path === "/_auth/verify") continue;
      const described = Object.keys(methods).map((method) => method.toUpperCase());
      const other = described.includes("PUT") ? "POST" : "PUT";
      const { status, headers } = await answerOf(guard.fetch(path.replaceAll(/\{\w+\}/g, "x"), { method: other }));
      const hasHead = described.includes("GET") && !/events|\{name\}|frontchannel/.test(path);
      const allow = [...described, ...(hasHead ? ["HEAD"] : [])].sort().join(", ");
      expect({ path, status, allow: headers["allow"]?.split(", ").sort().join(", ") }).toEqual({ path, status: 405, allow });
    }
  });

  test("has every refusal in the code with its status, and no other", () => {
    const entries = ["refusal", "refusal/sign_in_failure"].map((file) => /fn entry\(&self\)(.*?)\n {4}\}/s.exec(read(`auth/src/${file}.rs`))?.[1]);
    const inCode = [...entries.join("").matchAll(/\("([a-z_]+)", (\d{3}),/g)].map(([, code, status]) => `${status} ${code}`);
    expect(unique(operations().flatMap(({ operation }) => refusals(operation).filter((refusal) => !AS_403.test(refusal))))).toEqual(unique(inCode));
    expect(description.components.schemas.ProblemCode.enum).toEqual(unique(inCode.map((it) => it.slice(4))));
  });

  test("says of every schema which type it is, and has an example of every answer in JSON", () => {
    expect(untyped(description)).toEqual([]);
    const answers = operations().flatMap(({ call, operation }) => Object.entries(operation.responses).map(([status, { content = {} }]) => ({ status: `${call} ${status}`, content })));
    const shows = ([type, { example, examples }]: [string, { example?: unknown; examples?: unknown }]) => !type.includes("json") || (example ?? examples) !== undefined;
    expect(answers.length).toBeGreaterThan(100);
    expect(answers.filter(({ content }) => !Object.entries(content).every(shows)).map(({ status }) => status)).toEqual([]);
  });

  test("has the endpoints and refusals of the documentation's tables, and no other", () => {
    const calls = operations().map(({ call }) => call.replace("/_auth/", "")).filter((call) => !call.endsWith(".css"));
    expect(rows(page("docs/http.md")).map(({ name }) => name).sort()).toEqual(calls.sort());
    const told = rows(page("docs/refusals.md")).flatMap(({ name, cell }) => (cell.match(/\d{3}/g) ?? []).map((status) => `${status} ${name}`));
    expect(unique(operations().flatMap(({ operation }) => refusals(operation).filter((refusal) => !AS_403.test(refusal))))).toEqual(unique(told));
  });
});

describe("the Worker answers as it is described", { timeout: 240_000 }, () => {
  test("at work", async () => {
    await using issuer = await startIssuer();
    await using redis = await startRedis();
    await using guard = await startGuard({
      ...redisVars(redis.restUrl),
      SESSION_STORE: "durable-object",
      SESSION_STORE_BEFORE: "redis",
      ADMIN_API_KEY,
      FORWARD_AUTH_KEY,
      RESOURCE_METADATA,
      SESSION_LIMIT: "0",
      SIGNING_KEYS: JSON.stringify({ keys: ["ES256", "EdDSA", "RS256"].map((alg) => makeKey(alg).jwk) }),
      TRUSTED_ISSUERS: JSON.stringify([issuer.entry(SIGN_IN)]),
    });
    const { approvals } = guard.origin;
    approvals.set("asked", { sub: "asked", data: { theme: "dark" }, session_limit: 1, session_limit_policy: "ask" });
    approvals.set("denied", { sub: "denied", session_limit: 1, session_limit_policy: "deny" });
    approvals.set("large", { sub: "large", claims: { note: "x".repeat(4000) } });
    approvals.set("unusable", {});
    approvals.set("admin", { sub: "admin", claims: { scope: "sessions:read sessions:revoke-admins" } });
    const { status, output } = await schemathesis(guard.url, issuer);
    expect(status, output).toBe(0);
  });

  const away = async () => ({
    SESSION_STORE: "redis",
    UPSTASH_REDIS_REST_URL: `http://127.0.0.1:${await freePort()}`,
    UPSTASH_REDIS_REST_TOKEN: "t",
  });
  const wrong = () => Promise.resolve({ SESSION_LIMIT: "-1" });
  const busy = () => Promise.resolve({ LOGIN_RATE: "1 per day" });
  // Then all that can be asked of an answer is that it is described.
  const checks = ["status_code", "content_type", "response_headers", "response_schema"].map((it) => `${it}_conformance`).join(",");
  const few = ["--phases", "examples,fuzzing", "--max-examples", "2", "--mode", "positive", "--checks", checks, "--warnings", "off"];

  test.each<[string, number, () => Promise<Vars>, string[]]>([
    ["while the store is away", 503, away, []],
    ["while a setting is wrong", 500, wrong, []],
    ["while there are too many attempts to log in", 429, busy, ["--include-operation-id", "login"]],
  ])("%s", async (_, failure, vars, args) => {
    await using issuer = await startIssuer();
    await using guard = await startGuard({ ADMIN_API_KEY, FORWARD_AUTH_KEY, RESOURCE_METADATA, TRUSTED_ISSUERS: JSON.stringify([issuer.entry()]), ...(await vars()) });
    for (const status of [expect.any(Number), failure]) {
      expect(await answerOf(guard.fetch("/_auth/login", loginInit({ username: "ada", ...(failure === 429 ? { password: "wrong" } : {}) })))).toMatchObject({ status });
    }
    const { status, output } = await schemathesis(guard.url, issuer, [...few, ...args], { TOKEN: await mint({}) });
    expect(status, output).toBe(0);
  });
});
