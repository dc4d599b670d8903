//! Signatures of Standard Webhooks 1.0. The crate `standardwebhooks` brings an HMAC and a base64 of its own, and
//! makes the Worker 2.2 KB larger.

use std::fmt;

use base64ct::{Base64, Encoding};
use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::setting_value::InvalidValue;
use crate::time::Timestamp;

/// Where events are sent, and what they are signed with.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// The receiver's URL.
    pub url: String,
    /// The secret that it shares with us.
    pub secret: WebhookSecret,
}

/// A secret that is shared with a webhook's receiver.
#[derive(Clone)]
pub struct WebhookSecret(Vec<u8>);

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecret(_)")
    }
}

impl WebhookSecret {
    /// Reads `whsec_` and the base64 of 24 to 64 bytes.
    ///
    /// # Errors
    /// Shows the form that is expected.
    pub fn parse(text: &str) -> Result<Self, InvalidValue> {
        let bytes = text.strip_prefix("whsec_").and_then(|text| Base64::decode_vec(text).ok());
        match bytes {
            Some(bytes) if (24..=64).contains(&bytes.len()) => Ok(Self(bytes)),
            _ => {
                Err(InvalidValue::new("expected `whsec_` and the base64 of 24 to 64 random bytes"))
            }
        }
    }

    /// The `webhook-signature` of a message: HMAC-SHA256 of `id.timestamp.body`, the timestamp in seconds.
    pub fn sign(&self, id: &str, at: Timestamp, body: &str) -> String {
        // HMAC takes keys of any length; the `Result` is for other algorithms of the trait.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else { return String::new() };
        mac.update(format!("{id}.{}.{body}", at.seconds()).as_bytes());
        format!("v1,{}", Base64::encode_string(&mac.finalize().into_bytes()))
    }
}
