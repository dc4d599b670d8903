// Repeats single platform calls, to measure the cost of one (`bench/calls.mjs`).

import { DurableObject } from "cloudflare:workers";

/** @extends {DurableObject<unknown>} */
export class UserSessions extends DurableObject {
  /** @param {string} sid */
  check(sid) {
    return sid;
  }
}

const NAMES = ["accept", "accept-encoding", "accept-language", "authorization", "host", "user-agent"];

/** The objects that the calls use, made once. */
class Fixture {
  url = "http://origin.test/boats";
  headers = new Headers(NAMES.map((name) => [name, `the value of ${name}`]));
  cf = { cacheTtlByStatus: { "100-599": -1 } };
  last = "";

  /** @param {any} env */
  constructor(env) {
    this.objects = env.USER_SESSIONS;
    this.id = this.objects.idFromName("m-001");
    this.store = `${env.UPSTASH_REDIS_REST_URL}/hget/m-001/the-session`;
  }
}

/** Calls that are awaited. @type {Record<string, (fixture: Fixture) => PromiseLike<unknown>>} */
const awaited = {
  fetch: ({ store }) => fetch(store).then((reply) => reply.text()),
  object: ({ objects }) => objects.getByName("m-001").check("the-session"),
};

/** @type {Record<string, (fixture: Fixture) => unknown>} */
const calls = {
  nothing: () => undefined,
  name: ({ objects }) => objects.getByName("m-001"),
  id: ({ objects, id }) => objects.get(id),
  copy: ({ headers }) => new Headers(headers),
  each: (fixture) => fixture.headers.forEach((value) => (fixture.last = value)),
  has: ({ headers }) => headers.has("x-guard-login"),
  get: ({ headers }) => headers.get("user-agent"),
  response: () => new Response(null),
  responseHeaders: () => new Response(null).headers,
  request: ({ url, headers }) => new Request(url, { headers }),
  requestPastCache: ({ url, headers, cf }) => new Request(url, { headers, cf }),
  timer: () => setTimeout(() => {}, 30_000),
  promise: () => new Promise((resolve) => resolve(undefined)),
};

/** Synchronous calls between two pauses, in which the runtime can collect garbage. */
const AT_ONCE = 1000;

export default {
  /**
   * `/CALL/COUNT` makes a call COUNT times.
   * @param {Request} request
   * @param {any} env
   */
  async fetch(request, env) {
    const [, name = "", count] = new URL(request.url).pathname.split("/");
    const [wait, call] = [awaited[name], calls[name]];
    if (wait === undefined && call === undefined) return new Response(null, { status: 404 });
    const fixture = new Fixture(env);
    for (let made = 0; made < Number(count); made += 1) {
      if (wait !== undefined) await wait(fixture);
      else call?.(fixture);
      if (made % AT_ONCE === 0) await null;
    }
    return new Response();
  },
};
