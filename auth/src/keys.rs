//! The guard's keys: a JWK Set (RFC 7517), one algorithm per key.

mod published;
mod signing;

use std::fmt;

use base64ct::{Base64UrlUnpadded, Encoding};
use jwt_compact::alg::{
    Ed25519, Es256, Hs256, Hs256Key, Hs384, Hs384Key, Hs512, Hs512Key, Rsa, RsaPublicKey,
    SecretBytes, StrongKey,
};
use jwt_compact::jwk::JsonWebKey;
use jwt_compact::{Algorithm, AlgorithmSignature, Renamed};
use serde_json::{Value, json};

pub use published::PublishedKeys;

use crate::request_log::LogKey;
use crate::setting_value::InvalidValue;

/// A key whose `kid` starts like this was made for development, and serves loopback hosts only.
pub const DEVELOPMENT_PREFIX: &str = "development-only";

/// The keys that verify; the first that can sign does.
#[derive(Clone, Debug)]
pub struct KeySet {
    keys: Vec<Key>,
    signing: usize,
    log_key: LogKey,
}

/// One key, with the only algorithm it is used for.
#[derive(Clone)]
pub struct Key {
    /// Its name in token headers.
    pub kid: String,
    /// What it verifies and signs with.
    pub material: KeyMaterial,
    /// What is made of its secret part, if that is here, for names in the log.
    log_key: Option<LogKey>,
}

/// Says which key, never what it is.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key")
            .field("kid", &self.kid)
            .field("alg", &self.material.alg())
            .finish_non_exhaustive()
    }
}

/// The key itself, and by its type the algorithm (RFC 7518, section 3.1; RFC 8037).
#[derive(Clone)]
pub enum KeyMaterial {
    /// HMAC with SHA-256.
    Hs256(Hs256Key),
    /// HMAC with SHA-384.
    Hs384(Hs384Key),
    /// HMAC with SHA-512.
    Hs512(Hs512Key),
    /// ECDSA on P-256 with SHA-256.
    Es256(Box<Pair<Es256>>),
    /// EdDSA on Curve25519, under the name the key gives it: `EdDSA`, or `Ed25519` (RFC 9864).
    EdDsa(Box<Pair<Ed25519>>, Renamed<Ed25519>),
    /// RSA, PKCS #1 v1.5 or PSS. Verifies only.
    Rsa(Box<RsaPublicKey>, Rsa),
}

/// A public key, and the private one if it is there.
pub struct Pair<A: Algorithm> {
    /// What verifies.
    pub verifying: A::VerifyingKey,
    /// What signs.
    pub signing: Option<A::SigningKey>,
}

impl<A: Algorithm<VerifyingKey: Clone, SigningKey: Clone>> Clone for Pair<A> {
    fn clone(&self) -> Self {
        Self { verifying: self.verifying.clone(), signing: self.signing.clone() }
    }
}

impl KeyMaterial {
    /// Reads a JWK: one key of one algorithm.
    ///
    /// # Errors
    /// What to change, without a word of the key itself.
    pub fn parse(jwk: &Value) -> Result<Self, String> {
        let text = |name| jwk.get(name).map(|member| member.as_str().unwrap_or_default());
        if text("use").is_some_and(|usage| usage != "sig") {
            return Err("`use` must be `sig`".into());
        }
        match (text("kty").ok_or("needs a `kty`")?, text("alg")) {
            ("oct", Some("HS256")) => Ok(Self::Hs256(Hs256Key::new(secret(jwk, 32)?))),
            ("oct", Some("HS384")) => Ok(Self::Hs384(Hs384Key::new(secret(jwk, 48)?))),
            ("oct", Some("HS512")) => Ok(Self::Hs512(Hs512Key::new(secret(jwk, 64)?))),
            ("EC", None | Some("ES256")) => Ok(Self::Es256(Box::new(pair(jwk)?))),
            ("OKP", alg @ (None | Some("EdDSA" | "Ed25519"))) => {
                let name = if alg == Some("Ed25519") { "Ed25519" } else { "EdDSA" };
                Ok(Self::EdDsa(Box::new(pair(jwk)?), Renamed::new(Ed25519, name)))
            }
            ("RSA", Some(alg)) if alg.parse::<Rsa>().is_ok() => {
                let key = StrongKey::try_from(rsa(jwk)?).map_err(|_| RSA_BITS)?;
                Ok(Self::Rsa(Box::new(key.into_inner()), Rsa::with_name(alg)))
            }
            ("oct", None) => Err("needs an `alg`: HS256, HS384 or HS512".into()),
            ("RSA", None) => {
                Err("needs an `alg`: RS256, RS384, RS512, PS256, PS384 or PS512".into())
            }
            (kty, alg) => Err(format!(
                "`kty` {kty} with `alg` {} is not supported; use `oct` with HS256, HS384 or \
                     HS512, `EC` with ES256, `OKP` with EdDSA, or, to verify, `RSA`",
                alg.unwrap_or("none")
            )),
        }
    }

    /// The same of a key that somebody else has made: RSA keys may have any number of bits between
    /// those that ours have.
    fn parse_published(jwk: &Value) -> Result<Self, String> {
        let alg = jwk.get("alg").and_then(Value::as_str).unwrap_or_default();
        match jwk.get("kty").and_then(Value::as_str) {
            Some("RSA") if alg.parse::<Rsa>().is_ok() => {
                let bits = bytes(jwk, "n").map_or(0, |n| bits(&n));
                match (2048..=4096).contains(&bits) {
                    true => Ok(Self::Rsa(Box::new(rsa(jwk)?), Rsa::with_name(alg))),
                    false => Err(RSA_BITS.into()),
                }
            }
            _ => Self::parse(jwk),
        }
    }

    /// The algorithm's name in token headers.
    pub fn alg(&self) -> String {
        match self {
            Self::Hs256(_) => Hs256.name(),
            Self::Hs384(_) => Hs384.name(),
            Self::Hs512(_) => Hs512.name(),
            Self::Es256(_) => Es256.name(),
            Self::EdDsa(_, named) => named.name(),
            Self::Rsa(_, rsa) => rsa.name(),
        }
        .into_owned()
    }

    fn can_sign(&self) -> bool {
        match self {
            Self::Hs256(_) | Self::Hs384(_) | Self::Hs512(_) => true,
            Self::Es256(pair) => pair.signing.is_some(),
            Self::EdDsa(pair, _) => pair.signing.is_some(),
            Self::Rsa(..) => false,
        }
    }

    /// Is it one secret for both sides?
    fn is_secret(&self) -> bool {
        matches!(self, Self::Hs256(_) | Self::Hs384(_) | Self::Hs512(_))
    }

    /// Is this the key's signature of the message, by the key's one algorithm?
    pub fn has_signed(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Hs256(key) => is_signed(&Hs256, key, message, signature),
            Self::Hs384(key) => is_signed(&Hs384, key, message, signature),
            Self::Hs512(key) => is_signed(&Hs512, key, message, signature),
            Self::Es256(pair) => is_signed(&Es256, &pair.verifying, message, signature),
            Self::EdDsa(pair, named) => is_signed(named, &pair.verifying, message, signature),
            Self::Rsa(key, rsa) => is_signed(rsa, &**key, message, signature),
        }
    }

    /// The public half; `None` for what has none.
    fn public(&self) -> Option<JsonWebKey<'_>> {
        match self {
            Self::Hs256(_) | Self::Hs384(_) | Self::Hs512(_) => None,
            Self::Es256(pair) => Some(JsonWebKey::from(&pair.verifying)),
            Self::EdDsa(pair, _) => Some(JsonWebKey::from(&pair.verifying)),
            Self::Rsa(key, _) => Some(JsonWebKey::from(&**key)),
        }
    }
}

/// By `jwt-compact`'s algorithms alone: header and claims were read before, and more strictly.
fn is_signed<A: Algorithm>(
    algorithm: &A,
    key: &A::VerifyingKey,
    message: &[u8],
    signature: &[u8],
) -> bool {
    A::Signature::LENGTH.is_none_or(|length| length.get() == signature.len())
        && A::Signature::try_from_slice(signature)
            .is_ok_and(|signature| algorithm.verify_signature(&signature, key, message))
}

impl KeySet {
    /// Reads a JWK Set.
    ///
    /// # Errors
    /// Which key is at fault and what to change, without a word of the key itself.
    pub fn parse(json: &str) -> Result<Self, InvalidValue> {
        const FORM: &str = r#"expected a JWK Set: {"keys": [...]}"#;
        let set = members(json).ok_or_else(|| InvalidValue::new(FORM))?;
        let mut keys = Vec::with_capacity(set.len());
        for (index, jwk) in set.iter().enumerate() {
            let fault = |why: String| InvalidValue::new(why).in_item(index).in_member("keys");
            let key = Key::parse(jwk).map_err(fault)?;
            if keys.iter().any(|other: &Key| other.kid == key.kid) {
                return Err(fault("another key has the same `kid`".into()));
            }
            keys.push(key);
        }
        let signing = keys.iter().position(|key| key.material.can_sign());
        let found = signing.and_then(|at| Some((at, keys[at].log_key?)));
        let none = || InvalidValue::new("has no key in it that can sign");
        let (signing, log_key) = found.ok_or_else(none)?;
        Ok(Self { keys, signing, log_key })
    }

    /// The key that signs.
    pub fn signing(&self) -> &Key {
        &self.keys[self.signing]
    }

    /// What names in the log are hashed with: made of the key that signs.
    pub fn log_key(&self) -> LogKey {
        self.log_key
    }

    /// What names are, were or may be hashed with: for each key that is here whole, by its `kid`, the one
    /// that signs first.
    pub fn log_keys(&self) -> impl Iterator<Item = (&str, LogKey)> {
        let (before, from_signing) = self.keys.split_at(self.signing);
        let keys = from_signing.iter().chain(before);
        keys.filter_map(|key| Some((key.kid.as_str(), key.log_key?)))
    }

    /// The key that signs what others are to verify: the first that can sign and has a public half.
    pub fn vouching(&self) -> Option<&Key> {
        self.keys.iter().find(|key| key.material.can_sign() && !key.material.is_secret())
    }

    /// The key a token names. A token without `kid` could only mean the one key there is.
    pub fn find(&self, kid: Option<&str>) -> Option<&Key> {
        match (kid, self.keys.as_slice()) {
            (Some(kid), keys) => keys.iter().find(|key| key.kid == kid),
            (None, [only]) => Some(only),
            (None, _) => None,
        }
    }

    /// Is any of them for development only?
    pub fn is_for_development(&self) -> bool {
        self.keys.iter().any(|key| key.kid.starts_with(DEVELOPMENT_PREFIX))
    }

    /// The public halves as a JWK Set (RFC 7517, section 5). Secrets have none.
    pub fn public(&self) -> Value {
        let public = |key: &Key| {
            let mut jwk = serde_json::to_value(key.material.public()?).ok()?;
            jwk["alg"] = key.material.alg().into();
            jwk["use"] = "sig".into();
            jwk["kid"] = key.kid.as_str().into();
            Some(jwk)
        };
        json!({ "keys": self.keys.iter().filter_map(public).collect::<Vec<_>>() })
    }
}

impl Key {
    fn parse(jwk: &Value) -> Result<Self, String> {
        let material = KeyMaterial::parse(jwk)?;
        // Without one, tokens could not be told apart once a second key is put in front.
        let kid = jwk.get("kid").and_then(Value::as_str).filter(|kid| !kid.is_empty());
        let secret = bytes(jwk, "k").or_else(|| bytes(jwk, "d")).filter(|_| material.can_sign());
        let log_key = secret.as_deref().map(LogKey::from_secret);
        Ok(Self { kid: kid.ok_or("needs a `kid`")?.to_owned(), material, log_key })
    }
}

/// The keys of a JWK Set, unread.
fn members(json: &str) -> Option<Vec<Value>> {
    let mut set: Value = serde_json::from_str(json).ok()?;
    set.get_mut("keys")?.as_array_mut().map(std::mem::take)
}

/// A member that is bytes: base64url without padding.
fn bytes(jwk: &Value, name: &str) -> Option<Vec<u8>> {
    Base64UrlUnpadded::decode_vec(jwk.get(name)?.as_str()?).ok()
}

/// The bytes of an `oct` key, at least as many as its hash has (RFC 7518, section 3.2).
fn secret(jwk: &Value, at_least: usize) -> Result<Vec<u8>, String> {
    const UNREADABLE: &str = "`k` must be the key in base64url, without padding";
    let secret = bytes(jwk, "k").ok_or(UNREADABLE)?;
    match secret.len() >= at_least {
        true => Ok(secret),
        false => Err(format!("`k` must be at least {at_least} bytes for this `alg`")),
    }
}

/// An elliptic key, with its private half if `d` is there. The two must belong together.
fn pair<A: Algorithm>(jwk: &Value) -> Result<Pair<A>, String>
where
    A::VerifyingKey: for<'a, 'b> TryFrom<&'a JsonWebKey<'b>>,
    A::SigningKey: for<'a, 'b> TryFrom<&'a JsonWebKey<'b>>,
{
    const UNREADABLE: &str = "is not a key of its `kty`; `crv` must be P-256 for `EC` and Ed25519 \
                              for `OKP`, and `x`, `y` and `d` be in base64url, without padding";
    let jwk = elliptic(jwk).ok_or(UNREADABLE)?;
    let verifying = A::VerifyingKey::try_from(&jwk).map_err(|_| UNREADABLE)?;
    let signing = match jwk.is_signing_key() {
        true => Some(A::SigningKey::try_from(&jwk).map_err(|_| "`d` does not belong to the key")?),
        false => None,
    };
    Ok(Pair { verifying, signing })
}

/// By hand, because the reader that `JsonWebKey` brings along is as large as a small module.
fn elliptic(jwk: &Value) -> Option<JsonWebKey<'_>> {
    let curve = jwk.get("crv")?.as_str()?.into();
    let x = bytes(jwk, "x")?.into();
    let secret = match jwk.get("d") {
        Some(_) => Some(SecretBytes::owned(bytes(jwk, "d")?)),
        None => None,
    };
    Some(match jwk.get("kty")?.as_str()? {
        "EC" => JsonWebKey::EllipticCurve { curve, x, y: bytes(jwk, "y")?.into(), secret },
        _ => JsonWebKey::KeyPair { curve, x, secret },
    })
}

fn rsa(jwk: &Value) -> Result<RsaPublicKey, String> {
    let unreadable = "`n` and `e` must be an RSA key in base64url, without padding";
    let modulus = bytes(jwk, "n").ok_or(unreadable)?.into();
    let public_exponent = bytes(jwk, "e").ok_or(unreadable)?.into();
    let jwk = JsonWebKey::Rsa { modulus, public_exponent, private_parts: None };
    RsaPublicKey::try_from(&jwk).map_err(|_| unreadable.into())
}

const RSA_BITS: &str = "must have 2048, 3072 or 4096 bits";

/// How many bits a number has, of which these are the bytes, the first of them not zero.
fn bits(number: &[u8]) -> usize {
    number.first().map_or(0, |first| number.len() * 8 - first.leading_zeros() as usize)
}

#[cfg(test)]
pub(crate) mod tests;
