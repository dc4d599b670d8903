//! When a token is valid (RFC 7519, sections 4.1.4 to 4.1.6).

use std::ops::Range;
use std::time::Duration;

use super::TokenError;
use crate::time::Timestamp;

/// When a token is valid, in seconds since the Unix epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Validity {
    pub(super) issued: u64,
    pub(super) begins: u64,
    pub(super) expires: u64,
    pub(super) leeway: u64,
    pub(super) is_too_old: bool,
}

impl Validity {
    /// The same, for an issuer whose clock may differ this much from ours.
    #[must_use]
    pub fn with_tolerance(self, tolerance: Duration) -> Self {
        Self { leeway: tolerance.as_secs(), ..self }
    }

    /// The same, but never valid if it speaks of a moment before `not_before`: its `iat`, or when its user logged
    /// in. There is no leeway.
    #[must_use]
    pub fn with_not_before(self, speaks_of: Timestamp, not_before: Option<Timestamp>) -> Self {
        Self { is_too_old: not_before.is_some_and(|it| speaks_of < it), ..self }
    }

    /// Is the token valid at this time?
    ///
    /// # Errors
    /// [`TokenError::NotYet`], [`TokenError::Expired`] or [`TokenError::TooOld`].
    pub fn judge(&self, now: Timestamp) -> Result<(), TokenError> {
        if self.begins > now.seconds() + self.leeway {
            return Err(TokenError::NotYet);
        }
        if now.seconds() >= self.expires.saturating_add(self.leeway) {
            return Err(TokenError::Expired);
        }
        if self.is_too_old { Err(TokenError::TooOld) } else { Ok(()) }
    }

    /// When it was issued.
    pub fn issued(&self) -> Timestamp {
        Timestamp::from_millis(self.issued * 1000)
    }

    /// Its `exp`.
    pub fn expires(&self) -> Timestamp {
        Timestamp::from_millis(self.expires.saturating_mul(1000))
    }

    /// When it is valid, as [`Validity::judge`] does: from the first moment to before the second.
    pub fn range(&self) -> Range<Timestamp> {
        let begins = self.begins.saturating_sub(self.leeway).saturating_mul(1000);
        let over = self.expires.saturating_add(self.leeway).saturating_mul(1000);
        let over = if self.is_too_old { 0 } else { over };
        Timestamp::from_millis(begins)..Timestamp::from_millis(over)
    }

    /// When it stops being accepted, leeway included.
    pub fn over(&self) -> Timestamp {
        Timestamp::from_millis((self.expires + self.leeway) * 1000)
    }
}
