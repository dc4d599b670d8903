//! What a token says with the rights of its session: made once for each token and its last rights.

use std::rc::Rc;

use serde_json::{Map, Value};
use thiserror::Error;

use super::context::TokenContext;
use super::effective_claims::EffectiveClaims;
use super::{Tokens, Verified};
use crate::assertion::Assertions;
use crate::identity::HeadersTooLarge;
use crate::rights::Rights;
use crate::scopes::AdminScopes;
use crate::session::{Sid, Subject};

/// A session's rights cannot be applied to its token.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum InvalidRights {
    /// The store's text is not as it was written.
    #[error("the session's rights: {0}")]
    Unreadable(String),
    /// The identity headers would be too large.
    #[error("with the session's rights, {0}")]
    TooLarge(#[from] HeadersTooLarge),
}

impl Tokens {
    /// Does the origin get headers of these claims of a user?
    ///
    /// # Errors
    /// [`HeadersTooLarge`].
    pub fn check_claims(
        &self,
        sub: &Subject,
        public: &Map<String, Value>,
    ) -> Result<(), HeadersTooLarge> {
        self.identity(sub, &Sid::from_random([0; 16]), public).map(drop)
    }

    /// A token with these rights, the JSON text of its session; `None`: as it says itself.
    ///
    /// # Errors
    /// [`InvalidRights`].
    pub fn with_rights(
        &self,
        token: &Verified,
        rights: Option<&str>,
    ) -> Result<Verified, InvalidRights> {
        let record = &token.0;
        let Some(text) = rights else { return Ok(Verified(Rc::clone(record), None)) };
        let made = record.effective.borrow().clone();
        if let Some(made) = made.filter(|made| *made.rights == *text) {
            return Ok(Verified(Rc::clone(record), Some(made)));
        }
        let rights = Rights::parse(text).map_err(InvalidRights::Unreadable)?;
        let public = rights.apply(record.public.clone());
        let made = Rc::new(EffectiveClaims {
            rights: text.into(),
            identity: self.identity(&record.sub, &record.sid, &public)?,
            admin_scopes: AdminScopes::of(&public),
            public,
            assertions: Assertions::default(),
            context: TokenContext::default(),
        });
        record.effective.replace(Some(Rc::clone(&made)));
        self.memory.update_size(record);
        Ok(Verified(Rc::clone(record), Some(made)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{NOW, issue, tokens};
    use super::*;
    use serde_json::json;

    fn rights(note: &str) -> String {
        json!({ "roles": ["crew"], "claims": { "note": note } }).to_string()
    }

    #[test]
    fn the_claims_are_made_once_for_the_same_rights_and_counted_with_the_token() {
        let tokens = tokens(&["a"]);
        let token = tokens.verify(&issue(&tokens, "ada"), NOW).unwrap();
        let before = token.bytes();
        let long = rights(&"x".repeat(1000));
        let made = tokens.with_rights(&token, Some(&long)).unwrap();
        assert!(token.bytes() > before + 3000, "the rights, the claims and the headers");
        let counted = made.bytes();
        tokens.set_context_bytes(&made, 500);
        assert_eq!(token.bytes(), counted + 500);
        let again = tokens.with_rights(&token, Some(&long)).unwrap();
        assert!(Rc::ptr_eq(made.1.as_ref().unwrap(), again.1.as_ref().unwrap()));
        let other = tokens.with_rights(&made, Some(&rights("y"))).unwrap();
        assert_eq!(other.public_claims()["note"], "y");
        assert_eq!(made.public_claims()["note"].as_str().unwrap().len(), 1000);
        assert_eq!(tokens.with_rights(&other, None).unwrap().rights(), None);
    }

    #[test]
    fn each_rights_have_a_context_of_their_own() {
        let tokens = tokens(&["a"]);
        let token = tokens.verify(&issue(&tokens, "ada"), NOW).unwrap();
        let with_rights = tokens.with_rights(&token, Some(&rights("x"))).unwrap();
        assert_eq!((*token.context(|| 1), *with_rights.context(|| 2)), (1, 2));
        assert_eq!((*token.context(|| 3), *with_rights.context(|| 4)), (1, 2));
    }
}
