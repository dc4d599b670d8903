//! The members of an entry by which people are signed in at a provider by redirect: what the provider's
//! registration of this client says (OpenID Connect Core 1.0, section 3.1; RFC 6749, section 2).

mod names;
mod parse;
mod values;

use std::time::Duration;

use super::access_tokens::ClaimPath;
use crate::http::Target;
use crate::secret::Secret;

pub use parse::MEMBERS;
pub(super) use parse::parse;

/// How people are signed in at a provider.
#[derive(Clone, Debug, PartialEq)]
pub struct SignInSettings {
    /// The id of this client at the provider.
    pub client_id: String,
    /// Its name in the paths `login/{name}` and `callback/{name}`.
    pub name: String,
    /// Its name for people.
    pub title: String,
    /// The variable that has the client's secret.
    pub client_secret_name: Option<String>,
    /// The secret.
    pub client_secret: Option<Secret>,
    /// How the guard proves to be the client.
    pub client_authentication: ClientAuthentication,
    /// The `aud` of assertions, if it is not the provider's `iss`.
    pub client_assertion_audience: Option<String>,
    /// The scopes that the guard asks for, between spaces.
    pub scope: String,
    /// Further parameters of the authorization request.
    pub authorization: Vec<(String, String)>,
    /// `max_age` of the authorization request: how long ago the login at the provider may have been.
    pub max_age: Option<Duration>,
    /// Endpoints that are set by hand.
    pub endpoints: ProviderEndpoints,
    /// Where the provider sends browsers back to, if that does not follow from the request.
    pub redirect_uri: Option<String>,
    /// Does the guard push the parameters to the provider first (RFC 9126)? `None`: if the provider requires it.
    pub pushed_authorization_requests: Option<bool>,
    /// Is the userinfo endpoint asked?
    pub user_info: UserInfo,
    /// May the provider log browsers out by a frame (OpenID Connect Front-Channel Logout 1.0)?
    pub frontchannel_logout: bool,
}

/// How a client authenticates at the token endpoint (OpenID Connect Core 1.0, section 9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientAuthentication {
    /// `client_secret_basic`.
    Basic,
    /// `client_secret_post`.
    Post,
    /// `private_key_jwt`.
    PrivateKeyJwt,
    /// `none`: a public client.
    None,
}

/// What the claims of the userinfo endpoint are for (OpenID Connect Core 1.0, section 5.3).
#[derive(Clone, Debug, PartialEq)]
pub enum UserInfo {
    /// It is not asked.
    Unused,
    /// They complete the ID token.
    Merged,
    /// There is no ID token: the claims are found there, each by its path.
    Mapped(Vec<(String, ClaimPath)>),
}

/// Endpoints, as far as they are known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProviderEndpoints {
    /// `authorization_endpoint`.
    pub authorization: Option<String>,
    /// `token_endpoint`.
    pub token: Option<String>,
    /// `userinfo_endpoint`.
    pub userinfo: Option<String>,
    /// `end_session_endpoint`.
    pub end_session: Option<String>,
    /// `pushed_authorization_request_endpoint`.
    pub pushed_authorization_request: Option<String>,
    /// `jwks_uri`, which is a member of the entry itself.
    pub jwks_uri: Option<String>,
}

impl ProviderEndpoints {
    /// Each by its name in the provider's metadata.
    pub fn by_metadata_names(&mut self) -> [(&'static str, &mut Option<String>); 6] {
        [
            ("authorization_endpoint", &mut self.authorization),
            ("token_endpoint", &mut self.token),
            ("userinfo_endpoint", &mut self.userinfo),
            ("end_session_endpoint", &mut self.end_session),
            ("pushed_authorization_request_endpoint", &mut self.pushed_authorization_request),
            ("jwks_uri", &mut self.jwks_uri),
        ]
    }
}

impl SignInSettings {
    /// Is it plain OAuth 2.0, without an ID token?
    pub fn is_plain_oauth(&self) -> bool {
        matches!(self.user_info, UserInfo::Mapped(_))
    }

    /// Where the provider sends browsers back to; `site` is scheme and authority of the request.
    pub fn callback_url(&self, site: &str, auth_path: &str) -> String {
        let of_request = || format!("{site}{auth_path}/callback/{}", self.name);
        self.redirect_uri.clone().unwrap_or_else(of_request)
    }

    /// Scheme and host under which the provider knows this site; `site` is those of the request.
    pub fn site_at_provider<'a>(&'a self, site: &'a str) -> &'a str {
        self.redirect_uri.as_deref().map_or(site, Target::site_of)
    }

    /// The site where a sign-in must begin, if it is of another host than this one: the cookie of an attempt is the
    /// host's alone. The scheme is the browser's to know: TLS may end before the guard.
    pub fn other_site(&self, site: &str) -> Option<&str> {
        let fixed = Target::site_of(self.redirect_uri.as_deref()?);
        let host = |site: &str| site.split_once("://").map(|(_, host)| host.to_ascii_lowercase());
        (host(fixed) != host(site)).then_some(fixed)
    }
}

#[cfg(test)]
mod tests;
