//! Whether a session is live, and whether a token of it is still good.

use std::rc::Rc;

use super::{Session, SessionEnd, TokenGeneration, TokenName};
use crate::time::Timestamp;

/// Why a session no longer serves. Not for a store that could not be asked: that is a
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
    /// It is live, but the token is an old one of its: it is to be ended.
    Outdated,
    /// The store has never heard of it, or has forgotten it.
    Unknown,
}

/// A session that was live when it was judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveSession(Rc<Session>);

impl LiveSession {
    /// When it ends by itself.
    pub fn deadline(&self) -> Timestamp {
        self.0.deadline()
    }

    /// The origin's private data, a JSON object in text.
    pub fn data(&self) -> Option<&str> {
        self.0.data.as_deref()
    }

    /// Has the store yet to learn that this token is used? See [`Session::learn_use`].
    pub fn needs_token_use_recorded(&self, token: &TokenName) -> bool {
        self.0.unused && self.0.jti == token.jti
    }

    /// The session.
    pub fn into_inner(self) -> Session {
        Rc::unwrap_or_clone(self.0)
    }
}

/// Decides whether what the store found is live.
///
/// # Errors
/// Why it is not.
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

/// Decides whether what the store found lets a request with these tokens of the session pass: one that
/// is good is enough.
///
/// # Errors
/// Why it does not.
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
