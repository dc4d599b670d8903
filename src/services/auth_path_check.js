// Does the origin have something of its own below AUTH_PATH, where the guard would hide it? It is asked,
// by `npm run check-config` and in monitor mode. Free of the runtime, because Node reads it, too.

/** How it is asked: as nobody, by a name that its log can tell from people's. */
export const HEADERS = { "user-agent": "session-guard (looks for pages below AUTH_PATH)" };

/** What applications have there. */
const NAMES = ["", "/", "/login", "/logout", "/session", "/sessions", "/refresh", "/admin", "/events", "/health"];

/**
 * The paths below `authPath` at which the origin has something: it answers another way there than where
 * it can have nothing, as some answer any path with their first page or with a login.
 * @param {string} authPath
 * @param {(path: string) => Promise<number>} ask the status of its answer to a GET
 * @returns {Promise<string[]>} rejected if it cannot be asked
 */
export async function findTaken(authPath, ask) {
  const paths = NAMES.map((name) => authPath + name);
  const [nothing, ...statuses] = await Promise.all([`/${crypto.randomUUID()}`, ...paths].map(ask));
  return paths.filter((_, at) => {
    const status = statuses[at] ?? 404;
    return status !== nothing && status !== 404 && status !== 410 && status < 500;
  });
}

/**
 * What people are told.
 * @param {string[]} taken
 */
export function warning(taken) {
  return `the origin has something at ${taken.join(", ")}, which nobody can reach behind the guard; choose another AUTH_PATH`;
}
