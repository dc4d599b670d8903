//! What a session store is asked, and what it may answer.
//!
//! A command concerns one user and is one atomic step: a store either applies it whole or not
//! at all. Absence is an answer; failure is a [`StoreError`]; the two never meet.

use std::num::NonZeroU32;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::session::{Ending, Session, Sid};
use crate::time::Timestamp;

/// How many tombstones of one user are kept; beyond that the oldest are forgotten.
pub const MAX_TOMBSTONES: usize = 20;

/// One atomic step on the sessions of one user.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "lowercase")]
pub enum Command {
    /// Finds a session, ended or not. A live one with an idle timeout has its idle deadline
    /// moved when that is due; nothing is ever created. Answered by [`Answer::Found`].
    Check {
        /// The session.
        sid: Sid,
        /// The idle timeout, where there is one.
        idle_timeout: Option<Duration>,
        /// The present moment.
        now: Timestamp,
    },
    /// Adds a new session and ends the oldest live ones beyond the limit. The new one always
    /// stays. Answered by [`Answer::Ended`] with those that were superseded.
    Open {
        /// The new session.
        session: Box<Session>,
        /// How many live sessions the user may have, the new one included; `None`: any number.
        limit: Option<NonZeroU32>,
        /// The present moment.
        now: Timestamp,
    },
    /// Ends live sessions and leaves tombstones. Answered by [`Answer::Ended`].
    End {
        /// Which.
        which: Which,
        /// Why and when.
        ending: Ending,
    },
    /// Lists the live sessions, oldest first. Answered by [`Answer::Listed`].
    List {
        /// The present moment.
        now: Timestamp,
    },
}

/// Which of a user's sessions to end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "which", content = "sid", rename_all = "lowercase")]
pub enum Which {
    /// This one.
    One(Sid),
    /// All but this one.
    Others(Sid),
    /// All.
    All,
}

/// What a store answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Answer {
    /// The session that was looked for, `None` if there is no record of it.
    Found(Option<Box<Session>>),
    /// The sessions that were live before the step and are ended by it, oldest first.
    Ended(Vec<Session>),
    /// Live sessions, oldest first.
    Listed(Vec<Session>),
}

/// The store could not be asked, or its answer not understood. Nothing is known about the
/// session then, and least of all that it is absent.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum StoreError {
    /// No answer in time.
    #[error("no answer within {0:?}")]
    TimedOut(Duration),
    /// The store could not be reached, or broke off.
    #[error("unreachable: {0}")]
    Unreachable(String),
    /// It answered that it will not: a wrong token, a command it refuses.
    #[error("refused with status {status}: {message}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// What it said, shortened.
        message: String,
    },
    /// It answered in a form that is not its own.
    #[error("answered what cannot be read: {0}")]
    Unreadable(String),
}
