// `npm run log-identity`.

import { createHmac, randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { runCommand } from "../harness/commands.ts";

describe("npm run log-identity", { timeout: 120_000 }, () => {
  const key = (kid: string) => ({ kty: "oct", alg: "HS256", kid, k: randomBytes(32).toString("base64url") });
  const keys = [key("new"), key("old")];
  const name = (...args: string[]) => runCommand(process.execPath, ["scripts/log-identity.mjs", ...args], { SIGNING_KEYS: JSON.stringify({ keys }) });

  test("prints the hash of a user, for each key that could have signed", async () => {
    const hmac = (secret: Buffer, text: string) => createHmac("sha256", secret).update(text).digest();
    const lines = keys.map(({ kid, k }) => `${hmac(hmac(Buffer.from(k, "base64url"), "session-guard: names in the log"), "m-001").toString("hex").slice(0, 32)} ${kid}`);
    expect(await name("--user", "m-001")).toMatchObject({ status: 0, printed: `${lines.join("\n")}\n` });
    expect(await name("--session", "m-001")).toMatchObject({ status: 0, printed: `${lines.join("\n")}\n` });
  });

  test.each([[[]], [["--user", "a", "--session", "b"]], [["--nobody"]]])("requires one name: %j", async (args) => {
    expect(await name(...args)).toMatchObject({ status: 1, printed: expect.stringContaining("error: ") });
  });
});
