//! What the guard signs.

use std::time::Duration;

use jwt_compact::alg::{Es256, Hs256, Hs384, Hs512};
use jwt_compact::{AlgorithmExt, Claims, Header};
use serde_json::{Map, Value};

use super::{Key, Material};
use crate::time::Timestamp;

impl Key {
    /// Signs a JWT of this `typ`, with these claims and the times; `None` if the key cannot.
    pub fn sign(
        &self,
        typ: &str,
        claims: Map<String, Value>,
        now: Timestamp,
        lifetime: Duration,
    ) -> Option<String> {
        let mut claims = Claims::new(claims);
        claims.issued_at = Some(now.to_utc()?);
        claims.expiration = Some(now.plus(lifetime).to_utc()?);
        let mut header = Header::empty().with_token_type(typ);
        header.key_id = Some(self.kid.clone());
        match &self.material {
            Material::Hs256(key) => Hs256.token(&header, &claims, key),
            Material::Hs384(key) => Hs384.token(&header, &claims, key),
            Material::Hs512(key) => Hs512.token(&header, &claims, key),
            Material::Es256(pair) => Es256.token(&header, &claims, pair.signing.as_ref()?),
            Material::EdDsa(pair, named) => named.token(&header, &claims, pair.signing.as_ref()?),
            Material::Rsa(..) => return None,
        }
        .ok()
    }
}
