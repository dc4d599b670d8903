// `session-guard token explain` and `tail`, with a guard's tokens and log.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { WORDS } from "../../cli/tail/words.js";
import { ADMIN_API_KEY, call } from "../harness/cli.ts";
import { startCommand, stopCommand, useFolder } from "../harness/commands.ts";
import { page, rows } from "../harness/docs.ts";
import { AUDIENCE, bearer, formInit, ISSUER, KEY, mint, PHONE, useGuard, type LoggedIn } from "../harness/guard.ts";
import { startSite } from "../harness/site.ts";

const folder = useFolder();
const guard = useGuard({ ADMIN_API_KEY, ROUTES: JSON.stringify([{ path: "/reports/*", access: "session", roles: ["crew"] }]) });

describe("token explain", () => {
  const explain = (token: string, ...args: string[]) => call(["token", "explain", ...args], { input: token });
  const byGuard = (token: string) => explain(token, "--url", guard.url);

  test("says what a token claims and that its session is live, and shows no secret", async () => {
    const { access_token, session } = await guard.login("ada");
    for (const given of [access_token, `Authorization: Bearer ${access_token}\n`, `Cookie: a=b; __Host-session=${access_token}; c=d`]) {
      const { status, out } = await byGuard(given);
      expect({ status, out }).toMatchObject({ status: 0, out: expect.stringMatching(/ {2}alg +HS256\n[^]* {2}sub +ada\n[^]* {2}sid +\S{22}\n[^]* {2}exp +20\d\d-\S+Z, in \d+ days\n[^]*\nAccepted\. Its session is live: signed in /) });
      expect(out).toContain(session.sid);
      expect(out).not.toContain(access_token.split(".")[2]);
    }
    expect(JSON.parse((await explain(access_token, "--url", guard.url, "--json")).out)).toMatchObject({ header: { alg: "HS256" }, claims: { sub: "ada" }, accepted: true, session: { sid: session.sid } });
  });

  test("does not count as use of the session", async () => {
    const { access_token } = await guard.login("ada");
    const seen = async () => ((await (await guard.fetch("/_auth/session", { headers: { ...bearer(access_token).headers, "x-guard-touch": "false" } })).json()) as { last_seen_at: string }).last_seen_at;
    const before = await seen();
    await byGuard(access_token);
    expect(await seen()).toBe(before);
  });

  test("says why a token is refused", async () => {
    const { access_token } = await guard.login("ada");
    await call(["end", "ada", "--url", guard.url]);
    expect(await byGuard(access_token)).toMatchObject({ status: 1, out: expect.stringContaining("Refused: session_revoked.") });
    expect(await byGuard(await mint({ exp: 1_700_000_000 }))).toMatchObject({ status: 1, out: expect.stringMatching(/exp +2023-11-14T22:13:20Z, [\d,]+ days ago\n[^]*Refused: token_expired\./) });
    expect(await byGuard(await mint({ note: "private", sub: "\u001b[2J" }))).toMatchObject({ status: 1, out: expect.stringMatching(/sub +\\u\{1b\}\[2J\n[^]*and +note \(--claims shows them\)\n[^]*Refused: session_unknown\./) });
  });

  test("does not call a token refused that no guard has looked at", async () => {
    const { access_token } = await guard.login("unseen");
    expect(await explain(access_token, "--url", `${guard.url}/_auth/elsewhere`)).toMatchObject({ status: 3, err: expect.stringContaining("(404 not_found)") });
  });

  test("goes by the settings if no guard is asked, and then knows nothing of the session", { timeout: 120_000 }, async () => {
    const config = join(folder, "settings.toml");
    await writeFile(config, `name = "t"\ncompatibility_date = "2026-10-20"\n[vars]\nISSUER = "${ISSUER}"\nAUDIENCE = "${AUDIENCE}"\n[[durable_objects.bindings]]\nname = "USER_SESSIONS"\nclass_name = "UserSessions"\n`);
    const bySettings = (token: string, env: Record<string, string>) => call(["token", "explain", "--config", config], { input: token, env });
    const SIGNING_KEYS = JSON.stringify({ keys: [KEY] });
    expect(await bySettings(await mint({}), { SIGNING_KEYS })).toMatchObject({ status: 0, out: expect.stringContaining("accepted, if its session is live") });
    expect(await bySettings(await mint({ aud: "others" }), { SIGNING_KEYS })).toMatchObject({ status: 1, out: expect.stringContaining("error: token: ") });
    expect(await bySettings(await mint({}), {})).toMatchObject({ status: 3, err: expect.stringContaining("SIGNING_KEYS is a secret that this machine does not have") });
  });

  test("tells what could not be found out from what is refused", async () => {
    await using site = await startSite(() => 404);
    const good = await mint({});
    const cases: [string, string[], number, RegExp][] = [
      ["", [], 2, /no JWT/],
      ["not a token", [], 2, /no JWT/],
      ["aaaa.bbbb.cccc", [], 2, /not JSON in base64url/],
      ["eyJhbGciOiJkaXIifQ..aaaa.bbbb.cccc", [], 2, /encrypted|no JWT/],
      [`${Buffer.from("[]").toString("base64url")}.${Buffer.from("null").toString("base64url")}.x`, [], 2, /not JSON/],
      [good, ["--url", "http://127.0.0.1:9"], 3, /cannot be reached/],
      [good, ["--url", site.url], 3, /No guard answers/],
      [good, ["--url", "http://members.example.com"], 2, /in the clear/],
      [good, ["--file", "/no/such/file"], 2, /no such file/],
    ];
    for (const [token, args, status, says] of cases) {
      const ended = await explain(token, ...args);
      expect({ token, args, ...ended }).toMatchObject({ status, err: expect.stringMatching(says) });
    }
  });
});

describe("tail", () => {
  let ada: LoggedIn;
  let lines: string[];
  beforeAll(async () => {
    guard.log.length = 0;
    ada = await guard.login("ada");
    await guard.fetch("/boats", bearer(ada.access_token));
    await guard.fetch("/reports/42?secret=1", bearer(ada.access_token));
    await guard.fetch("/_auth/login", formInit({ username: "ada", password: "wrong" }));
    await guard.login("ada", PHONE);
    await guard.fetch("/boats", bearer(ada.access_token));
    await vi.waitUntil(() => guard.log.join("\n").includes("session_superseded"));
    lines = [...guard.log, '{"level":"error","code":"store_unavailable","cause":"Redis: \\u001b[31mOOM"}', '{"level":"warn","code":"index_not_written","cause":"late"}', "some other line", '{"level":"info","message":"of another program"}', "{"];
  });
  const tail = (args: string[] = [], text = lines.join("\n")) => call(["tail", "-", ...args], { input: text, env: { SIGNING_KEYS: JSON.stringify({ keys: [KEY] }) } });

  test("says in words what happened", async () => {
    const { status, out } = await tail();
    expect(status).toBe(0);
    expect(out).toMatch(/^answered POST login 200$/m);
    expect(out).toMatch(/^passed +GET \/\* 200 {2}user [0-9a-f]{32}, store \d+ ms, origin \d+ ms$/m);
    expect(out).toMatch(/^refused +GET \/reports\/\* 403 — lacks a role or scope \(access_denied\) .*$/m);
    expect(out).toMatch(/^refused +GET \/\* 401 — a newer login took the session's place \(session_superseded\) .*$/m);
    expect(out).toMatch(/a newer login took a session's place \(session\.superseded\): user [0-9a-f]{32}, session [0-9a-f]{32}, device \w+, by mobile$/m);
    expect(out).toContain("FAILURE  the session store did not answer (store_unavailable): Redis: \\u{1b}[31mOOM\n");
    expect(out).toContain("warning  the index of users is behind (index_not_written): late\n");
    expect(out).not.toMatch(/another program|other line|\?/);
  });

  test("shows only what is asked for", { timeout: 120_000 }, async () => {
    expect((await tail(["--code", "access_denied"])).out).toMatch(/^refused +GET \/reports\/\* 403[^\n]*\n$/);
    expect((await tail(["--path", "/reports/*"])).out).toMatch(/^refused +GET \/reports\/\* 403[^\n]*\n$/);
    expect((await tail(["--status", "4xx", "--path", "/\\*"])).out).toBe("");
    expect((await tail(["--status", "401", "--path", "/*", "--code", "session_superseded"])).out).toMatch(/^refused +GET \/\* 401[^\n]*\n$/);
    expect((await tail(["--problems"])).out.split("\n").filter((line) => !/^(refused|answered .*401|FAILURE|warning)|^$/.test(line))).toEqual([]);
    const ofAda = await tail(["--user", "ada", "--code", "session_superseded"]);
    expect(ofAda.out).toMatch(/session_superseded/);
    expect((await tail(["--user", "ben"])).out).toBe("");
    const [, hash = ""] = /user ([0-9a-f]{32})/.exec(ofAda.out) ?? [];
    expect((await tail(["--user", hash, "--code", "session_superseded"])).out).toBe(ofAda.out);
    expect(await tail(["--code", "session_superceded"])).toMatchObject({ status: 2, err: expect.stringContaining("There is no code session_superceded.") });
    expect(await tail(["--status", "4"])).toMatchObject({ status: 2 });
  });

  test("counts, for people and as JSON", async () => {
    expect((await tail(["--count", "--problems"])).out).toMatch(/^COUNT +CODE +MEANS\n(\d+ .*\n)+/);
    expect(JSON.parse((await tail(["--count", "--json"])).out)).toMatchObject({ access_denied: 1, session_superseded: 1, store_unavailable: 1, "session.superseded": 1 });
  });

  test("reads what wrangler and Logpush write, with the path, the time, and what the platform says", async () => {
    const superseded = lines.find((line) => line.includes('"session_superseded"'));
    const event = { outcome: "ok", eventTimestamp: 1_795_273_445_000, event: { request: { url: "https://members.example.com/boats/7?token=secret", method: "GET" }, response: { status: 401 } }, exceptions: [], logs: [{ message: [superseded], level: "log", timestamp: 1_795_273_445_000 }] };
    const killed = { ...event, outcome: "exceededCpu", logs: [] };
    const thrown = { ...event, outcome: "exception", logs: [], exceptions: [{ name: "Error", message: "boom", timestamp: 1 }] };
    const logpush = { Outcome: "ok", EventTimestampMs: 1_795_273_445_000, Event: { Request: { URL: "https://members.example.com/boats/7" } }, Logs: [{ Level: "log", Message: [superseded], TimestampMs: 1_795_273_445_000 }], Exceptions: [] };
    const expected = /^2026-11-21 15:04:05 refused +GET \/boats\/7 401 — .*$/;
    for (const text of [JSON.stringify(event), JSON.stringify(event, null, 4), JSON.stringify([event], null, 2), JSON.stringify(logpush), `Nov 21 host workerd[7]: ${superseded}`]) {
      const { out } = await tail([], text);
      expect(out.trim()).toMatch(text.startsWith("Nov") ? /^refused +GET \/\* 401/ : expected);
      expect(out).not.toContain("secret");
    }
    expect((await tail([], JSON.stringify(killed, null, 2))).out).toContain("FAILURE  took more CPU time than allowed (exceededCpu) at /boats/7");
    expect((await tail([], JSON.stringify(thrown))).out).toContain("FAILURE  the Worker threw (uncaught_exception) at /boats/7: Error: boom");
    const [line] = (await tail(["--json", "--path", "/boats/*"], JSON.stringify(event, null, 2))).out.trim().split("\n");
    expect(JSON.parse(line ?? "")).toMatchObject({ time: "2026-11-21T15:04:05.000Z", kind: "request", path: "/boats/7", code: "session_superseded", status: 401 });
  });

  test("shows a line as soon as it comes", async () => {
    const { child, printed } = startCommand(process.execPath, ["cli/main.js", "tail", "-"]);
    try {
      child.stdin?.write(`${lines.find((line) => line.includes("access_denied"))}\n`);
      await expect.poll(() => printed.text, { timeout: 10_000 }).toContain("access_denied");
    } finally {
      await stopCommand(child);
    }
  });

  test("has words for every code that the documentation has", () => {
    const codes = ["docs/refusals.md", "docs/events.md", "docs/logs.md"].flatMap((path) => rows(page(path)).map(({ name }) => name));
    const isCode = (name: string) => /^[a-z]+(_[a-z]+)+$|^(session|token)\.|^misconfigured$/.test(name) && !/_(ms|id)$/.test(name);
    expect(codes.filter(isCode).length).toBeGreaterThan(40);
    expect(codes.filter((name) => isCode(name) && !WORDS.has(name))).toEqual([]);
  });
});
