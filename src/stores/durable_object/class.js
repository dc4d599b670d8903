// The class that the runtime makes of each Durable Object.

import { DurableObject } from "cloudflare:workers";
import * as guard from "../../../build/bindings/guard.js";
import { answer } from "./user_index.js";
import { accept, doubt, tell, tellExpired } from "./sockets.js";

/** @typedef {{ count: number, until: number, window: string }} Counter */
/** @typedef {{ answer: string, until: number }} Told an answer, and until when it is that, in milliseconds since the Unix epoch */

/**
 * One user's sessions. Commands and answers are JSON; see `store.rs` in the core.
 * @extends {DurableObject<unknown>}
 */
export class UserSessions extends DurableObject {
  /** @type {guard.SessionObject | undefined} */
  #sessions;
  #alarmIsSet = false;
  /**
   * The answers to checks since something was changed, and until when each is the answer.
   * @type {Map<string, Told>}
   */
  #told = new Map();

  /**
   * Checks a session. Mostly it was checked before, and nothing has changed since.
   * @param {string} before the command up to the present moment
   * @param {number} now milliseconds since the Unix epoch
   * @param {string} after what follows the moment
   * @returns {string | Promise<string>} its answer
   */
  check(before, now, after) {
    const told = this.#told.get(before);
    if (told !== undefined && now < told.until) return told.answer;
    const command = before + now + after;
    const unchanged = this.#alarmIsSet ? this.#unchanged(command) : undefined;
    if (unchanged === undefined) return this.apply(command);
    this.#told.set(before, unchanged);
    return unchanged.answer;
  }

  /**
   * Applies one command.
   * @param {string} command
   * @returns {string | Promise<string>} its answer
   */
  apply(command) {
    this.#told.clear();
    const answer = this.#step((sessions) => sessions.apply(command));
    if (this.#alarmIsSet) return answer;
    const moment = this.#sessions?.allForgotten();
    if (moment === undefined) return answer;
    return this.#setAlarm(moment).then(() => answer);
  }

  /**
   * Keeps a note. An object holds either one note or a user's sessions, by its name.
   * @param {string} text
   * @param {number} until milliseconds since the Unix epoch
   * @returns {Promise<string>}
   */
  async keep(text, until) {
    await this.ctx.storage.put("note", { text, until });
    await this.ctx.storage.setAlarm(until);
    return "";
  }

  /**
   * Keeps a note, if there is none whose time is not over. One synchronous step, so that of several that
   * race one is kept.
   * @param {string} text
   * @param {number} until milliseconds since the Unix epoch
   * @returns {Promise<boolean>} is it kept?
   */
  async keepNew(text, until) {
    if (this.#note() !== undefined) return false;
    this.ctx.storage.kv.put("note", { text, until });
    await this.ctx.storage.setAlarm(until);
    return true;
  }

  /**
   * Takes the note away, if it says this.
   * @param {string} text
   * @returns {string}
   */
  withdraw(text) {
    if (this.#note() === text) this.ctx.storage.kv.delete("note");
    return "";
  }

  /**
   * What the note says, if its time is not over.
   * @returns {string | null}
   */
  recall() {
    return this.#note() ?? null;
  }

  /** @returns {string | undefined} */
  #note() {
    /** @type {{ text: string, until: number } | undefined} */
    const note = this.ctx.storage.kv.get("note");
    return note !== undefined && Date.now() < note.until ? note.text : undefined;
  }

  /**
   * Counts once more, unless the window is full. A window begins with its first count. One synchronous
   * step, so that none is lost.
   * @param {number} most how many may pass
   * @param {number} span milliseconds
   * @param {string} window the name of a new window
   * @returns {Promise<string>} the count, this one included, the milliseconds until the window ends, and its name
   */
  async count(most, span, window) {
    const now = Date.now();
    const open = this.#counter(now);
    const counter = open ?? { count: 0, until: now + span, window };
    const count = counter.count + 1;
    if (count <= most) this.ctx.storage.kv.put("counter", { ...counter, count });
    if (open === undefined) await this.ctx.storage.setAlarm(counter.until);
    return `${count} ${counter.until - now} ${counter.window}`;
  }

  /**
   * Takes one count of a window back, if it is still open. One synchronous step, too.
   * @param {string} window its name
   * @returns {string}
   */
  takeBack(window) {
    const open = this.#counter(Date.now());
    if (open?.window === window && open.count > 0) this.ctx.storage.kv.put("counter", { ...open, count: open.count - 1 });
    return "";
  }

  /**
   * The counter, if its window is open.
   * @param {number} now milliseconds since the Unix epoch
   * @returns {Counter | undefined}
   */
  #counter(now) {
    /** @type {Counter | undefined} */
    const counter = this.ctx.storage.kv.get("counter");
    return counter !== undefined && now < counter.until ? counter : undefined;
  }

  /**
   * Asks the index of users, in the one object that holds it.
   * @param {string} question its words, as JSON
   * @returns {string}
   */
  index(question) {
    const { storage } = this.ctx;
    return storage.transactionSync(() => answer(storage.sql, JSON.parse(question)));
  }

  /**
   * Takes in a WebSocket that is to be told the end of a session.
   * @param {Request} request
   * @returns {Promise<Response>}
   */
  fetch(request) {
    return accept(this.ctx, request);
  }

  /**
   * Tells of ended sessions to those who listen for them.
   * @param {string} events a JSON list
   */
  tell(events) {
    tell(this.ctx, events);
  }

  /** Has the sessions of those who listen asked about: one may have ended without anybody knowing. */
  doubt() {
    return doubt(this.ctx);
  }

  /** Nothing is expected from those who listen; their pings are answered without waking anybody. */
  webSocketMessage() {}

  /**
   * A WebSocket that hibernates does not answer a close by itself.
   * @param {WebSocket} socket
   */
  webSocketClose(socket) {
    socket.close();
  }

  /**
   * Tells those whose sessions have ended by themselves, and forgets what need not be kept any
   * more; an empty object leaves nothing behind.
   */
  async alarm() {
    const now = Date.now();
    // A new window may have begun, or a new note been kept, while the alarm was on its way.
    for (const name of ["counter", "note"]) {
      /** @type {{ until: number } | undefined} */
      const kept = this.ctx.storage.kv.get(name);
      if (kept !== undefined && now < kept.until) return this.ctx.storage.setAlarm(kept.until);
    }
    const moments = await tellExpired(this.ctx, now, (user, sid) => guard.look(this.env, user, sid));
    this.#told.clear();
    this.#step((sessions) => sessions.forgetOld(now));
    const moment = this.#sessions?.allForgotten();
    if (moment !== undefined) moments.push(moment);
    if (moments.length > 0) return this.ctx.storage.setAlarm(Math.min(...moments));
    this.#sessions = undefined;
    this.#alarmIsSet = false;
    await this.ctx.storage.deleteAll();
  }

  /**
   * Sees to it that an alarm is set. It may ring while newer records are kept and is set anew
   * then, which costs less than moving it at every login.
   * @param {number} moment when the last record can be forgotten
   */
  async #setAlarm(moment) {
    const alarm = await this.ctx.storage.getAlarm();
    if (alarm === null) await this.ctx.storage.setAlarm(moment);
    this.#alarmIsSet = true;
  }

  /**
   * The answer to a check that changes nothing, and so needs no transaction. If memory fails, it is
   * read anew for the command.
   * @param {string} command
   * @returns {Told | undefined}
   */
  #unchanged(command) {
    try {
      const until = this.#sessions?.unchangedUntil(command);
      const answer = until === undefined ? undefined : this.#sessions?.apply(command);
      return until === undefined || answer === undefined ? undefined : { answer, until };
    } catch {
      this.#sessions = undefined;
      return undefined;
    }
  }

  /**
   * One atomic step. If it fails, storage is rolled back and memory is read anew: it may have been
   * memory that failed, so what was read from storage is tried once.
   * @template T
   * @param {(sessions: guard.SessionObject) => T} step
   * @returns {T}
   */
  #step(step) {
    const isRead = this.#sessions === undefined;
    try {
      return this.ctx.storage.transactionSync(() => {
        this.#sessions ??= new guard.SessionObject(this.ctx.storage.sql);
        return step(this.#sessions);
      });
    } catch (error) {
      this.#sessions = undefined;
      if (isRead) throw error;
      return this.#step(step);
    }
  }
}
