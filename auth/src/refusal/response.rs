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

/// What a challenge says of the resource (RFC 9728, section 5.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceChallenge {
    /// The URL of its metadata.
    pub metadata: String,
    /// The scopes that are needed, separated by spaces; empty if none are.
    pub scope: String,
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
        self.headers_for(None)
    }

    /// The same for a request to a resource.
    pub fn headers_for(&self, resource: Option<&ResourceChallenge>) -> Vec<(&'static str, String)> {
        let mut headers = vec![("cache-control", "no-store".to_owned())];
        match self {
            Self::MethodNotAllowed(allow) => headers.push(("allow", (*allow).to_owned())),
            Self::StoreUnavailable(_) => headers.push(("retry-after", RETRY_AFTER.to_owned())),
            Self::SignIn(failure) if failure.status() == 503 => {
                headers.push(("retry-after", RETRY_AFTER.to_owned()));
            }
            Self::TooManyAttempts { wait } => {
                headers.push(("retry-after", seconds(*wait).to_string()));
            }
            _ => {}
        }
        if let Some(challenge) = self.challenge(resource) {
            headers.push(("www-authenticate", challenge));
        }
        headers
    }

    /// The challenge of a 401, or of a 403 for a missing scope (RFC 6750, section 3): without an
    /// error when no token was sent.
    pub(super) fn challenge(&self, resource: Option<&ResourceChallenge>) -> Option<String> {
        let detail;
        let (error, description, missing) = match self {
            Self::TokenMissing | Self::CredentialsInvalid | Self::KeyInvalid => ("", "", None),
            Self::Token(_) | Self::Session(_) => {
                detail = self.detail();
                ("invalid_token", &*detail, None)
            }
            Self::InsufficientAuthentication(_) => {
                detail = self.detail();
                ("insufficient_user_authentication", &*detail, None)
            }
            Self::RouteDenied { scope } => ("insufficient_scope", "", Some(scope.as_str())),
            Self::AccessDenied { scope } => ("insufficient_scope", "", Some(scope.unwrap_or(""))),
            _ => return None,
        };
        // A client asks for a token with all scopes that it is told, and no others. What lacks a role lacks no scope.
        let needed = resource.map_or("", |it| &it.scope);
        let scope = missing.filter(|it| it.is_empty() || needed.is_empty()).unwrap_or(needed);
        let metadata = resource.map_or("", |it| &it.metadata);
        let [acr_values, max_age] = match self {
            Self::InsufficientAuthentication(step_up) => step_up.challenge(),
            _ => Default::default(),
        };
        let parameters = [
            ("error", error),
            ("error_description", description),
            ("acr_values", &acr_values),
            ("max_age", &max_age),
            ("scope", scope),
            ("resource_metadata", metadata),
        ];
        let said = parameters.iter().filter(|(_, value)| !value.is_empty());
        let said: Vec<String> = said.map(|(name, value)| format!(r#"{name}="{value}""#)).collect();
        Some(format!("Bearer {}", said.join(", ")).trim_end().to_owned())
    }
}

/// Whole seconds, rounded up, at least one: a client that waits so long is not refused again.
pub fn seconds(wait: Duration) -> u64 {
    millis(wait).div_ceil(1000).max(1)
}
