//! The token response (OpenID Connect Core 1.0, section 3.1.3.3; RFC 6749, section 5).

use serde_json::Value;

use super::provider_answer::{self, Answer};
use crate::issuer::TrustedIssuer;
use crate::refusal::SignInFailure;
use crate::secret::Secret;

/// The longest access token that is sent on, in bytes.
const MAX_TOKEN: usize = 32 * 1024;

/// The tokens that a code was exchanged for.
#[derive(Clone, Debug)]
pub struct TokenResponse {
    /// The ID token; there is one unless it is plain OAuth.
    pub id_token: Option<Secret>,
    /// The access token.
    pub access_token: Option<Secret>,
}

/// Reads the answer to a [`token_request`](super::token_request()).
///
/// # Errors
/// The provider refuses, or its answer cannot be used.
pub fn read_token_response(
    issuer: &TrustedIssuer,
    status: u16,
    content_type: Option<&str>,
    body: &str,
) -> Result<TokenResponse, SignInFailure> {
    let answer = Answer { status, content_type, body };
    let read = provider_answer::object(&answer, &[200, 201], "token request")?;
    let text = |name: &str| read.get(name).and_then(Value::as_str).filter(|it| !it.is_empty());
    let is_sendable =
        |it: &&str| it.len() <= MAX_TOKEN && it.bytes().all(|byte| byte.is_ascii_graphic());
    let is_bearer = text("token_type").is_none_or(|it| it.eq_ignore_ascii_case("bearer"));
    let access_token = text("access_token").filter(is_sendable).filter(|_| is_bearer);
    let id_token = text("id_token").map(Secret::new);
    let is_plain = issuer.sign_in.as_ref().is_some_and(|it| it.is_plain_oauth());
    let refused = |cause: &str| Err(SignInFailure::Refused(cause.into()));
    match (is_plain, &id_token, access_token) {
        (false, None, _) => refused(
            "the provider's answer has no `id_token`; is the client one of OpenID Connect, with the scope `openid`?",
        ),
        (true, _, None) => {
            refused("the provider's answer has no access token that can be sent as a bearer")
        }
        _ => Ok(TokenResponse { id_token, access_token: access_token.map(Secret::new) }),
    }
}
