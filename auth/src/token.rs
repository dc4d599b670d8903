//! Access tokens (RFC 9068, RFC 8725): issued, and verified by `jwt-compact`.

use std::time::Duration;

use chrono::{DateTime, Utc};
use jwt_compact::alg::Hs256;
use jwt_compact::{AlgorithmExt, Claims, Header, Token, UntrustedToken, ValidationError};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use thiserror::Error;

use crate::keys::{KeySet, Material};
use crate::session::{Sid, Subject};
use crate::time::Timestamp;

/// Tokens longer than this are refused before any work is spent on them, in bytes.
pub const MAX_BYTES: usize = 8 * 1024;

/// How far clocks may be apart, in seconds.
const LEEWAY: u64 = 5;

/// The `typ` of issued tokens (RFC 9068, section 2.1).
const TYPE: &str = "at+jwt";

/// Claims that the guard sets itself; nobody else can.
pub const REGISTERED: [&str; 8] = ["iss", "sub", "aud", "sid", "jti", "iat", "nbf", "exp"];

/// Why a token is refused. The texts are for the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum TokenError {
    /// It is no JWT in compact form, or lacks a claim.
    #[error("The token is malformed.")]
    Malformed,
    /// No key of the set could have signed it.
    #[error("The token names no key that is known here.")]
    UnknownKey,
    /// It was not signed with the key it names.
    #[error("The token's signature does not match.")]
    Signature,
    /// Its `typ` is not that of an access token.
    #[error("The token is of another type.")]
    Type,
    /// Its `iss` is another issuer.
    #[error("The token was issued by somebody else.")]
    Issuer,
    /// Its `aud` is somebody else.
    #[error("The token is meant for another audience.")]
    Audience,
    /// Its `nbf` or `iat` lies ahead.
    #[error("The token is not valid yet.")]
    NotYet,
    /// Its `exp` has passed.
    #[error("The token has expired.")]
    Expired,
}

/// The claims of a token that was verified. Nothing else makes one.
#[derive(Clone, Debug, PartialEq)]
pub struct Verified {
    sub: Subject,
    sid: Sid,
    public: Map<String, Value>,
}

impl Verified {
    /// Whose session it is.
    pub fn sub(&self) -> &Subject {
        &self.sub
    }

    /// The session.
    pub fn sid(&self) -> &Sid {
        &self.sid
    }

    /// The claims beside the registered ones.
    pub fn public(&self) -> &Map<String, Value> {
        &self.public
    }
}

/// Issues and verifies the tokens of one issuer for one audience.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// The `iss` of its tokens.
    pub issuer: String,
    /// The `aud` of its tokens.
    pub audience: String,
    /// The keys.
    pub keys: KeySet,
}

/// What a new token says.
#[derive(Clone, Debug)]
pub struct Grant<'a> {
    /// Whose session it is.
    pub sub: &'a Subject,
    /// The session.
    pub sid: &'a Sid,
    /// The token's own name.
    pub jti: &'a str,
    /// Claims beside the registered ones.
    pub public: &'a Map<String, Value>,
    /// When it is issued.
    pub now: Timestamp,
    /// How long it is good for.
    pub lifetime: Duration,
}

#[derive(Serialize, Deserialize)]
struct Payload {
    iss: String,
    aud: Audience,
    sub: Subject,
    sid: Sid,
    jti: String,
    #[serde(flatten)]
    public: Map<String, Value>,
}

/// One audience or several (RFC 7519, section 4.1.3).
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

impl Audience {
    fn names(&self, audience: &str) -> bool {
        match self {
            Self::One(one) => one == audience,
            Self::Many(many) => many.iter().any(|one| one == audience),
        }
    }
}

/// Header parameters that are refused whatever they say: the guard implements no extension
/// (RFC 7515, section 4.1.11) and no unencoded payload (RFC 7797).
#[derive(Clone, Deserialize)]
struct Extensions {
    crit: Option<Value>,
    b64: Option<Value>,
}

impl Tokens {
    /// Signs a token.
    pub fn issue(&self, grant: &Grant<'_>) -> Result<String, TokenTooLong> {
        let mut claims = Claims::new(Payload {
            iss: self.issuer.clone(),
            aud: Audience::One(self.audience.clone()),
            sub: grant.sub.clone(),
            sid: grant.sid.clone(),
            jti: grant.jti.to_owned(),
            public: grant.public.clone(),
        });
        claims.issued_at = grant.now.to_utc();
        claims.expiration = grant.now.plus(grant.lifetime).to_utc();
        let key = self.keys.signing();
        let mut header = Header::empty().with_token_type(TYPE);
        header.key_id = Some(key.kid.clone());
        let token = match &key.material {
            Material::Hs256(secret) => Hs256.token(&header, &claims, secret),
        };
        token.ok().filter(|token| token.len() <= MAX_BYTES).ok_or(TokenTooLong)
    }

    /// Verifies a token: the key by `kid`, the algorithm by the key, then every claim.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Verified, TokenError> {
        if token.len() > MAX_BYTES {
            return Err(TokenError::Malformed);
        }
        let untrusted = UntrustedToken::<Extensions>::try_from(token);
        let untrusted = untrusted.map_err(|_| TokenError::Malformed)?;
        let header = untrusted.header();
        if header.other_fields.crit.is_some() || header.other_fields.b64.is_some() {
            return Err(TokenError::Malformed);
        }
        let key = self.keys.find(header.key_id.as_deref()).ok_or(TokenError::UnknownKey)?;
        let verified = match &key.material {
            Material::Hs256(secret) => Hs256.validator::<Payload>(secret).validate(&untrusted),
        };
        self.accept(verified.map_err(TokenError::from)?, now)
    }

    fn accept(
        &self,
        token: Token<Payload, Extensions>,
        now: Timestamp,
    ) -> Result<Verified, TokenError> {
        let (header, claims) = token.into_parts();
        if !header.token_type.as_deref().is_some_and(is_access_token) {
            return Err(TokenError::Type);
        }
        if claims.custom.iss != self.issuer {
            return Err(TokenError::Issuer);
        }
        if !claims.custom.aud.names(&self.audience) {
            return Err(TokenError::Audience);
        }
        let issued = seconds(claims.issued_at)?.ok_or(TokenError::Malformed)?;
        let begins = seconds(claims.not_before)?.unwrap_or(issued).max(issued);
        if begins > now.seconds() + LEEWAY {
            return Err(TokenError::NotYet);
        }
        let expires = seconds(claims.expiration)?.ok_or(TokenError::Malformed)?;
        if now.seconds() >= expires.saturating_add(LEEWAY) {
            return Err(TokenError::Expired);
        }
        let Payload { sub, sid, public, .. } = claims.custom;
        Ok(Verified { sub, sid, public })
    }
}

/// The claims do not fit into a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the claims make a token of more than {MAX_BYTES} bytes")]
pub struct TokenTooLong;

impl From<ValidationError> for TokenError {
    fn from(error: ValidationError) -> Self {
        match error {
            ValidationError::MalformedClaims(_) => Self::Malformed,
            _ => Self::Signature,
        }
    }
}

fn is_access_token(typ: &str) -> bool {
    let typ = typ.strip_prefix("application/").unwrap_or(typ);
    typ.eq_ignore_ascii_case(TYPE)
}

fn seconds(moment: Option<DateTime<Utc>>) -> Result<Option<u64>, TokenError> {
    let seconds = moment.map(|moment| u64::try_from(moment.timestamp())).transpose();
    seconds.map_err(|_| TokenError::Malformed)
}

#[cfg(test)]
pub(crate) mod tests;
