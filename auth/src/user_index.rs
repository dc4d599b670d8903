//! The index of users: who may have a live session. It is written after the fact and may lag; it
//! serves to find users, and decides nothing about them.
//!
//! It has an entry for each session. A session begins once and ends once, and its entry with it, so
//! entries of one user need no order among each other; one that is late to go is noticed when the
//! user's sessions are looked at.

use std::collections::{BTreeMap, BTreeSet};

use base64ct::{Base64UrlUnpadded, Encoding};
use serde::Serialize;

use crate::session::{Session, Sid, Subject};
use crate::time::Timestamp;

/// How many users are shown at once. The store is asked about each, and the platform allows a free
/// Worker 50 requests of its own.
pub const MAX_PAGE: u32 = 40;

/// The indexes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Index {
    /// Users who may have a live session.
    Live,
    /// Users of whom something is kept that outlasts their sessions: a block, rights, or what keeps out sessions of
    /// providers. A move or a backup finds them here.
    Kept,
}

impl Index {
    /// Its name, in a store.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Live => "index",
            Self::Kept => "kept",
        }
    }
}

/// Names a session: its user in base64url, a colon, its `sid`. The text is ordered by user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexEntry(String);

impl IndexEntry {
    /// The entry of this session.
    pub fn new(user: &Subject, sid: &Sid) -> Self {
        Self(format!("{}:{sid}", Cursor::at(user).0))
    }
}

/// A place in the order of users: behind this one, or before all.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Cursor(String);

impl Cursor {
    /// Behind this user.
    pub fn at(user: &Subject) -> Self {
        Self(Base64UrlUnpadded::encode_string(user.as_str().as_bytes()))
    }

    /// The text that [`Cursor::parse`] reads.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Reads what a cursor was written as; `None` if it was something else.
    pub fn parse(text: &str) -> Option<Self> {
        user(text).map(|_| Self(text.to_owned()))
    }
}

/// What the index is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IndexQuery {
    /// Notes what has changed. Answered by anything.
    Record {
        /// A session that has begun, and its absolute deadline.
        begun: Option<(IndexEntry, Timestamp)>,
        /// Sessions that are over.
        ended: Vec<IndexEntry>,
        /// The present moment.
        now: Timestamp,
    },
    /// Looks for users. Answered by what [`users`] reads.
    Page {
        /// Behind which place.
        after: Cursor,
        /// How many at most.
        limit: u32,
        /// The present moment.
        now: Timestamp,
    },
    /// Looks for users whose `sub` begins with a text. Answered by what [`users`] reads.
    Search {
        /// How their names begin: see [`ranges`].
        ranges: Vec<String>,
        /// Behind which place.
        after: Cursor,
        /// How many at most.
        limit: u32,
        /// The present moment.
        now: Timestamp,
    },
    /// Counts. Answered by what [`counts`] reads.
    Count {
        /// The present moment.
        now: Timestamp,
    },
}

impl IndexQuery {
    /// Notes that a session has begun, or not, and that others are over.
    pub fn record(
        user: &Subject,
        begun: Option<&Session>,
        ended: &[Session],
        now: Timestamp,
    ) -> Self {
        let begun = begun.map(|session| (IndexEntry::new(user, &session.sid), session.expires));
        let ended = ended.iter().map(|session| IndexEntry::new(user, &session.sid)).collect();
        Self::Record { begun, ended, now }
    }

    /// Notes in [`Index::Kept`] that something is kept of this user. It has no session, so any name will do for it.
    pub fn keep(user: &Subject, now: Timestamp) -> Self {
        let entry = IndexEntry(format!("{}:kept", Cursor::at(user).0));
        Self::Record { begun: Some((entry, Timestamp::FAR_FUTURE)), ended: Vec::new(), now }
    }

    /// Looks for users whose `sub` begins with this text.
    pub fn search(text: &str, after: Cursor, limit: u32, now: Timestamp) -> Self {
        let ranges = ranges(text.as_bytes());
        // Those behind the cursor, and the one that it is in.
        let is_left = |range: &String| {
            let place = after.0.get(..range.len()).unwrap_or(&after.0);
            range.as_str() >= place
        };
        Self::Search { ranges: ranges.into_iter().filter(is_left).collect(), after, limit, now }
    }

    /// The question in words, the same for each store: what to do, the present moment, and what that
    /// needs.
    pub fn words(&self) -> Vec<String> {
        let (what, now) = match self {
            Self::Record { now, .. } => ("record", now),
            Self::Page { now, .. } => ("page", now),
            Self::Search { now, .. } => ("search", now),
            Self::Count { now } => ("count", now),
        };
        let mut words = vec![what.to_owned(), now.millis().to_string()];
        match self {
            Self::Record { begun, ended, .. } => {
                let begun = begun.clone().unwrap_or((IndexEntry(String::new()), *now));
                words.extend([begun.0.0, begun.1.millis().to_string()]);
                words.extend(ended.iter().map(|entry| entry.0.clone()));
            }
            Self::Page { after, limit, .. } => words.extend([after.0.clone(), limit.to_string()]),
            Self::Search { ranges, after, limit, .. } => {
                words.extend([after.0.clone(), limit.to_string()]);
                words.extend(ranges.iter().cloned());
            }
            Self::Count { .. } => {}
        }
        words
    }
}

/// The characters of base64url, in their order as text.
const IN_ORDER: &str = "-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz";

/// How the names in base64url of all those begin whose `sub` begins with these bytes, in order. A character of base64url
/// stands for six bits, so the last one may also have bits of what follows: there are 4 or 16 such characters then.
fn ranges(start: &[u8]) -> Vec<String> {
    let first = Base64UrlUnpadded::encode_string(start);
    let (free, rest) = match start.len() % 3 {
        0 => return vec![first],
        1 => (4, 1),
        _ => (2, 2),
    };
    let (whole, last) = first.split_at(start.len() / 3 * 4 + rest);
    let value = |digit: &str| {
        // A character that nothing follows is no base64url of its own; with three before it, it is.
        let byte = Base64UrlUnpadded::decode_vec(&format!("AAA{digit}")).unwrap_or_default();
        byte.last().map_or(0, |byte| byte & 63)
    };
    let is_possible = |digit: &String| value(digit) >> free == value(last) >> free;
    let digits = IN_ORDER.chars().map(String::from).filter(is_possible);
    digits.map(|digit| format!("{whole}{digit}")).collect()
}

/// A user, and the sessions that the index has of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexedUser {
    /// The user.
    pub user: Subject,
    /// Their sessions. Some may be over, and some missing.
    pub sids: Vec<Sid>,
}

/// Reads a page: a line for each user, of the name in base64url and the `sid`s, with spaces between.
pub fn users(answer: &str) -> Option<Vec<IndexedUser>> {
    answer.lines().map(indexed).collect()
}

/// One answer of the answers of two stores, between which users move. A user may be in both.
pub fn merge(query: &IndexQuery, here: &str, there: &str) -> String {
    let (IndexQuery::Page { limit, .. } | IndexQuery::Search { limit, .. }) = query else {
        let sums = counts(here).zip(counts(there)).map(|(a, b)| (a.0 + b.0, a.1 + b.1));
        return sums.map_or(String::new(), |(users, sessions)| format!("{users} {sessions}"));
    };
    let mut users = BTreeMap::<&str, BTreeSet<&str>>::new();
    for line in here.lines().chain(there.lines()) {
        let (user, sids) = line.split_once(' ').unwrap_or((line, ""));
        users.entry(user).or_default().extend(sids.split(' ').filter(|sid| !sid.is_empty()));
    }
    let line = |(user, sids): (&str, BTreeSet<&str>)| {
        sids.into_iter().fold(user.to_owned(), |line, sid| line + " " + sid)
    };
    users.into_iter().take(*limit as usize).map(line).collect::<Vec<_>>().join("\n")
}

fn indexed(line: &str) -> Option<IndexedUser> {
    let mut words = line.split(' ');
    let user = user(words.next()?)?;
    let sids = words.map(|sid| Sid::try_from(sid.to_owned()).ok());
    Some(IndexedUser { user, sids: sids.collect::<Option<_>>()? })
}

fn user(encoded: &str) -> Option<Subject> {
    let bytes = Base64UrlUnpadded::decode_vec(encoded).ok()?;
    Subject::try_from(String::from_utf8(bytes).ok()?).ok()
}

/// Reads how many users there are, and how many sessions: two numbers with a space between.
pub fn counts(answer: &str) -> Option<(u64, u64)> {
    let (users, sessions) = answer.split_once(' ')?;
    Some((users.parse().ok()?, sessions.parse().ok()?))
}

#[cfg(test)]
mod tests;
