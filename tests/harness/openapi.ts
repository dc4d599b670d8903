// The tools that look at docs/openapi.yaml, and the description as they read it.

import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import type { Issuer } from "./identity_provider.ts";
import { PASSWORD } from "./origin.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const file = "docs/openapi.yaml";

/** The key of the admin API, in every guard that is compared. */
export const ADMIN_API_KEY = randomBytes(24).toString("base64url");

/** The key of a proxy, likewise. */
export const FORWARD_AUTH_KEY = randomBytes(24).toString("base64url");

/** The parts of a description that the tests look at. */
export interface Description {
  info: { version: string };
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: { ProblemCode: { enum: string[] } } };
}

/** What one method of a path does. */
export interface Operation {
  operationId: string;
  responses: Record<string, { content?: Record<string, { schema: Schema; example?: unknown; examples?: unknown }> }>;
}

interface Schema {
  allOf?: Schema[];
  properties?: Record<string, { const?: string; enum?: string[] }>;
}

/** What a program wrote, and its exit status. */
export interface Ran {
  status: number;
  stdout: string;
  /** Both streams. */
  output: string;
}

/** The description, with nothing left to look up. */
export async function readDescription(): Promise<Description> {
  const { status, stdout, output } = await redocly("bundle", "--dereferenced", "--ext", "json");
  if (status !== 0) throw new Error(output);
  return JSON.parse(stdout) as Description;
}

/** The codes of an operation's refusals, each after its status. */
export function refusals({ responses }: Operation): string[] {
  return Object.entries(responses).flatMap(([status, { content = {} }]) =>
    codes(content["application/problem+json"]?.schema).map((code) => `${status} ${code}`),
  );
}

/** Of an `allOf`, the codes that all its parts allow. */
function codes(schema: Schema | undefined): string[] {
  const { const: only, enum: several = only === undefined ? undefined : [only] } = schema?.properties?.["code"] ?? {};
  const all = [several, ...(schema?.allOf ?? []).map(codes)].filter((it) => it !== undefined);
  return all.reduce((left, right) => left.filter((code) => right.includes(code)), all[0] ?? []);
}

/** Schemas below a part of the description that list what is allowed, but not of which type it is. */
export function untyped(part: unknown, at = ""): string[] {
  if (typeof part !== "object" || part === null) return [];
  const own = ["properties", "enum", "const"].some((key) => key in part) && !("type" in part) && !at.endsWith("/properties");
  const conditions = /^(if|then|else|not|propertyNames|dependentSchemas|examples?|mapping)$/;
  const below = Object.entries(part).filter(([key]) => !conditions.test(key)).flatMap(([key, value]) => untyped(value, `${at}/${key}`));
  return own ? [at, ...below] : below;
}

/** Runs the linter. */
export function redocly(command: string, ...args: string[]): Promise<Ran> {
  const env = { REDOCLY_TELEMETRY: "off", REDOCLY_SUPPRESS_UPDATE_NOTICE: "true" };
  return run(`${root}node_modules/.bin/redocly`, [command, file, ...args], env, root);
}

/** Compares the answers of a running guard with the description. */
export async function schemathesis(guard: string, issuer: Issuer, args: string[] = [], env: Record<string, string> = {}): Promise<Ran> {
  const folder = `${root}.cache/schemathesis`;
  if (!existsSync(`${folder}/.installed`)) throw new Error("Schemathesis is not installed yet; `npm test` does it.");
  const settings = `${root}tests/openapi`;
  await using tokens = await startTokens(issuer);
  return await run(
    `${folder}/bin/schemathesis`,
    ["--config-file", `${settings}/schemathesis.toml`, "run", root + file, "--url", guard, ...args],
    { GUARD_URL: guard, ISSUER_URL: tokens.url, PASSWORD, ADMIN_API_KEY, FORWARD_AUTH_KEY, PYTHONPATH: settings, PYTHONDONTWRITEBYTECODE: "1", ...env },
    folder,
  );
}

async function run(command: string, args: string[], env: Record<string, string>, cwd: string): Promise<Ran> {
  const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
  const ran: Ran = { status: -1, stdout: "", output: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    ran.stdout += text;
    ran.output += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => (ran.output += text));
  [ran.status] = (await once(child, "close")) as [number];
  return ran;
}

/** Hands out an issuer's tokens, a fresh one for each request. */
async function startTokens(issuer: Issuer) {
  const server = createServer(({ url }, response) => {
    response.end(url === "/id-token" ? issuer.idToken({}) : issuer.logoutToken({ sub: "u-1" }));
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}
