//! Signed JWTs in compact form (RFC 7519, RFC 7515), read strictly (RFC 8725): whoever issued them
//! and whatever they are for. What each kind must say beyond that is its own module's matter:
//! [`token`](crate::token), [`id_token`](crate::id_token), [`logout_token`](crate::logout_token).

mod provider;

use std::time::Duration;

use base64ct::{Base64UrlUnpadded, Encoding};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::keys::KeyMaterial;
use crate::strict_json;
use crate::time::Timestamp;

/// Tokens longer than this are refused before any work is spent on them, in bytes.
pub const MAX_BYTES: usize = 8 * 1024;

/// The same for an identity provider's tokens, which come once a login, in a body, and may list
/// hundreds of groups.
pub const MAX_PROVIDER_BYTES: usize = 32 * 1024;

/// How far our own clocks may be apart, in seconds.
pub(crate) const LEEWAY: u64 = 5;

/// The last second of the year 9999. What claims to be later is a mistake or an attack.
const END_OF_TIME: u64 = 253_402_300_799;

/// Header parameters that no token may carry. The guard knows no extension (RFC 7515, section
/// 4.1.11), no payload that is not encoded (RFC 7797) and none but claims (RFC 7519, section 5.2);
/// and a key that a token brings along, or points to, is the bearer's word against ours (RFC 8725,
/// section 3.10).
const REFUSED_PARAMETERS: [&str; 7] = ["crit", "b64", "cty", "jwk", "jku", "x5c", "x5u"];

/// Those that a provider's token may not carry either. Some providers do say where their keys are, or
/// send the certificate along: that is ignored, never fetched and never a key, because the settings say
/// where the keys are.
const REFUSED_OF_PROVIDERS: [&str; 2] = ["crit", "b64"];

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
    /// Its claims are more than the origin can be told.
    #[error("The token's claims are too large for the headers that tell the origin.")]
    TooLarge,
    /// Its `typ` is not that of the tokens that are taken here.
    #[error("The token is of another type.")]
    Type,
    /// Its `iss` is another issuer.
    #[error("The token was issued by somebody else.")]
    Issuer,
    /// Its `aud`, or `azp`, is somebody else.
    #[error("The token is meant for another audience.")]
    Audience,
    /// Its `nonce` is not the one of this login.
    #[error("The token's nonce is another.")]
    Nonce,
    /// It may be used once, and was.
    #[error("The token was used before.")]
    Used,
    /// Its `nbf` or `iat` lies ahead.
    #[error("The token is not valid yet.")]
    NotYet,
    /// Its `exp` has passed.
    #[error("The token has expired.")]
    Expired,
}

/// A token that reads well. Nobody vouches for it yet.
pub struct UnverifiedJwt<'a> {
    token: &'a str,
    header: Map<String, Value>,
    claims: Map<String, Value>,
}

impl<'a> UnverifiedJwt<'a> {
    /// Reads the parts, strictly.
    ///
    /// # Errors
    /// [`TokenError::Malformed`].
    pub fn parse(token: &'a str) -> Result<Self, TokenError> {
        Self::parse_within(token, MAX_BYTES, &REFUSED_PARAMETERS)
    }

    /// Reads the parts of an identity provider's token: as strictly where it is security, and leniently
    /// where providers differ.
    ///
    /// # Errors
    /// [`TokenError::Malformed`].
    pub fn parse_of_provider(token: &'a str) -> Result<Self, TokenError> {
        let mut read = Self::parse_within(token, MAX_PROVIDER_BYTES, &REFUSED_OF_PROVIDERS)?;
        provider::header(&mut read.header);
        provider::claims(&mut read.claims);
        Ok(read)
    }

    fn parse_within(token: &'a str, most: usize, refused: &[&str]) -> Result<Self, TokenError> {
        if token.len() > most {
            return Err(TokenError::Malformed);
        }
        let mut parts = token.split('.');
        let (header, claims) = match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(header), Some(claims), Some(_), None) => (decode(header)?, decode(claims)?),
            _ => return Err(TokenError::Malformed),
        };
        if refused.iter().any(|name| header.contains_key(*name)) {
            return Err(TokenError::Malformed);
        }
        Ok(Self { token, header, claims })
    }

    /// The name of the key it claims to be signed with.
    ///
    /// # Errors
    /// [`TokenError::Malformed`] if `kid` is no text.
    pub fn kid(&self) -> Result<Option<&str>, TokenError> {
        self.header.get("kid").map(|kid| kid.as_str().ok_or(TokenError::Malformed)).transpose()
    }

    /// The algorithm it claims to be signed with: only to leave out keys of another.
    ///
    /// # Errors
    /// [`TokenError::Malformed`] if `alg` is no text.
    pub fn alg(&self) -> Result<&str, TokenError> {
        self.header.get("alg").and_then(Value::as_str).ok_or(TokenError::Malformed)
    }

    /// Who it claims to be issued by: only to choose the keys that can tell.
    ///
    /// # Errors
    /// [`TokenError::Malformed`] if `iss` is no text.
    pub fn claimed_issuer(&self) -> Result<&str, TokenError> {
        self.claims.get("iss").and_then(Value::as_str).ok_or(TokenError::Malformed)
    }

    /// What it claims, for those who have verified it by other means.
    pub(crate) fn into_claims(self) -> Map<String, Value> {
        self.claims
    }

    /// The SHA-256 of what is signed, which tells one token from another. Not of the signature, too:
    /// some algorithms have more than one for the same.
    pub fn digest(&self) -> String {
        let signed = self.token.rsplit_once('.').map_or(self.token, |(signed, _)| signed);
        Base64UrlUnpadded::encode_string(&Sha256::digest(signed))
    }

    /// Verifies the signature with the key's one algorithm, which the header must name, too.
    ///
    /// # Errors
    /// [`TokenError::Signature`], or [`TokenError::Malformed`] if there is none that can be read.
    pub fn verify(self, key: &KeyMaterial) -> Result<VerifiedJwt, TokenError> {
        self.check_signature(&[key])?;
        Ok(VerifiedJwt { header: self.header, claims: Claims(self.claims) })
    }

    /// The same with whichever of these keys has signed it. There may be several of one name, and a
    /// token need not name one.
    ///
    /// # Errors
    /// As [`UnverifiedJwt::verify`]; [`TokenError::UnknownKey`] if there are no keys.
    pub fn verify_by_one_of(&self, keys: &[&KeyMaterial]) -> Result<VerifiedJwt, TokenError> {
        self.check_signature(keys)?;
        Ok(VerifiedJwt { header: self.header.clone(), claims: Claims(self.claims.clone()) })
    }

    fn check_signature(&self, keys: &[&KeyMaterial]) -> Result<(), TokenError> {
        let (message, signature) = self.token.rsplit_once('.').ok_or(TokenError::Malformed)?;
        let signature =
            Base64UrlUnpadded::decode_vec(signature).map_err(|_| TokenError::Malformed)?;
        let alg = self.alg()?;
        let mut verdict = Err(TokenError::UnknownKey);
        for key in keys {
            if alg == key.alg() && key.has_signed(message.as_bytes(), &signature) {
                return Ok(());
            }
            verdict = Err(TokenError::Signature);
        }
        verdict
    }
}

/// What a key has signed. Nothing but [`UnverifiedJwt::verify`] makes one.
pub struct VerifiedJwt {
    header: Map<String, Value>,
    /// What it says.
    pub claims: Claims,
}

impl VerifiedJwt {
    /// Is its `typ` this one, with or without `application/` before it (RFC 7515, section 4.1.9)?
    pub fn is_of_type(&self, expected: &str) -> bool {
        self.header.get("typ").and_then(Value::as_str).is_some_and(|typ| {
            typ.strip_prefix("application/").unwrap_or(typ).eq_ignore_ascii_case(expected)
        })
    }

    /// Has it no `typ`?
    pub fn is_untyped(&self) -> bool {
        !self.header.contains_key("typ")
    }
}

/// The claims that are left to be read.
pub struct Claims(Map<String, Value>);

impl Claims {
    /// Takes out a claim, whatever it is.
    pub fn take(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name)
    }

    /// Is there such a claim?
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Is there such a claim, and is it as it should be?
    pub fn is(&self, name: &str, as_it_should: impl FnOnce(&Value) -> bool) -> bool {
        self.0.get(name).is_some_and(as_it_should)
    }

    /// Takes out a claim that must be a text, and not an empty one.
    ///
    /// # Errors
    /// [`TokenError::Malformed`] if it is anything else, or absent.
    pub fn text(&mut self, name: &str) -> Result<String, TokenError> {
        text(self.take(name))
    }

    /// Takes out a claim that may be absent, but else must be a text, and not an empty one.
    ///
    /// # Errors
    /// [`TokenError::Malformed`] if it is anything else.
    pub fn optional_text(&mut self, name: &str) -> Result<Option<String>, TokenError> {
        self.take(name).map(|claim| text(Some(claim))).transpose()
    }

    /// Takes out `aud`: one audience or several (RFC 7519, section 4.1.3).
    ///
    /// # Errors
    /// [`TokenError::Malformed`] if it is anything else, or absent.
    pub fn audiences(&mut self) -> Result<Vec<String>, TokenError> {
        match self.take("aud") {
            Some(Value::Array(all)) => all.into_iter().map(|one| text(Some(one))).collect(),
            one => Ok(vec![text(one)?]),
        }
    }

    /// Takes out `iat`, `nbf` and `exp`.
    ///
    /// # Errors
    /// [`TokenError::Malformed`] if `iat` or `exp` is absent, or one of them no time.
    pub fn period(&mut self) -> Result<Period, TokenError> {
        self.period_or(None)
    }

    /// The same, where a token without `exp` may be good for a span from `iat` on.
    ///
    /// # Errors
    /// As [`Claims::period`].
    pub fn period_or(&mut self, span: Option<Duration>) -> Result<Period, TokenError> {
        let issued = seconds(self.take("iat"))?.ok_or(TokenError::Malformed)?;
        let begins = seconds(self.take("nbf"))?.map_or(issued, |begins| begins.max(issued));
        let until = |span: Duration| issued + span.as_secs();
        let expires = seconds(self.take("exp"))?.or(span.map(until));
        let expires = expires.ok_or(TokenError::Malformed)?;
        Ok(Period { issued, begins, expires, leeway: LEEWAY })
    }

    /// Those that are left.
    pub fn into_rest(self) -> Map<String, Value> {
        self.0
    }
}

/// When a token is good, in seconds since the Unix epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Period {
    issued: u64,
    begins: u64,
    expires: u64,
    leeway: u64,
}

impl Period {
    /// The same by a clock that may be this far from ours.
    #[must_use]
    pub fn with_tolerance(self, tolerance: Duration) -> Self {
        Self { leeway: tolerance.as_secs(), ..self }
    }

    /// Is it good at this moment?
    ///
    /// # Errors
    /// [`TokenError::NotYet`] or [`TokenError::Expired`].
    pub fn judge(&self, now: Timestamp) -> Result<(), TokenError> {
        if self.begins > now.seconds() + self.leeway {
            return Err(TokenError::NotYet);
        }
        if now.seconds() >= self.expires.saturating_add(self.leeway) {
            return Err(TokenError::Expired);
        }
        Ok(())
    }

    /// When it was issued.
    pub fn issued(&self) -> Timestamp {
        Timestamp::from_millis(self.issued * 1000)
    }

    /// From when on nobody takes it any more.
    pub fn over(&self) -> Timestamp {
        Timestamp::from_millis((self.expires + self.leeway) * 1000)
    }
}

/// One part of a token as JSON: canonical base64url without padding (RFC 7515, section 2), then an
/// object without ambiguity.
fn decode(part: &str) -> Result<Map<String, Value>, TokenError> {
    let bytes = Base64UrlUnpadded::decode_vec(part).map_err(|_| TokenError::Malformed)?;
    strict_json::object(&bytes).ok_or(TokenError::Malformed)
}

fn text(claim: Option<Value>) -> Result<String, TokenError> {
    match claim {
        Some(Value::String(text)) if !text.is_empty() => Ok(text),
        _ => Err(TokenError::Malformed),
    }
}

/// A moment in whole seconds. RFC 7519 allows fractions, which nobody sends and parsers round
/// differently.
fn seconds(claim: Option<Value>) -> Result<Option<u64>, TokenError> {
    let seconds = claim.map(|claim| claim.as_u64().filter(|at| *at <= END_OF_TIME));
    match seconds {
        None => Ok(None),
        Some(Some(seconds)) => Ok(Some(seconds)),
        Some(None) => Err(TokenError::Malformed),
    }
}
