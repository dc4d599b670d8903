//! The Worker's token verification on its own.

use auth::keys::KeySet;
use auth::time::Timestamp;
use auth::token::Tokens;
use wasm_bindgen::prelude::*;

/// Verifies the tokens of one issuer, as the Worker does.
#[wasm_bindgen]
pub struct Verifier(Tokens);

#[wasm_bindgen]
impl Verifier {
    /// A verifier for this `iss` and `aud` with the keys of a JWK Set.
    ///
    /// # Errors
    /// The set is invalid.
    #[wasm_bindgen(constructor)]
    pub fn new(issuer: String, audience: String, keys: &str) -> Result<Self, JsError> {
        let keys = KeySet::parse(keys).map_err(|error| JsError::new(&error.to_string()))?;
        Ok(Self(Tokens::new(issuer, audience, keys)))
    }

    /// Verifies a token, or finds it in the cache.
    ///
    /// # Errors
    /// Why the token is refused.
    pub fn verify(&self, token: &str, now: f64) -> Result<(), JsError> {
        self.0.verify(token, Timestamp::from_millis(now as u64))?;
        Ok(())
    }
}
