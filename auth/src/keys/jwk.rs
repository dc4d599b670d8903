//! Members of JSON Web Keys (RFC 7517).

use base64ct::{Base64UrlUnpadded, Encoding};
use serde_json::Value;

/// The keys of a JWK Set, not yet parsed.
pub fn members(json: &str) -> Option<Vec<Value>> {
    let mut set: Value = serde_json::from_str(json).ok()?;
    set.get_mut("keys")?.as_array_mut().map(std::mem::take)
}

/// A member that is bytes: base64url without padding.
pub fn bytes(jwk: &Value, name: &str) -> Option<Vec<u8>> {
    Base64UrlUnpadded::decode_vec(jwk.get(name)?.as_str()?).ok()
}
