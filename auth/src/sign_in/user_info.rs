//! User information (OpenID Connect Core 1.0, section 5.3.2).

use serde_json::{Map, Value};

use super::provider_answer::{self, Answer};
use crate::jwt;
use crate::refusal::SignInFailure;

/// The claims that the userinfo endpoint has answered.
#[derive(Clone, PartialEq)]
pub struct UserInfoClaims(pub(super) Map<String, Value>);

/// Says nothing of the user.
impl std::fmt::Debug for UserInfoClaims {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("UserInfoClaims(_)")
    }
}

/// Reads the answer to a [`user_info_request`](super::user_info_request()).
///
/// # Errors
/// The provider refuses, or its answer cannot be used.
pub fn read_user_info(
    status: u16,
    content_type: Option<&str>,
    body: &str,
) -> Result<UserInfoClaims, SignInFailure> {
    let is_signed = content_type.is_some_and(|it| it.trim().starts_with("application/jwt"));
    if is_signed {
        let cause = "the provider signs user information; have it send JSON to this client";
        return Err(SignInFailure::Refused(cause.into()));
    }
    if status != 200 {
        return Err(provider_answer::of_status(status, "userinfo request"));
    }
    let answer = Answer { status, content_type: None, body };
    let mut read = provider_answer::object(&answer, &[200], "userinfo request")?;
    jwt::claims_in_one_form(&mut read);
    Ok(UserInfoClaims(read))
}
