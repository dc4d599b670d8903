//! Secrets of HMAC (RFC 7518, section 6.4).

use serde_json::Value;

use super::jwk::bytes;

/// The bytes of an `oct` key, at least as many as its hash has (RFC 7518, section 3.2).
pub fn secret(jwk: &Value, at_least: usize) -> Result<Vec<u8>, String> {
    const UNREADABLE: &str = "`k` must be the key in base64url, without padding";
    let secret = bytes(jwk, "k").ok_or(UNREADABLE)?;
    match secret.len() >= at_least {
        true => Ok(secret),
        false => Err(format!("`k` must be at least {at_least} bytes for this `alg`")),
    }
}
