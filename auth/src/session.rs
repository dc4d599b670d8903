//! A session: what is kept of a login, and when it counts as live.

mod end;
mod id;
mod judge;
mod refresh;

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use end::SessionEnd;
pub use id::{Sid, Subject};
pub use judge::{InvalidSession, LiveSession, judge_session, judge_token};
pub use refresh::{REFRESH_GRACE, TokenGeneration, TokenName};

use crate::device::DeviceClass;
use crate::time::Timestamp;

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
    /// The `jti` of the token before that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_jti: Option<String>,
    /// When the one took the other's place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refreshed: Option<Timestamp>,
    /// Has nobody used the current one since? The answer that brought it may have been lost.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unused: bool,
    /// When the login happened.
    pub created: Timestamp,
    /// When it was last seen in use; moves only when the idle deadline does.
    pub seen: Timestamp,
    /// The absolute deadline.
    pub expires: Timestamp,
    /// The idle deadline, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_expires: Option<Timestamp>,
    /// The kind of device that logged in.
    pub device: DeviceClass,
    /// Its `User-Agent`, shortened to 256 bytes.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub user_agent: String,
    /// Where it logged in from, as far as the network knows: `Berlin, DE`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// Private data of the origin's, a JSON object in text: what the login answer, the origin and the
    /// admin API key have said. The user sees it, and cannot change it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<String>,
    /// Private data of the client's, likewise: what the user's token has said. The origin is not told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_data: Option<String>,
    /// The trusted issuer whose ID token began it, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// That issuer's own name for its session, if it gave one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer_sid: Option<String>,
    /// Does its token make its user an admin? See [`AdminScopes`](crate::scopes::AdminScopes).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub admin: bool,
    /// Set when it was ended before its time: the tombstone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<SessionEnd>,
}

/// Whose private data it is: the two are never mixed.
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

/// How long a record is kept past its absolute deadline, so that a late token is told that its
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

    /// When it ends by itself, from what is known now.
    pub fn deadline(&self) -> Timestamp {
        self.idle_expires.map_or(self.expires, |idle| idle.min(self.expires))
    }

    /// When the record itself is forgotten, ended or not: once no token of its can be accepted
    /// any more, even by a clock that is a little behind.
    pub fn forget_at(&self) -> Timestamp {
        self.expires.plus(KEPT_PAST_DEADLINE)
    }

    /// Is it neither ended nor past a deadline?
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.ended.is_none() && now < self.deadline()
    }

    /// Was it begun, refreshed or ended at this very moment?
    pub fn bears(&self, at: Timestamp) -> bool {
        self.created == at
            || self.refreshed == Some(at)
            || self.ended.as_ref().is_some_and(|ending| ending.at() == at)
    }

    /// From when on the idle deadline is to be moved, if it is live then.
    pub fn next_idle_update(&self, timeout: Duration) -> Timestamp {
        self.seen.plus(Duration::from_millis((timeout.as_millis() as u64).div_ceil(10)))
    }

    /// Moves the idle deadline of a live session, at most once per tenth of the timeout.
    /// Says whether it moved.
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
