// What AUTH_PATH would hide of the origin is told, in monitor mode and by check-config.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { startGuard, type Guard } from "../harness/guard.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** An origin that answers by path; it keeps what it was asked, and with which headers. */
async function startSite(answer: (path: string) => number) {
  const asked: { path: string; headers: Record<string, unknown> }[] = [];
  const listener: RequestListener = ({ url = "", headers }, response) => {
    asked.push({ path: url, headers });
    response.writeHead(answer(url), { location: "/elsewhere" }).end("a page");
  };
  const server = createServer(listener);
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

const SITES: [name: string, answer: (path: string) => number, taken: string[]][] = [
  ["has nothing there", (path) => (path === "/" ? 200 : 404), []],
  ["has a login there", (path) => (path === "/auth/login" ? 200 : 404), ["/auth/login"]],
  ["has a page and a redirect there", (path) => ({ "/auth": 301, "/auth/": 200 })[path] ?? 404, ["/auth", "/auth/"]],
  ["wants a login there only", (path) => (path.startsWith("/auth/admin") ? 401 : 404), ["/auth/admin"]],
  ["takes a POST there", (path) => (path === "/auth/session" ? 405 : 404), ["/auth/session"]],
  ["answers everything with its first page", () => 200, []],
  ["wants a login everywhere", () => 302, []],
  ["fails there", (path) => (path.startsWith("/auth") ? 503 : 404), []],
];

/** Lines of the log about it. */
const warnings = (guard: Guard) => guard.log.filter((line) => line.includes("auth_path_taken"));

describe("in monitor mode", () => {
  test.each(SITES)("an origin that %s", async (_, answer, taken) => {
    await using site = await startSite(answer);
    await using guard = await startGuard({ ORIGIN_URL: site.url, AUTH_PATH: "/auth", MODE: "monitor" });
    for (let n = 0; n < 3; n += 1) expect((await guard.fetch("/x", { headers: { cookie: "a=1" } })).status).toBe(answer("/x"));
    const looks = () => site.asked.filter(({ path }) => path !== "/x");
    await expect.poll(() => looks().length).toBe(11);
    for (const { headers } of looks()) expect(Object.keys(headers)).not.toContain("cookie");
    if (taken.length > 0) await expect.poll(() => warnings(guard)).toHaveLength(1);
    const causes = warnings(guard).map((line) => (JSON.parse(line) as { cause: string }).cause);
    expect(causes.flatMap((cause) => /something at (.*?), which/.exec(cause)?.[1]?.split(", ") ?? [])).toEqual(taken);
  });

  test("an origin that is away changes nothing", async () => {
    await using guard = await startGuard({ ORIGIN_URL: "http://127.0.0.1:9", MODE: "monitor" });
    expect((await guard.fetch("/x")).status).toBe(502);
    expect((await guard.fetch("/_auth/health")).status).toBe(200);
    expect(warnings(guard)).toEqual([]);
  });
});

test("where something is enforced, nobody asks", async () => {
  await using site = await startSite(() => 404);
  await using guard = await startGuard({ ORIGIN_URL: site.url, AUTH_PATH: "/auth" });
  expect((await guard.fetch("/x")).status).toBe(401);
  expect((await guard.fetch("/auth/login")).status).toBe(200);
  expect(site.asked).toEqual([]);
});

describe("npm run check-config", { timeout: 60_000 }, () => {
  const check = async (url: string) => {
    const folder = await mkdtemp(join(tmpdir(), "session-guard-auth-path-"));
    const config = join(folder, "wrangler.toml");
    const vars = `[vars]\nISSUER = "https://a"\nAUDIENCE = "a"\nAUTH_PATH = "/auth/"\nORIGIN_URL = "${url}"\n`;
    const binding = '[[durable_objects.bindings]]\nname = "USER_SESSIONS"\nclass_name = "UserSessions"\n';
    await writeFile(config, `name = "test"\ncompatibility_date = "2026-10-20"\n${vars}${binding}`);
    try {
      const child = spawn(process.execPath, ["scripts/check-config.mjs", "--config", config], { cwd: root });
      let printed = "";
      for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (printed += chunk.toString()));
      const [status] = (await once(child, "close")) as [number];
      return { status, printed };
    } finally {
      await rm(folder, { recursive: true });
    }
  };

  test("says what the origin has there, and is content all the same", async () => {
    await using site = await startSite((path) => (path === "/auth/login" ? 200 : 404));
    const found = await check(site.url);
    expect(found).toMatchObject({ status: 0, printed: expect.stringContaining("note: the origin has something at /auth/login, which nobody can reach") });
  });

  test("says nothing if there is nothing", async () => {
    await using site = await startSite(() => 404);
    expect(await check(site.url)).toMatchObject({ status: 0, printed: expect.not.stringContaining("has something") });
  });

  test("says that it does not know if the origin is away", async () => {
    expect(await check("http://127.0.0.1:9")).toMatchObject({ status: 0, printed: expect.stringContaining("note: ORIGIN_URL cannot be reached from here") });
  });
});
