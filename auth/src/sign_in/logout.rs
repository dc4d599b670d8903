//! Logout at the provider (OpenID Connect RP-Initiated Logout 1.0), and by it in a frame (Front-Channel Logout 1.0).

use super::authorization::with_query;
use crate::issuer::{ProviderMetadata, TrustedIssuer};

/// The longest `id_token_hint` that a URL has room for, in bytes.
pub const MAX_ID_TOKEN_HINT: usize = 4 * 1024;

/// Where a browser is sent to log out at the provider, and from there to `post_logout_redirect_uri`; `None` if it has
/// no such place. An ID token that is too long is left out.
pub fn end_session_url(
    issuer: &TrustedIssuer,
    metadata: &ProviderMetadata,
    id_token_hint: Option<&str>,
    post_logout_redirect_uri: &str,
) -> Option<String> {
    let endpoint = metadata.end_session_endpoint.as_ref()?;
    let client_id = &issuer.sign_in.as_ref()?.client_id;
    let hint = id_token_hint
        .filter(|hint| hint.len() <= MAX_ID_TOKEN_HINT)
        .map(|it| ("id_token_hint", it));
    let others =
        [("client_id", &**client_id), ("post_logout_redirect_uri", post_logout_redirect_uri)];
    Some(with_query(endpoint, hint.into_iter().chain(others)))
}

/// A logout that a provider tells by a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrontchannelLogout {
    /// The provider's `iss`.
    pub iss: String,
    /// The provider's session.
    pub sid: String,
}

impl FrontchannelLogout {
    /// Reads the query; `None` unless each of both is there once. Without them, anybody could log anybody out.
    pub fn read(query: &str) -> Option<Self> {
        let one = |name: &str| {
            let mut all = form_urlencoded::parse(query.as_bytes()).filter(|(key, _)| key == name);
            let (first, second) = (all.next(), all.next());
            first.filter(|(_, value)| !value.is_empty() && second.is_none())
        };
        let (_, iss) = one("iss")?;
        let (_, sid) = one("sid")?;
        Some(Self { iss: iss.into_owned(), sid: sid.into_owned() })
    }
}
