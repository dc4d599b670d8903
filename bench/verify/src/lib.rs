//! The Worker's verification of tokens, and nothing else.

use auth::keys::KeySet;
use auth::time::Timestamp;
use auth::token::Tokens;
use wasm_bindgen::prelude::*;

/// Verifies the tokens of one issuer, as the Worker does.
#[wasm_bindgen]
pub struct Verifier(Tokens);

#[wasm_bindgen]
impl Verifier {
    /// With this `iss` and `aud`, and the keys of a JWK Set.
    ///
    /// # Errors
    /// What is wrong with the set.
    #[wasm_bindgen(constructor)]
    pub fn new(issuer: String, audience: String, keys: &str) -> Result<Self, JsError> {
        let keys = KeySet::parse(keys).map_err(|why| JsError::new(&why))?;
        Ok(Self(Tokens::new(issuer, audience, keys)))
    }

    /// Verifies one token, or recalls it.
    ///
    /// # Errors
    /// Why the token is refused.
    pub fn verify(&self, token: &str, now: f64) -> Result<(), JsError> {
        self.0.verify(token, Timestamp::from_millis(now as u64))?;
        Ok(())
    }
}
