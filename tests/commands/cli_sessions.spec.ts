// `session-guard users`, `sessions`, `end`, `block` and `rights`, against a guard.

import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { ADMIN_API_KEY, call, type Called } from "../harness/cli.ts";
import { startCommand, useFolder } from "../harness/commands.ts";
import { bearer, loginInit, PHONE, useGuard } from "../harness/guard.ts";
import { startSite } from "../harness/site.ts";

const folder = useFolder();
const guard = useGuard({ ADMIN_API_KEY, SESSION_LIMIT: "0" });
const ask = (args: string[], called?: Called) => call([...args, "--url", guard.url], called);
const isLive = async ({ access_token }: { access_token: string }) => (await guard.fetch("/x", bearer(access_token))).status === 200;

beforeEach(async () => {
  await ask(["end", "--all", "--yes"]);
});

describe("users and sessions", () => {
  test("are listed for people and as JSON", async () => {
    await guard.login("ada");
    await guard.login("ada", PHONE);
    await guard.login("ben");
    await expect.poll(async () => (await ask(["users"])).out).toMatch(/^USER +SESSIONS +ADMIN\nada +2\nben +1\n$/);
    expect(await ask(["users", "--prefix", "b"])).toMatchObject({ status: 0, out: expect.stringMatching(/^USER.*\nben +1\n$/), err: "1 user, 1 session\n" });
    expect(JSON.parse((await ask(["users", "--json"])).out)).toEqual({ users: [{ sub: "ada", sessions: 2, admin: false }, { sub: "ben", sessions: 1, admin: false }] });
    const { out, err } = await ask(["sessions", "ada"]);
    expect(out).toMatch(/^SESSION +DEVICE .*\n\S{22} +\w+ .*\n\S{22} +mobile .*iPhone.*\n$/);
    expect(err).toBe("ada has 2 live sessions.\n");
    expect(JSON.parse((await ask(["sessions", "ada", "--json"])).out)).toMatchObject({ sub: "ada", sessions: [{}, { device: "mobile" }] });
    expect(await ask(["sessions", "nobody"])).toMatchObject({ status: 0, out: "", err: "nobody has no live session.\n" });
  });

  test("whatever name or device somebody has, it cannot steer the terminal", async () => {
    await guard.login("\u001b[2Jeve\u202e\n");
    await guard.fetch("/_auth/login", loginInit({ username: "mal" }, { "user-agent": "\u009b31mred" }));
    const { out } = await ask(["users"]);
    const both = out + (await ask(["sessions", "mal"])).out + (await ask(["end", "--all", "--dry-run"])).out;
    expect(both).toContain("\\u{1b}[2Jeve\\u{202e}\\u{a}");
    // eslint-disable-next-line no-control-regex
    expect(both).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
  });
});

describe("end", () => {
  test("ends one session, or all of a user's", async () => {
    const [first, second, other] = [await guard.login("ada"), await guard.login("ada"), await guard.login("ben")];
    expect(await ask(["end", "ada", first.session.sid, "no-such-session"])).toMatchObject({ status: 0, out: "1 session ended.\n", err: "ada has no live session no-such-session.\n" });
    expect([await isLive(first), await isLive(second)]).toEqual([false, true]);
    expect(await ask(["end", "ada", "--dry-run"])).toMatchObject({ status: 0, out: expect.stringMatching(/\nada +1\n$/), err: expect.stringContaining("Nothing has ended.") });
    expect(await ask(["end", "ada", "--json"])).toMatchObject({ status: 0, out: '{\n  "ended": 1,\n  "spared": 0\n}\n', err: "" });
    expect([await isLive(second), await isLive(other)]).toEqual([false, true]);
    expect(await ask(["end", "ada"])).toMatchObject({ status: 0, out: "There was no session to end.\n" });
  });

  test("ends by what sessions have in common, and first says what it would end", async () => {
    const [desk, phone] = [await guard.login("ada"), await guard.login("ben", PHONE)];
    expect(await ask(["end", "--device", "mobile", "--dry-run"])).toMatchObject({ status: 0, out: expect.stringMatching(/^USER +SESSIONS\nben +1\n$/) });
    expect(await ask(["end", "--device", "mobile", "--idle", "30d", "--yes"])).toMatchObject({ status: 0, out: "There was no session to end.\n" });
    expect(await ask(["end", "--created-before", "2026-01-01", "--yes"])).toMatchObject({ status: 0, out: "There was no session to end.\n" });
    expect(await isLive(phone)).toBe(true);
    expect(await ask(["end", "--device", "mobile", "--yes"])).toMatchObject({ status: 0, out: "1 session ended.\n" });
    expect([await isLive(desk), await isLive(phone)]).toEqual([true, false]);
  });

  test("asks a person first, who may decline", async () => {
    const session = await guard.login("ada");
    const typed = (answer: string): Called => ({ answers: [["End 1 session of 1 user?", answer]] });
    expect(await ask(["end", "--all"], typed("\n"))).toMatchObject({ status: 0, unanswered: 0, err: expect.stringContaining("Nothing has ended.") });
    expect(await ask(["end", "--all"], typed("\u0003"))).toMatchObject({ status: 2, unanswered: 0, err: expect.stringContaining("Nothing was done.") });
    expect(await isLive(session)).toBe(true);
    expect(await ask(["end", "--all"], typed("y\n"))).toMatchObject({ status: 0, out: "1 session ended.\n" });
    expect(await isLive(session)).toBe(false);
  });

  test("goes through all pages, and says how far it is on a terminal", async () => {
    const names = Array.from({ length: 45 }, (_, i) => `user-${i}`);
    for (const name of names) await guard.login(name);
    const list = join(folder, "users.txt");
    // More than the guard reads of one request.
    const strangers = Array.from({ length: 70 }, (_, i) => `${i}`.padEnd(1000, "x"));
    await writeFile(list, `${names.slice(0, 44).join("\n")}\n\n${strangers.join("\n")}\n`);
    await expect.poll(async () => (JSON.parse((await ask(["users", "--json"])).out) as { users: [] }).users).toHaveLength(45);
    const { out, err } = await ask(["end", "--users-from", list, "--yes"], { answers: [] });
    expect(out).toBe("44 sessions ended.\n");
    expect(err).toMatch(/\d+ sessions ended so far/);
    expect(await ask(["end", "--users-from", "-", "--yes"], { input: "user-44\n" })).toMatchObject({ out: "1 session ended.\n" });
  });

  test("a user named .. is no way to end everybody's sessions", async () => {
    const [other, named] = [await guard.login("ada"), await guard.login("..")];
    expect(await ask(["end", ".."])).toMatchObject({ status: 0, out: "1 session ended.\n" });
    expect([await isLive(other), await isLive(named)]).toEqual([true, false]);
    for (const args of [["block", ".."], ["sessions", "."], ["rights", "..", "--reset", "all"], ["end", "..", other.session.sid]]) expect(await ask(args)).toMatchObject({ status: 2, err: expect.stringContaining("cannot be named in a URL") });
    expect(await isLive(other)).toBe(true);
  });

  test.each<[string, string[], string]>([
    ["nothing at all", [], "Say whose sessions to end"],
    ["many users, where nobody can be asked", ["--idle", "30d"], "Look first with --dry-run, then say --yes."],
    ["everybody and a criterion", ["--all", "--idle", "30d", "--yes"], "--all stands alone"],
    ["a session and a criterion", ["ada", "sid", "--idle", "30d"], "take no other criterion"],
    ["a span that is none", ["--idle", "soon", "--yes"], "expected a duration like `15 minutes`"],
    ["a moment that is none", ["--created-before", "yesterday", "--yes"], "expected a moment like"],
    ["a class of devices that is none", ["--device", "fridge", "--yes"], "fridge"],
    ["an empty list", ["--users-from", "-", "--yes"], "names no user"],
  ])("ends nothing if it is given %s", async (_, args, message) => {
    const session = await guard.login("ada");
    const { status, err } = await ask(["end", ...args]);
    expect({ status, err }).toMatchObject({ status: 2, err: expect.stringContaining(message) });
    expect(await isLive(session)).toBe(true);
  });
});

describe("block and rights", () => {
  test("a blocked user is out until the block is lifted", async () => {
    const session = await guard.login("spammer");
    expect(await ask(["block", "spammer", "--for", "30d", "--reason", "ticket 4711"])).toMatchObject({ status: 0, out: expect.stringMatching(/^spammer is blocked until 20\d\d-.*; 1 session ended\.\n$/) });
    expect(await isLive(session)).toBe(false);
    expect((await guard.fetch("/_auth/login", loginInit({ username: "spammer" }))).status).toBe(403);
    expect((await ask(["sessions", "spammer"])).err).toContain("(ticket 4711)");
    expect(await ask(["unblock", "spammer"])).toMatchObject({ status: 0, out: "spammer can sign in again.\n" });
    expect(await ask(["unblock", "spammer"])).toMatchObject({ status: 0, out: "spammer was not blocked.\n" });
    await guard.login("spammer");
    expect(await ask(["block", "spammer", "--for", "1d", "--until", "2030-01-01T00:00:00Z"])).toMatchObject({ status: 2, err: expect.stringContaining("not both") });
  });

  test("rights are shown and changed", async () => {
    const { session } = await guard.login("ada");
    expect(await ask(["rights", "ada"])).toMatchObject({ status: 0, out: "ada: as the tokens say\n" });
    expect(await ask(["rights", "ada", "--roles", "member, crew", "--scopes", "", "--claim", "plan=free", "--claim", 'groups=["a"]', "--without-claim", "email"])).toMatchObject({
      status: 0,
      out: 'ada: roles member crew, scopes none, no claim email, claim groups ["a"], claim plan "free"\n',
    });
    expect((await ask(["rights", "ada", "--session", session.sid, "--roles", "guest"])).out).toContain(`session ${session.sid}: roles guest`);
    expect(JSON.parse((await ask(["rights", "ada", "--reset", "claims", "--reset", "roles", "--json"])).out)).toMatchObject({ rights: { scopes: [] }, sessions: [{ rights: { scopes: [] } }] });
    expect(await ask(["rights", "ada", "--reset", "all"])).toMatchObject({ status: 0, out: "ada: as the tokens say\n" });
  });

  test.each<[string[], string]>([
    [["--reset", "roles", "--roles", "x"], "exclude each other"],
    [["--reset", "all", "--roles", "x"], "takes no other change"],
    [["--reset", "everything"], "roles, scopes, claims or all"],
    [["--claim", "plan"], "NAME=VALUE"],
    [["--claim", "sub=eve"], "sub"],
    [["--session", "s"], "Say what to change"],
  ])("a change that is not clear is refused: %j", async (args, message) => {
    expect(await ask(["rights", "ada", ...args])).toMatchObject({ status: 2, err: expect.stringContaining(message) });
  });
});

describe("a guard that cannot be asked", () => {
  test("is told apart from one that refuses, and the key is never shown", async () => {
    await using site = await startSite((path) => (path.startsWith("/moved") ? 302 : 404));
    const cases: [string[], number, RegExp, Called?][] = [
      [["users", "--url", "http://127.0.0.1:9"], 3, /nothing listens there/],
      [["users", "--url", "https://no-such-host.invalid"], 3, /cannot be reached: (no such host|the host's address)/],
      [["users", "--url", site.url], 3, /No guard answers at .*\/_auth \(404/],
      [["users", "--url", `${site.url}/moved`], 3, /redirects to \/elsewhere/],
      [["users", "--url", `${guard.url}/other`], 3, /No guard answers|no|\(401|404/],
      [["users", "--url", "http://members.example.com"], 2, /in the clear/],
      [["users", "--url", "members.example.com?x=1"], 2, /no user name, query or fragment/],
      [["users", "--url", guard.url], 3, /does not know this ADMIN_API_KEY/, { env: { ADMIN_API_KEY: `${ADMIN_API_KEY}x` } }],
      [["users", "--url", "https://a.example"], 2, /ADMIN_API_KEY is missing/, { env: { ADMIN_API_KEY: "" } }],
      [["users", "--url", guard.url], 2, /characters that no key has/, { env: { ADMIN_API_KEY: "a b\r\nc" } }],
      [["users", "--url", guard.url, "--key-file", "/no/such/file"], 2, /cannot be read/],
      [["frobnicate"], 2, /unknown command/],
      [["end", "--url"], 2, /argument missing/],
      [["sessions"], 2, /missing required argument 'sub'/],
    ];
    for (const [args, status, says, called] of cases) {
      const ended = await call(args, called);
      expect({ args, ...ended }).toMatchObject({ status, out: "", err: expect.stringMatching(says) });
      expect(ended.err).not.toContain(ADMIN_API_KEY);
    }
  });

  test("the key may be in a file", async () => {
    const file = join(folder, "key");
    await writeFile(file, `${ADMIN_API_KEY}\n`);
    const users = () => call(["users", "--url", guard.url, "--key-file", file], { env: { ADMIN_API_KEY: "" } });
    expect(await users()).toMatchObject({ status: 0 });
    await writeFile(file, `SIGNING_KEYS='{"keys": []}'\nADMIN_API_KEY='${ADMIN_API_KEY}'\n`);
    expect(await users()).toMatchObject({ status: 0 });
    await writeFile(file, "SIGNING_KEYS='{\"keys\": [\"c2VjcmV0\"]}'\n");
    const refused = await users();
    expect(refused).toMatchObject({ status: 2, err: expect.stringContaining("characters that no key has") });
    expect(refused.err).not.toContain("c2VjcmV0");
  });
});

test("as a command of its own it takes what it needs from the environment, and ends quietly if its reader does", async () => {
  await guard.login("ada");
  const env = { SESSION_GUARD_URL: guard.url, ADMIN_API_KEY };
  const { child, printed } = startCommand(process.execPath, ["cli/main.js", "sessions", "ada", "--json"], env);
  const [status] = (await once(child, "close")) as [number];
  expect(status).toBe(0);
  expect(JSON.parse(printed.text)).toMatchObject({ sub: "ada" });
  const piped = startCommand("sh", ["-c", `"${process.execPath}" cli/main.js help end | true`], env);
  await once(piped.child, "close");
  expect(piped.printed.text).toBe("");
});
