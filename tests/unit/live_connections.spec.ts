// How streaming responses are watched when their session cannot be checked.

import { describe, expect, test } from "vitest";

/** The parts of a request context that matter here. Its timer fires when the test says so. */
function makeContext(url = "https://app.example/page", method = "GET") {
  const context = { url, method, session: "sid user", fire: () => undefined as unknown, timer: { start: (_: number, onTimeout: () => unknown) => (context.fire = onTimeout) } };
  return context;
}

interface Module {
  configureWatching(hasObjects: boolean): void;
  closeWithSession(response: Response, context: object, watchSession: () => Promise<unknown>, waitUntil: (end: Promise<unknown>) => void): Response;
}

/** The module, by a path that the compiler does not follow: it is typed for the Workers runtime. */
async function load(): Promise<Module> {
  const module = (await import(new URL("../../src/proxy/close_with_session.js", import.meta.url).href)) as Module;
  Object.assign(globalThis, { IdentityTransformStream: TransformStream });
  module.configureWatching(true);
  return module;
}

const endless = () => new ReadableStream({ start: (controller) => controller.enqueue(new TextEncoder().encode("data: 1\n\n")) });

test("after a restart of the user's Durable Object, listening again reports what ended meanwhile", async () => {
  const { closeWithSession } = await load();
  const socket = Object.assign(new EventTarget(), {
    accept: () => queueMicrotask(() => socket.dispatchEvent(Object.assign(new Event("close"), { code: 1006, reason: "" }))),
    close: () => undefined,
  });
  const told: unknown[] = [{ webSocket: socket }, { webSocket: socket }, "session_revoked"];
  const context = makeContext();
  const tied = closeWithSession(new Response(endless()), context, () => Promise.resolve(told.shift()), () => undefined);
  context.fire();
  await expect(tied.text()).rejects.toThrow("The session is over.");
  expect(told).toEqual([]);
});

test("a body that has already ended causes no check", async () => {
  const { closeWithSession } = await load();
  const context = makeContext();
  let asked = 0;
  const tied = closeWithSession(new Response(new Blob(["whole"]).stream()), context, () => Promise.resolve((asked += 1)), () => undefined);
  expect(await tied.text()).toBe("whole");
  await new Promise((resume) => setTimeout(resume));
  context.fire();
  await new Promise((resume) => setTimeout(resume));
  expect(asked).toBe(0);
});

describe("an address whose answers have ended at once is believed", () => {
  const html = { headers: { "content-type": "text/html" } };

  /** Asks so often, and says which answers were passed on untouched. */
  async function ask(url: string, times: number, init: ResponseInit = html, method = "GET", end: (tied: Response) => Promise<unknown> = (tied) => tied.text()) {
    const { closeWithSession } = await load();
    const untouched: boolean[] = [];
    for (let time = 0; time < times; time += 1) {
      const answer = new Response(new Blob(["whole"]).stream(), init);
      const ends: Promise<unknown>[] = [];
      const tied = closeWithSession(answer, makeContext(url, method), () => Promise.resolve("session_revoked"), (it) => ends.push(it));
      untouched.push(tied === answer);
      await end(tied);
      await Promise.all(ends);
    }
    return untouched;
  }
  const count = (all: boolean[]) => all.filter((it) => it).length;

  test("not before sixteen have, beside the first, and never in one of thirty-two", async () => {
    const untouched = await ask("https://app.example/a", 17 + 64);
    expect(count(untouched.slice(0, 17))).toBe(0);
    expect(count(untouched.slice(17))).toBe(62);
  });

  test("but not when one has gone on", async () => {
    const { closeWithSession } = await load();
    await ask("https://app.example/b", 17);
    const context = makeContext("https://app.example/b");
    let tied = new Response();
    // One of thirty-two is looked after, and the timer of the last one fires.
    for (let time = 0; time < 32; time += 1) tied = closeWithSession(new Response(endless(), html), context, () => Promise.resolve("session_revoked"), () => undefined);
    context.fire();
    await tied.body?.cancel().catch(() => {});
    expect(count(await ask("https://app.example/b", 64))).toBe(0);
  });

  test("but not for another media type, nor by what clients have left", async () => {
    expect(count(await ask("https://app.example/c", 32))).toBeGreaterThan(0);
    expect(count(await ask("https://app.example/c", 32, { headers: { "content-type": "application/json" } }))).toBe(0);
    expect(count(await ask("https://app.example/d", 64, html, "GET", async (tied) => tied.body?.cancel()))).toBe(0);
  });

  test("but not for one that says it is a stream", async () => {
    const stream = { headers: { ...html.headers, "x-accel-buffering": "no" } };
    expect(count(await ask("https://app.example/stream", 64, stream))).toBe(0);
    expect(count(await ask("https://app.example/page", 32))).toBeGreaterThan(0);
    expect(count(await ask("https://app.example/page", 64, stream))).toBe(0);
  });

  test.each<[string, ResponseInit, string]>([
    ["a POST", html, "POST"],
    ["an error", { ...html, status: 404 }, "GET"],
    ["text/event-stream", { headers: { "content-type": "text/event-stream" } }, "GET"],
    ["application/x-ndjson", { headers: { "content-type": "application/x-ndjson" } }, "GET"],
    ["text/plain", { headers: { "content-type": "text/plain; charset=utf-8" } }, "GET"],
    ["application/json", { headers: { "content-type": "application/json" } }, "GET"],
    ["no type", {}, "GET"],
    ["multipart/x-mixed-replace", { headers: { "content-type": "multipart/x-mixed-replace;boundary=a" } }, "GET"],
    ["application/grpc-web+proto", { headers: { "content-type": "application/grpc-web+proto" } }, "GET"],
  ])("but never of %s", async (name, init, method) => {
    expect(count(await ask(`https://app.example/never/${name}`, 40, init, method))).toBe(0);
  });
});
