// A user's own sessions: GET sessions lists them, DELETE sessions/{sid} ends one.

import { beforeEach, describe, expect, test } from "vitest";
import { answerOf, bearer, cookieOf, formInit, PHONE, useGuard, type LoggedIn } from "../harness/guard.ts";
import { sessionApi } from "../harness/session_api.ts";

const guard = useGuard({ SESSION_LIMIT: "0" });
const { call, passes, allPass } = sessionApi(guard);

beforeEach(() => {
  guard.origin.received.length = 0;
});

describe("GET sessions", () => {
  test("never lists sessions without the caller's own, even if that ends meanwhile", async () => {
    for (let round = 0; round < 25; round += 1) {
      const [login] = await Promise.all([guard.login("ends meanwhile"), guard.login("ends meanwhile")]);
      const [{ status, body }] = await Promise.all([call("GET", "sessions", login), call("POST", "logout", login)]);
      if (status === 200) expect((body as unknown as { sessions: object[] }).sessions).toContainEqual(expect.objectContaining({ sid: login.session.sid, current: true }));
      else expect({ status, body }).toMatchObject({ status: 401, body: { code: "session_revoked" } });
    }
  });

  test("lists the live ones, oldest first, and says which is the caller's", async () => {
    const [one, two] = [await guard.login("ada", PHONE), await guard.login("ada")];
    await call("POST", "logout", await guard.login("ada"));
    await guard.login("eve");
    expect(await call("GET", "sessions", two)).toMatchObject({
      status: 200,
      headers: { "cache-control": "no-store" },
      body: { sessions: [{ sid: one.session.sid, device: "mobile", current: false }, { sid: two.session.sid, device: "other", current: true }] },
    });
  });

  test("shows no private data of the others", async () => {
    guard.origin.approvals.set("private", { sub: "private", data: { secret: "x" } });
    const login = await guard.login("private");
    expect(JSON.stringify((await call("GET", "sessions", login)).body)).not.toContain("secret");
  });

  test("requires a live session", async () => {
    const gone = await guard.login("gone");
    await call("POST", "logout", gone);
    expect(await call("GET", "sessions", gone)).toMatchObject({ status: 401, body: { code: "session_revoked" } });
    expect(await answerOf(guard.fetch("/_auth/sessions"))).toMatchObject({ status: 401, body: { code: "token_missing" } });
  });
});

describe("DELETE sessions/{sid}", () => {
  test("ends that session from its next request on, and no other", async () => {
    const logins = [await guard.login("one"), await guard.login("one"), await guard.login("one")];
    const [first, second, third] = logins as [LoggedIn, LoggedIn, LoggedIn];
    expect((await call("DELETE", `sessions/${second.session.sid}`, first)).status).toBe(204);
    expect(await allPass(logins)).toEqual([true, false, true]);
    expect(await answerOf(guard.fetch("/", bearer(second.access_token)))).toMatchObject({ body: { code: "session_revoked" } });
    expect((await call("DELETE", `sessions/${third.session.sid}`, third)).status).toBe(204);
    expect(await passes(third)).toBe(false);
  });

  test.each<[string, (theirs: string) => string]>([
    ["somebody else's", (theirs) => theirs],
    ["one that nobody has", () => "A".repeat(22)],
    ["what is no session's name", () => "a%2Fb"],
  ])("finds nothing for %s", async (_, name) => {
    const [mine, theirs] = [await guard.login("mine"), await guard.login("theirs")];
    expect(await call("DELETE", `sessions/${name(theirs.session.sid)}`, mine)).toMatchObject({ status: 404, body: { code: "not_found" } });
    expect(await allPass([mine, theirs])).toEqual([true, true]);
  });

  test("ends a session once", async () => {
    const [one, two] = [await guard.login("once"), await guard.login("once")];
    const statuses = [];
    for (let n = 0; n < 2; n += 1) statuses.push((await call("DELETE", `sessions/${two.session.sid}`, one)).status);
    expect(statuses).toEqual([204, 404]);
  });

  test("with the cookie requires a same-site proof", async () => {
    const cookie = cookieOf(await guard.fetch("/_auth/login", formInit({ username: "cookie" })));
    const { body } = await answerOf(guard.fetch("/_auth/session", { headers: { cookie } }));
    const send = (site: string) => guard.fetch(`/_auth/sessions/${(body as { sid: string }).sid}`, { method: "DELETE", headers: { cookie, "sec-fetch-site": site } });
    expect([(await send("cross-site")).status, (await send("same-origin")).status]).toEqual([403, 204]);
  });

  test("is refused if the caller's own session has ended", async () => {
    const [gone, other] = [await guard.login("over"), await guard.login("over")];
    await call("POST", "logout", gone);
    expect((await call("DELETE", `sessions/${other.session.sid}`, gone)).status).toBe(401);
    expect(await passes(other)).toBe(true);
  });
});
