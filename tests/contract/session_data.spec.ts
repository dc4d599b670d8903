// A session's data: the origin's and the client's, as GET and PATCH session show and change it.

import { beforeEach, describe, expect, test } from "vitest";
import { answerOf, bearer, PHONE, startGuard, useGuard, type LoggedIn } from "../harness/guard.ts";
import { sessionApi } from "../harness/session_api.ts";

const guard = useGuard({ SESSION_LIMIT: "0" });
const { call, passes } = sessionApi(guard);

beforeEach(() => {
  guard.origin.received.length = 0;
});

test("GET session shows the caller's session with its private data", async () => {
  guard.origin.approvals.set("shown", { sub: "shown", data: { theme: "dark", list: [], none: {} } });
  const { access_token, session } = await guard.login("shown", PHONE);
  const answer = await answerOf(guard.fetch("/_auth/session", bearer(access_token)));
  const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  expect(answer).toMatchObject({
    status: 200,
    headers: { "cache-control": "no-store" },
    body: {
      sid: session.sid,
      created_at: time,
      last_seen_at: time,
      expires_at: time,
      device: "mobile",
      user_agent: PHONE["user-agent"],
      data: { theme: "dark", list: [], none: {} },
    },
  });
});

test("GET session requires a live session", async () => {
  await using guard = await startGuard();
  const none = await answerOf(guard.fetch("/_auth/session"));
  expect(none).toMatchObject({ status: 401, body: { code: "token_missing" } });
  const first = await guard.login("not shown");
  await guard.login("not shown");
  const stale = await answerOf(guard.fetch("/_auth/session", bearer(first.access_token)));
  expect(stale).toMatchObject({ status: 401, body: { code: "session_superseded" } });
});

describe("PATCH session", () => {
  test("merges a patch into the client's data, and leaves the origin's unchanged", async () => {
    const data = { role: "guest", boat: { name: "Nora", seats: 4 } };
    guard.origin.approvals.set("data", { sub: "data", data });
    const login = await guard.login("data");
    expect(login.session).toMatchObject({ data });
    expect((await call("PATCH", "session", login, { theme: "dark", boat: { seats: 4 } })).status).toBe(200);
    expect(await call("PATCH", "session", login, { role: "admin", theme: null, boat: { name: "Nora" }, list: [] })).toMatchObject({
      status: 200,
      headers: { "cache-control": "no-store" },
      body: { sid: login.session.sid, data, client_data: { role: "admin", boat: { name: "Nora", seats: 4 }, list: [] } },
    });
    const { body } = await call("GET", "session", login);
    expect(body).toMatchObject({ data, client_data: { role: "admin", boat: { name: "Nora", seats: 4 }, list: [] } });
    expect(Object.keys((body as unknown as { client_data: object }).client_data)).not.toContain("theme");
  });

  test.each([["data", { data: { role: "admin" } }], ["client_data", { client_data: { role: "admin" } }]])("with a member called `%s` changes the client's data only", async (name, patch) => {
    guard.origin.approvals.set(name, { sub: name, data: { role: "guest" } });
    const login = await guard.login(name);
    expect((await call("PATCH", "session", login, patch)).body).toMatchObject({ data: { role: "guest" }, client_data: patch });
  });

  test("starts from empty data, and concerns one session only", async () => {
    const [one, two] = [await guard.login("apart"), await guard.login("apart")];
    expect((await call("PATCH", "session", one, { a: 1 })).body).toMatchObject({ client_data: { a: 1 } });
    for (const name of ["data", "client_data"]) expect((await call("GET", "session", two)).body).not.toHaveProperty(name);
  });

  test("keeps all of fifty simultaneous patches of different members", async () => {
    const login = await guard.login("race");
    const names = Array.from({ length: 50 }, (_, i) => `member-${i}`);
    const answers = await Promise.all(names.map((name) => call("PATCH", "session", login, { [name]: true })));
    expect(answers.map(({ status }) => status)).toEqual(names.map(() => 200));
    const { body } = await call("GET", "session", login);
    expect(Object.keys((body as { client_data: object }).client_data).sort()).toEqual([...names].sort());
  });

  test("accepts up to 16 KB beside the origin's data, and changes nothing beyond", async () => {
    guard.origin.approvals.set("large", { sub: "large", data: { pad: "y".repeat(16_000) } });
    const login = await guard.login("large");
    const pad = (size: number) => ({ pad: "x".repeat(size - '{"pad":""}'.length) });
    expect((await call("PATCH", "session", login, pad(16 * 1024))).status).toBe(200);
    expect(await call("PATCH", "session", login, { more: 1 })).toMatchObject({ status: 400, body: { code: "bad_request", detail: expect.stringContaining("16 KB") } });
    expect(Object.keys(((await call("GET", "session", login)).body as { client_data: object }).client_data)).toEqual(["pad"]);
  });

  test.each(["", "[]", "null", '"text"', '{"a":'])("refuses the patch %j", async (body) => {
    expect(await call("PATCH", "session", await guard.login("odd"), body)).toMatchObject({ status: 400, body: { code: "bad_request" } });
  });

  test("never revives an ended session, whichever comes first", async () => {
    for (let round = 0; round < 20; round += 1) {
      const login = await guard.login("ends");
      const [, logout] = await Promise.all([call("PATCH", "session", login, { round }), call("POST", "logout", login)]);
      expect(logout.status).toBe(204);
      expect(await passes(login)).toBe(false);
    }
  });
});

describe("private data", () => {
  test("stays at the guard", async () => {
    guard.origin.approvals.set("kept", { sub: "kept", data: { secret: "x" } });
    const login = await guard.login("kept");
    expect(await passes(login)).toBe(true);
    expect(JSON.stringify(guard.origin.received[0]?.rawHeaders)).not.toContain("secret");
  });

  test("reaches the origin in a header with FORWARD_SESSION_DATA: the origin's, and never the client's", async () => {
    await using forwarding = await startGuard({ FORWARD_SESSION_DATA: "true" });
    forwarding.origin.approvals.set("ada", { sub: "ada", data: { "na\u00efve": "100%", plan: "free" } });
    const seen = async (login: LoggedIn) => {
      forwarding.origin.received.length = 0;
      await forwarding.fetch("/", { headers: { ...bearer(login.access_token).headers, "x-auth-request-data": "forged" } });
      return forwarding.origin.received[0]?.headers["x-auth-request-data"];
    };
    const [with_, without] = [await forwarding.login("ada"), await forwarding.login("ben")];
    expect(decodeURIComponent(String(await seen(with_)))).toBe('{"na\u00efve":"100%","plan":"free"}');
    for (const login of [with_, without]) await call("PATCH", "session", login, { plan: "paid" }, forwarding);
    expect(decodeURIComponent(String(await seen(with_)))).toBe('{"na\u00efve":"100%","plan":"free"}');
    expect(await seen(without)).toBeUndefined();
  });
});
