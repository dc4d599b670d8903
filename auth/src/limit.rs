//! How many sessions a user may have, and what happens to the one too many.

use std::num::NonZeroU32;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::device::DeviceClass;
use crate::session::Session;
use crate::setting_value::InvalidValue;
use crate::time::Timestamp;

/// `SESSION_LIMIT`: live sessions per user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionLimit {
    /// In all; `None`: any number.
    InAll(Option<NonZeroU32>),
    /// By the class of device. A class that is not named may have one.
    PerDevice(Vec<(DeviceClass, Option<NonZeroU32>)>),
}

impl Default for SessionLimit {
    fn default() -> Self {
        Self::InAll(NonZeroU32::new(1))
    }
}

impl SessionLimit {
    /// Reads a number, or a list like `mobile=1, desktop=2`. 0 is no limit.
    ///
    /// # Errors
    /// What to change.
    pub fn parse(text: &str) -> Result<Self, InvalidValue> {
        if let Ok(number) = text.parse() {
            return Ok(Self::InAll(NonZeroU32::new(number)));
        }
        let mut all = Vec::new();
        for (index, entry) in text.split(',').map(str::trim).enumerate() {
            let (class, most) = of_class(entry).ok_or_else(|| {
                let error = InvalidValue::expected(FORM, entry);
                if text.contains(',') { error.in_item(index) } else { error }
            })?;
            if all.iter().any(|(other, _)| *other == class) {
                let reason = format!("`{}` is listed twice", class.name());
                return Err(InvalidValue::new(reason).in_item(index));
            }
            all.push((class, most));
        }
        Ok(Self::PerDevice(all))
    }

    /// What the limit is for a login from a device of this class; `None` if there is none. A session's
    /// tokens are taken for `reach` after they were issued.
    pub fn for_device(
        &self,
        device: DeviceClass,
        policy: LimitPolicy,
        reach: Duration,
    ) -> Option<Limit> {
        let (most, among) = match self {
            Self::InAll(most) => (*most, None),
            Self::PerDevice(all) => {
                let named = all.iter().find(|(class, _)| *class == device);
                (named.map_or(NonZeroU32::new(1), |(_, most)| *most), Some(device))
            }
        };
        let evicts = policy == LimitPolicy::EvictOldest;
        most.map(|most| Limit { most, among, evicts, reach })
    }
}

const FORM: &str = "a whole number, or one for a class of device, like `mobile=1, desktop=2`, of \
                    `mobile`, `tablet`, `desktop`, `agent` and `other`; `0` is no limit";

/// One entry of a list: `mobile=1`.
fn of_class(entry: &str) -> Option<(DeviceClass, Option<NonZeroU32>)> {
    let (class, number) = entry.split_once('=')?;
    let number: u32 = number.trim().parse().ok()?;
    Some((DeviceClass::named(class.trim())?, NonZeroU32::new(number)))
}

/// As a login endpoint gives it: a number, or the text of the setting.
impl<'de> Deserialize<'de> for SessionLimit {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        let text = match Value::deserialize(json)? {
            Value::String(text) => text,
            other => other.to_string(),
        };
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// `SESSION_LIMIT_POLICY`: what happens to a login beyond the limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LimitPolicy {
    /// It ends the oldest sessions.
    #[default]
    EvictOldest,
    /// It is refused.
    Deny,
    /// It is refused until it says which sessions to end.
    Ask,
}

impl LimitPolicy {
    /// Reads the policy's name.
    ///
    /// # Errors
    /// What to change.
    pub fn parse(text: &str) -> Result<Self, InvalidValue> {
        match text {
            "evict-oldest" => Ok(Self::EvictOldest),
            "deny" => Ok(Self::Deny),
            "ask" => Ok(Self::Ask),
            _ => Err(InvalidValue::expected("`evict-oldest`, `deny` or `ask`", text)),
        }
    }
}

/// The limit of one login.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limit {
    /// How many live sessions there may be, the new one included.
    pub most: NonZeroU32,
    /// Only those of this class of device count; `None`: all do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub among: Option<DeviceClass>,
    /// Does the new one end the oldest beyond it, or is it refused?
    pub evicts: bool,
    /// How long a token is taken after it was issued.
    pub reach: Duration,
}

impl Limit {
    /// Does this session count?
    pub fn counts(&self, session: &Session) -> bool {
        self.among.is_none_or(|class| class == session.device)
    }

    /// Can no token of this session be used or refreshed any more? Then it makes room for a new one
    /// before any other does, whatever the policy: its user may have lost it. Tokens that somebody else
    /// with our key has signed are not known. A provider's session is never out of reach: the provider
    /// refreshes its tokens.
    pub fn is_out_of_reach(&self, session: &Session, now: Timestamp) -> bool {
        !session.is_of_provider()
            && now >= session.refreshed.unwrap_or(session.created).plus(self.reach)
    }

    /// How many of `live` sessions that count are too many beside a new one.
    pub fn excess(&self, live: usize) -> usize {
        (live + 1).saturating_sub(usize::try_from(self.most.get()).unwrap_or(usize::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn most(limit: &SessionLimit, device: DeviceClass) -> Option<(u32, Option<DeviceClass>)> {
        let limit = limit.for_device(device, LimitPolicy::Deny, Duration::from_secs(60))?;
        assert!(!limit.evicts);
        Some((limit.most.get(), limit.among))
    }

    #[test]
    fn a_number_counts_every_session() {
        let limit = SessionLimit::parse("3").unwrap();
        assert_eq!(most(&limit, DeviceClass::Mobile), Some((3, None)));
        assert_eq!(most(&SessionLimit::parse("0").unwrap(), DeviceClass::Mobile), None);
    }

    #[test]
    fn classes_of_device_are_counted_apart() {
        use DeviceClass::{Agent, Desktop, Mobile, Other, Tablet};
        let limit = SessionLimit::parse("mobile=1, desktop=2,other = 0, agent=5").unwrap();
        assert_eq!(most(&limit, Mobile), Some((1, Some(Mobile))));
        assert_eq!(most(&limit, Desktop), Some((2, Some(Desktop))));
        assert_eq!(most(&limit, Tablet), Some((1, Some(Tablet))), "one, as by default");
        assert_eq!(most(&limit, Agent), Some((5, Some(Agent))));
        assert_eq!(most(&limit, Other), None);
    }

    #[rstest]
    #[case("")]
    #[case("-1")]
    #[case("many")]
    #[case("mobile")]
    #[case("mobile=1,")]
    #[case("mobile=one")]
    #[case("phone=1")]
    #[case("mobile=1, mobile=2")]
    fn anything_else_is_refused(#[case] text: &str) {
        assert!(SessionLimit::parse(text).is_err());
    }

    #[rstest]
    #[case("2", "2")]
    #[case(r#""2""#, "2")]
    #[case(r#""mobile=1""#, "mobile=1")]
    fn a_login_endpoint_may_give_either(#[case] json: &str, #[case] text: &str) {
        let read: SessionLimit = serde_json::from_str(json).unwrap();
        assert_eq!(read, SessionLimit::parse(text).unwrap());
        assert!(serde_json::from_str::<SessionLimit>("-1").is_err());
        assert!(serde_json::from_str::<SessionLimit>("null").is_err());
    }
}
