//! Moves between stores, backups and their restoration, as the admin API has them.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::request::{CURSOR, page_size};
use crate::refusal::Refusal;
use crate::session::Subject;
use crate::store::UserRecords;
use crate::user_index::{Cursor, Index, IndexedUser, MAX_PAGE};

/// How many users a call takes, unless it says.
const DEFAULT_LIMIT: u32 = 20;

/// How many lines of a backup a call takes in.
const MAX_LINES: usize = MAX_PAGE as usize;

/// A place in the order of all users of whom something is stored: those who may be logged in come first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Everybody {
    /// Which index.
    pub index: Index,
    /// Behind which user.
    pub after: Cursor,
}

impl fmt::Display for Everybody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.index.name(), self.after.as_str())
    }
}

impl Everybody {
    /// Reads `limit` and `cursor` of a query.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn parse(query: &str) -> Result<(u32, Self), Refusal> {
        let mut place = Self { index: Index::Live, after: Cursor::default() };
        let mut limit = DEFAULT_LIMIT;
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                "limit" => limit = page_size(&value)?,
                "cursor" => place = Self::read(&value).ok_or(CURSOR)?,
                _ => {}
            }
        }
        Ok((limit, place))
    }

    fn read(text: &str) -> Option<Self> {
        let (name, after) = text.split_once('.')?;
        let index = [Index::Live, Index::Kept].into_iter().find(|index| index.name() == name)?;
        let after = if after.is_empty() { Some(Cursor::default()) } else { Cursor::parse(after) };
        Some(Self { index, after: after? })
    }

    /// The place behind a page of at most so many users; `None` behind the last.
    pub fn behind(&self, page: &[IndexedUser], limit: u32) -> Option<Self> {
        let last = page.last().filter(|_| page.len() >= limit as usize);
        match (last, self.index) {
            (Some(last), index) => Some(Self { index, after: Cursor::at(&last.user) }),
            (None, Index::Live) => Some(Self { index: Index::Kept, after: Cursor::default() }),
            (None, Index::Kept) => None,
        }
    }
}

/// One line of a backup: a user, or where the next page begins. No enum, because reading one that is told by its members
/// takes much code.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackupLine {
    #[serde(skip_serializing_if = "Option::is_none")]
    sub: Option<Subject>,
    #[serde(skip_serializing_if = "Option::is_none")]
    records: Option<Box<UserRecords>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<String>,
}

impl BackupLine {
    /// All that is stored of a user.
    pub fn of_user(sub: Subject, records: Box<UserRecords>) -> Self {
        Self { sub: Some(sub), records: Some(records), cursor: None }
    }

    /// Where the next page begins.
    pub fn next(place: &Everybody) -> Self {
        Self { cursor: Some(place.to_string()), ..Self::default() }
    }

    /// Reads the users of a backup. Cursors are passed over.
    ///
    /// # Errors
    /// Which line cannot be read.
    pub fn read_all(text: &str) -> Result<Vec<(Subject, Box<UserRecords>)>, Refusal> {
        if text.trim().is_empty() {
            return Err(Refusal::BadRequest("Send lines of a backup."));
        }
        let mut users = Vec::new();
        for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            match serde_json::from_str(line) {
                Ok(Self { sub: Some(sub), records: Some(records), cursor: None }) => {
                    users.push((sub, records));
                }
                Ok(Self { sub: None, records: None, cursor: Some(_) }) => {}
                _ => {
                    let why = format!("Line {} is not one of a backup.", index + 1);
                    return Err(Refusal::BadBody(why));
                }
            }
        }
        match users.len() <= MAX_LINES {
            true => Ok(users),
            false => Err(Refusal::BadRequest("Send at most 40 users at once.")),
        }
    }
}

/// The users that are named in the body of a move, if there are any.
///
/// # Errors
/// What is wrong with it.
pub fn users_to_move(body: &str) -> Result<Option<Vec<Subject>>, Refusal> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        users: Vec<Subject>,
    }
    if body.trim().is_empty() {
        return Ok(None);
    }
    let why = "The body must be empty, or `{\"users\": [\"…\"]}` with at most 40 of them.";
    let read = serde_json::from_str::<Body>(body).map_err(|_| Refusal::BadRequest(why))?;
    match read.users.len() <= MAX_LINES {
        true => Ok(Some(read.users)),
        false => Err(Refusal::BadRequest(why)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn users(names: &[&str]) -> Vec<IndexedUser> {
        let user = |name: &&str| Subject::try_from((*name).to_owned()).unwrap();
        names.iter().map(|name| IndexedUser { user: user(name), sids: vec![] }).collect()
    }

    #[test]
    fn cursors_lead_through_both_indexes_and_end() {
        let (limit, mut place) = Everybody::parse("limit=2").unwrap();
        let mut seen = Vec::new();
        for page in [users(&["a", "b"]), users(&["c"]), users(&[])] {
            let next = place.behind(&page, limit);
            seen.push(next.as_ref().map(Everybody::to_string));
            let Some(next) = next else { break };
            place = Everybody::parse(&format!("cursor={next}")).unwrap().1;
            assert_eq!(place, next);
        }
        assert_eq!(seen, [Some("index.Yg".into()), Some("kept.".into()), None]);
    }

    #[rstest::rstest]
    #[case("limit=0")]
    #[case("limit=41")]
    #[case("cursor=YQ")]
    #[case("cursor=other.YQ")]
    #[case("cursor=kept.*")]
    fn a_query_with_something_else_is_refused(#[case] query: &str) {
        assert!(matches!(Everybody::parse(query), Err(Refusal::BadRequest(_))));
    }

    #[test]
    fn a_backup_is_read_line_by_line_and_nothing_unknown_is_taken_for_a_record() {
        let text = "{\"sub\":\"ada\",\"records\":{}}\n\n{\"cursor\":\"kept.\"}\n";
        assert_eq!(BackupLine::read_all(text).unwrap().len(), 1);
        for line in ["{}", "x", r#"{"sub":"","records":{}}"#, r#"{"sub":"a","records":{"x":1}}"#] {
            let text = format!("{{\"cursor\":\"\"}}\n{line}");
            let Err(Refusal::BadBody(why)) = BackupLine::read_all(&text) else { panic!("{line}") };
            assert_eq!(why, "Line 2 is not one of a backup.");
        }
        assert!(matches!(BackupLine::read_all("\n"), Err(Refusal::BadRequest(_))));
        let many = "{\"sub\":\"ada\",\"records\":{}}\n".repeat(41);
        assert!(matches!(BackupLine::read_all(&many), Err(Refusal::BadRequest(_))));
    }

    #[test]
    fn users_to_move_can_be_named() {
        assert_eq!(users_to_move(" ").unwrap(), None);
        assert_eq!(users_to_move(r#"{"users":["a","b"]}"#).unwrap().unwrap().len(), 2);
        for body in ["[]", r#"{"users":[""]}"#, r#"{"users":[],"x":1}"#] {
            assert!(users_to_move(body).is_err(), "{body}");
        }
    }
}
