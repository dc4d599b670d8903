//! Signed JWTs in compact form (RFC 7519, RFC 7515), read strictly (RFC 8725): whoever issued them
//! and whatever they are for. What each kind must say beyond that is its own module's matter:
//! [`token`](crate::token), [`id_token`](crate::id_token), [`logout_token`](crate::logout_token).

mod claims;
mod error;
mod provider;
mod validity;

use base64ct::{Base64UrlUnpadded, Encoding};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::keys::AlgorithmKey;
use crate::strict_json;

pub use claims::Claims;
pub use error::TokenError;
pub(crate) use provider::claims as claims_in_one_form;
pub use validity::Validity;

/// Tokens longer than this are refused before any work is spent on them, in bytes.
pub const MAX_BYTES: usize = 8 * 1024;

/// The same for an identity provider's tokens, which come once a login, in a body, and may list
/// hundreds of groups.
pub const MAX_PROVIDER_BYTES: usize = 32 * 1024;

/// How far our own clocks may be apart, in seconds.
pub(crate) const LEEWAY: u64 = 5;

/// Claims that the guard sets itself in its tokens; nobody else can.
pub const REGISTERED: [&str; 9] =
    ["iss", "sub", "aud", CLIENT_ID, "sid", "jti", "iat", "nbf", "exp"];

/// The client that a token was issued to (RFC 9068, section 2.2).
pub const CLIENT_ID: &str = "client_id";

/// Header parameters that no token may carry. The guard knows no extension (RFC 7515, section
/// 4.1.11), no payload that is not encoded (RFC 7797) and none but claims (RFC 7519, section 5.2);
/// and a key that a token contains or points to must never be trusted (RFC 8725, section 3.10).
const REFUSED_PARAMETERS: [&str; 7] = ["crit", "b64", "cty", "jwk", "jku", "x5c", "x5u"];

/// Those that a provider's token may not carry either. Some providers do say where their keys are, or
/// send the certificate along: that is ignored, never fetched and never a key, because the settings say
/// where the keys are.
const REFUSED_OF_PROVIDERS: [&str; 2] = ["crit", "b64"];

/// A well-formed token. Its signature is not verified yet.
pub struct UnverifiedJwt<'a> {
    token: &'a str,
    header: Map<String, Value>,
    claims: Map<String, Value>,
}

impl<'a> UnverifiedJwt<'a> {
    /// Parses a token, strictly.
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

    /// The `alg` it claims: used only to leave out keys of other algorithms.
    ///
    /// # Errors
    /// [`TokenError::Malformed`] if `alg` is no text.
    pub fn alg(&self) -> Result<&str, TokenError> {
        self.header.get("alg").and_then(Value::as_str).ok_or(TokenError::Malformed)
    }

    /// The `iss` it claims: used only to choose the keys that can verify it.
    ///
    /// # Errors
    /// [`TokenError::Malformed`] if `iss` is no text.
    pub fn claimed_issuer(&self) -> Result<&str, TokenError> {
        self.claims.get("iss").and_then(Value::as_str).ok_or(TokenError::Malformed)
    }

    /// Its claims, for a caller that has verified the token otherwise.
    pub(crate) fn into_claims(self) -> Map<String, Value> {
        self.claims
    }

    /// The SHA-256 of the signed part, which identifies the token. The signature is left out: some algorithms
    /// have several for the same content.
    pub fn digest(&self) -> String {
        let signed = self.token.rsplit_once('.').map_or(self.token, |(signed, _)| signed);
        Base64UrlUnpadded::encode_string(&Sha256::digest(signed))
    }

    /// Verifies the signature with the key's one algorithm, which the header must name, too.
    ///
    /// # Errors
    /// [`TokenError::Signature`], or [`TokenError::Malformed`] if there is none that can be read.
    pub fn verify(self, key: &AlgorithmKey) -> Result<VerifiedJwt, TokenError> {
        self.check_signature(&[key])?;
        Ok(VerifiedJwt { header: self.header, claims: Claims(self.claims) })
    }

    /// Verifies the signature with any of these keys: several keys may have one `kid`, and a token may have
    /// none.
    ///
    /// # Errors
    /// As [`UnverifiedJwt::verify`]; [`TokenError::UnknownKey`] if there are no keys.
    pub fn verify_by_one_of(&self, keys: &[&AlgorithmKey]) -> Result<VerifiedJwt, TokenError> {
        self.check_signature(keys)?;
        Ok(VerifiedJwt { header: self.header.clone(), claims: Claims(self.claims.clone()) })
    }

    fn check_signature(&self, keys: &[&AlgorithmKey]) -> Result<(), TokenError> {
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

/// A token with a verified signature. Only [`UnverifiedJwt::verify`] makes one.
pub struct VerifiedJwt {
    header: Map<String, Value>,
    /// Its claims.
    pub claims: Claims,
}

impl VerifiedJwt {
    /// Is its `typ` this one, with or without `application/` before it (RFC 7515, section 4.1.9)?
    pub fn is_of_type(&self, expected: &str) -> bool {
        self.header.get("typ").and_then(Value::as_str).is_some_and(|typ| {
            typ.strip_prefix("application/").unwrap_or(typ).eq_ignore_ascii_case(expected)
        })
    }

    /// Is its `typ` one of these, in any case? They are in lower case and have no `application/` before
    /// them; `None` stands for a token without `typ`.
    pub fn is_of_type_among(&self, expected: &[Option<String>]) -> bool {
        let Some(typ) = self.header.get("typ") else { return expected.contains(&None) };
        let typ = typ.as_str().map(str::to_ascii_lowercase);
        let typ = typ.as_deref().map(|typ| typ.strip_prefix("application/").unwrap_or(typ));
        typ.is_some() && expected.iter().any(|it| it.as_deref() == typ)
    }

    /// Has it no `typ`?
    pub fn is_untyped(&self) -> bool {
        !self.header.contains_key("typ")
    }
}

/// One part of a token as JSON: canonical base64url without padding (RFC 7515, section 2), then an
/// object without ambiguity.
fn decode(part: &str) -> Result<Map<String, Value>, TokenError> {
    let bytes = Base64UrlUnpadded::decode_vec(part).map_err(|_| TokenError::Malformed)?;
    strict_json::object(&bytes).ok_or(TokenError::Malformed)
}
