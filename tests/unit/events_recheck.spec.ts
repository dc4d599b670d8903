// How a user's Durable Object rechecks sessions that may have ended unseen. Its clock is simulated: it takes a
// minute.

import { beforeAll, expect, test } from "vitest";

interface Listeners {
  doubt(ctx: unknown): Promise<void>;
  tellExpired(ctx: unknown, now: number, look: (user: string, sid: string) => Promise<number | string>): Promise<number[]>;
}

let listeners: Listeners;
beforeAll(async () => {
  // By a path that the compiler does not follow: the module is typed for the Workers runtime.
  const { href } = new URL("../../src/stores/durable_object/sockets.js", import.meta.url);
  listeners = (await import(href)) as Listeners;
});

/** An object with one WebSocket, whose session may end by itself in an hour. */
function withSocket(until: number) {
  let kept: unknown = { user: "ada", until };
  const said: unknown[] = [];
  const socket = {
    readyState: WebSocket.OPEN as number,
    serializeAttachment: (value: unknown) => (kept = structuredClone(value)),
    deserializeAttachment: () => structuredClone(kept),
    send: (text: string) => said.push(text),
    close: (...how: unknown[]) => {
      socket.readyState = WebSocket.CLOSED;
      said.push(how);
    },
  };
  const storage = { setAlarm: () => Promise.resolve() };
  return { said, ctx: { getWebSockets: () => [socket], getTags: () => ["sid"], storage } };
}

const HOUR = 3_600_000;
const START = 1_790_000_000_000;
const EVENT = JSON.stringify({ type: "session.revoked", data: {} });

/** Rings as the object's alarm would, and says when the session was looked at, in seconds. */
async function ring(ctx: unknown, look: (seconds: number) => number | string | undefined, until: number) {
  const looks: number[] = [];
  let now = START;
  while (now < until) {
    const at = (now - START) / 1000;
    const moments = await listeners.tellExpired(ctx, now, async () => {
      looks.push(at);
      const outcome = look(at);
      if (outcome === undefined) throw new Error("the store is away");
      return outcome;
    });
    now = Math.max(now + 1, Math.min(...moments, Infinity));
  }
  return looks;
}

test("a session in doubt is checked for a minute, and then left alone until it may expire", async () => {
  const { ctx, said } = withSocket(START + HOUR);
  await listeners.doubt(ctx);
  expect(await ring(ctx, () => START + HOUR, START + HOUR)).toEqual([0, 10, 20, 30, 40, 50]);
  expect(said).toEqual([]);
});

test("an end that the store applies late is reported at the next check", async () => {
  const { ctx, said } = withSocket(START + HOUR);
  await listeners.doubt(ctx);
  expect(await ring(ctx, (seconds) => (seconds < 35 ? START + HOUR : EVENT), START + HOUR)).toEqual([0, 10, 20, 30, 40]);
  expect(said).toEqual([EVENT, [4001, "session_revoked"]]);
});

test("while the store is down the session stays in doubt", async () => {
  const { ctx, said } = withSocket(START + HOUR);
  await listeners.doubt(ctx);
  const looks = await ring(ctx, (seconds) => (seconds < 200 ? undefined : EVENT), START + HOUR);
  expect([looks.at(-1), said]).toEqual([200, [EVENT, [4001, "session_revoked"]]]);
});

test("a session without doubt is checked when it may expire, and no sooner", async () => {
  const { ctx } = withSocket(START + 50_000);
  expect(await ring(ctx, (seconds) => START + (seconds < 60 ? 90_000 : 2 * HOUR), START + HOUR)).toEqual([50, 90]);
});
