//! What a store keeps of a user beside the sessions.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Sid;
use crate::time::Timestamp;

/// For how long after a user was last seen the store keeps what has no end of its own. `redis/prelude.lua` has the
/// same figure.
pub const UNSEEN_FOR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// How often [`UserRecord::seen`] is updated. `redis/records.lua` has the same figure.
pub const SEEN_ONCE_IN: Duration = Duration::from_secs(24 * 60 * 60);

/// What a store keeps of a user beside the sessions. It is stored only while it says something. The field names
/// are the stored format.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserRecord {
    /// When the user was last seen, to a day; a session may have been seen later. `None` if nothing is stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<Timestamp>,
    /// A provider's session is admitted only if its login is later than this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
    /// The one session that [`UserRecord::not_before`] does not concern: all others were ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spared: Option<Sid>,
    /// Set while no session of the user may begin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block: Option<Block>,
    /// The rights that new sessions begin with: see [`Session::rights`](super::Session::rights).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rights: Option<String>,
}

/// Why and until when no session of this user may begin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// Why, as the admin has put it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When it ends; `None`: when it is lifted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// When it began.
    pub at: Timestamp,
}

impl Block {
    /// Is it still in force?
    pub fn holds(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

impl UserRecord {
    /// Until when the store keeps it, if the user was seen then: [`Timestamp::FAR_FUTURE`] for rights, and for a block
    /// without an end.
    pub(crate) fn kept_until(&self, unseen: Timestamp) -> Timestamp {
        let block = self.block.as_ref();
        let block = block.map(|block| block.until.unwrap_or(Timestamp::FAR_FUTURE));
        let rights = self.rights.as_ref().map(|_| Timestamp::FAR_FUTURE);
        block.max(rights).max(self.not_before.map(|_| unseen)).unwrap_or(Timestamp::from_millis(0))
    }
}
