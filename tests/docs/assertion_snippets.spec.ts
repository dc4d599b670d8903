// The snippets of docs/verify-requests.md verify assertions as it says, in Node and in Python.
// In Rust: auth/tests/verify_requests.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { beforeAll, describe, expect, test } from "vitest";
import { blocks, root } from "../harness/docs.ts";
import { AUDIENCE, bearer, ISSUER, useGuard } from "../harness/guard.ts";
import { makeKey, signed } from "../harness/signing_keys.ts";

// Below the root, so that Node finds the packages.
const folder = `${root}.cache/readme`;
const PAGE = "docs/verify-requests.md";
const python = `${root}.cache/pyjwt/bin/python`;

const LANGUAGES = [
  { fence: "js", file: "user_of.mjs", command: process.execPath, main: "console.log(await userOf(JSON.parse(process.argv[2])));\n" },
  { fence: "python", file: "user_of.py", command: python, main: "import json, sys\nprint(user_of(json.loads(sys.argv[1])))\n" },
];

/** Runs a program to its end. */
async function runs(command: string, args: string[]) {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
  const said = { out: "", error: "" };
  child.stdout.on("data", (chunk: Buffer) => (said.out += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (said.error += chunk.toString()));
  const [status] = (await once(child, "close")) as [number];
  return { status, ...said };
}

describe.each(["ES256", "EdDSA"])("with %s", (alg) => {
  const key = makeKey(alg);
  const guard = useGuard({ SIGNING_KEYS: JSON.stringify({ keys: [key.jwk] }) });
  let token: string;
  beforeAll(async () => {
    ({ access_token: token } = await guard.login("ada"));
    await mkdir(`${folder}/${alg}`, { recursive: true });
  });

  const now = Math.floor(Date.now() / 1000);
  const assertion = (claims: object = {}, header: object = {}, by = key) =>
    signed(by, { alg, typ: "guard-assertion+jwt", kid: key.kid, ...header }, { iss: ISSUER, aud: guard.origin.url, sub: "ada", iat: now, exp: now + 600, ...claims });

  /** A snippet for the guard and the origin of these tests. */
  const local = (snippet: string) =>
    snippet
      .replaceAll("https://app.example.com/.well-known", `${guard.url}/.well-known`)
      .replaceAll("https://app.example.com", ISSUER)
      .replaceAll("https://origin.example.com", guard.origin.url);

  describe.each(LANGUAGES)("the documentation's $fence", ({ fence, file, command, main }) => {
    beforeAll(async () => {
      if (!existsSync(command)) throw new Error("PyJWT is not installed yet; `npm test` does it.");
      const [snippet = ""] = blocks(PAGE, fence);
      await writeFile(`${folder}/${alg}/${file}`, `${local(snippet)}\n${main}`);
    });

    /** Runs the snippet on a request's headers. */
    async function userOf(text: string) {
      const headers = JSON.stringify({ "X-Auth-Request-Assertion": text, "x-auth-request-assertion": text });
      return runs(command, [`${folder}/${alg}/${file}`, headers]);
    }

    test("says whose request the guard has let through", async () => {
      await guard.fetch("/", bearer(token));
      const sent = String(guard.origin.received.at(-1)?.headers["x-auth-request-assertion"]);
      expect(await userOf(sent)).toEqual({ status: 0, out: "ada\n", error: "" });
    });

    test("takes an assertion of these tests that is good, so that others are refused for what is wrong with them", async () => {
      expect(await userOf(assertion())).toMatchObject({ status: 0, out: "ada\n" });
    });

    // A library's own words, so that no mistake in the snippet passes for a refusal.
    const refusal = fence === "js" ? /code: 'ERR_J\w+'/ : /jwt\.exceptions\.\w+Error/;
    test.each<[string, () => string]>([
      ["no assertion", () => ""],
      ["an access token", () => token],
      ["an access token for the same audience", () => assertion({}, { typ: "at+jwt" })],
      ["an assertion without a type", () => assertion({}, { typ: undefined })],
      ["an assertion for another origin", () => assertion({ aud: AUDIENCE })],
      ["an assertion of another guard", () => assertion({ iss: "https://elsewhere.example" })],
      ["an assertion that is over", () => assertion({ exp: now - 6 })],
      ["an assertion that never ends", () => assertion({ exp: undefined })],
      ["an assertion of a stranger", () => assertion({}, {}, makeKey(alg))],
    ])("refuses %s", async (_, make) => {
      expect(await userOf(make())).toMatchObject({ status: 1, out: "", error: expect.stringMatching(refusal) });
    });
  });

  describe("the documentation's check of who asks about credentials", () => {
    const file = `${folder}/${alg}/check_asker.mjs`;
    const proof = () => guard.origin.proof ?? "";
    const body = () => JSON.stringify(guard.origin.credentialChecks.at(-1));
    beforeAll(async () => {
      const [, snippet = ""] = blocks(PAGE, "js");
      await writeFile(file, `${local(snippet)}\nawait checkAsker(JSON.parse(process.argv[2]), process.argv[3]);\n`);
    });

    const check = (text: string, about = body()) => runs(process.execPath, [file, JSON.stringify({ "x-auth-request-assertion": text }), about]);

    test("takes the guard's own login", async () => {
      expect(await check(proof())).toEqual({ status: 0, out: "", error: "" });
    });

    test.each<[string, () => string]>([
      ["no proof", () => ""],
      ["an access token", () => token],
      ["an assertion", () => assertion({ body_sha256: "" })],
    ])("refuses %s", async (_, make) => {
      expect(await check(make())).toMatchObject({ status: 1, error: expect.stringMatching(/code: 'ERR_J\w+'/) });
    });

    test("refuses the proof of another login", async () => {
      expect(await check(proof(), "{}")).toMatchObject({ status: 1, error: expect.stringContaining("the proof is of another login") });
    });
  });
});
