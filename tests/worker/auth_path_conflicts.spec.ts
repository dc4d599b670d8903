// Paths of the origin that AUTH_PATH hides: monitor mode finds them. With check-config:
// commands/check_config.spec.ts.

import { describe, expect, test } from "vitest";
import { startGuard, type Guard } from "../harness/guard.ts";
import { startSite } from "../harness/site.ts";

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

describe("in monitor mode the log names the paths", () => {
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

  test("of an origin that is down: none", async () => {
    await using guard = await startGuard({ ORIGIN_URL: "http://127.0.0.1:9", MODE: "monitor" });
    expect((await guard.fetch("/x")).status).toBe(502);
    expect((await guard.fetch("/_auth/health")).status).toBe(200);
    expect(warnings(guard)).toEqual([]);
  });
});

test("with enforce the origin is not probed", async () => {
  await using site = await startSite(() => 404);
  await using guard = await startGuard({ ORIGIN_URL: site.url, AUTH_PATH: "/auth" });
  expect((await guard.fetch("/x")).status).toBe(401);
  expect((await guard.fetch("/auth/login")).status).toBe(200);
  expect(site.asked).toEqual([]);
});
