//! Access tokens (RFC 9068, RFC 8725): issued, and verified by `jwt-compact`.

mod memory;
mod strict_json;

use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use base64ct::{Base64UrlUnpadded, Encoding};
use jwt_compact::alg::{Es256, Hs256, Hs384, Hs512};
use jwt_compact::{AlgorithmExt, Claims, Header, UntrustedToken, ValidationError};
use serde::Serialize;
use serde_json::{Map, Value};
use thiserror::Error;

use crate::keys::{KeySet, Material};
use crate::session::{Sid, Subject};
use crate::time::Timestamp;
use memory::Memory;

/// Tokens longer than this are refused before any work is spent on them, in bytes.
pub const MAX_BYTES: usize = 8 * 1024;

/// How far clocks may be apart, in seconds.
const LEEWAY: u64 = 5;

/// The last second of the year 9999. What claims to be later is a mistake or an attack.
const END_OF_TIME: u64 = 253_402_300_799;

/// The `typ` of issued tokens (RFC 9068, section 2.1).
const TYPE: &str = "at+jwt";

/// Header parameters that no token may carry. The guard knows no extension (RFC 7515, section
/// 4.1.11) and no payload that is not encoded (RFC 7797); and a key that a token brings along, or
/// points to, is the bearer's word against ours (RFC 8725, section 3.10).
const REFUSED_PARAMETERS: [&str; 6] = ["crit", "b64", "jwk", "jku", "x5c", "x5u"];

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

/// The claims of a token that was verified, at a moment within its times. Nothing else makes one.
#[derive(Clone, PartialEq)]
pub struct Verified(Rc<Genuine>);

/// Says who, and nothing that rides with it.
impl fmt::Debug for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verified")
            .field("sub", self.sub())
            .field("sid", self.sid())
            .finish_non_exhaustive()
    }
}

impl Verified {
    /// Whose session it is.
    pub fn sub(&self) -> &Subject {
        &self.0.sub
    }

    /// The session.
    pub fn sid(&self) -> &Sid {
        &self.0.sid
    }

    /// The claims beside the registered ones.
    pub fn public(&self) -> &Map<String, Value> {
        &self.0.public
    }
}

/// The claims of a token that one of our keys has signed. Whether this is its time is still to be
/// judged, on each use.
#[derive(PartialEq)]
struct Genuine {
    sub: Subject,
    sid: Sid,
    public: Map<String, Value>,
    /// When it begins and ends, in seconds since the Unix epoch.
    begins: u64,
    expires: u64,
}

/// Issues and verifies the tokens of one issuer for one audience.
#[derive(Debug)]
pub struct Tokens {
    issuer: String,
    audience: String,
    keys: KeySet,
    memory: Memory,
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

#[derive(Serialize)]
struct Payload<'a> {
    iss: &'a str,
    aud: &'a str,
    sub: &'a Subject,
    sid: &'a Sid,
    jti: &'a str,
    #[serde(flatten)]
    public: &'a Map<String, Value>,
}

impl Tokens {
    /// Tokens with this `iss` and `aud`, of these keys.
    pub fn new(issuer: String, audience: String, keys: KeySet) -> Self {
        Self { issuer, audience, keys, memory: Memory::default() }
    }

    /// The keys.
    pub fn keys(&self) -> &KeySet {
        &self.keys
    }

    /// Signs a token.
    pub fn issue(&self, grant: &Grant<'_>) -> Result<String, TokenTooLong> {
        let mut claims = Claims::new(Payload {
            iss: &self.issuer,
            aud: &self.audience,
            sub: grant.sub,
            sid: grant.sid,
            jti: grant.jti,
            public: grant.public,
        });
        claims.issued_at = grant.now.to_utc();
        claims.expiration = grant.now.plus(grant.lifetime).to_utc();
        let key = self.keys.signing();
        let mut header = Header::empty().with_token_type(TYPE);
        header.key_id = Some(key.kid.clone());
        let token = match &key.material {
            Material::Hs256(key) => Hs256.token(&header, &claims, key).ok(),
            Material::Hs384(key) => Hs384.token(&header, &claims, key).ok(),
            Material::Hs512(key) => Hs512.token(&header, &claims, key).ok(),
            Material::Es256(pair) => {
                pair.signing.as_ref().and_then(|key| Es256.token(&header, &claims, key).ok())
            }
            Material::EdDsa(pair, named) => {
                pair.signing.as_ref().and_then(|key| named.token(&header, &claims, key).ok())
            }
            // `KeySet::signing` picks no key that cannot sign.
            Material::Rsa(..) => None,
        };
        token.filter(|token| token.len() <= MAX_BYTES).ok_or(TokenTooLong)
    }

    /// Verifies a token, or recalls that it was verified before. Its times are judged each time.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Verified, TokenError> {
        if token.len() > MAX_BYTES {
            return Err(TokenError::Malformed);
        }
        let genuine = self.memory.recall(token, || self.read(token))?;
        if genuine.begins > now.seconds() + LEEWAY {
            return Err(TokenError::NotYet);
        }
        if now.seconds() >= genuine.expires.saturating_add(LEEWAY) {
            return Err(TokenError::Expired);
        }
        Ok(Verified(genuine))
    }

    /// Reads a token: the key by `kid`, the algorithm by the key, then every claim but the times.
    fn read(&self, token: &str) -> Result<Genuine, TokenError> {
        let mut parts = token.split('.');
        let (header, claims) = match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(header), Some(claims), Some(_), None) => (decode(header)?, decode(claims)?),
            _ => return Err(TokenError::Malformed),
        };
        if REFUSED_PARAMETERS.iter().any(|name| header.contains_key(*name)) {
            return Err(TokenError::Malformed);
        }
        let kid = header.get("kid").map(|kid| kid.as_str().ok_or(TokenError::Malformed));
        let key = self.keys.find(kid.transpose()?).ok_or(TokenError::UnknownKey)?;
        check_signature(token, &key.material)?;
        if !header.get("typ").and_then(Value::as_str).is_some_and(is_access_token) {
            return Err(TokenError::Type);
        }
        self.accept(claims)
    }

    fn accept(&self, mut claims: Map<String, Value>) -> Result<Genuine, TokenError> {
        let mut take = |name| claims.remove(name);
        if text(take("iss"))? != self.issuer {
            return Err(TokenError::Issuer);
        }
        if !audiences(take("aud"))?.contains(&self.audience) {
            return Err(TokenError::Audience);
        }
        let sub = Subject::try_from(text(take("sub"))?).map_err(|_| TokenError::Malformed)?;
        let sid = Sid::try_from(text(take("sid"))?).map_err(|_| TokenError::Malformed)?;
        text(take("jti"))?;
        let issued = seconds(take("iat"))?.ok_or(TokenError::Malformed)?;
        let begins = seconds(take("nbf"))?.map_or(issued, |begins| begins.max(issued));
        let expires = seconds(take("exp"))?.ok_or(TokenError::Malformed)?;
        Ok(Genuine { sub, sid, public: claims, begins, expires })
    }
}

/// One part of a token as JSON: canonical base64url without padding (RFC 7515, section 2), then an
/// object without ambiguity.
fn decode(part: &str) -> Result<Map<String, Value>, TokenError> {
    let bytes = Base64UrlUnpadded::decode_vec(part).map_err(|_| TokenError::Malformed)?;
    strict_json::object(&bytes).ok_or(TokenError::Malformed)
}

/// Verifies the signature with the key's one algorithm, which the header must name, too.
fn check_signature(token: &str, material: &Material) -> Result<(), TokenError> {
    // What the claims say is read apart, strictly; of these types they can say anything.
    type Any = jwt_compact::Empty;
    let token = UntrustedToken::<Any>::try_from(token).map_err(|_| TokenError::Malformed)?;
    match material {
        Material::Hs256(key) => Hs256.validator::<Any>(key).validate(&token),
        Material::Hs384(key) => Hs384.validator::<Any>(key).validate(&token),
        Material::Hs512(key) => Hs512.validator::<Any>(key).validate(&token),
        Material::Es256(pair) => Es256.validator(&pair.verifying).validate(&token),
        Material::EdDsa(pair, named) => named.validator(&pair.verifying).validate(&token),
        Material::Rsa(key, rsa) => rsa.validator(key).validate(&token),
    }
    .map(drop)
    .map_err(TokenError::from)
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

/// A claim that must be a text, and not an empty one.
fn text(claim: Option<Value>) -> Result<String, TokenError> {
    match claim {
        Some(Value::String(text)) if !text.is_empty() => Ok(text),
        _ => Err(TokenError::Malformed),
    }
}

/// One audience or several (RFC 7519, section 4.1.3).
fn audiences(claim: Option<Value>) -> Result<Vec<String>, TokenError> {
    match claim {
        Some(Value::Array(all)) => all.into_iter().map(|one| text(Some(one))).collect(),
        one => Ok(vec![text(one)?]),
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

#[cfg(test)]
pub(crate) mod tests;
