// Events about sessions, sent to a webhook and written to the log.

import { afterAll, beforeAll, expect, test } from "vitest";
import { answerOf, bearer, mint, startGuard, type Guard } from "../harness/guard.ts";
import { openSocket } from "../harness/websocket.ts";
import { startReceiver, type Receiver } from "../harness/webhook_receiver.ts";

let guard: Guard;
let receiver: Receiver;
beforeAll(async () => {
  receiver = await startReceiver();
  guard = await startGuard({ SESSION_IDLE_TIMEOUT: "2 seconds", LOG_IDENTITY: "plain", ...receiver.vars });
});
afterAll(async () => {
  await guard[Symbol.asyncDispose]();
  await receiver[Symbol.asyncDispose]();
});

const PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Mobile/15E148";

test("a login, the older session that it supersedes and a logout are sent as signed events", async () => {
  const first = await guard.login("told", { "user-agent": "Mozilla/5.0" });
  await expect.poll(() => receiver.typesOf("told")).toEqual(["session.created"]);
  const second = await guard.login("told", { "user-agent": PHONE });
  await guard.fetch("/_auth/logout", { method: "POST", ...bearer(second.access_token) });
  await expect.poll(() => receiver.typesOf("told").toSorted()).toEqual(["session.created", "session.created", "session.revoked", "session.superseded"]);
  const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  const superseded = receiver.attempts.find(({ type, data }) => type === "session.superseded" && data.sub === "told");
  expect(superseded).toEqual({
    id: expect.stringMatching(/^msg_[\w-]+$/),
    type: "session.superseded",
    timestamp: time,
    data: { sub: "told", sid: first.session.sid, device: "desktop", at: time, by: "mobile" },
  });
  const revoked = receiver.attempts.find(({ type, data }) => type === "session.revoked" && data.sub === "told");
  expect(revoked?.data).toEqual({ sub: "told", sid: second.session.sid, device: "mobile", at: time });
  expect(receiver.forged).toEqual([]);
});

test("a refresh is one event, and reuse of an old token is two: the reuse and the end of the session", async () => {
  const { access_token, session } = await guard.login("refreshes");
  for (let tab = 0; tab < 3; tab += 1) await guard.fetch("/_auth/refresh", { method: "POST", ...bearer(access_token) });
  await expect.poll(() => receiver.typesOf("refreshes")).toEqual(["session.created", "session.refreshed"]);
  const old = await mint({ sub: "refreshes", sid: session.sid, jti: "of-old", iat: Math.floor(Date.now() / 1000) - 60 });
  expect((await guard.fetch("/", bearer(old))).status).toBe(401);
  await expect.poll(() => receiver.typesOf("refreshes").toSorted()).toEqual(["session.created", "session.refreshed", "session.revoked", "token.reused"]);
  expect(receiver.forged).toEqual([]);
});

test("an expired session is one event, however often its client sends requests", async () => {
  const { session } = await guard.login("idles");
  const lasting = await mint({ sub: "idles", sid: session.sid });
  const code = async (path: string) => {
    const { status, body } = await answerOf(guard.fetch(path, bearer(lasting)));
    return `${status} ${String((body as Record<string, unknown>)["code"])}`;
  };
  await new Promise((passed) => setTimeout(passed, Date.parse(String(session["expires_at"])) + 1000 - Date.now()));
  for (const path of ["/", "/_auth/session", "/", "/"]) expect([path, await code(path)]).toEqual([path, "401 session_expired"]);
  await guard.login("idles");
  await expect.poll(() => receiver.typesOf("idles").filter((type) => type === "session.created").length).toBe(2);
  const expired = receiver.attempts.filter(({ type, data }) => type === "session.expired" && data.sub === "idles");
  expect(expired.map(({ data }) => data.sid)).toEqual([session.sid]);
});

test("an expired session whose client only listens is an event, without any request", async () => {
  const { access_token, session } = await guard.login("listens");
  await using socket = await openSocket(`${guard.url}/_auth/events`, bearer(access_token).headers as Record<string, string>);
  await socket.closed;
  await expect.poll(() => receiver.typesOf("listens")).toEqual(["session.created", "session.expired"]);
  const expired = receiver.attempts.find(({ type, data }) => type === "session.expired" && data.sub === "listens");
  expect(expired?.data.sid).toBe(session.sid);
});

test("every event is one line of the log, without a token or private data", async () => {
  guard.origin.approvals.set("logged", { sub: "logged", data: { secret: "private-data" } });
  const { access_token, session } = await guard.login("logged");
  const lines = () => guard.log.filter((line) => line.includes(session.sid) && line.includes('"type"')).map((line) => JSON.parse(line) as unknown);
  await expect.poll(lines).toEqual([
    {
      level: "info",
      type: "session.created",
      timestamp: expect.stringMatching(/Z$/),
      data: { sub: "logged", sid: session.sid, device: "other", at: expect.stringMatching(/Z$/) },
    },
  ]);
  const told = guard.log.join("\n") + JSON.stringify(receiver.attempts);
  for (const hidden of ["private-data", access_token, receiver.vars.EVENTS_WEBHOOK_SECRET]) expect(told).not.toContain(hidden);
});

test.concurrent("a failed delivery is retried with the same id, long after the login was answered", async ({ expect }) => {
  await using moody = await startReceiver();
  await using guard = await startGuard(moody.vars);
  moody.statuses.push(0, 302);
  const start = Date.now();
  const { session } = await guard.login("ada");
  const answered = Date.now() - start;
  await expect.poll(() => moody.attempts.length, { timeout: 20_000 }).toBe(3);
  expect(new Set(moody.attempts.map(({ id, data }) => `${id} ${data.sid}`)).size).toBe(1);
  expect(moody.attempts[0]?.data.sid).toBe(session.sid);
  expect(answered).toBeLessThan(Date.now() - start - 3_000);
});

test.concurrent("delivery to a receiver that stays down is given up with an error in the log, and nobody is locked out", async ({ expect }) => {
  await using deaf = await startGuard({ ...receiver.vars, EVENTS_WEBHOOK_URL: "http://127.0.0.1:9/" });
  const { access_token, session } = await deaf.login("ada");
  expect((await deaf.fetch("/", bearer(access_token))).status).toBe(200);
  const errors = () => deaf.log.filter((line) => line.includes("event_not_delivered"));
  await expect.poll(() => errors().length, { timeout: 25_000 }).toBe(1);
  expect(JSON.parse(errors()[0] ?? "")).toMatchObject({
    level: "error",
    code: "event_not_delivered",
    cause: expect.stringContaining(`msg_${session.sid}_session_created_`),
  });
});
