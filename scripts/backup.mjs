// `npm run backup -- save FILE`, `restore FILE` or `move`: saves all that a guard's store has, restores it, or moves all
// users to the new store (docs/moving-stores.md). The guard is at `--url` or SESSION_GUARD_URL, and ADMIN_API_KEY is in
// the environment. A backup holds private data of your users: FILE is readable for you alone.

import { open, readFile, rename, rm } from "node:fs/promises";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";

/** How much a call of `restore` sends at most: users, and bytes. The guard takes 4 MiB. */
const MOST_USERS = 40;
const MOST_BYTES = 4_000_000;

/** What the guard has refused, or a file that is none. */
export class BackupError extends Error {}

/** The URL of the admin API of a guard, which is named by its site or by its endpoints, as for `session-guard`. */
function adminUrl(text) {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) throw new BackupError(`${text} is no URL of a guard, like https://example.com or https://example.com/_auth`);
  const isLocal = /^(localhost|.*\.localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname);
  if (url.protocol === "http:" && !isLocal) throw new BackupError(`the key and the records would travel to ${url.host} in the clear: use https`);
  const path = url.pathname.replace(/\/+$/, "");
  return `${url.origin}${path === "" ? "/_auth" : path}/admin/`;
}

/** A text of others, which cannot steer the terminal. */
const shown = (text) => text.replace(/[\p{Cc}\p{Cf}]/gu, " ");

/** Calls the admin API of the guard at this URL. */
export function adminOf({ url, key, fetch = globalThis.fetch }) {
  const base = adminUrl(url);
  return async (method, path, body) => {
    const response = await fetch(base + path, { method, body, redirect: "manual", headers: { authorization: `Bearer ${key}` } }).catch((error) => {
      throw new BackupError(`the guard at ${url} cannot be reached: ${error.cause?.message ?? error.message}`);
    });
    const text = await response.text();
    if (response.status !== 200) throw new BackupError(`${method} admin/${path.split("?")[0]} was answered with ${response.status}: ${shown(text.slice(0, 300))}`);
    return text;
  };
}

const query = (limit, cursor) => `?limit=${limit}${cursor === undefined ? "" : `&cursor=${encodeURIComponent(cursor)}`}`;

/** Saves all users to a file, which takes the place of an old one only when it is whole. */
export async function save(admin, file, { limit = 20, progress = () => {} } = {}) {
  const part = `${file}.part`;
  // Whoever could read what an interrupted run has left could read this.
  await rm(part, { force: true });
  const handle = await open(part, "wx", 0o600);
  const subs = new Set();
  try {
    for (let cursor; ; ) {
      const lines = (await admin("GET", `export${query(limit, cursor)}`)).split("\n").filter((line) => line !== "");
      cursor = undefined;
      for (const line of lines) {
        const read = JSON.parse(line);
        if (read.cursor !== undefined) cursor = read.cursor;
        // A user may be in both indexes of the store.
        if (read.sub === undefined || subs.has(read.sub)) continue;
        subs.add(read.sub);
        await handle.write(`${line}\n`);
      }
      progress(subs.size);
      if (cursor === undefined) break;
    }
    await handle.sync();
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
  await rename(part, file);
  return { users: subs.size };
}

/** Restores a file. Sessions that have ended since stay ended, so it can be repeated. */
export async function restore(admin, file, { progress = () => {} } = {}) {
  const lines = (await readFile(file, "utf8")).split("\n").filter((line) => line !== "");
  const total = { users: 0, sessions: 0 };
  for (let next = 0; next < lines.length; ) {
    const start = next;
    let length = 0;
    while (next < lines.length && next - start < MOST_USERS && (next === start || length + Buffer.byteLength(lines[next]) < MOST_BYTES)) {
      length += Buffer.byteLength(lines[next]) + 1;
      next += 1;
    }
    const { users, sessions } = JSON.parse(await admin("POST", "import", lines.slice(start, next).join("\n")));
    total.users += users;
    total.sessions += sessions;
    progress(total.users);
  }
  return total;
}

/** Moves all users that the old store knows. */
export async function move(admin, { limit = 20, progress = () => {} } = {}) {
  const total = { users: 0, moved: 0, sessions: 0 };
  for (let cursor; ; ) {
    const page = JSON.parse(await admin("POST", `move${query(limit, cursor)}`));
    for (const name of Object.keys(total)) total[name] += page[name];
    progress(total.users);
    cursor = page.cursor;
    if (cursor === undefined) return total;
  }
}

async function main(args, env) {
  const { values, positionals } = parseArgs({ args, allowPositionals: true, options: { url: { type: "string" }, limit: { type: "string" } } });
  const [what, file, ...more] = positionals;
  const needsFile = what === "save" || what === "restore";
  if (!(needsFile ? file !== undefined : what === "move" && file === undefined) || more.length > 0) throw new BackupError("usage: npm run backup -- save FILE | restore FILE | move [--url URL] [--limit USERS]");
  const url = values.url ?? env.SESSION_GUARD_URL;
  const key = env.ADMIN_API_KEY;
  if (url === undefined) throw new BackupError("pass --url or set SESSION_GUARD_URL to the guard, like https://example.com");
  if (key === undefined) throw new BackupError("set ADMIN_API_KEY to the guard's admin API key");
  const limit = Number(values.limit ?? 20);
  const progress = (users) => {
    if (process.stderr.isTTY) process.stderr.write(`\r${users} users`);
  };
  const options = { limit, progress };
  const admin = adminOf({ url, key });
  const done = what === "save" ? await save(admin, file, options) : what === "restore" ? await restore(admin, file, options) : await move(admin, options);
  if (process.stderr.isTTY) process.stderr.write("\r");
  if (what === "save") return `Saved ${done.users} users.`;
  if (what === "restore") return `Restored ${done.users} users with ${done.sessions} sessions.`;
  return `Looked at ${done.users} users and moved ${done.moved} of them, with ${done.sessions} sessions.`;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    console.log(await main(process.argv.slice(2), process.env));
  } catch (error) {
    console.error(`error: ${error.message}`);
    process.exitCode = 1;
  }
}
