// Modules that stand around the built Worker and make a part of the runtime fail, or be there.

import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

/**
 * What befalls an object at a command: it is reset `before` or `after` it applies it, throws, is said to be
 * overloaded, or is held, and applies it when it is released.
 */
export type Fault = "before" | "after" | "throw" | "overloaded" | "hold";

/** What a fake stub does when a command is applied. */
export interface StubBehaviour {
  hangs?: boolean;
  throws?: string;
  rejects?: string;
  /** Of the error that it rejects with. */
  properties?: object;
  answer?: string;
}

/** How many fake stubs were made, and how many commands they got. */
export interface StubCounts {
  stubs: number;
  asked: number;
}

/** Hands the Worker a dataset of the Analytics Engine's shape; Miniflare's own keeps nothing. */
export const WITH_ANALYTICS = {
  type: "ESModule" as const,
  path: `${root}/build/with-analytics.js`,
  contents: `
    import guard from "./index.js";
    export { UserSessions } from "./index.js";
    const ANALYTICS = { writeDataPoint: (point) => console.log(JSON.stringify({ point })) };
    export default { fetch: (request, env) => guard.fetch(request, { ...env, ANALYTICS }) };`,
};

/** Has the clock throw into whoever asks it, which a part in wasm does not survive, or a header into whoever sets it. */
export const WITH_FAULTS = {
  type: "ESModule" as const,
  path: `${root}/build/with-faults.js`,
  contents: `
    import guard from "./index.js";
    export { UserSessions } from "./index.js";
    /** Has calls fail after as many as it returns is set to. */
    function failing(holder, name) {
      const call = holder[name];
      const left = { calls: Infinity };
      holder[name] = function (...args) {
        left.calls -= 1;
        if (left.calls >= 0) return call.apply(this, args);
        left.calls = Infinity;
        throw new Error("a fault of the test's");
      };
      return left;
    }
    const clock = failing(Date, "now");
    const headers = failing(Headers.prototype, "set");
    export default {
      fetch(request, env) {
        clock.calls = Number(request.headers.get("x-fault") ?? Infinity);
        headers.calls = Number(request.headers.get("x-fault-set") ?? Infinity);
        return guard.fetch(request, env);
      },
    };`,
};

/** Has a user's object fail at one of the next commands. */
export const WITH_FAULTY_OBJECTS = {
  type: "ESModule" as const,
  path: `${root}/build/with-faulty-objects.js`,
  contents: `
    import guard, { UserSessions as Sessions } from "./index.js";
    let fault = { times: 0 };
    let held = false;
    export class UserSessions extends Sessions {
      check(...words) {
        return this.#meet("check", () => super.check(...words));
      }
      apply(command) {
        const [name] = command.startsWith("{") ? Object.keys(JSON.parse(command)) : [command];
        return this.#meet(name, () => super.apply(command));
      }
      fetch(request) {
        return this.#meet("listen", () => super.fetch(request));
      }
      async notifyEnded(events) {
        return this.#meet("notifyEnded", () => super.notifyEnded(events));
      }
      async #meet(command, apply) {
        if (fault.command !== command || fault.times === 0) return apply();
        fault.times -= 1;
        switch (fault.how) {
          case "throw":
            throw new Error("a fault of the test's");
          case "overloaded":
            throw Object.assign(new Error("a fault of the test's"), { overloaded: true, retryable: true });
          case "before":
            return this.ctx.abort("a reset of the test's");
          case "after":
            await apply();
            await this.ctx.storage.sync();
            return this.ctx.abort("a reset of the test's");
          case "hold":
            while (held) await scheduler.wait(20);
            return apply();
        }
      }
    }
    export default {
      fetch(request, env) {
        const [, test, what, command, how, times] = new URL(request.url).pathname.split("/");
        if (test !== "test") return guard.fetch(request, env);
        held = what === "fault" && how === "hold";
        if (what === "fault") fault = { command, how, times: Number(times) };
        return new Response();
      },
    };`,
};

/** Has the clock go ahead, also for the Durable Objects. */
export const WITH_CLOCK = {
  type: "ESModule" as const,
  path: `${root}/build/with-clock.js`,
  contents: `
    import guard from "./index.js";
    export { UserSessions } from "./index.js";
    const now = Date.now.bind(Date);
    let ahead = 0;
    Date.now = () => now() + ahead;
    export default {
      fetch(request, env) {
        ahead = Number(request.headers.get("x-clock") ?? ahead);
        return guard.fetch(request, env);
      },
    };`,
};

/** Hands the guard a namespace whose stubs answer commands themselves. It has the name by which a binding is known. */
export const WITH_FAKE_OBJECTS = {
  type: "ESModule" as const,
  path: `${root}/build/with-fake-objects.js`,
  contents: `
    import guard from "./index.js";
    export { UserSessions } from "./index.js";
    let how = {};
    let counts = { stubs: 0, asked: 0 };
    function apply() {
      counts.asked += 1;
      if (how.hangs) return new Promise(() => {});
      if (how.throws !== undefined) throw new Error(how.throws);
      if (how.rejects !== undefined) return Promise.reject(Object.assign(new Error(how.rejects), how.properties));
      return Promise.resolve(how.answer);
    }
    class DurableObjectNamespace {
      getByName() {
        counts.stubs += 1;
        return { apply, queryIndex: apply };
      }
    }
    export default {
      async fetch(request, env) {
        if (new URL(request.url).pathname !== "/test/stubs") return guard.fetch(request, { ...env, USER_SESSIONS: new DurableObjectNamespace() });
        const before = counts;
        how = await request.json();
        counts = { stubs: 0, asked: 0 };
        return Response.json(before);
      },
    };`,
};
