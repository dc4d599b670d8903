// The hand-written guard with a Durable Object per user instead of Redis. As in the guard, the object stores the records in
// SQLite and caches them in memory.

import { DurableObject } from "cloudflare:workers";
import { refusal, refused } from "./common.js";
import { Timeouts, timeoutsOf } from "./timeouts.js";
import { Tokens, presentedToken, timeError } from "./tokens.js";

/** @type {Tokens | undefined} */
let tokens;
/** @type {ReturnType<typeof timeoutsOf>} */
let timeoutSettings;

/** @extends {DurableObject<unknown>} */
export class UserSessions extends DurableObject {
  /** @type {Map<string, string> | undefined} */
  #records;

  /**
   * Returns the record of a session as JSON.
   * @param {string} sid
   */
  check(sid) {
    return this.#all().get(sid) ?? "null";
  }

  /**
   * Stores a session.
   * @param {string} sid
   * @param {string} record
   */
  open(sid, record) {
    this.#all().set(sid, record);
    this.ctx.storage.sql.exec("INSERT OR REPLACE INTO session (sid, record) VALUES (?, ?)", sid, record);
  }

  #all() {
    if (this.#records !== undefined) return this.#records;
    const { sql } = this.ctx.storage;
    sql.exec("CREATE TABLE IF NOT EXISTS session (sid TEXT PRIMARY KEY, record TEXT NOT NULL)");
    const rows = sql.exec("SELECT sid, record FROM session").raw();
    this.#records = new Map(/** @type {Iterable<[string, string]>} */ (rows));
    return this.#records;
  }
}

export default {
  /**
   * @param {Request} request
   * @param {any} env
   */
  async fetch(request, env) {
    if (request.method === "PUT") return seed(request, env);
    if (tokens === undefined) [tokens, timeoutSettings] = [new Tokens(env), timeoutsOf(env)];
    const token = presentedToken(request.headers);
    if (token === undefined) return refused("token_missing");
    const verified = tokens.cached(token) ?? (await tokens.verify(token));
    if (verified === undefined) return refused("token_invalid");
    const now = Date.now();
    const { claims, identity } = verified;
    const outsideValidity = timeError(claims, now / 1000);
    if (outsideValidity !== undefined) return refused(outsideValidity);
    const timeouts = timeoutSettings && new Timeouts(timeoutSettings);
    try {
      /** @type {Promise<string>} */
      const pending = env.USER_SESSIONS.getByName(claims.sub).check(claims.sid);
      const record = await (timeouts?.store(pending) ?? pending);
      if (record !== verified.reply) {
        verified.session = JSON.parse(record);
        verified.reply = record;
      }
    } catch {
      return refused("store_unavailable", 503);
    }
    const reason = refusal(verified.session, claims, Date.now());
    if (reason !== undefined) return refused(reason);
    const { url, method, body } = request;
    const headers = verified.originHeaders.headers(url, request.headers, identity);
    const target = env.ORIGIN_URL + url.slice(url.indexOf("/", 8));
    if (timeoutSettings === undefined) return fetch(target, { method, headers, body, redirect: "manual" });
    const response = fetch(target, { method, headers, body, redirect: "manual", cf: timeoutSettings.cf });
    return timeouts?.origin(response) ?? response;
  },
};

/**
 * Stores the sessions of the bench's users.
 * @param {Request} request
 * @param {any} env
 */
async function seed(request, env) {
  /** @type {{ sub: string, sid: string, record: string }[]} */
  const users = await request.json();
  for (const { sub, sid, record } of users) await env.USER_SESSIONS.getByName(sub).open(sid, record);
  return new Response();
}
