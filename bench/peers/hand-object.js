// The hand-written guard with a Durable Object per user in place of Redis. The object keeps the
// records in memory while it lives, and in SQLite always, as the guard's does.

import { DurableObject } from "cloudflare:workers";
import { refusal, refused } from "./common.js";
import { Limits, limitsOf } from "./limits.js";
import { Tokens, sent, untimely } from "./tokens.js";

/** @type {Tokens | undefined} */
let tokens;
/** @type {ReturnType<typeof limitsOf>} */
let limited;

/** @extends {DurableObject<unknown>} */
export class UserSessions extends DurableObject {
  /** @type {Map<string, string> | undefined} */
  #records;

  /**
   * The record of a session, as JSON.
   * @param {string} sid
   */
  check(sid) {
    return this.#all().get(sid) ?? "null";
  }

  /**
   * Keeps a session.
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
    if (tokens === undefined) [tokens, limited] = [new Tokens(env), limitsOf(env)];
    const token = sent(request.headers);
    if (token === undefined) return refused("token_missing");
    const genuine = tokens.recall(token) ?? (await tokens.verify(token));
    if (genuine === undefined) return refused("token_invalid");
    const now = Date.now();
    const { claims, identity } = genuine;
    const early = untimely(claims, now / 1000);
    if (early !== undefined) return refused(early);
    const limits = limited && new Limits(limited);
    try {
      /** @type {Promise<string>} */
      const asked = env.USER_SESSIONS.getByName(claims.sub).check(claims.sid);
      const record = await (limits?.store(asked) ?? asked);
      if (record !== genuine.reply) {
        genuine.session = JSON.parse(record);
        genuine.reply = record;
      }
    } catch {
      return refused("store_unavailable", 503);
    }
    const why = refusal(genuine.session, claims, Date.now());
    if (why !== undefined) return refused(why);
    const { url, method, body } = request;
    const headers = genuine.onward.headers(url, request.headers, identity);
    const there = env.ORIGIN_URL + url.slice(url.indexOf("/", 8));
    if (limited === undefined) return fetch(there, { method, headers, body, redirect: "manual" });
    const answer = fetch(there, { method, headers, body, redirect: "manual", cf: limited.cf });
    return limits?.origin(answer) ?? answer;
  },
};

/**
 * Begins the sessions of the bench's users.
 * @param {Request} request
 * @param {any} env
 */
async function seed(request, env) {
  /** @type {{ sub: string, sid: string, record: string }[]} */
  const users = await request.json();
  for (const { sub, sid, record } of users) await env.USER_SESSIONS.getByName(sub).open(sid, record);
  return new Response();
}
