//! The key behind the proofs in the guard's forms.

use hmac::digest::Output;
use hmac::{Hmac, Mac};
use sha2::Sha256;

use super::KeySet;

/// An HMAC-SHA-256 of a label, by the secret part of one of the guard's keys, so that it says nothing of that.
#[derive(Clone, Copy)]
pub struct FormKey([u8; 32]);

impl FormKey {
    /// The key that is made of this secret.
    pub fn from_secret(secret: &[u8]) -> Self {
        let label = [b"session-guard: proofs in forms".as_slice()];
        Self(mac(secret, &label).finalize().into_bytes().into())
    }

    /// What only the guard can say of these texts.
    pub fn sign(self, texts: &[&[u8]]) -> Output<Sha256> {
        mac(&self.0, texts).finalize().into_bytes()
    }

    /// Is it what the guard says of these texts? How long the answer takes tells nothing of where they differ.
    pub fn verifies(self, texts: &[&[u8]], signed: &[u8]) -> bool {
        mac(&self.0, texts).verify_slice(signed).is_ok()
    }
}

impl KeySet {
    /// The keys of all proofs that a form may carry: one for each key with a private part, the signing key first.
    pub(crate) fn form_keys(&self) -> impl Iterator<Item = FormKey> {
        let (before, from_signing) = self.keys.split_at(self.signing);
        from_signing.iter().chain(before).filter_map(|key| key.form_key)
    }
}

/// Each text is preceded by its length, so that no two lists look alike.
fn mac(key: &[u8], texts: &[&[u8]]) -> Hmac<Sha256> {
    // A key of any length is good: the `Result` is for algorithms that are choosier.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { unreachable!() };
    for text in texts {
        mac.update(&(text.len() as u64).to_be_bytes());
        mac.update(text);
    }
    mac
}
