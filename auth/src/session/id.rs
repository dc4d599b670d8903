//! The names of users and sessions.

use std::fmt;

use base64ct::{Base64UrlUnpadded, Encoding};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Who a session belongs to: the `sub` claim (RFC 7519, section 4.1.2).
///
/// Never empty, at most 1,024 bytes; otherwise any text, since identity providers differ.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Subject(String);

impl Subject {
    /// The longest `sub` that is accepted, in bytes.
    pub const MAX_BYTES: usize = 1024;

    /// The `sub` as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Subject {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        match text.len() {
            0 => Err("`sub` is empty"),
            1..=Self::MAX_BYTES => Ok(Self(text)),
            _ => Err("`sub` is longer than 1,024 bytes"),
        }
    }
}

impl From<Subject> for String {
    fn from(subject: Subject) -> Self {
        subject.0
    }
}

/// Names one session: 128 random bits in base64url, new at every login; for a provider's session, 128 bits of a
/// hash.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Sid(String);

impl Sid {
    /// Makes a session's name from bytes that must come from a cryptographic source.
    pub fn from_random(bytes: [u8; 16]) -> Self {
        Self(Base64UrlUnpadded::encode_string(&bytes))
    }

    /// The name of a provider's session, by the issuer, the `sub` and what its tokens say of the session.
    pub fn of_provider(issuer: &str, sub: &Subject, session: &str) -> Self {
        let hash = digest(&["provider session", issuer, sub.as_str(), session]);
        Self(Base64UrlUnpadded::encode_string(&hash[..16]))
    }

    /// The name as text, in the base64url alphabet.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Sid {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if (1..=128).contains(&text.len()) && text.bytes().all(legal) {
            Ok(Self(text))
        } else {
            Err("`sid` is not 1 to 128 characters of base64url")
        }
    }
}

impl From<Sid> for String {
    fn from(sid: Sid) -> Self {
        sid.0
    }
}

impl fmt::Display for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// SHA-256 over these texts, each with its length before it, so that no two lists of texts are alike.
pub(crate) fn digest(texts: &[&str]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for text in texts {
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text);
    }
    hash.finalize().into()
}
