//! The index of users in SQLite: one row per session. See `user_index.rs` in the core; `index.lua` is the same for
//! Redis.

use auth::time::Timestamp;
use wasm_bindgen::JsValue;
use worker::SqlStorage;

use super::storage::{Result, failure, js_millis, query};

const TABLE: &str = "
  CREATE TABLE IF NOT EXISTS entry
    (user TEXT, sid TEXT, deadline INTEGER, PRIMARY KEY (user, sid)) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS by_deadline ON entry (deadline);
";

/// One line per user after the first binding whose name begins with the second: the user and the `sid`s, separated by
/// spaces. No name has a `~`, which sorts behind all that they have.
const PAGE: &str = "SELECT user || ' ' || group_concat(sid, ' ') FROM entry
  WHERE user > ? AND user >= ? AND user < ? || '~' GROUP BY user ORDER BY user LIMIT ?";

const COUNT: &str = "SELECT COUNT(DISTINCT user) || ' ' || COUNT(*) FROM entry";

/// Answers one query, given by its words: see [`auth::user_index::IndexQuery::words`].
pub fn answer(sql: &SqlStorage, words: &[String]) -> Result<String> {
    let [what, now, rest @ ..] = words else {
        return Err(failure("an index query has too few words"));
    };
    query(sql, TABLE, Vec::new())?;
    query(sql, "DELETE FROM entry WHERE deadline <= ?", vec![number(now)?])?;
    match (what.as_str(), rest) {
        ("record", [created, deadline, ended @ ..]) => record(sql, created, deadline, ended),
        ("page", [after, limit]) => search(sql, after, limit, &[String::new()]),
        ("search", [after, limit, starts @ ..]) => search(sql, after, limit, starts),
        ("count", []) => Ok(query(sql, COUNT, Vec::new())?.concat()),
        _ => Err(failure("an index query has an unknown form")),
    }
}

/// The next users whose names begin with one of these texts, which are in order.
fn search(sql: &SqlStorage, after: &str, limit: &str, starts: &[String]) -> Result<String> {
    let mut users = Vec::new();
    let most: usize = limit.parse().unwrap_or_default();
    for start in starts {
        let left = most - users.len();
        let start = start.as_str();
        users.extend(query(
            sql,
            PAGE,
            vec![after.into(), start.into(), start.into(), left.into()],
        )?);
    }
    Ok(users.join("\n"))
}

/// Inserts the entry of a new session, unless `created` is empty, and deletes those of ended sessions.
fn record(sql: &SqlStorage, created: &str, deadline: &str, ended: &[String]) -> Result<String> {
    if let Some((user, sid)) = created.split_once(':') {
        let row = vec![user.into(), sid.into(), number(deadline)?];
        query(sql, "INSERT OR IGNORE INTO entry VALUES (?, ?, ?)", row)?;
    }
    for (user, sid) in ended.iter().filter_map(|entry| entry.split_once(':')) {
        query(sql, "DELETE FROM entry WHERE user = ? AND sid = ?", vec![user.into(), sid.into()])?;
    }
    Ok(String::new())
}

fn number(word: &str) -> Result<JsValue> {
    let number =
        word.parse().map_err(|_| failure("an index query has a word that is not a number"))?;
    Ok(js_millis(Timestamp::from_millis(number)))
}
