// What to do about a fault, by where the guard runs.

/** @typedef {typeof WORKER} Advice */

const WORKER = {
  log: "The log says why: session-guard tail --problems.",
  unreachable: "Is the address right, and is the Worker deployed? With --connect-to, a guard can be asked before DNS leads to it.",
  none: "Does a route of the Worker cover this host, with /* at its end? If AUTH_PATH is not /_auth, write it after the host.",
  store: "With Redis, look at UPSTASH_REDIS_REST_URL and its token.",
  settings: "npm run check-config checks the settings; npx wrangler secret list shows which secrets are set. npx wrangler rollback undoes a deployment.",
  slow: "Put Redis where most users are, or see where the Durable Objects are: docs/cost.md.",
  keyPath: "The route must cover the whole host, so that the guard gets this path, too.",
  adminKey: "npx wrangler secret put ADMIN_API_KEY; for npm start, write it into .dev.vars, and start it again",
  open: "Does a route of the Worker cover the whole host, with /* at its end? Were the settings deployed?",
};

/** @type {Advice} */
const SELF_HOSTED = {
  log: "The log says why: journalctl -u session-guard -o cat | session-guard tail - --problems.",
  unreachable: "Is the address right, and does the guard run? With --connect-to, a guard can be asked before DNS leads to it.",
  none: "Does the proxy pass this host to the guard? If AUTH_PATH is not /_auth, write it after the host.",
  store: "With Redis, look at redis in session-guard.toml, and whether Redis runs; otherwise, at the disk that has data.",
  settings: "session-guard doctor without a URL checks the settings. Correct them, and restart the guard.",
  slow: "Put Redis beside the guard, or data on a faster disk.",
  keyPath: "The proxy must pass every path of the host to the guard.",
  adminKey: "Put it into the file that secrets_file names, and restart the guard.",
  open: "Does the proxy pass every path of the host to the guard? Was the guard restarted after the settings changed?",
};

/** @param {boolean} isSelfHosted */
export const adviceFor = (isSelfHosted) => (isSelfHosted ? SELF_HOSTED : WORKER);
