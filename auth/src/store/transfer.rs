//! How a user's records move from one store to another, are saved and restored.
//!
//! A user's records are in one place at a time. The store that gives them away packs them into a numbered
//! [`Parcel`] and is closed from then on: it answers every command with
//! [`CommandResult::Moved`](super::CommandResult::Moved). It keeps the parcel until it is confirmed. The other store
//! takes in each number once, so whoever repeats a step does no harm, however late.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::session::{Session, Sid, StoredDenial, UserRecord};
use crate::time::Timestamp;

/// How long a store remembers at least that records moved: far longer than any step of a move can be delayed.
pub const MOVE_REMEMBERED: Duration = Duration::from_secs(24 * 60 * 60);

/// All that a store keeps of one user. The member names are the format of a backup.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserRecords {
    /// The sessions, live and ended.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sessions: Vec<Session>,
    /// What keeps out sessions of providers.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub denials: BTreeMap<Sid, StoredDenial>,
    /// The user's own record.
    #[serde(default, skip_serializing_if = "is_empty")]
    pub user: UserRecord,
}

fn is_empty(user: &UserRecord) -> bool {
    *user == UserRecord::default()
}

impl UserRecords {
    /// Is there anything that outlasts the sessions?
    pub fn is_lasting(&self) -> bool {
        let is_lasting = |it: &Session| it.is_of_provider() && it.ended.is_some();
        !self.denials.is_empty() || !is_empty(&self.user) || self.sessions.iter().any(is_lasting)
    }

    /// Is nothing known of the user?
    pub fn is_empty(&self) -> bool {
        self.sessions.is_empty() && self.denials.is_empty() && is_empty(&self.user)
    }
}

/// The records of a user on their way to the other store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parcel {
    /// Its number: a later parcel of the same store has a greater one.
    pub number: Timestamp,
    /// Until when the store that sent it may send it again.
    pub until: Timestamp,
    /// The number of the last parcel that had come from the other way before this one was packed.
    #[serde(default)]
    pub after: Timestamp,
    /// What is in it.
    pub records: UserRecords,
}

/// What a store knows of a user's moves. The field names are the stored format; the Redis scripts rely on the
/// first two and their order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "StoredMove", into = "StoredMove")]
pub struct Passage {
    /// Are the records elsewhere?
    pub gone: bool,
    /// Until when this is kept.
    pub until: Timestamp,
    /// The number of the last attempt to pack a parcel here. There may have been nothing to pack.
    pub left: Timestamp,
    /// The number of the last parcel that was packed here.
    pub sent: Timestamp,
    /// [`Parcel::after`] of that parcel.
    pub after: Timestamp,
    /// The number of the last parcel that was taken in here.
    pub arrived: Timestamp,
    /// What was packed, until it is confirmed.
    pub parcel: Option<UserRecords>,
}

#[derive(Serialize, Deserialize)]
struct StoredMove {
    closed: bool,
    until: Timestamp,
    gone: bool,
    left: Timestamp,
    #[serde(default)]
    sent: Timestamp,
    #[serde(default)]
    after: Timestamp,
    arrived: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    parcel: Option<UserRecords>,
}

impl From<Passage> for StoredMove {
    fn from(passage: Passage) -> Self {
        let closed = passage.is_closed();
        let Passage { gone, until, left, sent, after, arrived, parcel } = passage;
        Self { closed, until, gone, left, sent, after, arrived, parcel }
    }
}

impl From<StoredMove> for Passage {
    fn from(stored: StoredMove) -> Self {
        let StoredMove { closed: _, until, gone, left, sent, after, arrived, parcel } = stored;
        Self { gone, until, left, sent, after, arrived, parcel }
    }
}

impl Passage {
    /// Does the store not know all of the user's records?
    pub fn is_closed(&self) -> bool {
        self.gone || self.parcel.is_some()
    }

    /// The parcel that is not confirmed yet.
    pub fn pending(&self) -> Option<Parcel> {
        let records = self.parcel.clone()?;
        Some(Parcel { number: self.left, until: self.until, after: self.after, records })
    }
}

/// One step of a move, a backup or its restoration: atomic, and safe to repeat.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transfer {
    /// Packs all records and closes the store. Returns [`TransferResult::Taken`]: again the last parcel, until it is
    /// confirmed; nothing if there is nothing to move.
    Take,
    /// Takes in a parcel, unless it was taken in before, and opens the store. Returns [`TransferResult::Done`].
    Receive(Box<Parcel>),
    /// The parcel of this number was taken in. Returns [`TransferResult::Done`].
    Confirm(Timestamp),
    /// Asks whether the store is closed, and for the parcel that is not confirmed. Returns
    /// [`TransferResult::Passage`].
    Look,
    /// Opens the store, if the parcel of this number was the last that it sent. Returns [`TransferResult::Done`].
    Open(Timestamp),
    /// Reads the records. Returns [`TransferResult::Records`], or [`TransferResult::Moved`].
    Export,
    /// Takes in records of a backup. Returns [`TransferResult::Done`], or [`TransferResult::Moved`].
    Restore(Box<UserRecords>),
}

/// The result of a [`Transfer`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransferResult {
    /// The parcel.
    Taken(Option<Box<Parcel>>),
    /// What is on its way.
    Passage {
        /// The number of the last parcel, if the records are elsewhere.
        gone: Option<Timestamp>,
        /// The parcel that is not confirmed.
        parcel: Option<Box<Parcel>>,
    },
    /// The records.
    Records(Box<UserRecords>),
    /// The step is done, or was before.
    Done,
    /// The records are elsewhere.
    Moved,
}
