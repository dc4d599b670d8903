//! A session: the record of a login, and when it is live.

mod denial;
mod end;
mod id;
mod judge;
mod refresh;
mod rights_change;
mod user_record;

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use denial::{Denial, StoredDenial};
pub use end::SessionEnd;
pub(crate) use id::digest;
pub use id::{Sid, Subject};
pub use judge::{InvalidSession, LiveSession, judge_session, judge_token};
pub use refresh::{REFRESH_GRACE, TokenGeneration, TokenName, due_from};
pub use rights_change::{RightsChange, RightsOf};
pub use user_record::{Block, SEEN_ONCE_IN, UNSEEN_FOR, UserRecord};

use crate::device::DeviceClass;
use crate::time::{Timestamp, millis};

/// A session as a store keeps it. The field names are the stored format.
///
/// Every field is a scalar, or text that no store looks into, because Redis scripts rewrite
/// records through a JSON codec that cannot tell an empty list from an empty object.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Its name.
    pub sid: Sid,
    /// The `jti` of its current token.
    pub jti: String,
    /// The `jti` of the previous token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_jti: Option<String>,
    /// When the current token replaced the previous one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refreshed: Option<Timestamp>,
    /// Has the current token not been used since? The response that carried it may have been lost.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unused: bool,
    /// When the login happened.
    pub created: Timestamp,
    /// When it was last used; updated only when the idle deadline is.
    pub seen: Timestamp,
    /// The absolute deadline.
    pub expires: Timestamp,
    /// The idle deadline, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_expires: Option<Timestamp>,
    /// Its own idle timeout in milliseconds, in place of `SESSION_IDLE_TIMEOUT`, if its login set one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_timeout: Option<u64>,
    /// Does its cookie end with the browser? It has no `Max-Age` then.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub transient: bool,
    /// The kind of device that logged in.
    pub device: DeviceClass,
    /// Its `User-Agent`, shortened to 256 bytes.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub user_agent: String,
    /// Where it logged in from, by IP geolocation: `Berlin, DE`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// The origin's private data, as JSON text: set by the login response, by the origin and with the admin
    /// API key. The user can read it, not change it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<String>,
    /// The client's private data, as JSON text: set with the user's token. The origin does not get it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_data: Option<String>,
    /// The trusted issuer whose ID token or access token began it, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// The issuer's `sid`, if its token has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer_sid: Option<String>,
    /// Do its token's scopes make its user an admin? See [`AdminScopes`](crate::scopes::AdminScopes).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub admin: bool,
    /// For a provider's session that was admitted at first sight: until when a token of it may still come;
    /// [`Timestamp::FAR_FUTURE`] if the provider has no maximum. Once it is over, a [`Denial`] keeps it out
    /// until then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deny_until: Option<Timestamp>,
    /// Is its idle deadline soft? When that has passed, its next token begins it anew. The absolute deadline is
    /// never soft.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub readmit: bool,
    /// What its roles, scopes and claims are now, whatever the token says: see [`RightsChange`]. JSON text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rights: Option<String>,
    /// Set when it was ended before its time: the tombstone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<SessionEnd>,
}

/// Whose private data it is. The two are stored apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DataKind {
    /// The origin's.
    Data,
    /// The client's.
    ClientData,
}

impl DataKind {
    /// The member of a stored session that holds it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Data => "data",
            Self::ClientData => "client_data",
        }
    }
}

/// Leaves out the private data.
impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("sid", &self.sid)
            .field("created", &self.created)
            .field("expires", &self.expires)
            .field("idle_expires", &self.idle_expires)
            .field("device", &self.device)
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}

/// How long a record is kept past its deadline, so that a late token is told that its
/// session has expired, not that it is unknown. `redis/prelude.lua` has the same figure.
pub const KEPT_PAST_DEADLINE: Duration = Duration::from_secs(60);

impl Session {
    /// Its private data of this kind.
    pub fn data_of(&self, kind: DataKind) -> Option<&str> {
        match kind {
            DataKind::Data => self.data.as_deref(),
            DataKind::ClientData => self.client_data.as_deref(),
        }
    }

    /// Sets its private data of this kind.
    pub fn set_data(&mut self, kind: DataKind, data: Option<String>) {
        match kind {
            DataKind::Data => self.data = data,
            DataKind::ClientData => self.client_data = data,
        }
    }

    /// The same without its private data.
    #[must_use]
    pub fn without_data(self) -> Self {
        Self { data: None, client_data: None, ..self }
    }

    /// Is it a provider's, begun at the first sight of one of its tokens? The guard has issued none of them.
    pub fn is_of_provider(&self) -> bool {
        self.deny_until.is_some()
    }

    /// When it expires: the earlier of its two deadlines.
    pub fn deadline(&self) -> Timestamp {
        self.idle_expires.map_or(self.expires, |idle| idle.min(self.expires))
    }

    /// When it ended, or else when it expires.
    pub fn over_at(&self) -> Timestamp {
        self.ended.as_ref().map_or(self.deadline(), SessionEnd::at)
    }

    /// When the record is deleted, ended or not: once none of its tokens can be accepted any more, even
    /// by a clock that is slightly behind. Tokens of a provider's session can come later, so a denial takes
    /// the record's place.
    pub fn forget_at(&self) -> Timestamp {
        let last = if self.is_of_provider() { self.deadline() } else { self.expires };
        last.plus(KEPT_PAST_DEADLINE)
    }

    /// Does it lapse at its deadline, so that its next token begins it anew?
    fn lapses(&self) -> bool {
        self.readmit && self.idle_expires.is_some_and(|idle| idle < self.expires)
    }

    /// Has it lapsed? It is not live then, but its next token would be admitted.
    pub fn has_lapsed(&self, now: Timestamp) -> bool {
        self.ended.is_none() && now >= self.deadline() && self.lapses()
    }

    /// What is left of the record of a provider's session once it is over and deleted.
    pub fn denial(&self) -> Option<StoredDenial> {
        let until = self.deny_until?;
        let denial = match &self.ended {
            Some(ending) => Denial::Ended(ending.clone()),
            None if self.lapses() => return None,
            None => Denial::Expired { at: self.deadline() },
        };
        Some(StoredDenial { until, denial })
    }

    /// Is it neither ended nor past a deadline?
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.ended.is_none() && now < self.deadline()
    }

    /// Was it created, refreshed or ended at exactly this time?
    pub fn bears(&self, at: Timestamp) -> bool {
        self.created == at
            || self.refreshed == Some(at)
            || self.ended.as_ref().is_some_and(|ending| ending.at() == at)
    }

    /// How long it may be unused: its own timeout, or else that of the settings.
    pub fn idle_timeout_or(&self, by_settings: Option<Duration>) -> Option<Duration> {
        self.idle_timeout.map(Duration::from_millis).or(by_settings)
    }

    /// `Max-Age` of the cookie with a token that is valid for so long; `None` if the cookie ends with the browser.
    pub fn cookie_max_age(&self, token_lifetime: Duration) -> Option<Duration> {
        (!self.transient).then_some(token_lifetime)
    }

    /// When the idle deadline is next to be extended.
    pub fn next_idle_update(&self, timeout: Duration) -> Timestamp {
        self.seen.plus(Duration::from_millis(millis(timeout).div_ceil(10)))
    }

    /// Since when it has certainly not been used: its use is noted at most once per tenth of the idle timeout. Where
    /// there is none, since it began or was refreshed.
    pub fn unused_since(&self) -> Timestamp {
        self.idle_expires.map_or(self.seen, |idle| self.next_idle_update(idle.since(self.seen)))
    }

    /// Extends the idle deadline of a live session, at most once per tenth of the timeout. Returns whether it
    /// did.
    pub fn extend_idle_deadline(&mut self, timeout: Duration, now: Timestamp) -> bool {
        let due = self.is_live(now) && now >= self.next_idle_update(timeout);
        if due {
            self.seen = now;
            self.idle_expires = Some(now.plus(timeout));
        }
        due
    }
}

#[cfg(test)]
pub(crate) mod tests;
