//! The results of a session store's commands, and its errors.

use std::rc::Rc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::session::{Block, Denial, Session, UserRecord};
use crate::time::short;

/// The result of a [`Command`](super::Command).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CommandResult {
    /// The session; `None` if there is no record of it.
    Found(Option<Rc<Session>>),
    /// The session after the command.
    Changed(Box<Session>),
    /// The sessions that the command ended, oldest first.
    Ended(Vec<Session>),
    /// The result of [`Command::End`](super::Command::End), oldest first. A retry has the same result.
    Ends {
        /// The sessions that this command ended.
        now: Vec<Session>,
        /// Those that were ended otherwise, less than [`REPEAT_END_EVENTS`](super::REPEAT_END_EVENTS) ago.
        before: Vec<Session>,
    },
    /// The live sessions, oldest first: they reach the limit.
    Full(Vec<Session>),
    /// Live sessions, oldest first.
    Listed(Vec<Session>),
    /// A provider's session began.
    Admitted {
        /// The session, with the user's rights.
        session: Box<Session>,
        /// Those that it superseded, oldest first.
        ended: Vec<Session>,
    },
    /// The user's records are in the other store, or on their way: see [`Transfer`](super::Transfer).
    Moved,
    /// A provider's session is over, or began before all sessions were ended.
    Denied(Denial),
    /// The user is blocked.
    Blocked(Block),
    /// The user's own record and sessions, oldest first.
    User {
        /// The record; an empty one if nothing is stored.
        record: UserRecord,
        /// The live sessions.
        live: Vec<Session>,
        /// Those that have ended or expired, as far as their records are kept, without their private data. Only for
        /// [`Command::User`](super::Command::User).
        #[serde(default)]
        ended: Vec<Session>,
    },
}

/// The store is unreachable, or its reply is not understood. Nothing is known about the session then, least
/// of all that it does not exist.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum StoreError {
    /// No reply in time.
    #[error("no answer within {}", short(*.0))]
    TimedOut(Duration),
    /// The connection failed.
    #[error("unreachable: {0}")]
    Unreachable(String),
    /// It refused the command, for example because of a wrong token.
    #[error("refused with status {status}: {message}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// Its message, shortened.
        message: String,
    },
    /// The reply cannot be parsed.
    #[error("answered what cannot be read: {0}")]
    Unreadable(String),
}

impl StoreError {
    /// May the command have been applied nevertheless? Not if the store refused it. A 5xx may come from a
    /// proxy before the store, so it proves nothing.
    pub fn may_have_applied(&self) -> bool {
        !matches!(self, Self::Refused { status: ..500, .. })
    }

    /// A reply to another command than was sent.
    pub fn other_answer() -> Self {
        Self::Unreadable("the answer to another command".into())
    }
}
