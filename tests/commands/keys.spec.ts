// `npm run keys`.

import { once } from "node:events";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { calculateJwkThumbprint } from "jose";
import { describe, expect, test } from "vitest";
import { runCommand, useFolder } from "../harness/commands.ts";

const folder = useFolder();

describe("npm run keys", () => {
  const make = (...args: string[]) => runCommand(process.execPath, ["scripts/keys.mjs", ...args]);
  const read = (file: string) => (JSON.parse(readFileSync(file, "utf8")) as { keys: Record<string, string>[] }).keys;

  test.each(["HS256", "HS384", "HS512", "ES256", "EdDSA"])("creates a key for %s, named by its thumbprint, and never prints it", async (alg) => {
    const file = join(folder, `${alg}.json`);
    const { status, printed } = await make("--alg", alg, "--out", file);
    expect({ status, printed }).toMatchObject({ status: 0, printed: expect.stringContaining("npx wrangler secret put SIGNING_KEYS <") });
    const [key = {}] = read(file);
    expect(key).toMatchObject({ alg, use: "sig", kid: await calculateJwkThumbprint(key) });
    expect(printed).not.toContain(key["d"] ?? key["k"]);
    expect(statSync(file).mode & 0o077, "others cannot read it").toBe(0);
  });

  test("puts a new key in front of the old one", async () => {
    const file = join(folder, "rotated.json");
    await make("--alg", "HS256", "--out", file);
    const [old] = read(file);
    await make("--alg", "ES256", "--add", file);
    expect(read(file)).toEqual([expect.objectContaining({ alg: "ES256" }), old]);
  });

  test("overwrites nothing, and refuses other algorithms", async () => {
    const file = join(folder, "once.json");
    await make("--out", file);
    expect(await make("--out", file)).toMatchObject({ status: 1, printed: expect.stringContaining("already exists") });
    expect(await make("--alg", "RS256")).toMatchObject({ status: 1, printed: expect.stringContaining("--alg must be one of") });
  });
});
