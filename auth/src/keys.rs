//! The guard's keys: a JWK Set (RFC 7517), one algorithm per key.

mod algorithm;
mod elliptic;
mod form_key;
mod hmac;
mod jwk;
mod published;
mod rsa;
mod sealing;
mod signing;

use std::fmt;

use serde_json::{Value, json};

pub use algorithm::{ALGORITHMS_OF_PROVIDERS, AlgorithmKey};
pub use published::PublishedKeys;

use form_key::FormKey;
use jwk::{bytes, members};
use sealing::SealingKey;

use crate::request_log::LogKey;
use crate::setting_value::InvalidValue;

/// The prefix of a development key's `kid`. Such a key is accepted on loopback hosts only.
pub const DEVELOPMENT_PREFIX: &str = "development-only";

/// All keys verify; the first that can sign signs.
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
    /// The key, and its algorithm.
    pub material: AlgorithmKey,
    /// The key for pseudonyms in the log, derived from its private part, if that is present.
    log_key: Option<LogKey>,
    /// The key that seals what only the guard is to read, derived likewise.
    sealing_key: Option<SealingKey>,
    /// The key of proofs in forms, derived likewise.
    form_key: Option<FormKey>,
}

/// Shows which key, never the key itself.
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
    /// Which key is wrong and what to change. Never shows the key itself.
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

    /// The key for pseudonyms in the log, derived from the signing key.
    pub fn log_key(&self) -> LogKey {
        self.log_key
    }

    /// The keys of all pseudonyms that the log may contain, by `kid`: one for each key with a private part, the
    /// signing key first.
    pub fn log_keys(&self) -> impl Iterator<Item = (&str, LogKey)> {
        let (before, from_signing) = self.keys.split_at(self.signing);
        let keys = from_signing.iter().chain(before);
        keys.filter_map(|key| Some((key.kid.as_str(), key.log_key?)))
    }

    /// The key that signs what others verify: the first with both a private and a public half.
    pub fn vouching(&self) -> Option<&Key> {
        self.keys.iter().find(|key| key.material.can_sign() && !key.material.is_secret())
    }

    /// The key of this `kid`. A token without `kid` is accepted only if there is one key.
    pub fn find(&self, kid: Option<&str>) -> Option<&Key> {
        match (kid, self.keys.as_slice()) {
            (Some(kid), keys) => keys.iter().find(|key| key.kid == kid),
            (None, [only]) => Some(only),
            (None, _) => None,
        }
    }

    /// Is any of them a development key?
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
        // Without a `kid`, keys could not be rotated.
        let kid = jwk.get("kid").and_then(Value::as_str).filter(|kid| !kid.is_empty());
        let secret = bytes(jwk, "k").or_else(|| bytes(jwk, "d")).filter(|_| material.can_sign());
        let log_key = secret.as_deref().map(LogKey::from_secret);
        let sealing_key = secret.as_deref().map(SealingKey::from_secret);
        let form_key = secret.as_deref().map(FormKey::from_secret);
        let kid = kid.ok_or("needs a `kid`")?.to_owned();
        Ok(Self { kid, material, log_key, sealing_key, form_key })
    }
}

#[cfg(test)]
pub(crate) mod tests;
