//! Keys of elliptic curves (RFC 7518, section 6.2; RFC 8037).

use jwt_compact::Algorithm;
use jwt_compact::alg::SecretBytes;
use jwt_compact::jwk::JsonWebKey;
use serde_json::Value;

use super::jwk::bytes;

/// A public key, and the private one if it is present.
pub struct Pair<A: Algorithm> {
    /// The public key.
    pub verifying: A::VerifyingKey,
    /// The private key.
    pub signing: Option<A::SigningKey>,
}

impl<A: Algorithm<VerifyingKey: Clone, SigningKey: Clone>> Clone for Pair<A> {
    fn clone(&self) -> Self {
        Self { verifying: self.verifying.clone(), signing: self.signing.clone() }
    }
}

/// An elliptic key, with its private half if `d` is there. The two must belong together.
pub fn pair<A: Algorithm>(jwk: &Value) -> Result<Pair<A>, String>
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

/// Parsed by hand: `JsonWebKey`'s own deserializer is large.
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
