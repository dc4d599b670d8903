// The index of users in SQLite: a row for each session. See `index.rs` in the core; the Redis store
// has the same in `index.lua`.

const TABLE = `
  CREATE TABLE IF NOT EXISTS entry
    (user TEXT, sid TEXT, deadline INTEGER, PRIMARY KEY (user, sid)) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS by_deadline ON entry (deadline);
`;

/**
 * Answers one question.
 * @param {SqlStorage} sql
 * @param {string[]} question
 * @returns {string}
 */
export function answer(sql, [what, now = "", ...rest]) {
  sql.exec(TABLE);
  sql.exec("DELETE FROM entry WHERE deadline <= ?", Number(now));
  switch (what) {
    case "record":
      return record(sql, rest);
    case "page":
      return page(sql, rest);
    default:
      return Object.values(sql.exec("SELECT COUNT(DISTINCT user), COUNT(*) FROM entry").one()).join(" ");
  }
}

/**
 * Notes the entry that has begun or "", with its deadline, and those that are over.
 * @param {SqlStorage} sql
 * @param {string[]} words
 */
function record(sql, [begun = "", deadline, ...ended]) {
  if (begun !== "") {
    sql.exec("INSERT OR IGNORE INTO entry VALUES (?, ?, ?)", ...begun.split(":"), Number(deadline));
  }
  for (const entry of ended) {
    sql.exec("DELETE FROM entry WHERE user = ? AND sid = ?", ...entry.split(":"));
  }
  return "";
}

/**
 * A line for each of the users behind the first, with their sids.
 * @param {SqlStorage} sql
 * @param {string[]} words
 */
function page(sql, [after = "", limit]) {
  const query = "SELECT DISTINCT user FROM entry WHERE user > ? ORDER BY user LIMIT ?";
  const users = sql.exec(query, after, Number(limit)).toArray().map(({ user = null }) => user);
  const sids = (/** @type {SqlStorageValue} */ user) =>
    sql.exec("SELECT sid FROM entry WHERE user = ?", user).toArray().map(({ sid }) => sid);
  return users.map((user) => [user, ...sids(user)].join(" ")).join("\n");
}
