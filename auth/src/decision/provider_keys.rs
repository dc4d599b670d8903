//! Step 3 for the tokens of identity providers: whether their keys are to be fetched first.

use std::rc::Rc;

use super::Guard;
use super::credentials::Verifier;
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
        self.tokens.forget_old_keys(now);
        let (sent, mut wanted) = (self.presented(head), None);
        let verifier = Verifier::new(&self.tokens);
        sent.each(|credential| {
            let text = credential.token.unwrap_or_default();
            if wanted.is_none()
                && let Some(Err(error)) = verifier.verify_signature(text)
            {
                wanted = self.keys_that_may_help(text, &error, now);
            }
        });
        wanted
    }

    /// The same for one token.
    pub fn keys_wanted_for(&self, token: &str, now: Timestamp) -> Option<Rc<Issuer>> {
        self.tokens.forget_old_keys(now);
        let error = self.tokens.verify_signature(token).err()?;
        self.keys_that_may_help(token, &error, now)
    }

    fn keys_that_may_help(
        &self,
        token: &str,
        error: &TokenError,
        now: Timestamp,
    ) -> Option<Rc<Issuer>> {
        let is_of_keys = matches!(
            error,
            TokenError::UnknownKey | TokenError::Signature | TokenError::KeysUnavailable
        );
        let issuer = self.tokens.provider_of(token).filter(|_| is_of_keys)?;
        let may_learn = issuer.trusted.jwks_uri.is_some() && issuer.keyring.may_learn(now);
        may_learn.then(|| Rc::clone(issuer))
    }
}
