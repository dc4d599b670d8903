// How the Worker asks a Durable Object: time limits, failures and retries.

import { expect, test } from "vitest";

test("a Durable Object that hangs, fails or is gone is reported as such, and never as an answer", async () => {
  // By a path that the compiler does not follow: the module is typed for the Workers runtime.
  const { href } = new URL("../../src/stores/client.js", import.meta.url);
  const { askObject } = (await import(href)) as { askObject(...args: unknown[]): Promise<unknown> };
  const ask = (apply: () => Promise<string>) => askObject({ getByName: () => ({ apply }) }, "user:ada", "{}", true, 50);
  const [timedOut, unreachable] = [-1, -2];
  expect(await ask(() => new Promise(() => undefined))).toEqual({ status: timedOut, body: "" });
  expect(await ask(() => Promise.reject(new Error("overloaded")))).toEqual({ status: unreachable, body: "Error: overloaded" });
  expect(await ask(() => { throw new Error("gone"); })).toEqual({ status: unreachable, body: "Error: gone" });
  expect(await ask(() => Promise.resolve("{}"))).toEqual({ status: 200, body: "{}" });
});

test.each([
  ["overloaded", { overloaded: true, retryable: true }, true, 1],
  ["reset, and the command must not come twice", { durableObjectReset: true, retryable: true }, false, 1],
  ["reset", { durableObjectReset: true }, true, 2],
  ["out of reach for a moment", { retryable: true }, true, 2],
  ["broken by its own code", { remote: true }, true, 1],
])("a Durable Object that is %s is asked again only if that helps", async (_, kind, isRepeatable, times) => {
  const { href } = new URL("../../src/stores/client.js", import.meta.url);
  const { askObject } = (await import(href)) as { askObject(...args: unknown[]): Promise<unknown> };
  let [stubs, asked] = [0, 0];
  const apply = () => {
    asked += 1;
    return Promise.reject(Object.assign(new Error("gone"), kind));
  };
  const getByName = () => {
    stubs += 1;
    return { apply };
  };
  expect(await askObject({ getByName }, "user:ada", "{}", isRepeatable, 1_000)).toEqual({ status: -2, body: "Error: gone" });
  expect([asked, stubs]).toEqual([times, times]);
});
