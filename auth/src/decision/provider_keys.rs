//! Step 3 for the tokens of identity providers: whether their keys are to be fetched first.

use std::rc::Rc;

use super::Guard;
use crate::http::Head;
use crate::issuer::Issuer;
use crate::jwt::TokenError;
use crate::time::Timestamp;

impl Guard {
    /// The issuer whose keys are to be fetched before the request's tokens can be judged; `None` if those that are known
    /// do, or it is too early to ask again.
    pub(super) fn keys_wanted(&self, head: &impl Head, now: Timestamp) -> Option<Rc<Issuer>> {
        if !self.tokens.accepts_providers() {
            return None;
        }
        let (sent, mut wanted) = (self.presented(head), None);
        sent.each(|credential| {
            if wanted.is_none() {
                wanted = self.keys_wanted_for(credential.token.unwrap_or_default(), now);
            }
        });
        wanted
    }

    /// The same for one token.
    pub fn keys_wanted_for(&self, token: &str, now: Timestamp) -> Option<Rc<Issuer>> {
        let error = self.tokens.verify_signature(token).err()?;
        let is_of_keys = matches!(
            error,
            TokenError::UnknownKey | TokenError::Signature | TokenError::KeysUnavailable
        );
        let issuer = self.tokens.provider_of(token).filter(|_| is_of_keys)?;
        issuer.keyring.forget_old(now);
        let may_learn = issuer.trusted.jwks_uri.is_some() && issuer.keyring.may_learn(now);
        may_learn.then(|| Rc::clone(issuer))
    }
}
