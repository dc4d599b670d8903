//! The algorithms: how the key of each is parsed, signs and verifies. Another algorithm of `jwt-compact` is a
//! variant here.

use jwt_compact::alg::{
    Ed25519, Es256, Hs256, Hs256Key, Hs384, Hs384Key, Hs512, Hs512Key, Rsa, RsaPublicKey,
};
use jwt_compact::jwk::JsonWebKey;
use jwt_compact::{Algorithm, AlgorithmSignature, Renamed};
use serde_json::Value;

use super::elliptic::{Pair, pair};
use super::hmac::secret;
use super::rsa::{own_rsa, published_rsa};

/// A key together with its algorithm (RFC 7518, section 3.1; RFC 8037).
#[derive(Clone)]
pub enum AlgorithmKey {
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

impl AlgorithmKey {
    /// Reads a JWK: one key of one algorithm.
    ///
    /// # Errors
    /// What to change. Never shows the key itself.
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
                Ok(Self::Rsa(Box::new(own_rsa(jwk)?), Rsa::with_name(alg)))
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

    /// The same for a provider's key.
    pub(super) fn parse_published(jwk: &Value) -> Result<Self, String> {
        let alg = jwk.get("alg").and_then(Value::as_str).unwrap_or_default();
        match jwk.get("kty").and_then(Value::as_str) {
            Some("RSA") if alg.parse::<Rsa>().is_ok() => {
                Ok(Self::Rsa(Box::new(published_rsa(jwk)?), Rsa::with_name(alg)))
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

    pub(super) fn can_sign(&self) -> bool {
        match self {
            Self::Hs256(_) | Self::Hs384(_) | Self::Hs512(_) => true,
            Self::Es256(pair) => pair.signing.is_some(),
            Self::EdDsa(pair, _) => pair.signing.is_some(),
            Self::Rsa(..) => false,
        }
    }

    /// Does it sign and verify with the same secret?
    pub(super) fn is_secret(&self) -> bool {
        matches!(self, Self::Hs256(_) | Self::Hs384(_) | Self::Hs512(_))
    }

    /// Is this the key's signature of the message?
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

    /// Signs a message; `None` without a private half.
    pub(super) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        Some(match self {
            Self::Hs256(key) => Hs256.sign(key, message).as_bytes().into_owned(),
            Self::Hs384(key) => Hs384.sign(key, message).as_bytes().into_owned(),
            Self::Hs512(key) => Hs512.sign(key, message).as_bytes().into_owned(),
            Self::Es256(pair) => {
                Es256.sign(pair.signing.as_ref()?, message).as_bytes().into_owned()
            }
            Self::EdDsa(pair, named) => {
                named.sign(pair.signing.as_ref()?, message).as_bytes().into_owned()
            }
            Self::Rsa(..) => return None,
        })
    }

    /// The public half; `None` for a shared secret.
    pub(super) fn public(&self) -> Option<JsonWebKey<'_>> {
        match self {
            Self::Hs256(_) | Self::Hs384(_) | Self::Hs512(_) => None,
            Self::Es256(pair) => Some(JsonWebKey::from(&pair.verifying)),
            Self::EdDsa(pair, _) => Some(JsonWebKey::from(&pair.verifying)),
            Self::Rsa(key, _) => Some(JsonWebKey::from(&**key)),
        }
    }
}

/// `jwt-compact` verifies the signature only; header and claims are parsed in [`jwt`](crate::jwt), more strictly.
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

/// What identity providers may sign with: nothing that takes a shared secret.
pub const ALGORITHMS_OF_PROVIDERS: [&str; 9] =
    ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "EdDSA", "Ed25519"];

/// Is it an algorithm of this key type? A provider's key need not name its algorithm.
pub(super) fn fits(alg: &str, kty: &str) -> bool {
    match kty {
        "RSA" => alg.starts_with("RS") || alg.starts_with("PS"),
        "EC" => alg.starts_with("ES"),
        "OKP" => alg.starts_with("Ed"),
        _ => false,
    }
}
