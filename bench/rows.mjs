// What `npm run bench` measures: a row for each, in the order of the table.

/**
 * `label`: how the row is called. `worker`: see `lib/workers.mjs`. `alg`: the tokens' algorithm.
 * `sent`: what is sent, "good" unless told otherwise. `status`: what every answer must be. `store`:
 * "nginx", the fast stand-in, unless it says "redis". `addresses`: how many are asked for, one unless told.
 * `differs`: what it does not do as the guard does.
 */
export const rows = [
  { id: "floor", label: "floor: the two fetches, unguarded", worker: "floor", differs: "checks nothing" },
  { id: "floor-plain", label: "the same, blind to forged headers", worker: "floor without a look at names", differs: "checks nothing; forged identity headers in other spellings pass" },
  { id: "guard", label: "Session Guard, Redis", worker: "guard", ours: true },
  { id: "addresses", label: "Session Guard, Redis, another address each time", worker: "guard", addresses: 50, ours: true, differs: "each token asks for 50 addresses in turn; the other rows, for one" },
  { id: "logging", label: "Session Guard, Redis, with its log", worker: "guard, logging", ours: true, differs: "a line for each request, as is the default; the others write none" },
  { id: "overlap", label: "Session Guard, Redis, overlapping", worker: "guard, overlapping", ours: true, differs: "asks store and origin at once" },
  { id: "asserting", label: "Session Guard, Redis, with its assertion", worker: "guard, asserting", ours: true, differs: "tells the origin by a signed JWT, too" },
  { id: "hand-forgetful", label: "hand-written JavaScript, remembering no tokens", worker: "hand, forgetful", differs: "as the next one; verifies each token, reads each reply and copies the headers anew" },
  { id: "hand", label: "hand-written JavaScript", worker: "hand", differs: "no time limits, no ban on Cloudflare's cache, no second try for a script that Redis lost, no `MODE`, `ROUTES` or live connections" },
  { id: "hand-limited", label: "the same, with the guard's time limits, past the cache", worker: "hand, limited", differs: "as above, but for those two" },
  { id: "jose", label: "jose and @upstash/redis", worker: "jose", differs: "as the hand-written one; verifies every signature anew; `HGET`, which at Upstash a replica may answer" },
  { id: "hono", label: "Hono, hono/jwt and @upstash/redis", worker: "hono", differs: "as jose; no leeway in time; one key, whatever the `kid`" },
  { id: "guard-object", label: "Session Guard, Durable Object", worker: "guard, objects", ours: true },
  { id: "hand-object-forgetful", label: "hand-written, Durable Object, remembering no tokens", worker: "hand, forgetful, objects", differs: "as the hand-written one; verifies each token, reads each reply and copies the headers anew" },
  { id: "hand-object", label: "hand-written, Durable Object", worker: "hand, objects", differs: "as the hand-written one" },
  { id: "hand-object-limited", label: "the same, with the guard's time limits, past the cache", worker: "hand, limited, objects", differs: "as above, but for those two" },
  { id: "es256", label: "Session Guard, Redis, ES256", worker: "guard", alg: "ES256", ours: true },
  { id: "eddsa", label: "Session Guard, Redis, EdDSA", worker: "guard", alg: "EdDSA", ours: true },
  { id: "rs256", label: "Session Guard, Redis, RS256", worker: "guard", alg: "RS256", ours: true },
  { id: "missing", label: "refused: no token", worker: "guard", sent: "none", status: 401, ours: true },
  { id: "forged", label: "refused: bad signature", worker: "guard", sent: "forged", status: 401, ours: true },
  { id: "expired", label: "refused: expired", worker: "guard", sent: "expired", status: 401, ours: true },
  { id: "real-floor", label: "floor, real Redis", worker: "floor", store: "redis", differs: "checks nothing" },
  { id: "real-guard", label: "Session Guard, real Redis", worker: "guard", store: "redis", ours: true },
  { id: "real-hand", label: "hand-written JavaScript, real Redis", worker: "hand", store: "redis", differs: "as above" },
];

/** The row that a row is compared with. */
export function floorOf(row) {
  return row.store === "redis" ? "real-floor" : "floor";
}
