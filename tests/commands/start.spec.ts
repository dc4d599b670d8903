// `npm start`.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { runCommand, startCommand, stopCommand, useFolder } from "../harness/commands.ts";
import { blocks, PAGES, printed as pattern, root, scenes } from "../harness/docs.ts";
import { freePort } from "../harness/redis.ts";

const folder = useFolder();
const README = "README.md";

describe("npm start", () => {
  test("shows what the documentation prints, word for word", { timeout: 120_000 }, async () => {
    const port = await freePort();
    const { child, printed } = startCommand(process.execPath, ["scripts/start.mjs", "--persist-to", folder], { PORT: `${port}` });
    let origin = "";
    try {
      await expect.poll(() => printed.text, { timeout: 100_000 }).toContain("Press Ctrl-C to stop");
      expect(printed.text).toContain(`http://localhost:${port}`);
      // The port beside may be taken; the origin then has another.
      [, origin = ""] = /application on http:\/\/([\d.]+:\d+)/.exec(printed.text) ?? [];
      expect(origin).not.toBe("");
      // The README's come first, and sign in.
      const shown = scenes([README, ...PAGES.filter((path) => path !== README)].flatMap((path) => blocks(path, "console")));
      expect(shown.length).toBeGreaterThan(4);
      for (const [command, expected] of shown) {
        const here = (text: string) => text.replaceAll("localhost:8787", `localhost:${port}`).replaceAll("localhost:8788", origin);
        const shell = await runCommand("sh", ["-c", `cd '${folder}' && ${here(command)}`]);
        expect(shell.printed.trim(), command).toMatch(pattern(here(expected)));
      }
    } finally {
      await stopCommand(child);
    }
    const isOver = async () => {
      const all = [`127.0.0.1:${port}`, origin].map((it) => fetch(`http://${it}/`).then(() => false, () => true));
      return (await Promise.all(all)).every(Boolean);
    };
    await expect.poll(isOver, { timeout: 10_000, message: "everything it started has ended" }).toBe(true);
  });

  test("keeps its keys out of the repository and marks them for development", () => {
    expect(readFileSync(join(root, ".gitignore"), "utf8")).toContain("/.dev.vars");
    const file = join(root, ".dev.vars");
    if (existsSync(file)) expect(readFileSync(file, "utf8")).toContain("development-only-");
  });
});
