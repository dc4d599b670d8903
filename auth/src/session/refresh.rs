//! The tokens of one session: a refresh makes a new one, and the one before stays good for a while.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Session;
use crate::time::Timestamp;

/// How long a token stays good after a refresh at least, so that requests on their way and other tabs
/// are not cut off. A session is refreshed at most once in that time; `redis/prelude.lua` has the same
/// figure.
pub const REFRESH_GRACE: Duration = Duration::from_secs(30);

/// What tells the tokens of one session apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenName {
    /// Its `jti`.
    pub jti: String,
    /// Its `iat`, in whole seconds.
    pub issued: Timestamp,
}

/// What a token is to its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenGeneration {
    /// The current one, or a newer one that somebody else with our key has signed.
    Current,
    /// The one before, which is still good: its successor is new, or nobody has used it.
    Previous,
    /// An old one. Its client should have a newer one, so two have it.
    Outdated,
}

impl Session {
    /// What this token is to it.
    pub fn token_generation(&self, token: &TokenName, now: Timestamp) -> TokenGeneration {
        let Some(refreshed) = self.refreshed else { return TokenGeneration::Current };
        if token.jti == self.jti || token.issued.seconds() > refreshed.seconds() {
            return TokenGeneration::Current;
        }
        let was_before = self.previous_jti.as_ref() == Some(&token.jti);
        match was_before && (self.unused || now < refreshed.plus(REFRESH_GRACE)) {
            true => TokenGeneration::Previous,
            false => TokenGeneration::Outdated,
        }
    }

    /// Refreshes it with one of its tokens that is good; says whether anything changed. The current
    /// token makes room for a new one of this `jti`, but not within the grace of the last refresh, so
    /// that the token before always has all of its own. The token before gets the current one again,
    /// which nobody has used; past the grace as of now, so that it lasts.
    pub fn refresh(
        &mut self,
        token: &TokenName,
        new: String,
        idle_timeout: Option<Duration>,
        now: Timestamp,
    ) -> bool {
        if self.refreshed.is_some_and(|last| now < last.plus(REFRESH_GRACE)) {
            return self.record_token_use(&token.jti, now);
        }
        if self.token_generation(token, now) == TokenGeneration::Current {
            self.previous_jti = Some(token.jti.clone());
            (self.jti, self.unused) = (new, true);
        }
        (self.refreshed, self.seen) = (Some(now), now);
        self.idle_expires = idle_timeout.map(|timeout| now.plus(timeout)).or(self.idle_expires);
        true
    }

    /// Notes that a token of this `jti` is used, if that is news: the one before the current is good
    /// no longer than its grace from then on.
    pub fn record_token_use(&mut self, jti: &str, now: Timestamp) -> bool {
        let learns = self.records_token_use(jti, now);
        self.unused &= !learns;
        learns
    }

    /// Would [`Session::learn_use`] change anything?
    pub fn records_token_use(&self, jti: &str, now: Timestamp) -> bool {
        self.unused && self.jti == jti && self.is_live(now)
    }
}
