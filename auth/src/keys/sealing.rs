//! What the guard hands to a browser, or to the store, and alone can read: XChaCha20-Poly1305 under keys that are derived
//! from its own.

use base64ct::{Base64UrlUnpadded, Encoding};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key as CipherKey, XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use sha2::Sha256;

use super::KeySet;

/// The bytes of a nonce, which are random.
const NONCE: usize = 24;

/// What is sealed, in bytes of text, at most.
const MAX_SEALED: usize = 8 * 1024;

/// An HMAC-SHA-256 of a label, by the secret part of one of the guard's keys, so that it says nothing of that.
#[derive(Clone, Copy)]
pub struct SealingKey([u8; 32]);

impl SealingKey {
    /// The key that is made of this secret.
    pub fn from_secret(secret: &[u8]) -> Self {
        // A key of any length is good: the `Result` is for algorithms that are choosier.
        let Ok(mut mac) = <Hmac<Sha256> as Mac>::new_from_slice(secret) else { unreachable!() };
        mac.update(b"session-guard: sealed cookies");
        Self(mac.finalize().into_bytes().into())
    }

    fn cipher(self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(CipherKey::from_slice(&self.0))
    }
}

impl KeySet {
    /// Seals a text under the signing key. It opens only with the same `context`. `nonce` must come from a
    /// cryptographic source. `None` if it is too long.
    pub fn seal(&self, text: &str, context: &str, nonce: [u8; NONCE]) -> Option<String> {
        let cipher = self.signing().sealing_key?.cipher();
        let payload = Payload { msg: text.as_bytes(), aad: context.as_bytes() };
        let sealed = cipher.encrypt(XNonce::from_slice(&nonce), payload).ok()?;
        let sealed = Base64UrlUnpadded::encode_string(&[&nonce, &*sealed].concat());
        (sealed.len() <= MAX_SEALED).then_some(sealed)
    }

    /// The text that any of the keys has sealed; `None` of anything else.
    pub fn open(&self, sealed: &str, context: &str) -> Option<String> {
        if sealed.len() > MAX_SEALED {
            return None;
        }
        let bytes = Base64UrlUnpadded::decode_vec(sealed).ok()?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE)?;
        let payload = || Payload { msg: sealed, aad: context.as_bytes() };
        let mut keys = self.keys.iter().filter_map(|key| key.sealing_key);
        let text =
            keys.find_map(|key| key.cipher().decrypt(XNonce::from_slice(nonce), payload()).ok())?;
        String::from_utf8(text).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::hs256_set;
    use rstest::rstest;

    fn sealed(kids: &[&str]) -> String {
        hs256_set(kids).seal("hush", "cookie at site", [7; 24]).unwrap()
    }

    #[rstest]
    #[case::the_same(&["a"], "cookie at site", true)]
    #[case::rotated(&["b", "a"], "cookie at site", true)]
    #[case::another_key(&["b"], "cookie at site", false)]
    #[case::another_cookie(&["a"], "other at site", false)]
    fn what_is_sealed_opens_with_any_of_the_keys_in_its_place(
        #[case] kids: &[&str],
        #[case] context: &str,
        #[case] opens: bool,
    ) {
        let opened = hs256_set(kids).open(&sealed(&["a"]), context);
        assert_eq!(opened.as_deref(), opens.then_some("hush"));
    }

    #[test]
    fn nothing_else_opens() {
        let (keys, good) = (hs256_set(&["a"]), sealed(&["a"]));
        assert!(!good.contains("hush"));
        for index in 0..good.len() {
            let mut changed = good.clone().into_bytes();
            changed[index] = if changed[index] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            // The last character has bits that say nothing; then it is no base64url, or the same.
            assert_eq!(keys.open(&changed, "cookie at site"), None, "{index}");
        }
        for text in ["", "AAAA", &good[..good.len() - 4], &"A".repeat(10_000), "\u{e9}"] {
            assert_eq!(keys.open(text, "cookie at site"), None, "{text}");
        }
        assert_eq!(keys.seal(&"x".repeat(8 * 1024), "", [7; 24]), None);
    }
}
