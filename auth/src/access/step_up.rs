//! The members of a rule that ask something of the login behind a session: see [`StepUp`](crate::step_up::StepUp).

use std::time::Duration;

use serde_json::Value;

use crate::setting_value::{InvalidValue, each_checked, text};
use crate::time::parse_span;

/// The shortest `max_age`: below, a login is too old by the time its user comes back with it.
const SHORTEST: Duration = Duration::from_secs(10);

/// Reads `max_age`.
pub fn max_age(value: Value) -> Result<Duration, InvalidValue> {
    let text = text(value)?;
    let span = parse_span(&text)?;
    match span >= SHORTEST && span.subsec_nanos() == 0 {
        true => Ok(span),
        false => Err(InvalidValue::expected("whole seconds, 10 at least", &text)),
    }
}

/// Reads `acr`.
pub fn acr(value: Value) -> Result<Vec<String>, InvalidValue> {
    each_checked(value, |acr| {
        let is_legal = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\');
        match !acr.is_empty() && acr.bytes().all(is_legal) {
            true => Ok(()),
            false => {
                Err(InvalidValue::expected("a value of `acr`, in ASCII and without spaces", acr))
            }
        }
    })
}
