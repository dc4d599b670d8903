//! What keeps the guard's own tokens from the origin.

use std::borrow::Cow;

/// Which texts are tokens of the guard. The others are the application's, and go on.
pub struct OwnTokens<'a> {
    /// Have our keys signed it, or is it not looked at any more?
    pub is_signed: &'a dyn Fn(&str) -> bool,
    /// The same, or does it say at least that it is one?
    pub is_signed_or_claimed: &'a dyn Fn(&str) -> bool,
}

/// What keeps the guard's own credential from the origin.
#[derive(Clone, Default)]
pub struct CredentialRemoval {
    /// Headers that do not go on.
    pub remove: Vec<Cow<'static, str>>,
    /// Headers that go on with another value.
    pub set: Vec<(&'static str, String)>,
}

impl CredentialRemoval {
    /// How many bytes it holds, at most.
    pub fn bytes(&self) -> usize {
        let remove = self.remove.iter().map(|name| name.len() + 2 * size_of::<Cow<'_, str>>());
        let set = self.set.iter().map(|(_, value)| value.len() + 2 * size_of::<(&str, String)>());
        remove.chain(set).sum()
    }
}
