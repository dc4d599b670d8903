// WebSockets to the origin: they pass, and are closed when their session ends.

import type { Socket } from "node:net";
import { beforeEach, describe, expect, inject, test } from "vitest";
import { bearer, startGuard, useGuard } from "../harness/guard.ts";
import { refusalOf } from "../harness/websocket.ts";
import type { WebSocket } from "ws";
import { openWebSocket } from "../harness/live_connections.ts";

const guard = useGuard();

beforeEach(() => {
  guard.origin.received.length = guard.origin.sockets.length = guard.log.length = 0;
  guard.origin.reply = {};
});

/** What a close frame carries: a code and a reason. */
function payload(code: number, reason: string | Buffer): Buffer {
  return Buffer.concat([Buffer.from([code >> 8, code & 255]), Buffer.from(reason as string)]);
}

/** A close frame (RFC 6455, section 5.2). Clients mask theirs, here with zeros. */
function frame(bytes: Buffer, isMasked: boolean): Buffer {
  return Buffer.concat([Buffer.from([0x88, bytes.length | (isMasked ? 128 : 0)]), Buffer.alloc(isMasked ? 4 : 0), bytes]);
}

/** Codes that may be sent, and "none", which is what stands for a frame without one. */
const canBeSent = (code: number) => (code >= 1000 && code <= 1014 && ![1004, 1006].includes(code)) || (code >= 3000 && code <= 4999);

/** The connection below a WebSocket. */
const rawSocketOf = (socket: WebSocket) => (socket as unknown as { _socket: Socket })._socket;

describe("a WebSocket", () => {
  test("reaches the origin with the identity and without the credential, and carries texts and bytes both ways", async () => {
    const { access_token } = await guard.login("talks");
    const { client } = await openWebSocket(guard, access_token, ["other", "chat"]);
    await using _ = client;
    expect(guard.origin.received[0]).toMatchObject({ target: "/chat?room=1", headers: { "x-auth-request-user": "talks" } });
    expect(guard.origin.received[0]?.headers).not.toHaveProperty("authorization");
    expect(client.socket.protocol).toBe("chat");
    const large = "é".repeat(100_000);
    for (const message of ["text", "", Buffer.from([0, 255]), large]) client.socket.send(message);
    await expect.poll(() => client.heard).toEqual(["text", "", "0x00ff", large]);
  });

  test("is closed on both sides within two seconds of a newer login, with the reason", async () => {
    const { access_token } = await guard.login("superseded");
    const { client, origin, originClosed } = await openWebSocket(guard, access_token);
    const chatter = setInterval(() => [origin, client.socket].forEach((it) => it.send("x")), 1);
    const start = Date.now();
    await guard.login("superseded");
    const { at, ...closed } = await client.closed.finally(() => clearInterval(chatter));
    console.info(`${inject("store")}: from the login's beginning to the WebSocket's close: ${at - start} ms`);
    expect(closed).toEqual({ code: 4001, reason: "session_superseded" });
    expect(await originClosed).toEqual(closed);
    expect(guard.log.filter((line) => /error|uncaught/i.test(line))).toEqual([]);
    expect(at - start).toBeLessThan(2000);
  });

  test("lives on when another session of the user ends", async () => {
    await using lasting = await startGuard({ SESSION_LIMIT: "0" });
    const [one, other] = [await lasting.login("ada"), await lasting.login("ada")];
    const { client } = await openWebSocket(lasting, one.access_token);
    const { client: gone } = await openWebSocket(lasting, other.access_token);
    await lasting.fetch("/_auth/logout", { method: "POST", ...bearer(other.access_token) });
    expect(await gone.closed).toMatchObject({ code: 4001, reason: "session_revoked" });
    client.socket.send("still here");
    await expect.poll(() => client.heard).toEqual(["still here"]);
  });

  test("lives on when its token is refreshed, and is closed when the session ends after that", async () => {
    const { access_token } = await guard.login("refreshes");
    const { client } = await openWebSocket(guard, access_token);
    const refreshed = await guard.fetch("/_auth/refresh", { method: "POST", ...bearer(access_token) });
    const { access_token: next } = (await refreshed.json()) as { access_token: string };
    client.socket.send("still here");
    await expect.poll(() => client.heard).toEqual(["still here"]);
    await guard.fetch("/_auth/logout", { method: "POST", ...bearer(next) });
    expect(await client.closed).toMatchObject({ code: 4001, reason: "session_revoked" });
  });

  test("is closed when its session expires", async () => {
    await using brief = await startGuard({ SESSION_TTL: "2 seconds" });
    const { access_token } = await brief.login("ada");
    const { client } = await openWebSocket(brief, access_token);
    expect(await client.closed).toMatchObject({ code: 4001, reason: "session_expired" });
  });

  test.each([
    ["with a code and a reason", 4321, "because", { code: 4321, reason: "because" }],
    ["without a code", undefined, undefined, { code: 1005, reason: "" }],
  ])("that either side closes %s is closed alike on the other", async (_, code, reason, expected) => {
    const { access_token } = await guard.login("closes");
    const first = await openWebSocket(guard, access_token);
    first.client.socket.close(code, reason);
    expect(await first.originClosed).toEqual(expected);
    const second = await openWebSocket(guard, access_token);
    second.origin.close(code, reason);
    expect(await second.client.closed).toMatchObject(expected);
  });

  // Closed so by bytes, because no program's API does it (RFC 6455, section 7.4): [sent, heard on the other side].
  // Measured once more if another test took the processor meanwhile.
  test.each<[string, Buffer, { code: number; reason: string }]>([
    ...[1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 4999].map((code): [string, Buffer, { code: number; reason: string }] => [`${code}`, payload(code, "why"), { code, reason: "why" }]),
    ...[0, 999, 1004, 1005, 1006, 1015, 1016, 1999, 2000, 2999, 5000, 65535].map((code): [string, Buffer, { code: number; reason: string }] => [`${code}`, payload(code, "why"), { code: expect.toSatisfy(canBeSent), reason: "" }]),
    ["1000 and 123 bytes", payload(1000, "é".repeat(61) + "x"), { code: 1000, reason: "é".repeat(61) + "x" }],
    ["4000 and what is no UTF-8", payload(4000, Buffer.alloc(123, 0xff)), { code: expect.toSatisfy(canBeSent), reason: expect.any(String) }],
    ["half a code", Buffer.from([3]), { code: expect.toSatisfy(canBeSent), reason: expect.any(String) }],
    ["nothing", Buffer.alloc(0), { code: 1005, reason: "" }],
  ])("that either side closes with %s is closed on the other within a second", { retry: 3 }, async (name, bytes, expected) => {
    const { access_token } = await guard.login(`closes with ${name}`);
    const first = await openWebSocket(guard, access_token);
    first.client.socket.on("error", () => {});
    let start = Date.now();
    rawSocketOf(first.client.socket).write(frame(bytes, true));
    expect({ sent: name, by: "the client", heard: await first.originClosed }).toEqual({ sent: name, by: "the client", heard: expected });
    expect(Date.now() - start).toBeLessThan(1000);
    const second = await openWebSocket(guard, access_token);
    // The runtime echoes the frame.
    second.originClosed.catch(() => {});
    start = Date.now();
    rawSocketOf(second.origin).write(frame(bytes, false));
    const { at, ...heard } = await second.client.closed;
    expect({ sent: name, by: "the origin", heard }).toEqual({ sent: name, by: "the origin", heard: expected });
    expect(at - start).toBeLessThan(1000);
  });

  test("whose client or origin disappears is closed on the other side", async () => {
    const { access_token } = await guard.login("vanishes");
    const first = await openWebSocket(guard, access_token);
    first.client.socket.terminate();
    await first.originClosed;
    const second = await openWebSocket(guard, access_token);
    second.origin.terminate();
    expect((await second.client.closed).code).toBeGreaterThan(1000);
  });

  test("is refused without a live session", async () => {
    expect(await refusalOf(`${guard.url}/chat`, {})).toMatchObject({ status: 401, body: { code: "token_missing" } });
    expect(guard.origin.sockets).toEqual([]);
  });
});

test.runIf(inject("store") === "redis")("without Durable Objects, live connections pass, and only the origin can end them", async () => {
  await using bare = await startGuard({}, { withoutObjects: true });
  const { access_token } = await bare.login("ada");
  const { client } = await openWebSocket(bare, access_token);
  await bare.login("ada");
  client.socket.send("still here");
  await expect.poll(() => client.heard).toEqual(["still here"]);
});
