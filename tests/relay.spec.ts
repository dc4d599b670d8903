// Live connections when it cannot be learnt whether their session is over.

import { expect, test } from "vitest";
import { bearer, startGuard } from "./harness/guard.ts";
import { REST_TOKEN, startRedis } from "./harness/redis.ts";

test("a connection whose session cannot be asked about is ended after some tries, and not at the first", async () => {
  const redis = await startRedis();
  await using guard = await startGuard({
    SESSION_STORE: "redis",
    UPSTASH_REDIS_REST_URL: redis.restUrl,
    UPSTASH_REDIS_REST_TOKEN: REST_TOKEN,
  });
  const { access_token } = await guard.login("ada");
  let opened = 0;
  guard.origin.reply = {
    headers: { "content-type": "text/event-stream" },
    stream: async (response) => {
      await redis[Symbol.asyncDispose]();
      opened = Date.now();
      response.write("data: 1\n\n");
    },
  };
  const answer = await fetch(`${guard.url}/stream`, bearer(access_token));
  const heard: string[] = [];
  const reading = (async () => {
    for await (const piece of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) heard.push(piece);
  })();
  await expect(reading).rejects.toThrow();
  expect([answer.status, heard.join("")]).toEqual([200, "data: 1\n\n"]);
  expect(Date.now() - opened).toBeGreaterThan(1_000);
});

test("when the user's object was restarted, what ended meanwhile is learnt by listening again", async () => {
  // By a path that the compiler does not follow: the module is typed for the Workers runtime.
  const { href } = new URL("../src/relay.js", import.meta.url);
  const { tie } = (await import(href)) as { tie(answer: Response, watch: () => Promise<unknown>): Response };
  Object.assign(globalThis, { IdentityTransformStream: TransformStream });
  const socket = Object.assign(new EventTarget(), {
    accept: () => queueMicrotask(() => socket.dispatchEvent(Object.assign(new Event("close"), { code: 1006, reason: "" }))),
    close: () => undefined,
  });
  const told: unknown[] = [{ webSocket: socket }, { webSocket: socket }, "session_revoked"];
  const endless = new ReadableStream({ start: (controller) => controller.enqueue(new TextEncoder().encode("data: 1\n\n")) });
  const tied = tie(new Response(endless), () => Promise.resolve(told.shift()));
  await expect(tied.text()).rejects.toThrow("aborted");
  expect(told).toEqual([]);
});
