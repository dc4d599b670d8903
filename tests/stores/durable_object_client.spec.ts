// How the Worker asks a Durable Object: time limits, failures and retries.

import { expect, test } from "vitest";
import { KEY } from "../harness/admin_api.ts";
import { answerOf, bearer, loginInit, mint, useGuard } from "../harness/guard.ts";
import type { StubBehaviour } from "../harness/worker_wrappers.ts";

const guard = useGuard({ SESSION_STORE: "durable-object", STORE_TIMEOUT: "1 second", ADMIN_API_KEY: KEY }, { fakeObjects: true });

const unavailable = { status: 503, body: { code: "store_unavailable" } };
const logIn = () => answerOf(guard.fetch("/_auth/login", loginInit({ username: "ada" })));
const get = async (path: string) => answerOf(guard.fetch(path, bearer(await mint({ sub: "ada" }))));

const NO_TEXT = "answered what cannot be read: the Durable Object returned no text";

/** What the log says of failures since the stubs were told what to do. */
const causes = () => guard.log.map((line) => (JSON.parse(line) as { cause?: string }).cause);

/** Has the stubs do this from now on, and the log begin anew. */
async function begin(how: StubBehaviour) {
  await guard.stubs(how);
  guard.log.length = 0;
}

test("a Durable Object that hangs, fails or is gone is reported as such, and never as an answer", async () => {
  const failures: [StubBehaviour, cause: string][] = [
    [{ hangs: true }, "no answer within 1s"],
    [{ rejects: "overloaded" }, "unreachable: Error: overloaded"],
    [{ throws: "gone" }, "unreachable: Error: gone"],
  ];
  for (const [how, cause] of failures) {
    await begin(how);
    expect(await get("/_auth/sessions")).toMatchObject(unavailable);
    await expect.poll(causes).toContain(cause);
  }
  await begin({ answer: '{"found":null}' });
  expect(await get("/_auth/session")).toMatchObject({ status: 401, body: { code: "session_unknown" } });
});

test.each<[kind: string, properties: object, isRepeatable: boolean, times: number]>([
  ["overloaded", { overloaded: true, retryable: true }, true, 1],
  ["reset, and the command must not come twice", { durableObjectReset: true, retryable: true }, false, 1],
  ["reset", { durableObjectReset: true }, true, 2],
  ["out of reach for a moment", { retryable: true }, true, 2],
  ["broken by its own code", { remote: true }, true, 1],
])("a Durable Object that is %s is asked again only if that helps", async (_, properties, isRepeatable, times) => {
  await begin({ rejects: "gone", properties });
  expect(await (isRepeatable ? get("/_auth/sessions") : logIn())).toMatchObject(unavailable);
  expect(await guard.stubs({})).toEqual({ stubs: times, asked: times });
  await expect.poll(causes).toContain("unreachable: Error: gone");
});

test("a Durable Object that returns no text has not answered, and is not taken for an empty index", async () => {
  await begin({});
  expect(await answerOf(guard.fetch("/_auth/admin/users", bearer(KEY)))).toMatchObject(unavailable);
  expect(await get("/_auth/sessions")).toMatchObject(unavailable);
  await expect.poll(() => causes().filter((cause) => cause === NO_TEXT)).toHaveLength(2);
  await begin({ answer: "" });
  expect(await answerOf(guard.fetch("/_auth/admin/users", bearer(KEY)))).toMatchObject({ status: 200, body: { users: [] } });
});
