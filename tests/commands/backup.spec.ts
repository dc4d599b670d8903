// `npm run backup`, and what it sends where. What the guard makes of it: tests/stores/moving_stores.spec.ts.

import { readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { runCommand, useFolder } from "../harness/commands.ts";

const folder = useFolder();
const asked: { path: string; body: string }[] = [];
let answer: { status: number; headers?: Record<string, string>; body: string };
const guard = createServer((request, response) => {
  void text(request).then((body) => {
    asked.push({ path: `${request.method} ${request.url}`, body });
    response.writeHead(answer.status, answer.headers).end(answer.body);
  });
});
let site: string;
beforeAll(async () => {
  await new Promise<void>((resolve) => guard.listen(0, "127.0.0.1", resolve));
  site = `http://127.0.0.1:${(guard.address() as AddressInfo).port}`;
});
beforeEach(() => {
  asked.length = 0;
});
afterAll(() => new Promise((resolve) => guard.close(resolve)));

const backup = (url: string, ...args: string[]) => runCommand(process.execPath, ["scripts/backup.mjs", ...args], { SESSION_GUARD_URL: url, ADMIN_API_KEY: "k".repeat(40) });

test("what others may read of an interrupted run does not let them read the next one", async () => {
  const file = join(folder, "saved.jsonl");
  writeFileSync(`${file}.part`, "", { mode: 0o644 });
  answer = { status: 200, body: '{"sub":"ada","records":{}}\n' };
  expect(await backup(site, "save", file)).toMatchObject({ status: 0 });
  expect([statSync(file).mode & 0o777, readFileSync(file, "utf8")]).toEqual([0o600, answer.body]);
});

test("finds the guard as the command line does, by the site or with its AUTH_PATH", async () => {
  answer = { status: 200, body: '{"users":0,"moved":0,"sessions":0}' };
  for (const path of ["", "/", "/_auth", "/guard/"]) expect(await backup(site + path, "move"), path).toMatchObject({ status: 0 });
  const called = ["/_auth", "/_auth", "/_auth", "/guard"].map((path) => `POST ${path}/admin/move?limit=20`);
  expect(asked.map(({ path }) => path)).toEqual(called);
});

test("sends no call that the guard would find too long, though its characters take several bytes", async () => {
  const file = join(folder, "wide.jsonl");
  const line = JSON.stringify({ sub: "ada", records: { x: "€".repeat(700_000) } });
  writeFileSync(file, `${line}\n${line}\n`);
  answer = { status: 200, body: '{"users":1,"sessions":0}' };
  expect(await backup(site, "restore", file)).toMatchObject({ status: 0 });
  expect(asked.map(({ body }) => Buffer.byteLength(body) < 4 << 20)).toEqual([true, true]);
});

test("sends the key nowhere in the clear and to no other place, and shows an answer without what steers a terminal", async () => {
  expect(await backup("http://members.example.com", "move")).toEqual({ status: 1, printed: expect.stringContaining("in the clear") as unknown });
  answer = { status: 302, headers: { location: "/elsewhere" }, body: "gone \u001b[2J\u009bA" };
  const { status, printed } = await backup(site, "move");
  expect([status, printed, asked.length]).toEqual([1, expect.stringContaining("was answered with 302: gone"), 1]);
  expect(printed).not.toMatch(/[\u001b\u009b]/);
});
