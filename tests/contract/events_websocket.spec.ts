// GET events: the end of a session is pushed to its client over a WebSocket.

import { gzipSync } from "node:zlib";
import { describe, expect, inject, test } from "vitest";
import { answerOf, bearer, mint, startGuard, useGuard } from "../harness/guard.ts";
import { openSocket, refusalOf } from "../harness/websocket.ts";

const guard = useGuard();

const PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Mobile/15E148";
const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);

/** A WebSocket of `GET events` with this token. */
function listen(token: string, to = guard) {
  return openSocket(`${to.url}/_auth/events`, bearer(token).headers as Record<string, string>);
}

test("within a second of a newer login, the older session's client gets the reason, and its WebSocket is closed", async () => {
  const first = await guard.login("superseded", { "user-agent": "Mozilla/5.0" });
  await using socket = await listen(first.access_token);
  const start = Date.now();
  await guard.login("superseded", { "user-agent": PHONE });
  const { code, reason, at } = await socket.closed;
  console.info(`${inject("store")}: from the login's beginning to the close: ${at - start} ms`);
  expect([code, reason]).toEqual([4001, "session_superseded"]);
  expect(at - start).toBeLessThan(1000);
  expect(socket.heard.map((text) => JSON.parse(text) as unknown)).toEqual([
    {
      type: "session.superseded",
      timestamp: time,
      data: { sub: "superseded", sid: first.session.sid, device: "desktop", at: time, by: "mobile" },
    },
  ]);
});

test("a logout closes every WebSocket of the session, and none of another", async () => {
  await using lasting = await startGuard({ SESSION_LIMIT: "0" });
  const [one, other] = [await lasting.login("ada"), await lasting.login("ada")];
  await using first = await listen(one.access_token, lasting);
  await using second = await listen(one.access_token, lasting);
  await using untouched = await listen(other.access_token, lasting);
  await lasting.fetch("/_auth/logout", { method: "POST", ...bearer(one.access_token) });
  for (const socket of [first, second]) expect(await socket.closed).toMatchObject({ code: 4001, reason: "session_revoked" });
  untouched.socket.send("ping");
  await expect.poll(() => untouched.heard).toEqual(["pong"]);
});

test("an expired session closes its WebSocket", async () => {
  await using brief = await startGuard({ SESSION_TTL: "2 seconds" });
  const { access_token, session } = await brief.login("ada");
  await using socket = await listen(access_token, brief);
  expect(await socket.closed).toMatchObject({ code: 4001, reason: "session_expired" });
  expect(socket.heard.map((text) => JSON.parse(text) as unknown)).toMatchObject([{ type: "session.expired", data: { sid: session.sid } }]);
});

test("a session in use keeps its WebSocket, and one that exceeds its idle timeout loses it", async () => {
  await using guard = await startGuard({ SESSION_IDLE_TIMEOUT: "2 seconds" });
  const { access_token } = await guard.login("ada");
  await using socket = await listen(access_token, guard);
  let lastUse = Date.now();
  const start = lastUse;
  while (lastUse < start + 4_000) {
    expect((await guard.fetch("/", bearer(access_token))).status).toBe(200);
    lastUse = Date.now();
  }
  expect(socket.heard).toEqual([]);
  const { code, reason, at } = await socket.closed;
  expect([code, reason]).toEqual([4001, "session_expired"]);
  expect(at - lastUse).toBeGreaterThan(1_000);
  expect((await guard.fetch("/", bearer(access_token))).status).toBe(401);
});

test("messages from a client do no harm, and it may close at any time", async () => {
  const { access_token } = await guard.login("talks");
  await using socket = await listen(access_token);
  for (const text of ["hello", "ping", "{}"]) socket.socket.send(text);
  socket.socket.send(Buffer.from([0, 1]));
  await expect.poll(() => socket.heard).toEqual(["pong"]);
  socket.socket.close(1000, "done");
  expect(await socket.closed).toMatchObject({ code: 1000 });
  expect(guard.log.filter((line) => line.includes("error"))).toEqual([]);
});

test("a session that ends while the WebSocket opens is never missed", async () => {
  const { access_token } = await guard.login("races");
  const socket = listen(access_token).then((it) => it.closed.then(({ code }) => code), () => "refused");
  await guard.login("races");
  expect([4001, "refused"]).toContain(await socket);
});

describe("an object that does not answer", () => {
  const hanging = useGuard({ STORE_TIMEOUT: "1 second" }, { faultyObjects: true });

  test("is waited for as long as the store is", async () => {
    const { access_token } = await hanging.login("waits");
    await hanging.fault("listen", "hold");
    const start = Date.now();
    const refused = await refusalOf(`${hanging.url}/_auth/events`, bearer(access_token).headers as Record<string, string>);
    expect(refused).toMatchObject({ status: 503, body: { code: "store_unavailable" } });
    expect(Date.now() - start).toBeGreaterThanOrEqual(1000);
    expect(Date.now() - start).toBeLessThan(3000);
    expect(hanging.log.join()).toContain("no answer within 1s");
    await hanging.release();
    await using socket = await listen(access_token, hanging);
    await hanging.login("waits");
    expect(await socket.closed).toMatchObject({ code: 4001, reason: "session_superseded" });
  });

  test("is told of an end again", async () => {
    const { access_token } = await hanging.login("told late");
    await using socket = await listen(access_token, hanging);
    await hanging.fault("notifyEnded", "hold");
    await hanging.login("told late");
    expect(await socket.closed).toMatchObject({ code: 4001, reason: "session_superseded" });
    await hanging.release();
  });
});

describe("a WebSocket is refused", () => {
  test("without a token", async () => {
    expect(await refusalOf(`${guard.url}/_auth/events`, {})).toMatchObject({ status: 401, body: { code: "token_missing" } });
  });

  test("with the token of an ended session, or of one that never was", async () => {
    const { access_token } = await guard.login("late");
    await guard.login("late");
    const refusal = async (token: string) => refusalOf(`${guard.url}/_auth/events`, bearer(token).headers as Record<string, string>);
    expect(await refusal(access_token)).toMatchObject({ status: 401, body: { code: "session_superseded" } });
    expect(await refusal(await mint({ sub: "late" }))).toMatchObject({ status: 401, body: { code: "session_unknown" } });
  });

  test("to another site's page that sends the cookie", async () => {
    const { access_token } = await guard.login("lured");
    const cookie = `__Host-session=${access_token}`;
    const refused = await refusalOf(`${guard.url}/_auth/events`, { cookie, origin: "https://evil.example" });
    expect(refused).toMatchObject({ status: 403, body: { code: "cross_site" } });
    await using socket = await openSocket(`${guard.url}/_auth/events`, { cookie, origin: guard.url });
    expect(socket.socket.readyState).toBe(socket.socket.OPEN);
  });
});

test.each([{}, { upgrade: "h2c" }, { upgrade: "websocket", connection: "upgrade" }])("with %j instead of an upgrade, events answers that it requires one", async (headers) => {
  const { access_token } = await guard.login("plain");
  const answer = await answerOf(guard.fetch("/_auth/events", { headers: { ...bearer(access_token).headers, ...headers } as Record<string, string> }));
  expect(answer).toMatchObject({ status: 426, body: { code: "upgrade_required" } });
});

test.runIf(inject("store") === "redis")("without Durable Objects, events says that push is unavailable, and everything else works", async () => {
  await using bare = await startGuard({}, { withoutObjects: true });
  const { access_token } = await bare.login("ada");
  const refused = await refusalOf(`${bare.url}/_auth/events`, bearer(access_token).headers as Record<string, string>);
  expect(refused).toMatchObject({ status: 501, body: { code: "push_unavailable" } });
  const second = await bare.login("ada");
  expect((await bare.fetch("/", bearer(second.access_token))).status).toBe(200);
  expect(await answerOf(bare.fetch("/", bearer(access_token)))).toMatchObject({ body: { code: "session_superseded" } });
});

test("client.js is small, and is not sent again while it is unchanged", async () => {
  const answer = await guard.fetch("/_auth/client.js");
  const { status, headers, body } = await answerOf(answer);
  expect([status, headers["content-type"], headers["cache-control"]]).toEqual([200, "text/javascript; charset=utf-8", "public, max-age=3600"]);
  expect(gzipSync(String(body)).length).toBeLessThan(2048);
  const again = await answerOf(guard.fetch("/_auth/client.js", { headers: { "if-none-match": String(headers["etag"]) } }));
  expect(again).toMatchObject({ status: 304, body: "" });
});
