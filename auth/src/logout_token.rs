//! Logout tokens (OpenID Connect Back-Channel Logout 1.0): a trusted issuer's word that somebody
//! has logged out there.

use std::time::Duration;

use serde_json::Value;

use crate::id_token::{addressed_to, is_plain};
use crate::issuer::TrustedIssuer;
use crate::jwt::{TokenError, VerifiedJwt};
use crate::store::EntryName;
use crate::time::Timestamp;

/// The member of `events` that makes a token a logout token (section 2.4).
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// How long a logout token without `exp` is good for: what section 4 asks of providers. `exp` came
/// late into the specification, and some do not send it.
const LIFETIME: Duration = Duration::from_secs(2 * 60);

/// What a logout token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogoutToken {
    /// Who has logged out, and of which of the issuer's sessions.
    pub whose: LogoutSubject,
    /// The issuer.
    pub issuer: String,
    /// When it was issued.
    pub issued: Timestamp,
    /// Until when nobody may use it again.
    pub over: Timestamp,
    jti: String,
}

/// A logout token names a user, a session of the issuer's, or both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogoutSubject {
    /// Every session of this user, by the issuer's `sub`.
    User(String),
    /// This session, of a user who may be named, too.
    Session {
        /// The issuer's `sid`.
        sid: String,
        /// The issuer's `sub`.
        sub: Option<String>,
    },
}

impl LogoutSubject {
    /// The issuer's session, if it names one.
    pub fn sid(&self) -> Option<String> {
        match self {
            Self::User(_) => None,
            Self::Session { sid, .. } => Some(sid.clone()),
        }
    }
}

impl LogoutToken {
    /// Reads a logout token that a key of this issuer's has signed, as section 2.6 has it. Whether it was used before is the store's to
    /// tell: see [`LogoutToken::used_note`].
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn read(
        signed: VerifiedJwt,
        issuer: &TrustedIssuer,
        now: Timestamp,
    ) -> Result<Self, TokenError> {
        // `logout+jwt` is recommended, not required.
        if !signed.is_of_type("logout+jwt") && !is_plain(&signed) {
            return Err(TokenError::Type);
        }
        let mut claims = signed.claims;
        let is_logout = |events: &Value| events.get(EVENT).is_some_and(Value::is_object);
        if !claims.is("events", is_logout) || claims.has("nonce") {
            return Err(TokenError::Type);
        }
        addressed_to(issuer, &mut claims)?;
        let period = claims.period_or(Some(LIFETIME))?.with_tolerance(issuer.clock_tolerance);
        period.judge(now)?;
        let whose = match (claims.optional_text("sub")?, claims.optional_text("sid")?) {
            (sub, Some(sid)) => LogoutSubject::Session { sid, sub },
            (Some(sub), None) => LogoutSubject::User(sub),
            (None, None) => return Err(TokenError::Malformed),
        };
        let jti = claims.text("jti")?;
        let issuer = issuer.issuer.clone();
        Ok(Self { whose, issuer, issued: period.issued(), over: period.over(), jti })
    }

    /// The note that says that it was used.
    pub fn used_note(&self) -> EntryName {
        EntryName::new("logout token used", &[&self.issuer, &self.jti])
    }
}

#[cfg(test)]
mod tests;
