//! Who may manage the sessions of others: see them, begin them, end them.

mod block;
mod console;
mod end_many;
mod patch;
mod request;
mod transfer;

use base64ct::{Base64, Encoding};
use serde_json::{Map, Value};

pub use block::block;
pub use console::{EndManyForm, MOST_NAMED, Offers, UserAction, in_url, readable, user_page};
pub use end_many::EndMany;
pub use patch::{SessionPatch, user_patch};
pub use request::{AdminRequest, CURSOR, NewSession, SessionTerms, page};
pub use transfer::{BackupLine, Everybody, users_to_move};

use crate::config::Settings;
use crate::http::{bearer, scheme};
use crate::refusal::Refusal;
use crate::scopes::{AdminScopes, READ, REVOKE, REVOKE_ADMINS, scopes};
use crate::secret::Secret;

/// By what somebody manages sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AdminCredential {
    /// The admin API key.
    Key,
    /// The scopes of a token whose session is live.
    Token(AdminScopes),
}

/// What is done to the sessions of others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission {
    /// They are seen, or counted.
    See,
    /// One is begun.
    Begin,
    /// What the origin knows of one is changed, or what its user may do.
    Change,
    /// All that is stored is moved to another store, read or restored.
    Transfer,
    /// Their user is kept out, or let in again. That can be an admin who is not logged in now.
    Block {
        /// Is it the caller? Nobody else might be left to lift the block.
        oneself: bool,
    },
    /// They are ended.
    End {
        /// Is their user an admin, by any session that is live?
        of_admin: bool,
    },
}

impl AdminCredential {
    /// May this be done?
    ///
    /// # Errors
    /// [`Refusal::AccessDenied`] with the scope that is missing, if there is one for it.
    pub fn require(self, act: Permission) -> Result<(), Refusal> {
        let Self::Token(rights) = self else { return Ok(()) };
        let (allowed, scope) = match act {
            Permission::See => (rights.read, Some(READ)),
            Permission::Begin | Permission::Change | Permission::Transfer => (false, None),
            Permission::End { of_admin: false } => {
                (rights.revoke || rights.revoke_admins, Some(REVOKE))
            }
            Permission::Block { oneself: true } => (false, None),
            Permission::End { of_admin: true } | Permission::Block { oneself: false } => {
                (rights.revoke_admins, Some(REVOKE_ADMINS))
            }
        };
        if allowed { Ok(()) } else { Err(Refusal::AccessDenied { scope }) }
    }
}

/// An endpoint for other services, which bear a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// What a token is worth.
    Introspect,
    /// The end of its session.
    Revoke,
}

impl Service {
    /// May whoever sends this `Authorization` use it? Who may ask about tokens must not thereby end
    /// sessions.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] if there is no key for it, [`Refusal::KeyInvalid`] if another was sent.
    pub fn admit(self, settings: &Settings, authorization: &str) -> Result<(), Refusal> {
        let own = match self {
            Self::Introspect => settings.introspection_key.as_ref(),
            Self::Revoke => None,
        };
        let keys = [own, settings.admin_api_key.as_ref()];
        match keys.into_iter().flatten().map(|key| bears_key(authorization, key)).max() {
            None => Err(Refusal::NotFound),
            Some(false) => Err(Refusal::KeyInvalid),
            Some(true) => Ok(()),
        }
    }
}

/// Does this `Authorization` bear this key: as a bearer token (RFC 6750, section 2.1), or
/// as the password of whatever user (RFC 7617, section 2)?
pub fn bears_key(authorization: &str, key: &Secret) -> bool {
    if let Some(sent) = bearer(authorization) {
        return key.is(sent);
    }
    let sent = scheme(authorization, "basic").and_then(|sent| Base64::decode_vec(sent).ok());
    let sent = sent.and_then(|sent| String::from_utf8(sent).ok());
    sent.as_deref().and_then(|sent| sent.split_once(':')).is_some_and(|(_, sent)| key.is(sent))
}

/// What a token introspection tells of a token whose session is live (RFC 7662, section 2.2): its
/// claims, and its scopes in the standard's form.
pub fn introspection(mut claims: Map<String, Value>) -> Map<String, Value> {
    let scopes = scopes(&claims).join(" ");
    if !scopes.is_empty() {
        claims.insert("scope".into(), scopes.into());
    }
    claims.insert("active".into(), true.into());
    claims.insert("token_type".into(), "Bearer".into());
    claims
}

#[cfg(test)]
mod tests;
