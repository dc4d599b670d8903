//! What a token says with the rights of its session: see [`Tokens::with_rights`](super::Tokens::with_rights).

use std::rc::Rc;

use serde_json::{Map, Value};

use super::context::TokenContext;
use super::json_bytes;
use crate::assertion::Assertions;
use crate::identity;
use crate::scopes::AdminScopes;

/// What a token says with other rights than its own.
#[derive(PartialEq)]
pub(super) struct EffectiveClaims {
    /// The rights as the session has them, JSON text.
    pub rights: Rc<str>,
    pub public: Map<String, Value>,
    pub identity: Vec<identity::Header>,
    pub admin_scopes: AdminScopes,
    pub assertions: Assertions,
    pub context: TokenContext,
}

impl EffectiveClaims {
    /// How many bytes it holds, at most.
    pub fn bytes(&self) -> usize {
        let identity: usize =
            self.identity.iter().map(|(name, value)| name.len() + value.len()).sum();
        size_of::<Self>()
            + self.rights.len()
            + identity
            + self.identity.len() * 2 * size_of::<String>()
            + json_bytes::bytes_of(&self.public)
            + self.assertions.bytes()
            + self.context.bytes.get()
    }
}
