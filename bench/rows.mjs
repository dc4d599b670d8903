// The rows that `npm run bench` measures, in the order of the table.

/**
 * `label`: the name in the table. `worker`: see `lib/workers.mjs`. `alg`: the tokens' algorithm. `sent`: the kind of
 * token, "good" by default. `status`: the expected status. `store`: "nginx", the fast mock, by default, or "redis".
 * `addresses`: the number of URLs, one by default. `differs`: the differences from the guard.
 */
export const rows = [
  { id: "floor", label: "floor: the two fetches, unguarded", worker: "floor", differs: "checks nothing" },
  { id: "floor-plain", label: "the same, without header scan", worker: "floor without header scan", differs: "checks nothing; forged identity headers in other spellings pass" },
  { id: "guard", label: "Session Guard, Redis", worker: "guard", ours: true },
  { id: "addresses", label: "Session Guard, Redis, another URL each time", worker: "guard", addresses: 50, ours: true, differs: "each token requests 50 URLs in turn; in the other rows, one" },
  { id: "logging", label: "Session Guard, Redis, with its log", worker: "guard, logging", ours: true, differs: "a line for each request, as by default; the others have no log" },
  { id: "overlap", label: "Session Guard, Redis, overlapping", worker: "guard, overlapping", ours: true, differs: "runs the session check and the origin request in parallel" },
  { id: "asserting", label: "Session Guard, Redis, with its assertion", worker: "guard, asserting", ours: true, differs: "also sends the origin a signed JWT" },
  { id: "hand-uncached", label: "hand-written JavaScript, without caches", worker: "hand, uncached", differs: "as the next one; verifies each token, parses each reply and copies all headers" },
  { id: "hand", label: "hand-written JavaScript", worker: "hand", differs: "no timeouts, no bypass of Cloudflare's cache, no retry if Redis lost the script, no `MODE`, `ROUTES` or live connections" },
  { id: "hand-timeouts", label: "the same, with timeouts and cache bypass", worker: "hand, timeouts", differs: "as above, except for these two" },
  { id: "jose", label: "jose and @upstash/redis", worker: "jose", differs: "as the hand-written one; verifies every signature; uses `HGET`, which a replica may answer at Upstash" },
  { id: "hono", label: "Hono, hono/jwt and @upstash/redis", worker: "hono", differs: "as jose; no clock tolerance; one key for any `kid`" },
  { id: "guard-object", label: "Session Guard, Durable Object", worker: "guard, objects", ours: true },
  { id: "hand-object-uncached", label: "hand-written, Durable Object, without caches", worker: "hand, uncached, objects", differs: "as the hand-written one; verifies each token, parses each reply and copies all headers" },
  { id: "hand-object", label: "hand-written, Durable Object", worker: "hand, objects", differs: "as the hand-written one" },
  { id: "hand-object-timeouts", label: "the same, with timeouts and cache bypass", worker: "hand, timeouts, objects", differs: "as above, except for these two" },
  { id: "es256", label: "Session Guard, Redis, ES256", worker: "guard", alg: "ES256", ours: true },
  { id: "eddsa", label: "Session Guard, Redis, EdDSA", worker: "guard", alg: "EdDSA", ours: true },
  { id: "rs256", label: "Session Guard, Redis, RS256", worker: "guard", alg: "RS256", ours: true },
  { id: "missing", label: "refused: no token", worker: "guard", sent: "none", status: 401, ours: true },
  { id: "forged", label: "refused: bad signature", worker: "guard", sent: "forged", status: 401, ours: true },
  { id: "expired", label: "refused: expired", worker: "guard", sent: "expired", status: 401, ours: true },
  { id: "real-floor", label: "floor, real Redis", worker: "floor", store: "redis", differs: "checks nothing" },
  { id: "real-guard", label: "Session Guard, real Redis", worker: "guard", store: "redis", ours: true },
  { id: "real-provider", label: "Session Guard, real Redis, tokens of an identity provider", worker: "guard, provider", store: "redis", ours: true },
  { id: "real-hand", label: "hand-written JavaScript, real Redis", worker: "hand", store: "redis", differs: "as above" },
];

/** The floor that a row is compared with. */
export function floorOf(row) {
  return row.store === "redis" ? "real-floor" : "floor";
}
