//! The tokens of one session. A refresh issues a new one, and the previous one stays valid for a while.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Session;
use crate::time::Timestamp;

/// How long the previous token stays valid after a refresh, so that requests in flight and other tabs still
/// pass. A session is refreshed at most once in that time. `redis/refresh.lua` has the same figure.
pub const REFRESH_GRACE: Duration = Duration::from_secs(30);

/// From when on a token's successor should be there: half its life is over, and the store gives another.
pub fn due_from(issued: Timestamp, expires: Timestamp) -> Timestamp {
    issued.plus(REFRESH_GRACE.max(expires.since(issued) / 2))
}

/// Identifies one token of a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenName {
    /// Its `jti`.
    pub jti: String,
    /// Its `iat`, in whole seconds.
    pub issued: Timestamp,
}

/// How a token relates to its session's current one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenGeneration {
    /// The current one, or a newer one that another holder of the key has signed.
    Current,
    /// The previous one, still valid: the current one is new, or has not been used.
    Previous,
    /// An older one. Its client should have replaced it, so somebody else has it too.
    Outdated,
}

impl Session {
    /// How this token relates to the current one.
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

    /// Refreshes it with one of its valid tokens; returns whether anything changed. The current token is
    /// replaced by one with this `jti`, but not within [`REFRESH_GRACE`] of the last refresh, so that the
    /// previous token always keeps its whole grace period. The previous token gets the unused current one
    /// again; past the grace period, that restarts it. Only a use extends the idle deadline.
    pub fn refresh(
        &mut self,
        token: &TokenName,
        new: String,
        idle_timeout: Option<Duration>,
        is_use: bool,
        now: Timestamp,
    ) -> bool {
        if self.refreshed.is_some_and(|last| now < last.plus(REFRESH_GRACE)) {
            return self.record_token_use(&token.jti, now);
        }
        if self.token_generation(token, now) == TokenGeneration::Current {
            self.previous_jti = Some(token.jti.clone());
            (self.jti, self.unused) = (new, true);
        }
        self.refreshed = Some(now);
        if is_use {
            self.seen = now;
            let timeout = self.idle_timeout_or(idle_timeout);
            self.idle_expires = timeout.map(|timeout| now.plus(timeout)).or(self.idle_expires);
        }
        true
    }

    /// Records the first use of the current token, if this is its `jti`; returns whether it did. From then
    /// on the previous token is valid for its grace period only.
    pub fn record_token_use(&mut self, jti: &str, now: Timestamp) -> bool {
        let is_first_use = self.records_token_use(jti, now);
        self.unused &= !is_first_use;
        is_first_use
    }

    /// Would [`Session::record_token_use`] change anything?
    pub fn records_token_use(&self, jti: &str, now: Timestamp) -> bool {
        self.unused && self.jti == jti && self.is_live(now)
    }
}
