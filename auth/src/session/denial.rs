//! What keeps a provider's session out after its record is deleted.

use serde::{Deserialize, Serialize};

use super::SessionEnd;
use crate::time::Timestamp;

/// Why a token of a provider's session does not begin it again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Denial {
    /// It was ended.
    Ended(SessionEnd),
    /// A deadline has passed.
    Expired {
        /// The deadline.
        at: Timestamp,
    },
}

/// A denial as a store keeps it, by the session's name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "DenialRecord", into = "DenialRecord")]
pub struct StoredDenial {
    /// Until when it is kept: [`Timestamp::FAR_FUTURE`] is as long as the user is seen.
    pub until: Timestamp,
    /// Why.
    pub denial: Denial,
}

/// A [`StoredDenial`] in the stored format: one of the two members is there.
#[derive(Serialize, Deserialize)]
struct DenialRecord {
    until: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ended: Option<SessionEnd>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expired: Option<Timestamp>,
}

impl From<StoredDenial> for DenialRecord {
    fn from(StoredDenial { until, denial }: StoredDenial) -> Self {
        match denial {
            Denial::Ended(ending) => Self { until, ended: Some(ending), expired: None },
            Denial::Expired { at } => Self { until, ended: None, expired: Some(at) },
        }
    }
}

impl TryFrom<DenialRecord> for StoredDenial {
    type Error = &'static str;

    fn try_from(DenialRecord { until, ended, expired }: DenialRecord) -> Result<Self, Self::Error> {
        let denial = match (ended, expired) {
            (Some(ending), None) => Denial::Ended(ending),
            (None, Some(at)) => Denial::Expired { at },
            _ => return Err("neither `ended` nor `expired`, or both"),
        };
        Ok(Self { until, denial })
    }
}
