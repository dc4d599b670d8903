//! Steps 2 and 3: the credential, and whose token it is.

use super::browser::{changes_state, is_same_origin};
use super::onward::Withheld;
use super::{Body, Caller, Guard, Head};
use crate::config::Settings;
use crate::cookie::{self, Rest};
use crate::credential::{Ambiguous, Credential, Sent, Source};
use crate::refusal::Refusal;
use crate::time::Timestamp;

impl Guard {
    /// Steps 2 and 3: finds the credential and verifies its token.
    ///
    /// # Errors
    /// Why the request may not ask the store.
    pub fn authenticate(&self, head: &impl Head, now: Timestamp) -> Result<Caller, Refusal> {
        let sent = Sent::of(head, &self.settings.token_sources);
        let Credential { source, token } = match sent.credential(&self.settings.cookie_name) {
            Ok(Some(credential)) => credential,
            Ok(None) => return Err(Refusal::TokenMissing),
            Err(Ambiguous) => {
                return Err(Refusal::BadRequest("Send one token; two that differ were sent."));
            }
        };
        if source == Source::Cookie && changes_state(head) && !is_same_origin(head) {
            return Err(Refusal::CrossSite);
        }
        let caller = self.bearer_of(token, now)?;
        Ok(Caller { source, withheld: self.withhold(head, &sent, source), ..caller })
    }

    /// Whose token a request carries, wherever it comes from: for what the origin wishes, not the
    /// client.
    pub fn caller_of(&self, head: &impl Head, now: Timestamp) -> Option<Caller> {
        let sent = Sent::of(head, &self.settings.token_sources);
        let found = sent.credential(&self.settings.cookie_name).ok()??;
        self.bearer_of(found.token, now).ok()
    }

    /// Step 3: whoever a token was issued to.
    ///
    /// # Errors
    /// Why the token is no good.
    pub fn bearer_of(&self, token: &str, now: Timestamp) -> Result<Caller, Refusal> {
        let token = self.tokens.verify(token, now).map_err(Refusal::Token)?;
        let (idle_timeout, source) = (self.settings.idle_timeout, Source::Bearer);
        Ok(Caller { token, idle_timeout, now, source, withheld: Withheld::default() })
    }

    pub(super) fn withhold(&self, head: &impl Head, sent: &Sent, source: Source) -> Withheld {
        let Settings { cookie_name, token_sources, forward_credential, .. } = &self.settings;
        let mut withheld = Withheld::default();
        if *forward_credential {
            return withheld;
        }
        withheld.remove.extend(token_sources.headers.iter().cloned().map(Into::into));
        if source == Source::Bearer {
            withheld.remove.push("authorization".into());
        }
        match sent.cookies.as_ref().map(|all| cookie::without(all, cookie_name)) {
            None | Some(Rest::Whole) => {}
            Some(Rest::Others(others)) => withheld.set.push(("Cookie", others)),
            Some(Rest::Nothing) => withheld.remove.push("cookie".into()),
        }
        // The page's address, with its token, comes along with whatever the page asks for.
        if !token_sources.query.is_empty()
            && let Some(page) = head.header("referer")
        {
            withheld.set.push(("Referer", token_sources.without_tokens(&page).into_owned()));
        }
        withheld
    }

    /// Is there a body where a token may be, that nobody has read yet?
    pub(super) fn awaits_body(&self, head: &impl Head) -> bool {
        head.body() == Body::Unread && self.settings.token_sources.body_of(head).is_some()
    }
}
