//! Whether a session is live, and whether a token of it is still good.

use std::rc::Rc;
use std::time::Duration;

use super::{Denial, Session, SessionEnd, TokenGeneration, TokenName};
use crate::time::Timestamp;

/// Why a session is not valid. A store that is unreachable is not among the reasons: that is a
/// [`StoreError`](crate::store::StoreError).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InvalidSession {
    /// It was ended before its time.
    Ended(SessionEnd),
    /// Its absolute or idle deadline has passed.
    Expired {
        /// The deadline.
        at: Timestamp,
    },
    /// It is live, but the token is outdated, so it must be ended.
    Outdated,
    /// The store has no record of it.
    Unknown,
}

impl From<Denial> for InvalidSession {
    fn from(denial: Denial) -> Self {
        match denial {
            Denial::Ended(ending) => Self::Ended(ending),
            Denial::Expired { at } => Self::Expired { at },
        }
    }
}

/// A session that was live when it was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveSession(Rc<Session>);

impl LiveSession {
    /// When it expires.
    pub fn deadline(&self) -> Timestamp {
        self.0.deadline()
    }

    /// The origin's private data, as JSON text.
    pub fn data(&self) -> Option<&str> {
        self.0.data.as_deref()
    }

    /// The rights in place of what its token says, as JSON text: see [`Rights`](crate::rights::Rights).
    pub fn rights(&self) -> Option<&str> {
        self.0.rights.as_deref()
    }

    /// Must the store still record that this token is used? See [`Session::record_token_use`].
    pub fn needs_token_use_recorded(&self, token: &TokenName) -> bool {
        self.0.unused && self.0.jti == token.jti
    }

    /// Is its idle deadline to be extended at this use?
    pub fn is_use_due(&self, idle_timeout: Duration, now: Timestamp) -> bool {
        now >= self.0.next_idle_update(idle_timeout)
    }

    /// The session.
    pub fn session(&self) -> &Session {
        &self.0
    }

    /// The session.
    pub fn into_inner(self) -> Session {
        Rc::unwrap_or_clone(self.0)
    }
}

/// Checks that the store found a live session.
///
/// # Errors
/// Why it is not live.
pub fn judge_session(
    found: Option<Rc<Session>>,
    now: Timestamp,
) -> Result<LiveSession, InvalidSession> {
    let session = found.ok_or(InvalidSession::Unknown)?;
    match &session.ended {
        Some(ending) => Err(InvalidSession::Ended(ending.clone())),
        None if now >= session.deadline() => {
            Err(InvalidSession::Expired { at: session.deadline() })
        }
        None => Ok(LiveSession(session)),
    }
}

/// Checks that the store found a live session, and that at least one of these tokens of it is not outdated.
///
/// # Errors
/// Why the request must not pass.
pub fn judge_token<'a>(
    found: Option<Rc<Session>>,
    tokens: impl IntoIterator<Item = &'a TokenName>,
    now: Timestamp,
) -> Result<LiveSession, InvalidSession> {
    let live = judge_session(found, now)?;
    let mut standings = tokens.into_iter().map(|token| live.0.token_generation(token, now));
    match standings.any(|standing| standing != TokenGeneration::Outdated) {
        true => Ok(live),
        false => Err(InvalidSession::Outdated),
    }
}
