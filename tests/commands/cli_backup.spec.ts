// `session-guard backup`, `restore` and `move`: what they send, and what is left if they fail. What the guard makes of it:
// tests/stores/moving_stores.spec.ts.

import { once } from "node:events";
import { chmodSync, lstatSync, mkdtempSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, expect, test } from "vitest";
import { ADMIN_API_KEY, call, type Called } from "../harness/cli.ts";
import { startCommand, useFolder } from "../harness/commands.ts";
import { bearer, startGuard, useGuard } from "../harness/guard.ts";

const parent = useFolder();
const newFolder = () => mkdtempSync(join(parent, "backup-"));
const guard = useGuard({ ADMIN_API_KEY, SESSION_LIMIT: "0" });
const ask = (args: string[], called?: Called, url = guard.url) => call([...args, "--url", url], called);
const isLive = async ({ access_token }: { access_token: string }, at = guard) => (await at.fetch("/x", bearer(access_token))).status === 200;
const lineOf = (sub: string, records: object = {}) => `${JSON.stringify({ sub, records })}\n`;

interface Answer {
  status?: number;
  headers?: Record<string, string>;
  body: string;
}

/** What answers as an admin API does, and keeps what it was asked. */
async function startApi(answer: (path: string, body: string) => Answer | undefined) {
  const asked: { path: string; body: string }[] = [];
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    void text(request).then((body) => {
      const path = `${request.method} ${request.url}`;
      asked.push({ path, body });
      const said = answer(path, body) ?? (path.endsWith("/admin/stats") ? { body: '{"users":0,"sessions":0}' } : undefined);
      // Without an answer, the caller waits.
      if (said) response.writeHead(said.status ?? 200, { "content-type": path.includes("/export") ? "application/jsonl" : "application/json", ...said.headers }).end(said.body);
    });
  });
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

describe("backup and restore", () => {
  test("bring back whoever was signed in, whatever characters the name has, and can be repeated", async () => {
    const [ada, odd] = [await guard.login("ada"), await guard.login("line\u2028end")];
    await expect.poll(async () => (await ask(["users"])).err).toContain("2 users");
    const file = join(newFolder(), "saved.jsonl");
    expect(await ask(["backup", file, "--limit", "1"])).toMatchObject({ status: 0, out: "Saved 2 users with 2 sessions, live or ended.\n", err: "" });
    expect(readFileSync(file, "utf8")).toContain("line\u2028end");
    expect(statSync(file).mode & 0o777).toBe(0o600);

    await using empty = await startGuard({ ADMIN_API_KEY, SESSION_LIMIT: "0" });
    expect(await isLive(odd, empty)).toBe(false);
    const restored = await ask(["restore", file, "--yes"], {}, empty.url);
    expect(restored).toMatchObject({ status: 0, out: "Restored 2 users with 2 sessions, live or ended.\n", err: expect.stringContaining("may be live again") });
    expect([await isLive(ada, empty), await isLive(odd, empty)]).toEqual([true, true]);
    expect(JSON.parse((await ask(["restore", file, "--yes", "--json", "--limit", "1"], {}, empty.url)).out)).toEqual({ users: 2, sessions: 2 });
  });

  test("say as JSON what they have done, and on a terminal how far they are", async () => {
    await guard.login("ada");
    const file = join(newFolder(), "saved.jsonl");
    const saved = await ask(["backup", file, "--json"], { answers: [] });
    expect(JSON.parse(saved.out)).toMatchObject({ file, users: expect.any(Number) as number, sessions: expect.any(Number) as number });
    expect(saved.err).toMatch(/\d+ users? saved so far/);
    expect((await ask(["restore", file, "--yes"], { answers: [] })).err).toMatch(/\d+ users? of \d+ restored/);
  });
});

describe("backup", () => {
  test("replaces no file unless it is told to, and what it writes only its owner can read", async () => {
    const file = join(newFolder(), "saved.jsonl");
    writeFileSync(file, "an old backup");
    chmodSync(file, 0o644);
    await using api = await startApi(() => ({ body: lineOf("ada") }));
    expect(await ask(["backup", file], {}, api.url)).toMatchObject({ status: 2, err: expect.stringContaining("--force") });
    expect([readFileSync(file, "utf8"), api.asked]).toEqual(["an old backup", []]);
    expect(await ask(["backup", file, "--force"], {}, api.url)).toMatchObject({ status: 0 });
    expect([readFileSync(file, "utf8"), statSync(file).mode & 0o777]).toEqual([lineOf("ada"), 0o600]);
  });

  test("replaces what a link leads to, and two at once do not mix", async () => {
    const folder = newFolder();
    const [file, link] = [join(folder, "saved.jsonl"), join(folder, "latest.jsonl")];
    writeFileSync(file, "an old backup");
    symlinkSync(file, link);
    const users = Array.from({ length: 50 }, (_, i) => lineOf(`user-${i}`));
    await using api = await startApi((path) => {
      const at = Number(/cursor=(\d+)/.exec(path)?.[1] ?? 0);
      return { body: `${users[at]}${at < 49 ? `{"cursor":"${at + 1}"}\n` : ""}` };
    });
    const both = await Promise.all([1, 2].map(() => ask(["backup", link, "--force"], {}, api.url)));
    expect(both.map(({ status }) => status)).toEqual([0, 0]);
    expect([readFileSync(file, "utf8"), lstatSync(link).isSymbolicLink()]).toEqual([users.join(""), true]);
  });

  test.each<[string, Answer, RegExp]>([
    ["fails on the second page", { status: 503, headers: { "content-type": "application/problem+json" }, body: '{"code":"store_unavailable","title":"Away","detail":"Try again."}' }, /store_unavailable/],
    ["sends what is no JSON", { body: "<html>" }, /no JSON/],
    ["sends a page twice", { body: '{"cursor":"a"}\n' }, /did not say how to go on/],
  ])("leaves the old file and no half of a new one if the guard %s", async (_, second, says) => {
    const folder = newFolder();
    const file = join(folder, "saved.jsonl");
    writeFileSync(file, "an old backup");
    await using api = await startApi((path) => (path.includes("cursor") ? second : { body: `${lineOf("ada")}{"cursor":"a"}\n` }));
    expect(await ask(["backup", file, "--force"], {}, api.url)).toMatchObject({ status: 3, out: "", err: expect.stringMatching(says) });
    expect([readdirSync(folder), readFileSync(file, "utf8")]).toEqual([["saved.jsonl"], "an old backup"]);
  });

  test.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)("leaves nothing readable while it runs, and nothing at all if %s ends it", async (signal) => {
    const folder = newFolder();
    await using api = await startApi((path) => (path.includes("cursor") ? undefined : { body: `${lineOf("ada")}{"cursor":"a"}\n` }));
    const { child } = startCommand(process.execPath, ["cli/main.js", "backup", join(folder, "saved.jsonl")], { SESSION_GUARD_URL: api.url, ADMIN_API_KEY });
    const ended = once(child, "exit");
    await expect.poll(() => api.asked.length, { timeout: 20_000 }).toBe(2);
    const [part = ""] = readdirSync(folder);
    expect([part, statSync(join(folder, part)).mode & 0o777]).toEqual([expect.stringMatching(/^saved\.jsonl\..+\.part$/), 0o600]);
    child.kill(signal);
    expect([await ended, readdirSync(folder)]).toEqual([[null, signal], []]);
  });

  test("of a guard that keeps nothing takes no good backup's place", async () => {
    const file = join(newFolder(), "saved.jsonl");
    await using api = await startApi((path) => ({ body: path.includes("cursor") ? "" : '{"cursor":"kept."}\n' }));
    expect(await ask(["backup", file], {}, api.url)).toMatchObject({ status: 0, out: "Saved 0 users with 0 sessions, live or ended.\n" });
    writeFileSync(file, "an old backup");
    expect(await ask(["backup", file, "--force"], {}, api.url)).toMatchObject({ status: 3, err: expect.stringContaining("stays as it was") });
    expect(readFileSync(file, "utf8")).toBe("an old backup");
  });

  test("says where it cannot write before it asks the guard", async () => {
    await using api = await startApi(() => ({ body: "" }));
    expect(await ask(["backup", join(parent, "no-such-folder/saved.jsonl")], {}, api.url)).toMatchObject({ status: 2, err: expect.stringContaining("no such file or folder") });
    for (const other of [parent, "/dev/null"]) expect(await ask(["backup", other, "--force"], {}, api.url)).toMatchObject({ status: 2, err: expect.stringContaining("is no file that can be replaced") });
    expect(api.asked).toEqual([]);
  });
});

describe("restore", () => {
  const fileOf = (content: string) => {
    const file = join(newFolder(), "saved.jsonl");
    writeFileSync(file, content);
    return file;
  };

  test.each<[string, string, string]>([
    ["was cut off", `${lineOf("ada")}\n${lineOf("secret-name").slice(0, -4)}`, "Line 3 of "],
    ["is another file", "name,session\nada,1\n", "Line 1 of "],
    ["has a line that names no user", `${lineOf("ada")}{"records":{}}\n`, "Line 2 of "],
    ["is empty", "\n", "has no user"],
  ])("sends nothing if the file %s, and shows nothing of it", async (_, content, says) => {
    await using api = await startApi(() => ({ body: '{"users":1,"sessions":0}' }));
    const { status, err } = await ask(["restore", fileOf(content), "--yes"], {}, api.url);
    expect([status, err, api.asked]).toEqual([2, expect.stringContaining(says), []]);
    expect(err).not.toMatch(/secret-name|name,session/);
  });

  test("says to which guard, and what this has now, before it restores: a person may decline, and --dry-run changes nothing", async () => {
    const session = { sid: "c2Vzc2lvbi1ndWFyZC0wMQ", jti: "j", created: Date.now(), seen: Date.now(), expires: Date.now() + 60_000, device: "other" };
    const file = fileOf(lineOf("stranger", { sessions: [session] }));
    await using other = await startGuard({ ADMIN_API_KEY });
    const sessionsOf = async () => (await ask(["sessions", "stranger"], {}, other.url)).err;
    const typed = (answer: string): Called => ({ answers: [["Restore 1 user with 1 session, live or ended?", answer]] });
    expect(await ask(["restore", file], {}, other.url)).toMatchObject({ status: 2, err: expect.stringContaining("--dry-run, then say --yes") });
    expect(await ask(["restore", file, "--dry-run"], {}, other.url)).toMatchObject({ status: 0, out: "", err: "1 user with 1 session, live or ended, would be restored to a guard that has 0 users with 0 live sessions. Nothing was restored.\n" });
    expect(JSON.parse((await ask(["restore", file, "--dry-run", "--json"], {}, other.url)).out)).toEqual({ would_restore: { users: 1, sessions: 1 }, has_now: { users: 0, sessions: 0 } });
    const declined = await ask(["restore", file], typed("\n"), other.url);
    expect(declined).toMatchObject({ status: 0, unanswered: 0, err: expect.stringContaining("Nothing was restored.") });
    expect(declined.err).toContain(`${other.url} has 0 users with 0 live sessions now.`);
    expect(await sessionsOf()).toBe("stranger has no live session.\n");
    expect(await ask(["restore", file], typed("y\n"), other.url)).toMatchObject({ status: 0, out: "Restored 1 user with 1 session, live or ended.\n" });
    expect(await sessionsOf()).toBe("stranger has 1 live session.\n");
  });

  test("that stops half-way says how far it came, at which lines, and that it can be repeated", async () => {
    const file = fileOf(["a", "b", "c"].map((sub) => lineOf(sub)).join(""));
    await using api = await startApi((path, body) => (path.includes("import") ? (body.includes('"c"') ? { status: 503, headers: { "content-type": "application/problem+json" }, body: '{"code":"store_unavailable","title":"Away","detail":""}' } : { body: '{"users":2,"sessions":0}' }) : undefined));
    expect(await ask(["restore", file, "--yes", "--limit", "2"], {}, api.url)).toMatchObject({ status: 3, out: "", err: expect.stringMatching(/^2 users restored before this happened, at lines 3 to 3 of .*saved\.jsonl; the guard counts from the first of these\. Run the command again to go on\.\nerror: .*store_unavailable/) });
  });

  test("of a newer guard's backup is refused by line, and says that something was restored", async () => {
    const file = fileOf([lineOf("ada"), lineOf("ben"), lineOf("cid", { of_tomorrow: 1 })].join(""));
    expect(await ask(["restore", file, "--yes", "--limit", "2"])).toMatchObject({ status: 3, out: "", err: expect.stringMatching(/^2 users restored before this happened, at lines 3 to 3 [^]*error: .*Line 1 is not one of a backup/) });
    expect(await ask(["restore", file, "--yes"])).toMatchObject({ status: 2, err: expect.stringMatching(/^0 users restored [^]*error: .*Line 3 is not/) });
  });

  test("sends no call that the guard would find too long, in users or in bytes", async () => {
    const file = fileOf([...[1, 2].map((i) => lineOf(`wide-${i}`, { x: "€".repeat(700_000) })), ...Array.from({ length: 7 }, (_, i) => lineOf(`${i}`))].join(""));
    await using api = await startApi((path) => (path.includes("import") ? { body: '{"users":1,"sessions":0}' } : undefined));
    expect(await ask(["restore", file, "--yes", "--limit", "4"], {}, api.url)).toMatchObject({ status: 0 });
    const sent = api.asked.filter(({ path }) => path.includes("import")).map(({ body }) => body);
    expect(sent.map((body) => body.split("\n").length)).toEqual([1, 4, 4]);
    expect(sent.map((body) => Buffer.byteLength(body) < 4 << 20)).toEqual([true, true, true]);
  });
});

test("a call that fails for a moment is made again, by all of them", async () => {
  const failing = new Set(["export?limit=20&cursor", "import", "move?limit=20&cursor"]);
  await using api = await startApi((path) => {
    const [once] = [...failing].filter((name) => path.includes(`/admin/${name}`));
    if (once !== undefined && failing.delete(once)) return { status: 503, headers: { "content-type": "text/html" }, body: "busy" };
    if (path.includes("/export")) return { body: `${lineOf(path.includes("cursor") ? "ben" : "ada")}${path.includes("cursor") ? "" : '{"cursor":"a"}\n'}` };
    if (path.includes("/move")) return { body: path.includes("cursor") ? '{"users":1,"moved":0,"sessions":0}' : '{"users":1,"moved":0,"sessions":0,"cursor":"a"}' };
    return path.includes("/import") ? { body: '{"users":2,"sessions":0}' } : undefined;
  });
  const file = join(newFolder(), "saved.jsonl");
  expect(await ask(["backup", file], {}, api.url)).toMatchObject({ status: 0, out: "Saved 2 users with 0 sessions, live or ended.\n" });
  expect(readFileSync(file, "utf8")).toBe(lineOf("ada") + lineOf("ben"));
  expect(await ask(["restore", file, "--yes"], {}, api.url)).toMatchObject({ status: 0, out: "Restored 2 users with 0 sessions, live or ended.\n" });
  expect(await ask(["move"], {}, api.url)).toMatchObject({ status: 0, out: "Looked at 2 users and moved 0 of them, with 0 sessions.\n" });
  expect([...failing]).toEqual([]);
  expect(api.asked).toHaveLength(9);
});

test("move goes through all pages, finds the guard with its AUTH_PATH, and says whether to run it again", async () => {
  await using api = await startApi((path) => ({ body: path.includes("cursor") ? '{"users":1,"moved":0,"sessions":0}' : '{"users":3,"moved":2,"sessions":4,"cursor":"kept."}' }));
  expect(await ask(["move", "--limit", "3"], {}, `${api.url}/guard/`)).toMatchObject({ status: 0, out: "Looked at 4 users and moved 2 of them, with 4 sessions.\n", err: "Run it again, until it moves none.\n" });
  expect(api.asked.map(({ path }) => path)).toEqual(["POST /guard/admin/move?limit=3", "POST /guard/admin/move?limit=3&cursor=kept."]);
  expect(await ask(["move"])).toMatchObject({ status: 2, err: expect.stringContaining("SESSION_STORE_BEFORE") });
});

test("none of them sends the key in the clear or elsewhere, or takes a limit that the guard does not", async () => {
  await using api = await startApi(() => ({ status: 302, headers: { location: "/elsewhere" }, body: "gone" }));
  const file = join(newFolder(), "saved.jsonl");
  writeFileSync(file, lineOf("ada"));
  for (const args of [["backup", `${file}.new`], ["restore", file, "--yes"], ["move"]]) {
    api.asked.length = 0;
    expect(await ask(args, {}, "http://members.example.com"), args[0]).toMatchObject({ status: 2, err: expect.stringContaining("in the clear") });
    expect(await ask(args, {}, api.url), args[0]).toMatchObject({ status: 3, err: expect.stringContaining("redirects to /elsewhere") });
    expect(api.asked).toHaveLength(1);
    for (const limit of ["0", "41", "many"]) expect(await ask([...args, "--limit", limit], {}, api.url), args[0]).toMatchObject({ status: 2, err: expect.stringContaining("from 1 to 40") });
  }
  expect(readdirSync(join(file, ".."))).toEqual(["saved.jsonl"]);
});
