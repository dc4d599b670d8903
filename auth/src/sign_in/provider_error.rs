//! What a provider answers instead of a code or a token (RFC 6749, sections 4.1.2.1 and 5.2).

use std::fmt;

use super::failure::SignInFailure;

/// The most of each text that is kept.
const MAX_TEXT: usize = 200;

/// An error, as the provider says it. It is logged, and never shown: anybody can send a browser here with one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderError {
    error: String,
    description: Option<String>,
}

/// What is printed of a text from outside: ASCII without control characters, and not much.
fn plain(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_graphic() || *c == ' ').take(MAX_TEXT).collect()
}

impl ProviderError {
    /// The error of this code, and what the provider says of it.
    pub fn new(error: &str, description: Option<&str>) -> Self {
        let description = description.map(plain).filter(|text| !text.is_empty());
        Self { error: plain(error), description }
    }

    /// Its code.
    pub fn code(&self) -> &str {
        &self.error
    }

    /// What came of a sign-in that ends with it at the authorization endpoint (OpenID Connect Core 1.0, section
    /// 3.1.2.6).
    pub fn at_authorization(self) -> SignInFailure {
        match self.error.as_str() {
            "temporarily_unavailable" | "server_error" => {
                SignInFailure::Unavailable(self.to_string())
            }
            "invalid_request"
            | "unauthorized_client"
            | "unsupported_response_type"
            | "invalid_scope"
            | "invalid_request_uri"
            | "invalid_request_object"
            | "request_not_supported"
            | "request_uri_not_supported"
            | "registration_not_supported"
            | "invalid_client"
            | "redirect_uri_mismatch"
            | "application_suspended"
            | "invalid_target" => SignInFailure::Refused(self.to_string()),
            _ => SignInFailure::Denied(self),
        }
    }

    /// The same at the token endpoint, and where parameters are left beforehand.
    pub fn at_token(self) -> SignInFailure {
        match self.error.as_str() {
            // GitHub calls it so.
            "invalid_grant" | "bad_verification_code" => SignInFailure::Expired,
            "temporarily_unavailable" | "server_error" | "slow_down" => {
                SignInFailure::Unavailable(self.to_string())
            }
            "invalid_client" | "unauthorized_client" | "incorrect_client_credentials" => {
                SignInFailure::Refused(format!(
                    "{self}: check `client_id`, the secret and `client_authentication`; a provider that does not \
                     decode what is sent as `client_secret_basic` needs `client_secret_post`"
                ))
            }
            _ => SignInFailure::Refused(self.to_string()),
        }
    }
}

impl fmt::Display for ProviderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.description {
            None => write!(f, "the provider says `{}`", self.error),
            Some(description) => write!(f, "the provider says `{}` ({description})", self.error),
        }
    }
}
