//! What a provider answers instead of a code or a token (RFC 6749, sections 4.1.2.1 and 5.2).

use std::fmt;

/// The most of each text that is kept.
const MAX_TEXT: usize = 200;

/// An error, as the provider says it. It is logged, and never shown: anybody can send a browser here with one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderError {
    error: String,
    description: Option<String>,
}

/// What is printed of a text from outside: ASCII without control characters, and not much.
fn plain(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_graphic() || *c == ' ').take(MAX_TEXT).collect()
}

impl ProviderError {
    /// The error of this code, and what the provider says of it.
    pub fn new(error: &str, description: Option<&str>) -> Self {
        let description = description.map(plain).filter(|text| !text.is_empty());
        Self { error: plain(error), description }
    }

    /// Its code.
    pub fn code(&self) -> &str {
        &self.error
    }
}

impl fmt::Display for ProviderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.description {
            None => write!(f, "the provider says `{}`", self.error),
            Some(description) => write!(f, "the provider says `{}` ({description})", self.error),
        }
    }
}
