//! What a store answers, and how it fails.

use std::rc::Rc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::session::Session;

/// What a store answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CommandResult {
    /// The session that was looked for, `None` if there is no record of it.
    Found(Option<Rc<Session>>),
    /// The session as it is after the step.
    Changed(Box<Session>),
    /// The sessions that were live before the step and are ended by it, oldest first.
    Ended(Vec<Session>),
    /// What [`Command::End`] has done, oldest first. A command that comes twice is answered alike.
    Ends {
        /// The sessions that bear this very ending.
        now: Vec<Session>,
        /// Those that were ended in another way, less than [`RETOLD`] ago.
        before: Vec<Session>,
    },
    /// The live sessions that leave no room for another, oldest first.
    Full(Vec<Session>),
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

impl StoreError {
    /// May the command have been applied all the same? Not if the store has refused it; what a proxy
    /// before it says with a 5xx is no such word.
    pub fn may_have_applied(&self) -> bool {
        !matches!(self, Self::Refused { status: ..500, .. })
    }

    /// An answer that belongs to another command than was sent.
    pub fn other_answer() -> Self {
        Self::Unreadable("the answer to another command".into())
    }
}
