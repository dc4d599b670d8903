//! How a session was ended before its time: the tombstone.

use serde::{Deserialize, Serialize};

use crate::device::DeviceClass;
use crate::time::Timestamp;

/// Why and when a session was ended before its time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "SessionEndRecord", into = "SessionEndRecord")]
pub enum SessionEnd {
    /// A newer login took its place.
    Superseded {
        /// When that login happened.
        at: Timestamp,
        /// The kind of device it came from.
        by: DeviceClass,
    },
    /// The user, an admin or the issuer ended it.
    Revoked {
        /// When.
        at: Timestamp,
    },
    /// An outdated token was used: it, or the one that replaced it, may be stolen.
    Reused {
        /// When.
        at: Timestamp,
    },
}

/// A [`SessionEnd`] in the stored format.
#[derive(Serialize, Deserialize)]
struct SessionEndRecord {
    why: Why,
    at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    by: Option<DeviceClass>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Why {
    Superseded,
    Revoked,
    Reused,
}

impl From<SessionEnd> for SessionEndRecord {
    fn from(ending: SessionEnd) -> Self {
        match ending {
            SessionEnd::Superseded { at, by } => Self { why: Why::Superseded, at, by: Some(by) },
            SessionEnd::Revoked { at } => Self { why: Why::Revoked, at, by: None },
            SessionEnd::Reused { at } => Self { why: Why::Reused, at, by: None },
        }
    }
}

impl TryFrom<SessionEndRecord> for SessionEnd {
    type Error = &'static str;

    fn try_from(SessionEndRecord { why, at, by }: SessionEndRecord) -> Result<Self, Self::Error> {
        match (why, by) {
            (Why::Superseded, Some(by)) => Ok(Self::Superseded { at, by }),
            (Why::Superseded, None) => Err("`by` is missing"),
            (Why::Revoked, _) => Ok(Self::Revoked { at }),
            (Why::Reused, _) => Ok(Self::Reused { at }),
        }
    }
}

impl SessionEnd {
    /// When the session was ended.
    pub fn at(&self) -> Timestamp {
        match self {
            Self::Superseded { at, .. } | Self::Revoked { at } | Self::Reused { at } => *at,
        }
    }
}
