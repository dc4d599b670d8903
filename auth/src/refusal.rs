//! Every reason to refuse a request, and what the client reads of it: problem details (RFC 9457), and words
//! for the login page. What only the log may say is kept apart: see [`Refusal::cause`].
//!
//! A new refusal is a variant here with its code, status, title and detail, and its code in
//! `docs/openapi.yaml`; a test holds the two together.

mod for_people;
mod provider_error;
mod response;
mod sign_in_failure;

use std::time::Duration;

use crate::jwt::TokenError;
use crate::session::{Block, InvalidSession, Session, SessionEnd};
use crate::step_up::StepUp;
use crate::store::StoreError;

pub use for_people::Topic;
pub use provider_error::ProviderError;
pub use response::{Problem, ResourceChallenge};
pub use sign_in_failure::{SignInFailure, WaysOn};

use response::seconds;

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The request cannot be parsed; says what to change.
    BadRequest(&'static str),
    /// No credential.
    TokenMissing,
    /// The token is not valid.
    Token(TokenError),
    /// A logout token is not valid. The answer to the provider is the one of Back-Channel Logout 1.0, section 2.8.
    LogoutToken(TokenError),
    /// The token is genuine, but its session is not valid.
    Session(InvalidSession),
    /// The credentials were rejected. The answer does not say whether the user exists.
    CredentialsInvalid,
    /// The session limit is reached.
    SessionLimit {
        /// The live sessions.
        live: Vec<Session>,
        /// May the login end some of them (policy `ask`)? Otherwise only the user is told of them, on a page.
        may_end: bool,
    },
    /// The session limit is reached, and a provider's token of another session, which has not begun here, came along.
    AdmissionLimit(Vec<Session>),
    /// A provider's token cannot be refreshed here.
    RefreshAtProvider,
    /// The user is blocked. Told only to who has proved to be that user.
    UserBlocked(Box<Block>),
    /// The admin API key is missing or wrong.
    KeyInvalid,
    /// A proxy asks on behalf of its client, and its key is missing or wrong.
    ProxyKeyInvalid,
    /// The user is known, but lacks the permission.
    AccessDenied {
        /// The missing scope, if a scope would allow it.
        scope: Option<&'static str>,
    },
    /// A rule of `ROUTES` does not admit this user.
    RouteDenied {
        /// The missing scopes, separated by spaces; empty if a role is missing.
        scope: String,
    },
    /// The login behind the session is too old, or too weak, for the path (RFC 9470).
    InsufficientAuthentication(StepUp),
    /// The body of a request to the admin API cannot be used; says what to change.
    BadBody(String),
    /// A backend's request for a session cannot be used; says what to change.
    BadSession(String),
    /// A backend requests a session for a user of this trusted issuer without naming the issuer.
    UserOfIssuer(String),
    /// An unsafe method with the session cookie, from another site.
    CrossSite,
    /// Too many attempts to log in.
    TooManyAttempts {
        /// Until the next attempt is allowed.
        wait: Duration,
    },
    /// It came over plain `http`.
    HttpsRequired,
    /// The path is longer than [`MAX_PATH`](crate::route::MAX_PATH).
    UriTooLong,
    /// The guard has no such endpoint.
    NotFound,
    /// The endpoint does not support the method; these it supports.
    MethodNotAllowed(&'static str),
    /// The endpoint speaks WebSocket only.
    UpgradeRequired,
    /// There is no Durable Object binding to push events with.
    PushUnavailable,
    /// The session store is unreachable.
    StoreUnavailable(StoreError),
    /// The origin did not respond in time.
    OriginTimedOut,
    /// The origin is unreachable, or its response cannot be used; the cause is for the log.
    OriginUnavailable(String),
    /// A trusted issuer's keys or tokens cannot be used; the cause is for the log.
    IssuerUnavailable(String),
    /// A user's claims are too large for a token, the cookie or the identity headers; the cause names the
    /// claim.
    ClaimsTooLarge {
        /// Where they come from.
        by: ClaimsSource,
        /// For the log, and for a backend.
        cause: String,
    },
    /// A sign-in at a provider did not come to its end.
    SignIn(Box<SignInFailure>),
    /// A setting is wrong; the cause is for the log.
    Misconfigured(String),
    /// An internal error; the cause is for the log.
    Failed(String),
}

/// Where a user's claims come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClaimsSource {
    /// A response of the origin.
    Origin,
    /// An ID token of a trusted issuer.
    Issuer,
    /// A backend's request to the admin API.
    Backend,
}

impl From<SignInFailure> for Refusal {
    fn from(failure: SignInFailure) -> Self {
        Self::SignIn(Box::new(failure))
    }
}

impl Refusal {
    /// The code, the status and the title.
    fn entry(&self) -> (&'static str, u16, &'static str) {
        match self {
            Self::BadRequest(_) => ("bad_request", 400, "The request cannot be read"),
            Self::BadBody(_) => ("bad_request", 400, "The body cannot be used"),
            Self::LogoutToken(_) => ("bad_request", 400, "The logout token is not valid"),
            Self::TokenMissing => ("token_missing", 401, "A token is needed"),
            Self::Token(TokenError::Expired) => ("token_expired", 401, "The token has expired"),
            Self::Token(_) => ("token_invalid", 401, "The token is not valid"),
            Self::Session(InvalidSession::Ended(SessionEnd::Superseded { .. })) => {
                ("session_superseded", 401, "A newer login took this session's place")
            }
            Self::Session(
                InvalidSession::Ended(SessionEnd::Revoked { .. } | SessionEnd::Reused { .. })
                | InvalidSession::Outdated,
            ) => ("session_revoked", 401, "The session was ended"),
            Self::Session(InvalidSession::Expired { .. }) => {
                ("session_expired", 401, "The session has expired")
            }
            Self::Session(InvalidSession::Unknown) => {
                ("session_unknown", 401, "The session is not known")
            }
            Self::CredentialsInvalid => ("credentials_invalid", 401, "The login was not accepted"),
            Self::SessionLimit { .. } => ("session_limit", 409, "There are too many sessions"),
            Self::AdmissionLimit(_) => ("session_limit", 409, "There are too many sessions"),
            Self::RefreshAtProvider => {
                ("refresh_at_provider", 409, "The token is refreshed at its provider")
            }
            Self::UserBlocked(_) => ("user_blocked", 403, "This user is blocked"),
            Self::ProxyKeyInvalid => ("key_invalid", 403, "The proxy's key is needed"),
            Self::KeyInvalid => ("key_invalid", 401, "The admin API key is needed"),
            Self::AccessDenied { .. } => ("access_denied", 403, "The right to do this is missing"),
            Self::RouteDenied { .. } => ("access_denied", 403, "The right to do this is missing"),
            Self::InsufficientAuthentication(_) => {
                ("insufficient_user_authentication", 401, "Another login is needed for this")
            }
            Self::BadSession(_) | Self::UserOfIssuer(_) => {
                ("bad_request", 400, "The session cannot be made")
            }
            Self::CrossSite => ("cross_site", 403, "The request comes from another site"),
            Self::HttpsRequired => ("https_required", 403, "The request must come over https"),
            Self::UriTooLong => ("uri_too_long", 414, "The path is too long"),
            Self::NotFound => ("not_found", 404, "There is nothing here"),
            Self::MethodNotAllowed(_) => ("method_not_allowed", 405, "The method is not allowed"),
            Self::TooManyAttempts { .. } => {
                ("too_many_attempts", 429, "Too many attempts to log in")
            }
            Self::SignIn(failure) => failure.entry(),
            Self::UpgradeRequired => ("upgrade_required", 426, "A WebSocket is needed"),
            Self::PushUnavailable => ("push_unavailable", 501, "Nothing can be pushed here"),
            Self::Misconfigured(_) => ("misconfigured", 500, "The guard is not set up"),
            Self::Failed(_) => ("internal_error", 500, "The guard has failed"),
            Self::OriginUnavailable(_) => {
                ("origin_unavailable", 502, "The origin cannot be reached")
            }
            Self::IssuerUnavailable(_) => {
                ("issuer_unavailable", 502, "The identity provider cannot be relied on now")
            }
            Self::ClaimsTooLarge { by: ClaimsSource::Backend, .. } => {
                ("bad_request", 400, "The session cannot be made")
            }
            Self::ClaimsTooLarge { by: ClaimsSource::Origin, .. } => {
                ("origin_unavailable", 502, "The origin's answer cannot be used")
            }
            Self::ClaimsTooLarge { by: ClaimsSource::Issuer, .. } => {
                ("issuer_unavailable", 502, "The identity provider's answer cannot be used")
            }
            Self::StoreUnavailable(_) => {
                ("store_unavailable", 503, "Sessions cannot be checked now")
            }
            Self::OriginTimedOut => {
                ("origin_unavailable", 504, "The origin did not answer in time")
            }
        }
    }

    /// The machine-readable name.
    pub fn code(&self) -> &'static str {
        self.entry().0
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.entry().1
    }

    /// Would a new login help?
    pub fn asks_for_login(&self) -> bool {
        self.status() == 401
    }

    /// Can the person who sent the login form do something about it? Then the login page says it.
    pub fn is_shown_on_login_page(&self) -> bool {
        use Refusal::{CredentialsInvalid, SessionLimit, TooManyAttempts, UserBlocked};
        matches!(
            self,
            CredentialsInvalid | SessionLimit { .. } | TooManyAttempts { .. } | UserBlocked(_)
        )
    }

    /// What happened in this request, for the client.
    pub fn detail(&self) -> String {
        match self {
            Self::BadRequest(detail) => (*detail).into(),
            Self::TokenMissing => {
                "Send the token as `Authorization: Bearer`, or the session cookie.".into()
            }
            Self::Token(error) | Self::LogoutToken(error) => error.to_string(),
            Self::Session(InvalidSession::Ended(SessionEnd::Superseded { at, by })) => {
                format!("This session was ended at {at} by a newer login from {by}.")
            }
            Self::Session(InvalidSession::Ended(SessionEnd::Revoked { at })) => {
                format!("This session was ended at {at}.")
            }
            Self::Session(InvalidSession::Ended(SessionEnd::Reused { at })) => {
                format!("This session was ended at {at}, because an old token of it was used.")
            }
            Self::Session(InvalidSession::Outdated) => {
                "This token was refreshed, so its session is ended: somebody else may have it."
                    .into()
            }
            Self::Session(InvalidSession::Expired { at }) => format!("This session expired at {at}."),
            Self::Session(InvalidSession::Unknown) => {
                "This session was never begun here, or was forgotten. Log in again.".into()
            }
            Self::CredentialsInvalid => "Check what was entered, and try again.".into(),
            Self::SessionLimit { may_end: false, .. } => "End another session of yours first.".into(),
            Self::SessionLimit { may_end: true, .. } => {
                "Choose which sessions to end, and repeat the login with their `sid`s in `end`."
                    .into()
            }
            Self::AdmissionLimit(_) => {
                "This session has not begun, because there are too many others. End one of them, and \
                 ask again."
                    .into()
            }
            Self::RefreshAtProvider => {
                "The guard has not issued this token. Its session goes on with the next token that the \
                 identity provider issues."
                    .into()
            }
            Self::UserBlocked(block) => {
                let until = block.until.map(|until| until.to_string());
                let until = until.as_deref().unwrap_or("an administrator allows it");
                format!("Nobody can sign in as this user until {until}.")
            }
            Self::KeyInvalid => {
                "Send `ADMIN_API_KEY`, or for `introspect` `INTROSPECTION_KEY`, as \
                                 `Authorization: Bearer`."
                    .into()
            }
            Self::ProxyKeyInvalid => {
                "Have the proxy send `FORWARD_AUTH_KEY` in `X-Guard-Proxy-Key`, and with what it passes on in `X-Guard-Site-Key`.".into()
            }
            Self::AccessDenied { scope: Some(scope) } => {
                format!("The token lacks the scope `{scope}`.")
            }
            Self::AccessDenied { scope: None } => "Only the admin API key may do this.".into(),
            Self::RouteDenied { scope } if !scope.is_empty() => {
                format!("The token lacks the scope `{scope}`.")
            }
            Self::RouteDenied { .. } => "None of your roles may do this.".into(),
            Self::InsufficientAuthentication(step_up) => {
                format!("Log in again: this needs a login {}.", step_up.in_words())
            }
            Self::BadSession(detail) | Self::BadBody(detail) => detail.clone(),
            Self::UserOfIssuer(issuer) => format!(
                "The user's `sub` begins with the `subject_prefix` of {issuer}. If it is one of its \
                 users, say so: `\"issuer\": \"{issuer}\"`."
            ),
            Self::CrossSite => {
                "With the session cookie, send `Origin` or `Sec-Fetch-Site` of this same site, or \
                 use a bearer token."
                    .into()
            }
            Self::TooManyAttempts { wait } => {
                format!("Wait {} seconds, and try again.", seconds(*wait))
            }
            Self::HttpsRequired => {
                "Send it over `https`. A token that was sent over `http` may be known to others: end \
                 its session."
                    .into()
            }
            Self::UriTooLong => "Send a path of at most 8 KB.".into(),
            Self::NotFound => "The guard has no endpoint of this name.".into(),
            Self::MethodNotAllowed(allow) => format!("Use {allow}."),
            Self::UpgradeRequired => "Ask for an upgrade to `websocket`.".into(),
            Self::PushUnavailable => {
                "The guard has no Durable Object binding USER_SESSIONS. Ask `GET session` instead."
                    .into()
            }
            Self::Misconfigured(_) => "The guard's log says which setting to change.".into(),
            Self::Failed(_) => "The guard's log says more.".into(),
            Self::OriginUnavailable(_) => "The guard could not reach the origin.".into(),
            Self::IssuerUnavailable(_) => "The guard's log says more.".into(),
            Self::SignIn(failure) => failure.detail(),
            Self::ClaimsTooLarge { by: ClaimsSource::Backend, cause } => {
                format!("The body cannot be used: {cause}.")
            }
            Self::ClaimsTooLarge { .. } => {
                "What is said of this user is too much to be passed on. The guard's log names the \
                 claim."
                    .into()
            }
            Self::OriginTimedOut => "The origin took too long to answer.".into(),
            Self::StoreUnavailable(_) => {
                "The guard could not reach its session store, so it lets nobody in.".into()
            }
        }
    }

    /// What the log says beyond code and detail.
    pub fn cause(&self) -> Option<String> {
        match self {
            Self::StoreUnavailable(error) => Some(error.to_string()),
            Self::OriginUnavailable(cause)
            | Self::IssuerUnavailable(cause)
            | Self::ClaimsTooLarge { cause, .. }
            | Self::Misconfigured(cause)
            | Self::Failed(cause) => Some(cause.clone()),
            Self::UserBlocked(block) => {
                block.reason.as_ref().map(|reason| format!("the user is blocked: {reason}"))
            }
            Self::SignIn(failure) => failure.cause(),
            Self::UserOfIssuer(issuer) => Some(format!(
                "the admin API was asked for a session of a user of {issuer}, without `issuer`"
            )),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
