// Calls of the guard's endpoints for a user's own sessions.

import { answerOf, bearer, type Guard, type LoggedIn } from "./guard.ts";

/** Calls with a login's token, at the usual guard, unless another is given. */
export function sessionApi(usual: Guard) {
  const passes = async ({ access_token }: LoggedIn, at = usual) => (await at.fetch("/", bearer(access_token))).status === 200;
  return {
    /** Calls an endpoint; a body that is no text is sent as JSON. */
    call(method: string, path: string, { access_token }: LoggedIn, body?: unknown, at = usual) {
      const headers = { ...bearer(access_token).headers, ...(body === undefined ? {} : { "content-type": "application/merge-patch+json" }) };
      const init = { method, headers };
      return answerOf(at.fetch(`/_auth/${path}`, body === undefined ? init : { ...init, body: typeof body === "string" ? body : JSON.stringify(body) }));
    },
    /** Does a request with this login's token reach the origin? */
    passes,
    /** The same of several. */
    allPass: (logins: LoggedIn[]) => Promise.all(logins.map((login) => passes(login))),
  };
}
