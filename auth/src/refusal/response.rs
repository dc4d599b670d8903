//! A refusal as an HTTP response: problem details (RFC 9457), and the headers that belong to it.

use std::time::Duration;

use serde::Serialize;

use super::Refusal;
use crate::time::millis;

/// The body of a refusal (RFC 9457, section 3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// A URI that names the kind of problem.
    #[serde(rename = "type")]
    pub kind: String,
    /// What happened, the same for every request.
    pub title: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// What happened in this request.
    pub detail: String,
    /// The machine-readable name.
    pub code: &'static str,
}

/// When a client should retry while the store is unreachable, in seconds.
const RETRY_AFTER: &str = "5";

impl Refusal {
    /// The body.
    pub fn problem(&self) -> Problem {
        let (code, status, title) = self.entry();
        let kind = format!("urn:session-guard:problem:{code}");
        Problem { kind, title, status, detail: self.detail(), code }
    }

    /// The headers of the response beside `Content-Type`.
    pub fn headers(&self) -> Vec<(&'static str, String)> {
        let mut headers = vec![("cache-control", "no-store".to_owned())];
        match self {
            Self::MethodNotAllowed(allow) => headers.push(("allow", (*allow).to_owned())),
            Self::StoreUnavailable(_) => headers.push(("retry-after", RETRY_AFTER.to_owned())),
            Self::TooManyAttempts { wait } => {
                headers.push(("retry-after", seconds(*wait).to_string()));
            }
            _ => {}
        }
        if let Some(challenge) = self.challenge() {
            headers.push(("www-authenticate", challenge));
        }
        headers
    }

    /// The challenge of a 401, or of a 403 for a missing scope (RFC 6750, section 3): without an
    /// error when no token was sent.
    pub(super) fn challenge(&self) -> Option<String> {
        match self {
            Self::TokenMissing | Self::CredentialsInvalid | Self::KeyInvalid => {
                Some("Bearer".into())
            }
            Self::Token(_) | Self::Session(_) => {
                let detail = self.detail();
                Some(format!(r#"Bearer error="invalid_token", error_description="{detail}""#))
            }
            Self::RouteDenied { scope } => {
                let scope = match scope.is_empty() {
                    true => String::new(),
                    false => format!(r#", scope="{scope}""#),
                };
                Some(format!(r#"Bearer error="insufficient_scope"{scope}"#))
            }
            Self::AccessDenied { scope } => {
                let scope = scope.map_or_else(String::new, |scope| format!(r#", scope="{scope}""#));
                Some(format!(r#"Bearer error="insufficient_scope"{scope}"#))
            }
            _ => None,
        }
    }
}

/// Whole seconds, rounded up, at least one: a client that waits so long is not refused again.
pub fn seconds(wait: Duration) -> u64 {
    millis(wait).div_ceil(1000).max(1)
}
