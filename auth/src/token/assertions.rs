//! Assertions: what the guard signs for the origin.

use std::rc::Rc;

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::{Tokens, Verified};
use crate::assertion::{self, NotSigned};
use crate::time::Timestamp;

impl Tokens {
    /// The assertion for the origin, `audience`: it proves that the guard forwarded the request. A JWT with `iss`, `aud`, `sub`, `sid`, `iat`, `exp`, and `email` if there is one. `None` if
    /// no key has a public half for the origin to verify it with.
    ///
    /// # Errors
    /// [`NotSigned`].
    pub fn assertion(
        &self,
        token: &Verified,
        audience: &str,
        now: Timestamp,
    ) -> Result<Option<Rc<str>>, NotSigned> {
        let Some(key) = self.keys.vouching() else { return Ok(None) };
        let sign = || {
            let mut claims: Map<_, _> =
                self.registered(audience, token.sub(), token.sid()).into_iter().collect();
            if let Some(email @ Value::String(_)) = token.public_claims().get("email") {
                claims.insert("email".into(), email.clone());
            }
            key.sign(assertion::TYPE, claims, now, assertion::LIFETIME)
        };
        let assertion = token.assertions().get_or_sign(audience, now, sign)?;
        self.memory.update_size(&token.0);
        Ok(Some(assertion))
    }

    /// The assertion for `LOGIN_URL`: it proves that the guard sent the credentials in `body`. A JWT with `iss`, `aud`, `iat`, `exp` and `body_sha256`, the body's SHA-256 in hexadecimal digits.
    /// `None` if no key has a public half for the origin to verify it with.
    ///
    /// # Errors
    /// [`NotSigned`].
    pub fn login_proof(
        &self,
        login_url: &str,
        body: &str,
        now: Timestamp,
    ) -> Result<Option<String>, NotSigned> {
        let Some(key) = self.keys.vouching() else { return Ok(None) };
        let digest = base16ct::lower::encode_string(&Sha256::digest(body));
        let claims = [
            ("iss", self.issuer.clone()),
            ("aud", assertion::audience(login_url)),
            ("body_sha256", digest),
        ];
        let claims = claims.map(|(name, text)| (name.to_owned(), text.into()));
        let claims = claims.into_iter().collect();
        key.sign(assertion::LOGIN_TYPE, claims, now, assertion::LIFETIME).map(Some).ok_or(NotSigned)
    }
}
