//! RSA keys (RFC 7518, section 6.3), which verify only.

use jwt_compact::alg::{RsaPublicKey, StrongKey};
use jwt_compact::jwk::JsonWebKey;
use serde_json::Value;

use super::jwk::bytes;

/// A key of the guard's own set.
pub fn own_rsa(jwk: &Value) -> Result<RsaPublicKey, String> {
    Ok(StrongKey::try_from(rsa(jwk)?).map_err(|_| RSA_BITS)?.into_inner())
}

/// A provider's key, of any size from 2048 to 4096 bits.
pub fn published_rsa(jwk: &Value) -> Result<RsaPublicKey, String> {
    let bits = bytes(jwk, "n").map_or(0, |n| bits(&n));
    if (2048..=4096).contains(&bits) { rsa(jwk) } else { Err(RSA_BITS.into()) }
}

fn rsa(jwk: &Value) -> Result<RsaPublicKey, String> {
    let unreadable = "`n` and `e` must be an RSA key in base64url, without padding";
    let modulus = bytes(jwk, "n").ok_or(unreadable)?.into();
    let public_exponent = bytes(jwk, "e").ok_or(unreadable)?.into();
    let jwk = JsonWebKey::Rsa { modulus, public_exponent, private_parts: None };
    RsaPublicKey::try_from(&jwk).map_err(|_| unreadable.into())
}

const RSA_BITS: &str = "must have 2048, 3072 or 4096 bits";

/// The bit length of a big-endian number without leading zero bytes.
fn bits(number: &[u8]) -> usize {
    number.first().map_or(0, |first| number.len() * 8 - first.leading_zeros() as usize)
}
