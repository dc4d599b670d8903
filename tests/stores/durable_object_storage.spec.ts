// What a Durable Object keeps: what earlier versions have written is read, and a step that fails leaves nothing behind.

import { mkdtemp, rm } from "node:fs/promises";
import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { answerOf, bearer, mint, startGuard, type Guard } from "../harness/guard.ts";

const build = fileURLToPath(new URL("../../build", import.meta.url));

/** The methods of an object that the tests call. */
interface Objects {
  apply(command: string): Promise<string>;
  getEntry(): Promise<string | null>;
  putEntryIfAbsent(text: string, until: number): Promise<boolean>;
  deleteEntryIfEqual(text: string): Promise<string>;
  count(most: number, span: number, window: string): Promise<string>;
  refund(window: string): Promise<string>;
  queryIndex(query: string): Promise<string>;
  alarmAt(): Promise<number | null>;
  failAt(place: string, times: number): Promise<void>;
  failAlarm(): Promise<void>;
}

/** The Worker with this script in place of its entry, and the objects in this folder, if they are to last. */
function startObjects(contents: string, persist?: string) {
  const miniflare = new Miniflare(convertV4MiniflareOptions({
    workers: [{
      name: "guard",
      modules: [
        { type: "ESModule", path: `${build}/objects.js`, contents },
        { type: "ESModule", path: `${build}/index.js`, contents: readFileSync(`${build}/index.js`, "utf8") },
        { type: "CompiledWasm", path: `${build}/guard_bg.wasm` },
      ],
      modulesRoot: build,
      compatibilityDate: "2026-10-20",
      durableObjects: { USER_SESSIONS: { className: "UserSessions", useSQLite: true } },
    }],
    ...(persist === undefined ? {} : { resourcePersistencePath: persist }),
  }));
  return { miniflare, object: (name: string) => objectOf(miniflare, name) };
}

async function objectOf(miniflare: Miniflare, name: string): Promise<Objects> {
  const objects = await miniflare.getDurableObjectNamespace("USER_SESSIONS");
  return objects.get(objects.idFromName(name)) as unknown as Objects;
}

const now = Date.now();
const HOUR = 3_600_000;

/** A record as it is stored. */
const record = (sid: string, more: object = {}) =>
  JSON.stringify({ sid, jti: `jti-of-${sid}`, created: now - 60_000, seen: now - 60_000, expires: now + HOUR, device: "desktop", ...more });

describe("what an earlier version has stored, by SQL and in the key-value storage, is read", () => {
  const WRITES = `
    import { DurableObject } from "cloudflare:workers";
    export class UserSessions extends DurableObject {
      alarm() {}
      async write(statements, values, alarm) {
        for (const [statement, ...bindings] of statements) this.ctx.storage.sql.exec(statement, ...bindings);
        for (const [key, value] of Object.entries(values)) await this.ctx.storage.put(key, value);
        await this.ctx.storage.setAlarm(alarm);
      }
    }
    export default {
      async fetch(request, env) {
        const [name, ...writes] = await request.json();
        await env.USER_SESSIONS.getByName(name).write(...writes);
        return new Response();
      },
    };`;
  const SESSIONS = "CREATE TABLE IF NOT EXISTS session (sid TEXT PRIMARY KEY, record TEXT NOT NULL)";
  const insert = (sid: string, more?: object): [string, ...unknown[]] => ["INSERT OR REPLACE INTO session (sid, record) VALUES (?, ?)", sid, record(sid, more)];
  const INDEX = `
    CREATE TABLE IF NOT EXISTS entry
      (user TEXT, sid TEXT, deadline INTEGER, PRIMARY KEY (user, sid)) WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS by_deadline ON entry (deadline);`;
  const entry = (user: string, sid: string, deadline: number): [string, ...unknown[]] => ["INSERT OR IGNORE INTO entry VALUES (?, ?, ?)", user, sid, deadline];

  let folder: string;
  let guard: Guard;
  let object: (name: string) => Promise<Objects>;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "session-guard-layout-"));
    const earlier = startObjects(WRITES, folder);
    const write = async (name: string, statements: [string, ...unknown[]][], values = {}, alarm = now + HOUR) => {
      const answer = await earlier.miniflare.dispatchFetch("http://objects/", { method: "POST", body: JSON.stringify([name, statements, values, alarm]) });
      expect(answer.status, await answer.text()).toBe(200);
    };
    const superseded = { ended: { why: "superseded", at: now - 1_000, by: "mobile" } };
    await write("user:ada", [[SESSIONS], insert("live"), insert("old", superseded)]);
    // A record is kept for a minute past its deadline: this one for some seconds more.
    await write("user:ben", [[SESSIONS], insert("gone", { expires: now - 57_000 })], {}, now + 3_000);
    await write("note:lasts", [], { note: { text: "kept", until: now + HOUR } });
    await write("note:over", [], { note: { text: "kept", until: now - 1 } });
    await write("count:open", [], { counter: { count: 2, until: now + HOUR, window: "w" } });
    await write("count:over", [], { counter: { count: 2, until: now - 1, window: "w" } });
    await write("index", [[INDEX], entry("YWRh", "live", now + HOUR), entry("YWRh", "old", now + HOUR), entry("YmVu", "gone", now + HOUR), entry("ZXZl", "over", now - 1)]);
    await earlier.miniflare.dispose();
    guard = await startGuard({}, { persist: folder, miniflare: true });
    object = (name) => objectOf(guard.miniflare!, name);
  });
  afterAll(async () => {
    await guard[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });

  // First, because a login is noted in the index.
  test("the index of users", async () => {
    const index = await object("index");
    const ask = (...words: string[]) => index.queryIndex(JSON.stringify([words[0], `${now}`, ...words.slice(1)]));
    expect(await ask("page", "", "2")).toBe("YWRh live old\nYmVu gone");
    expect([await ask("page", "", "1"), await ask("page", "YWRh", "9"), await ask("page", "YmVu", "9")]).toEqual(["YWRh live old", "YmVu gone", ""]);
    expect(await ask("record", "Y2xv:new", `${now + HOUR}`, "YWRh:old", "YmVu:gone")).toBe("");
    expect([await ask("page", "", "9"), await ask("count")]).toEqual(["Y2xv new\nYWRh live", "2 2"]);
  });

  test("sessions and tombstones", async () => {
    const visit = async (sid: string) => answerOf(guard.fetch("/", bearer(await mint({ sub: "ada", sid, jti: `jti-of-${sid}` }))));
    expect(await visit("live")).toMatchObject({ status: 200 });
    expect(await visit("old")).toMatchObject({ status: 401, body: { code: "session_superseded" } });
    expect(await visit("never")).toMatchObject({ status: 401, body: { code: "session_unknown" } });
    expect((await guard.login("ada")).ended.map(({ sid }) => sid)).toEqual(["live"]);
  });

  test("an alarm", async () => {
    const check = async () => JSON.parse(await (await object("user:ben")).apply(JSON.stringify({ check: { sid: "gone", idle_timeout: null, now } }))) as unknown;
    await expect.poll(check, { timeout: 10_000 }).toEqual({ found: null });
  });

  test("entries with a lifetime", async () => {
    const [lasts, over] = [await object("note:lasts"), await object("note:over")];
    expect([await lasts.getEntry(), await lasts.putEntryIfAbsent("new", now + HOUR)]).toEqual(["kept", false]);
    await lasts.deleteEntryIfEqual("another");
    expect(await lasts.getEntry()).toBe("kept");
    await lasts.deleteEntryIfEqual("kept");
    expect([await lasts.getEntry(), await over.getEntry(), await over.putEntryIfAbsent("new", now + HOUR)]).toEqual([null, null, true]);
  });

  test("counters", async () => {
    const [open, over] = [await object("count:open"), await object("count:over")];
    const count = async (counter: Objects) => (await counter.count(3, HOUR, "new")).replace(/ \d+ /, " … ");
    expect([await count(open), await count(open), await count(over)]).toEqual(["3 … w", "4 … w", "1 … new"]);
    await open.refund("another");
    expect(await count(open)).toBe("4 … w");
    await open.refund("w");
    expect(await count(open)).toBe("3 … w");
  });
});

describe("a step that fails leaves storage and memory as they were", () => {
  /** Fails behind the first record that a step writes: by an error of the storage, or in wasm, which panics. */
  const FAILS = `
    import guard, { UserSessions as Sessions } from "./index.js";
    let alarmFails = false;
    export class UserSessions extends Sessions {
      failAt(place, times) {
        const storage = Object.getPrototypeOf(this.ctx.storage.sql);
        const { exec } = storage;
        const { push } = Array.prototype;
        const fail = () => {
          times -= 1;
          if (times === 0) [storage.exec, Array.prototype.push] = [exec, push];
          throw new Error("a fault of the test's");
        };
        let isWritten = false;
        storage.exec = function (statement, ...bindings) {
          if (!statement.startsWith("INSERT")) return exec.call(this, statement, ...bindings);
          if (isWritten && place === "storage") fail();
          isWritten = true;
          if (place === "wasm") Array.prototype.push = fail;
          return exec.call(this, statement, ...bindings);
        };
      }
      alarmAt() {
        return this.ctx.storage.getAlarm();
      }
      failAlarm() {
        alarmFails = true;
      }
      alarm() {
        const { push } = Array.prototype;
        if (alarmFails) Array.prototype.push = () => {
          Array.prototype.push = push;
          throw new Error("a fault of the test's");
        };
        alarmFails = false;
        return super.alarm();
      }
    }
    export default guard;`;
  const { miniflare, object } = startObjects(FAILS);
  afterAll(() => miniflare.dispose());

  const open = (sid: string) => JSON.stringify({ open: { session: JSON.parse(record(sid)) as unknown, limit: { most: 1, evicts: true, reach: { secs: 3600, nanos: 0 } }, end: [], now } });
  const list = JSON.stringify({ list: { now } });
  const live = async (user: Objects) => (JSON.parse(await user.apply(list)) as { listed: { sid: string }[] }).listed.map(({ sid }) => sid);

  test("an error of the storage, once: the step is tried once more", async () => {
    const user = await object("user:once");
    await user.apply(open("first"));
    await user.failAt("storage", 1);
    expect(JSON.parse(await user.apply(open("second")))).toMatchObject({ ended: [{ sid: "first" }] });
    expect(await live(user)).toEqual(["second"]);
  });

  test.each([["an error of the storage, twice", "storage", 2], ["a panic in wasm", "wasm", 1]])("%s: the step fails, and the next one finds what was before", async (_, place, times) => {
    const user = await object(`user:${place}`);
    await user.apply(open("first"));
    await user.failAt(place, times);
    await expect(user.apply(open("second"))).rejects.toThrow();
    expect(await live(user)).toEqual(["first"]);
    expect(JSON.parse(await user.apply(open("third")))).toMatchObject({ ended: [{ sid: "first" }] });
    expect(await live(user)).toEqual(["third"]);
    expect(await user.alarmAt()).toBeGreaterThan(now);
  });

  test("an alarm that panics rings again", async () => {
    const user = await object("user:alarm");
    const session = JSON.parse(record("brief", { expires: Date.now() - 58_000 })) as unknown;
    await user.apply(JSON.stringify({ open: { session, limit: null, end: [], now: now - 60_000 } }));
    await user.failAlarm();
    const check = async () => JSON.parse(await user.apply(JSON.stringify({ check: { sid: "brief", idle_timeout: null, now } }))) as unknown;
    expect(await check()).toMatchObject({ found: { sid: "brief" } });
    await expect.poll(check, { timeout: 25_000 }).toEqual({ found: null });
  });
});

describe("what keeps a provider's sessions out", () => {
  const SHOWS = `
    import guard, { UserSessions as Sessions } from "./index.js";
    export class UserSessions extends Sessions {
      rows() {
        const { sql } = this.ctx.storage;
        const tables = sql.exec("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\\\_%' ESCAPE '\\\\' ORDER BY name").toArray();
        return Object.fromEntries(tables.map(({ name }) => [name, sql.exec("SELECT count(*) AS n FROM " + name).one().n]));
      }
      alarmAt() {
        return this.ctx.storage.getAlarm();
      }
    }
    export default guard;`;
  interface Shown extends Objects {
    rows(): Promise<Record<string, number>>;
  }
  const FAR = 99_999_999_999_999;
  const YEAR = 365 * 24 * HOUR;

  let folder: string;
  let objects: ReturnType<typeof startObjects>;
  const start = () => (objects = startObjects(SHOWS, folder));
  const user = async (name: string) => (await objects.object(`user:${name}`)) as Shown;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "session-guard-denials-"));
    start();
  });
  afterAll(async () => {
    await objects.miniflare.dispose();
    await rm(folder, { recursive: true });
  });

  const apply = async (object: Objects, command: object) => JSON.parse(await object.apply(JSON.stringify(command))) as Record<string, unknown>;
  const admit = (sid: string, at = now, more: object = {}) => ({
    admit: { session: { sid, jti: "", created: at, seen: at, expires: at + YEAR, idle_expires: at + HOUR, device: "desktop", deny_until: FAR, ...more }, limit: null, authenticated: at, idle_timeout: { secs: 3600, nanos: 0 }, now: at },
  });
  const end = (which: unknown, at = now, more: object = {}) => ({ end: { which, ending: { why: "revoked", at }, ...more } });
  const revoked = { denied: { ended: { why: "revoked", at: now } } };

  test("is stored only when there is something to store", async () => {
    const object = await user("plain");
    expect(await apply(object, admit("a"))).toMatchObject({ admitted: { session: { sid: "a" }, ended: [] } });
    expect(await apply(object, admit("a", now + 1))).toMatchObject({ found: { sid: "a", created: now } });
    expect(await apply(object, end("all"))).toMatchObject({ ends: { now: [{ sid: "a" }] } });
    expect(await object.rows()).toEqual({ session: 1 });
    expect(await apply(object, { user: { now } })).toEqual({ user: { record: {}, live: [], ended: [expect.objectContaining({ sid: "a" })] } });
  });

  test("outlives a restart: denials, the end of all, blocks and rights", async () => {
    const before = await user("ada");
    await apply(before, end({ one: "gone" }, now, { unseen: { sid: "gone", deny_until: FAR } }));
    await apply(before, end("all", now, { admits_unseen: true }));
    await apply(before, { set_rights: { whose: "user", change: { roles: [], claims: { a: [] } }, now } });
    await apply(await user("ben"), { block: { block: { reason: "fraud", at: now }, now } });
    await objects.miniflare.dispose();
    start();
    const after = await user("ada");
    expect(await apply(after, admit("gone", now + 1))).toEqual(revoked);
    expect(await apply(after, admit("old", now))).toEqual(revoked);
    expect(await apply(after, admit("new", now + 1))).toMatchObject({ admitted: { session: { sid: "new", rights: '{"roles":[],"claims":{"a":[]}}' } } });
    expect(await apply(await user("ben"), admit("new", now + 1))).toEqual({ blocked: { reason: "fraud", at: now } });
    expect(await after.rows()).toEqual({ denial: 1, session: 1, user_record: 1 });
    // Of what has no end, the alarm is a year away, because the object is not empty.
    const alarm = (await (await user("ben")).alarmAt()) ?? 0;
    expect([alarm > now + YEAR - HOUR, alarm < now + YEAR + HOUR]).toEqual([true, true]);
  });

  test("an alarm replaces a session by its denial, and deletes what is over, with all that is stored", async () => {
    const object = await user("brief");
    const began = Date.now() - 60_000;
    // The record is kept for a minute past its deadline: for one second more. Its tokens can come for three.
    await apply(object, admit("brief", began, { idle_expires: began + 1_000, deny_until: began + 63_000 }));
    await expect.poll(() => object.rows(), { timeout: 20_000 }).toEqual({ denial: 1, session: 0, user_record: 1 });
    expect(await apply(object, admit("brief", began + 62_000))).toEqual({ denied: { expired: { at: began + 1_000 } } });
    await expect.poll(() => object.rows(), { timeout: 20_000 }).toEqual({});
  });

  test("may be a thousand denials, which cost a check of a live session nothing, and others little", async () => {
    const object = await user("many");
    const names = Array.from({ length: 1_000 }, (_, i) => `s${i}`);
    for (const sid of names) await apply(object, end({ one: sid }, now, { unseen: { sid, deny_until: FAR } }));
    await apply(object, admit("live", now + 1));
    expect(await object.rows()).toEqual({ denial: 1_000, session: 1, user_record: 1 });
    const written = { check: { sid: "live", idle_timeout: null, now: now + 2 } };
    expect(await apply(object, written)).toMatchObject({ found: { sid: "live" } });
    const started = performance.now();
    for (const sid of names.slice(0, 100)) expect(await apply(object, admit(sid, now + 2))).toEqual(revoked);
    expect((performance.now() - started) / 100, "milliseconds for one who is kept out").toBeLessThan(20);
    await objects.miniflare.dispose();
    start();
    const again = performance.now();
    expect(await apply(await user("many"), admit("s999", now + 2))).toEqual(revoked);
    expect(performance.now() - again, "milliseconds to start and to read all").toBeLessThan(5_000);
  });
});
