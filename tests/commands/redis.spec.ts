// `npm run redis`.

import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { startCommand, stopCommand, useFolder } from "../harness/commands.ts";
import { freePort } from "../harness/redis.ts";

const folder = useFolder();

describe("npm run redis", () => {
  test("starts Redis and the bridge, prints the settings, and keeps the data over a restart", { timeout: 60_000 }, async () => {
    const [redisPort, bridgePort] = [await freePort(), await freePort()];
    const env = { REDIS_DIR: join(folder, "redis"), REDIS_PORT: `${redisPort}`, BRIDGE_PORT: `${bridgePort}`, UPSTASH_REDIS_REST_TOKEN: "of-this-test" };
    const key = `commands:${randomBytes(6).toString("hex")}`;
    const call = async (...words: string[]) => {
      const headers = { authorization: "Bearer of-this-test" };
      const response = await fetch(`http://127.0.0.1:${bridgePort}/${words.join("/")}`, { headers });
      return ((await response.json()) as { result: unknown }).result;
    };
    for (const expected of [null, "kept"]) {
      const { child, printed } = startCommand(process.execPath, ["scripts/redis.mjs"], env);
      try {
        await expect.poll(() => printed.text, { timeout: 20_000 }).toContain("Press Ctrl-C to stop");
        expect(printed.text).toContain(`UPSTASH_REDIS_REST_URL = "http://127.0.0.1:${bridgePort}"`);
        expect(printed.text).not.toContain("of-this-test");
        expect(await call("get", key)).toBe(expected);
        expect(await call("set", key, "kept", "EX", "60")).toBe("OK");
      } finally {
        await stopCommand(child);
      }
    }
  });
});
