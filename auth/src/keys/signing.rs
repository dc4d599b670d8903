//! Signing.

use std::time::Duration;

use base64ct::{Base64UrlUnpadded, Encoding};
use serde_json::{Map, Value, json};

use super::Key;
use crate::time::Timestamp;

impl Key {
    /// Signs a JWT of this `typ`, with these claims, `iat` and `exp`; `None` if the key cannot.
    ///
    /// Built by hand: `jwt-compact`'s own encoder is instantiated for each algorithm, which is large.
    pub fn sign(
        &self,
        typ: &str,
        mut claims: Map<String, Value>,
        now: Timestamp,
        lifetime: Duration,
    ) -> Option<String> {
        claims.insert("iat".into(), now.seconds().into());
        claims.insert("exp".into(), now.plus(lifetime).seconds().into());
        let header = json!({ "alg": self.material.alg(), "typ": typ, "kid": self.kid });
        let part = |json: Value| Base64UrlUnpadded::encode_string(json.to_string().as_bytes());
        let message = format!("{}.{}", part(header), part(Value::Object(claims)));
        let signature = self.material.sign(message.as_bytes())?;
        Some(format!("{message}.{}", Base64UrlUnpadded::encode_string(&signature)))
    }
}
