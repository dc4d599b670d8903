//! The guard's keys: a JWK Set (RFC 7517), one algorithm per key.

use std::fmt;

use jwt_compact::alg::Hs256Key;
use jwt_compact::jwk::JsonWebKey;
use serde::Deserialize;
use serde_json::Value;

/// A key whose `kid` starts like this was made for development, and serves loopback hosts only.
pub const DEVELOPMENT_PREFIX: &str = "development-only";

/// HS256 wants a key at least as long as its hash (RFC 7518, section 3.2), in bytes.
const HS256_MIN_BYTES: usize = 32;

/// The keys that verify; the first also signs.
#[derive(Clone, Debug)]
pub struct KeySet {
    first: Key,
    others: Vec<Key>,
}

/// One key, with the only algorithm it is used for.
#[derive(Clone)]
pub struct Key {
    /// Its name in token headers.
    pub kid: String,
    /// What it verifies and signs with.
    pub material: Material,
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

/// The key itself, and by its type the algorithm.
#[derive(Clone)]
pub enum Material {
    /// HMAC with SHA-256.
    Hs256(Hs256Key),
}

impl Material {
    /// The algorithm's name (RFC 7518, section 3.1).
    pub fn alg(&self) -> &'static str {
        match self {
            Self::Hs256(_) => "HS256",
        }
    }
}

#[derive(Deserialize)]
struct JwkSet {
    keys: Vec<Value>,
}

#[derive(Deserialize)]
struct Parameters {
    kty: String,
    alg: Option<String>,
    kid: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
}

impl KeySet {
    /// Reads a JWK Set.
    ///
    /// # Errors
    /// Which key is at fault and what to change, without a word of the key itself.
    pub fn parse(json: &str) -> Result<Self, String> {
        const FORM: &str = r#"must be a JWK Set: {"keys": [...]}"#;
        let set: JwkSet = serde_json::from_str(json).map_err(|_| FORM.to_owned())?;
        let mut keys = Vec::with_capacity(set.keys.len());
        for (index, jwk) in set.keys.into_iter().enumerate() {
            let key = Key::parse(jwk).map_err(|why| format!("key {}: {why}", index + 1))?;
            if keys.iter().any(|other: &Key| other.kid == key.kid) {
                return Err(format!("key {}: another key has the same `kid`", index + 1));
            }
            keys.push(key);
        }
        let mut keys = keys.into_iter();
        let first = keys.next().ok_or("has no key in it")?;
        Ok(Self { first, others: keys.collect() })
    }

    /// The key that signs.
    pub fn signing(&self) -> &Key {
        &self.first
    }

    /// The key a token names. A token without `kid` could only mean the one key there is.
    pub fn find(&self, kid: Option<&str>) -> Option<&Key> {
        match kid {
            Some(kid) => self.all().find(|key| key.kid == kid),
            None => self.others.is_empty().then_some(&self.first),
        }
    }

    /// Is any of them for development only?
    pub fn is_for_development(&self) -> bool {
        self.all().any(|key| key.kid.starts_with(DEVELOPMENT_PREFIX))
    }

    fn all(&self) -> impl Iterator<Item = &Key> {
        std::iter::once(&self.first).chain(&self.others)
    }
}

impl Key {
    fn parse(jwk: Value) -> Result<Self, String> {
        let parameters = Parameters::deserialize(&jwk).map_err(|_| "needs a `kty`")?;
        if parameters.usage.is_some_and(|usage| usage != "sig") {
            return Err("`use` must be `sig`".into());
        }
        let material = match (parameters.kty.as_str(), parameters.alg.as_deref()) {
            ("oct", Some("HS256")) => Material::Hs256(hs256(&jwk)?),
            ("oct", None) => return Err("needs `\"alg\": \"HS256\"`".into()),
            (kty, alg) => {
                let alg = alg.unwrap_or("none");
                return Err(format!(
                    "`kty` {kty} with `alg` {alg} is not supported; use `oct` with `HS256`"
                ));
            }
        };
        // Without one, tokens could not be told apart once a second key is put in front.
        let kid = parameters.kid.filter(|kid| !kid.is_empty()).ok_or("needs a `kid`")?;
        Ok(Self { kid, material })
    }
}

fn hs256(jwk: &Value) -> Result<Hs256Key, String> {
    let unreadable = "`k` must be the key in base64url, without padding";
    let jwk = JsonWebKey::deserialize(jwk).map_err(|_| unreadable)?;
    let JsonWebKey::Symmetric { secret } = &jwk else { return Err(unreadable.into()) };
    if secret.as_ref().len() < HS256_MIN_BYTES {
        return Err(format!("`k` must be at least {HS256_MIN_BYTES} bytes for HS256"));
    }
    Ok(Hs256Key::new(secret))
}

#[cfg(test)]
pub(crate) mod tests;
