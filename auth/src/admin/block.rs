//! The body of a request to block a user.

use serde_json::Value;

use crate::session::Block;
use crate::setting_value::{InvalidValue, text};
use crate::strict_json;
use crate::time::{LONGEST, Timestamp, parse_moment, parse_span};

/// The longest reason, in bytes.
const MAX_REASON: usize = 256;

/// Reads the block that begins now: a JSON object, or nothing for one without a reason and without an end.
///
/// # Errors
/// What to change.
pub fn block(body: &str, now: Timestamp) -> Result<Block, InvalidValue> {
    let members = match strict_json::value(if body.trim().is_empty() { "{}" } else { body }) {
        Ok(Value::Object(members)) => members,
        _ => return Err(InvalidValue::new("expected a JSON object, with no member twice")),
    };
    let (mut why, mut until, mut has_span) = (None, None, false);
    for (name, value) in members {
        let read = text(value).and_then(|text| match &*name {
            "reason" => reason(text).map(|text| why = Some(text)),
            "until" if has_span => Err(InvalidValue::new("say `until` or `for`, not both")),
            "for" if until.is_some() => Err(InvalidValue::new("say `until` or `for`, not both")),
            "until" => parse_moment(&text).map(|moment| until = Some(moment)),
            "for" => parse_span(&text).map(|span| (until, has_span) = (Some(now.plus(span)), true)),
            _ => Err(InvalidValue::new("unknown member; expected `reason`, `until` and `for`")),
        });
        read.map_err(|error| error.in_member(&name))?;
    }
    match until {
        Some(until) if until <= now => {
            Err(InvalidValue::new("has passed already").in_member("until"))
        }
        Some(until) if until > now.plus(LONGEST) => {
            let reason = "is more than 3650 days ahead; leave it out for a block without an end";
            Err(InvalidValue::new(reason).in_member("until"))
        }
        until => Ok(Block { reason: why, until, at: now }),
    }
}

fn reason(text: String) -> Result<String, InvalidValue> {
    match text.len() <= MAX_REASON {
        true => Ok(text),
        false => Err(InvalidValue::new(format!("is longer than {MAX_REASON} bytes"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    #[rstest]
    #[case("", None, None)]
    #[case(" {} ", None, None)]
    #[case(r#"{"reason":"spam"}"#, Some("spam"), None)]
    #[case(r#"{"until":"2023-11-14T23:13:20+00:00"}"#, None, Some(3600))]
    #[case(r#"{"for":"1 hour","reason":"é"}"#, Some("é"), Some(3600))]
    #[case(r#"{"for":"3650 days"}"#, None, Some(315_360_000))]
    fn a_block_has_a_reason_and_an_end_if_it_is_given_them(
        #[case] body: &str,
        #[case] reason: Option<&str>,
        #[case] seconds: Option<u64>,
    ) {
        let until = seconds.map(|seconds| Timestamp::from_millis(NOW.millis() + 1000 * seconds));
        let expected = Block { reason: reason.map(str::to_owned), until, at: NOW };
        assert_eq!(block(body, NOW), Ok(expected));
    }

    #[rstest]
    #[case("[]", "expected a JSON object")]
    #[case("{", "expected a JSON object")]
    #[case(r#"{"reason":7}"#, "reason: expected a text")]
    #[case(r#"{"reason":"a","reason":"b"}"#, "twice")]
    #[case(r#"{"until":"2023-11-14T22:13:20Z"}"#, "until: has passed already")]
    #[case(r#"{"until":"2023-11-15"}"#, "until: expected a moment")]
    #[case(r#"{"until":"2033-11-15T00:00:00Z"}"#, "until: is more than 3650 days ahead")]
    #[case(r#"{"until":"9999-11-15T00:00:00Z"}"#, "until: is more than 3650 days ahead")]
    #[case(r#"{"for":"0 seconds"}"#, "for: expected a duration")]
    #[case(r#"{"for":"1 hour","until":"2024-11-14T22:13:20Z"}"#, "until: say `until` or `for`")]
    #[case(r#"{"untill":"2024-11-14T22:13:20Z"}"#, "untill: unknown member")]
    fn a_mistake_is_named_and_never_made_a_block_without_an_end(
        #[case] body: &str,
        #[case] why: &str,
    ) {
        let error = block(body, NOW).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }

    #[test]
    fn a_reason_has_a_bound() {
        let body = |len| format!(r#"{{"reason":"{}"}}"#, "x".repeat(len));
        assert!(block(&body(MAX_REASON), NOW).is_ok());
        assert!(block(&body(MAX_REASON + 1), NOW).is_err());
    }
}
