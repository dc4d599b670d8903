//! Moments and spans of time, as they are stored, written and configured.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

use crate::setting_value::InvalidValue;

/// A moment, in milliseconds since the Unix epoch.
///
/// Milliseconds, because two logins in one second still have an order.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The end of what has no end, in the year 5138: the last that Lua writes in 14 digits.
    pub const FAR_FUTURE: Self = Self(99_999_999_999_999);

    /// The moment `millis` milliseconds after the Unix epoch.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the Unix epoch.
    pub const fn millis(self) -> u64 {
        self.0
    }

    /// Whole seconds since the Unix epoch, as JWT calls `NumericDate` (RFC 7519, section 2).
    pub const fn seconds(self) -> u64 {
        self.0 / 1000
    }

    /// The moment `span` later; the end of time if there is none.
    #[must_use]
    pub const fn plus(self, span: Duration) -> Self {
        Self(self.0.saturating_add(millis(span)))
    }

    /// How long ago `earlier` was; zero if it lies ahead.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    /// The same moment in the calendar; `None` past its end.
    pub fn to_utc(self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp_millis(i64::try_from(self.0).ok()?)
    }
}

/// RFC 3339, in UTC, to the second.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.to_utc() {
            Some(moment) => f.write_str(&moment.to_rfc3339_opts(SecondsFormat::Secs, true)),
            None => write!(f, "{} ms", self.0),
        }
    }
}

/// A span in whole milliseconds, of which `u64` has room for more than half a billion years.
pub const fn millis(span: Duration) -> u64 {
    span.as_millis() as u64
}

/// A time limit, as an error shows it: `1s`, or `1500ms`.
pub fn short(limit: Duration) -> String {
    match millis(limit) {
        whole if whole.is_multiple_of(1000) => format!("{}s", whole / 1000),
        millis => format!("{millis}ms"),
    }
}

/// The longest span that anything is set to.
pub(crate) const LONGEST: Duration = Duration::from_secs(3650 * 24 * 60 * 60);

/// Reads a span of time as people write it: `15 minutes`, `7 days`, `1h 30m`.
///
/// # Errors
/// Says what is wrong with the text and shows the form that is expected. Zero is refused,
/// since a lifetime or a timeout of nothing locks everybody out, and so is more than ten years,
/// since that is a slip, and ends beyond the calendar.
pub fn parse_span(text: &str) -> Result<Duration, InvalidValue> {
    let expected = match humantime::parse_duration(text) {
        Ok(span) if millis(span) == 0 => "a duration longer than nothing",
        Ok(span) if span > LONGEST => "a duration of at most 3650 days",
        Ok(span) => return Ok(span),
        Err(_) => "a duration like `15 minutes` or `7 days`",
    };
    Err(InvalidValue::expected(expected, text))
}

/// Reads a moment as RFC 3339 has it, with its time zone: `2026-11-26T12:05:00Z`.
///
/// # Errors
/// It is something else, or before 1970.
pub fn parse_moment(text: &str) -> Result<Timestamp, InvalidValue> {
    let moment = DateTime::parse_from_rfc3339(text).ok();
    let millis = moment.and_then(|moment| u64::try_from(moment.timestamp_millis()).ok());
    let expected = || InvalidValue::expected("a moment like `2026-11-26T12:05:00Z`", text);
    millis.map(Timestamp::from_millis).ok_or_else(expected)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("15 minutes", 900)]
    #[case("7 days", 604_800)]
    #[case("1 second", 1)]
    #[case("1h 30m", 5_400)]
    #[case("50 seconds", 50)]
    fn spans_read_as_people_write_them(#[case] text: &str, #[case] seconds: u64) {
        assert_eq!(parse_span(text), Ok(Duration::from_secs(seconds)));
    }

    #[rstest]
    #[case("")]
    #[case("15")]
    #[case("soon")]
    #[case("-1 day")]
    #[case("0 seconds")]
    #[case("1 fortnight")]
    #[case("3651 days")]
    #[case("100000000 years")]
    fn other_texts_are_refused_with_a_reason(#[case] text: &str) {
        assert!(!parse_span(text).unwrap_err().reason.is_empty());
    }

    #[rstest]
    #[case("2023-11-14T22:13:20Z", Some(1_700_000_000_000))]
    #[case("2023-11-14T23:13:20.999+01:00", Some(1_700_000_000_999))]
    #[case("1969-12-31T23:59:59Z", None)]
    #[case("2023-11-14T22:13:20", None)]
    #[case("2023-11-14", None)]
    #[case("2023-02-29T00:00:00Z", None)]
    #[case("1700000000", None)]
    #[case("", None)]
    fn a_moment_is_read_with_its_time_zone(#[case] text: &str, #[case] millis: Option<u64>) {
        assert_eq!(parse_moment(text).ok(), millis.map(Timestamp::from_millis));
    }

    #[test]
    fn a_moment_is_written_in_rfc_3339() {
        assert_eq!(Timestamp::from_millis(1_700_000_000_999).to_string(), "2023-11-14T22:13:20Z");
    }
}
