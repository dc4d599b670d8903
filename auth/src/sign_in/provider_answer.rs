//! What providers answer to the guard itself: JSON, as a rule.

use std::time::Duration;

use serde_json::{Map, Value};

use crate::refusal::{ProviderError, SignInFailure};
use crate::strict_json;

/// The largest answer that is read, in bytes.
pub const MAX_ANSWER: usize = 256 * 1024;

/// How long a provider may take.
pub const PROVIDER_TIMEOUT: Duration = Duration::from_secs(10);

/// An answer.
pub struct Answer<'a> {
    pub status: u16,
    pub content_type: Option<&'a str>,
    pub body: &'a str,
}

/// The members of an answer of one of these statuses. An `error` counts whatever the status is: GitHub sends it with
/// 200.
///
/// # Errors
/// The provider refuses, or its answer cannot be used; `what` it was asked.
pub fn object(
    answer: &Answer<'_>,
    good: &[u16],
    what: &str,
) -> Result<Map<String, Value>, SignInFailure> {
    let read = members(answer);
    if let Some(error) = read.as_ref().and_then(error) {
        return Err(SignInFailure::at_token(error));
    }
    match (good.contains(&answer.status), read) {
        (true, Some(read)) => Ok(read),
        (true, None) => {
            let cause = format!("the provider's answer to the {what} is no JSON object");
            Err(SignInFailure::Refused(cause))
        }
        (false, _) => Err(of_status(answer.status, what)),
    }
}

/// A status that says no more. That of an outage is none of a wrong setting.
pub fn of_status(status: u16, what: &str) -> SignInFailure {
    let cause = format!("the provider answers {status} to the {what}");
    match status {
        408 | 425 | 429 | 500.. => SignInFailure::Unavailable(cause),
        300..400 => SignInFailure::Refused(format!("{cause}, a redirect, which is not followed")),
        _ => SignInFailure::Refused(cause),
    }
}

/// JSON, whatever the type says, or a form that says that it is one.
fn members(answer: &Answer<'_>) -> Option<Map<String, Value>> {
    if let Ok(Value::Object(members)) =
        strict_json::value(answer.body.trim_start_matches('\u{feff}'))
    {
        return Some(members);
    }
    let media_type = answer.content_type?.split(';').next()?.trim();
    if !media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return None;
    }
    let pairs = form_urlencoded::parse(answer.body.as_bytes());
    Some(pairs.map(|(name, value)| (name.into_owned(), value.into_owned().into())).collect())
}

fn error(members: &Map<String, Value>) -> Option<ProviderError> {
    let error = members.get("error")?;
    let code = error.as_str().or_else(|| error.get("code").and_then(Value::as_str));
    let description = members.get("error_description").and_then(Value::as_str);
    Some(ProviderError::new(code.unwrap_or("an error that is no text"), description))
}
