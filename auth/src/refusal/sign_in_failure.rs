//! Everything that can go wrong with a sign-in: what people read of it, and what only the log says.

use crate::jwt::TokenError;
use crate::step_up::StepUp;

use super::provider_error::ProviderError;

/// Why a sign-in did not come to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignInFailure {
    /// The request that came back cannot be read; says why.
    Malformed(&'static str),
    /// This browser has not begun it, or has ended it before.
    Unknown,
    /// It took too long, or the code was used before.
    Expired,
    /// The response may be another provider's than the one that was asked (RFC 9207); the cause is for the log.
    MixedUp(String),
    /// The user, or the provider, has refused.
    Denied(ProviderError),
    /// The provider does not take the guard's requests, because a setting is wrong, here or there; the cause is for the
    /// log.
    Refused(String),
    /// The provider could not be asked; the cause is for the log.
    Unavailable(String),
    /// What the provider says cannot be relied on.
    Token(TokenError),
    /// The login at the provider is older or weaker than the page asks for, or it does not say.
    NotEnough {
        /// What was asked.
        asked: StepUp,
        /// What was said, for the log.
        cause: String,
    },
    /// `allow` or `deny` keeps this user out; the cause is for the log.
    NotAllowed(String),
    /// The browser has come back several times, and never kept a session.
    Loop,
}

/// Which ways on a page offers, beside the first page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaysOn {
    /// The same once more.
    pub again: bool,
    /// With another account at the provider.
    pub other_account: bool,
}

impl SignInFailure {
    /// What came of a sign-in that ends with this error at the authorization endpoint (OpenID Connect Core 1.0, section
    /// 3.1.2.6).
    pub fn at_authorization(error: ProviderError) -> Self {
        match error.code() {
            "temporarily_unavailable" | "server_error" => Self::Unavailable(error.to_string()),
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
            | "invalid_target" => Self::Refused(error.to_string()),
            _ => Self::Denied(error),
        }
    }

    /// The same at the token endpoint, and where parameters are left beforehand.
    pub fn at_token(error: ProviderError) -> Self {
        match error.code() {
            // GitHub calls it so.
            "invalid_grant" | "bad_verification_code" => Self::Expired,
            "temporarily_unavailable" | "server_error" | "slow_down" => {
                Self::Unavailable(error.to_string())
            }
            "invalid_client" | "unauthorized_client" | "incorrect_client_credentials" => {
                Self::Refused(format!(
                    "{error}: check `client_id`, the secret and `client_authentication`; a provider that does not \
                     decode what is sent as `client_secret_basic` needs `client_secret_post`"
                ))
            }
            _ => Self::Refused(error.to_string()),
        }
    }

    /// The provider could not be reached, did not answer in time, or too much.
    pub fn unavailable(cause: impl Into<String>) -> Self {
        Self::Unavailable(cause.into())
    }

    /// The code, the status and the title.
    pub(crate) fn entry(&self) -> (&'static str, u16, &'static str) {
        match self {
            Self::Malformed(_) => ("sign_in_malformed", 400, "The sign-in cannot be completed"),
            Self::Unknown => ("sign_in_unknown", 400, "This sign-in was not begun here"),
            Self::Expired => ("sign_in_expired", 400, "The sign-in took too long"),
            Self::MixedUp(_) => ("sign_in_mixed_up", 400, "The sign-in was mixed up"),
            Self::Denied(_) => ("sign_in_denied", 403, "The sign-in was not completed"),
            Self::Refused(_) => ("sign_in_refused", 502, "The sign-in is not set up correctly"),
            Self::Unavailable(_) => {
                ("sign_in_unavailable", 503, "The identity provider cannot be reached now")
            }
            Self::Token(_) => {
                ("sign_in_token_invalid", 502, "The identity provider's answer cannot be used")
            }
            Self::NotEnough { .. } => {
                ("sign_in_not_enough", 403, "This page asks for another way to sign in")
            }
            Self::NotAllowed(_) => {
                ("sign_in_not_allowed", 403, "This account may not sign in here")
            }
            Self::Loop => ("sign_in_loop", 400, "The sign-in does not last"),
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

    /// What happened, the same every time.
    pub fn title(&self) -> &'static str {
        self.entry().2
    }

    /// What happened, and what to do, for people.
    pub fn detail(&self) -> String {
        match self {
            Self::Malformed(why) => format!("{why} Sign in again."),
            Self::Unknown => "Another browser began it, it was completed already, or this browser keeps no \
                              cookies. Sign in again."
                .into(),
            Self::Expired => "A sign-in must be completed within an hour, and only once. Sign in again.".into(),
            Self::MixedUp(_) => {
                "The answer is not of the provider where you began to sign in. Sign in again.".into()
            }
            Self::Denied(_) => "The identity provider says that the sign-in was cancelled or not permitted. Try \
                                again, or use another account."
                .into(),
            Self::Refused(_) => {
                "The identity provider and this site do not agree on how to sign people in. The people who run \
                 this site can read the cause in its log."
                    .into()
            }
            Self::Unavailable(_) => {
                "It did not answer, or asked for patience. Try again in a moment.".into()
            }
            Self::Token(TokenError::NotYet | TokenError::Expired) => {
                "Its clock and the clock of this site differ too much. Try again; if it happens again, the \
                 people who run this site can read the cause in its log."
                    .into()
            }
            Self::Token(_) => "It could not be verified. Try again; if it happens again, the people who run this \
                               site can read the cause in its log."
                .into(),
            Self::NotEnough { asked, .. } => format!(
                "It needs a login {}, and the identity provider did not say that this was one. Sign in again \
                 there, or use another account.",
                asked.in_words()
            ),
            Self::NotAllowed(_) => {
                "You have signed in at the identity provider, but this site does not admit the account you used. \
                 Use another account, or ask the people who run this site."
                    .into()
            }
            Self::Loop => "You were signed in several times in a row, and were still not known afterwards. This \
                           browser may refuse cookies of this site. Allow them, and sign in again."
                .into(),
        }
    }

    /// What only the log says. Never a code, a token or a secret.
    pub fn cause(&self) -> Option<String> {
        match self {
            Self::Malformed(_) | Self::Unknown | Self::Expired | Self::Loop => None,
            Self::MixedUp(cause) | Self::Refused(cause) | Self::Unavailable(cause) => {
                Some(cause.clone())
            }
            Self::Denied(error) => Some(error.to_string()),
            Self::Token(error) => Some(error.to_string()),
            Self::NotEnough { cause, .. } | Self::NotAllowed(cause) => Some(cause.clone()),
        }
    }

    /// Which ways on there are.
    pub fn way_on(&self) -> WaysOn {
        let other_account =
            matches!(self, Self::Denied(_) | Self::NotAllowed(_) | Self::NotEnough { .. });
        WaysOn { again: !matches!(self, Self::NotAllowed(_)), other_account }
    }
}
