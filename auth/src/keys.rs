//! The guard's keys: a JWK Set (RFC 7517), one algorithm per key.

mod algorithm;
mod elliptic;
mod hmac;
mod jwk;
mod published;
mod rsa;
mod signing;

use std::fmt;

use serde_json::{Value, json};

pub use algorithm::{ALGORITHMS_OF_PROVIDERS, AlgorithmKey};
pub use published::PublishedKeys;

use jwk::{bytes, members};

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
    pub material: AlgorithmKey,
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
        let material = AlgorithmKey::parse(jwk)?;
        // Without one, tokens could not be told apart once a second key is put in front.
        let kid = jwk.get("kid").and_then(Value::as_str).filter(|kid| !kid.is_empty());
        let secret = bytes(jwk, "k").or_else(|| bytes(jwk, "d")).filter(|_| material.can_sign());
        let log_key = secret.as_deref().map(LogKey::from_secret);
        Ok(Self { kid: kid.ok_or("needs a `kid`")?.to_owned(), material, log_key })
    }
}

#[cfg(test)]
pub(crate) mod tests;
