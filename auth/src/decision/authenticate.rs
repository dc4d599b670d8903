//! Steps 2 and 3: the credential, and whose token it is.

use super::browser::changes_state;
use super::credentials::{Credentials, Verifier, refusal_of};
use super::principal::UseOnReplica;
use super::{Guard, Principal};
use crate::config::{Mode, Settings};
use crate::cookie::{self, SessionCookie};
use crate::credential::{CredentialRemoval, OwnTokens, PresentedTokens, Source};
use crate::http::{Body, Head};
use crate::refusal::Refusal;
use crate::time::Timestamp;
use crate::token::AuthenticToken;

impl Guard {
    /// The session cookie, if it counts at the host of a request.
    pub fn cookie_at(&self, head: &impl Head) -> Option<&SessionCookie> {
        let Settings { session_cookie, site_hosts, .. } = &self.settings;
        site_hosts.share_cookie_at(head.url()).then_some(session_cookie)
    }

    /// Does a login at the host of a request set the session cookie?
    pub fn sets_cookie(&self, head: &impl Head) -> bool {
        self.settings.token_sources.cookie && self.cookie_at(head).is_some()
    }

    /// Everything that the request carries where a token may be.
    pub(super) fn presented<'h>(&self, head: &'h impl Head) -> PresentedTokens<'h> {
        let name = self.cookie_at(head).map(SessionCookie::name);
        PresentedTokens::of(head, &self.settings.token_sources, name)
    }

    /// Steps 2 and 3: finds the credential and verifies its token.
    ///
    /// # Errors
    /// Why the request may not ask the store.
    pub fn authenticate(&self, head: &impl Head, now: Timestamp) -> Result<Principal, Refusal> {
        let sent = self.presented(head);
        let credentials = self.credentials(&sent, head);
        let caller = credentials.principal(now)?;
        if caller.source == Source::Cookie && changes_state(head) && !self.may_use_cookie(head) {
            return Err(Refusal::CrossSite);
        }
        let withheld = match self.settings.mode {
            Mode::Monitor => self.remove_credentials(head, &credentials, |text| self.goes_on(text)),
            Mode::Enforce => {
                let goes_on = |text: &str| credentials.goes_on_with(&caller, text);
                self.remove_credentials(head, &credentials, goes_on)
            }
        };
        Ok(Principal { credential_removal: withheld, ..self.with_idle_timeout(caller) })
    }

    /// The same, whose use extends the session.
    fn with_idle_timeout(&self, caller: Principal) -> Principal {
        let idle_timeout = match caller.token.provider() {
            None => self.settings.idle_timeout,
            Some(_) => Some(self.settings.provider_idle_timeout()),
        };
        match self.settings.reads_replicas() {
            true => Principal { on_replica: Some(UseOnReplica { idle_timeout }), ..caller },
            false => Principal { idle_timeout, ..caller },
        }
    }

    /// Whose token a request carries, wherever it comes from: for what the origin wishes, not the
    /// client.
    pub fn principal_of(&self, head: &impl Head, now: Timestamp) -> Option<Principal> {
        let sent = self.presented(head);
        let caller = self.credentials(&sent, head).principal(now).ok()?;
        Some(self.with_idle_timeout(caller))
    }

    /// The sessions that a logout ends: those of all tokens that the request carries and our keys
    /// have signed, also if their time is over. Cookies alone need the proof that this site asks.
    ///
    /// # Errors
    /// Why there is none.
    pub fn presented_sessions(
        &self,
        head: &impl Head,
        now: Timestamp,
    ) -> Result<Vec<AuthenticToken>, Refusal> {
        let sent = self.presented(head);
        self.credentials(&sent, head).held(self.may_use_cookie(head), now)
    }

    /// The same for what the origin wishes, not the client: cookies need no proof.
    pub fn presented_sessions_anyhow(
        &self,
        head: &impl Head,
        now: Timestamp,
    ) -> Vec<AuthenticToken> {
        let sent = self.presented(head);
        self.credentials(&sent, head).held(true, now).unwrap_or_default()
    }

    /// The sessions that a login comes with, each once; is the token of each in the cookie, which the login
    /// replaces? Also if their tokens' time is over: the new session takes the place of theirs.
    pub fn sessions_at_login(&self, head: &impl Head) -> Vec<(AuthenticToken, bool)> {
        let sent = self.presented(head);
        self.credentials(&sent, head).all_sessions()
    }

    /// Does a session cookie come along, good or not?
    pub fn has_cookie(&self, head: &impl Head) -> bool {
        let Some(cookie) = self.cookie_at(head) else { return false };
        let cookies = head.header("cookie").filter(|_| self.settings.token_sources.cookie);
        cookies.is_some_and(|all| cookie::values(&all, cookie.name()).next().is_some())
    }

    /// Step 3: whoever a token was issued to.
    ///
    /// # Errors
    /// Why the token is no good.
    pub fn principal_of_token(&self, token: &str, now: Timestamp) -> Result<Principal, Refusal> {
        let token = self.authentic_token(token)?.verify_times(now).map_err(Refusal::Token)?;
        Ok(self.with_idle_timeout(Principal::from_token(token, now)))
    }

    /// A token that our keys, or those of its provider, have signed, expired or not.
    ///
    /// # Errors
    /// Why the token is no good, or that nobody could find out.
    pub fn authentic_token(&self, token: &str) -> Result<AuthenticToken, Refusal> {
        self.tokens.verify_signature(token).map_err(refusal_of)
    }

    /// What stays at the guard: whatever is its own, but for the providers' tokens that `go_on`. The rest is the
    /// application's.
    pub(super) fn remove_credentials(
        &self,
        head: &impl Head,
        credentials: &Credentials,
        go_on: impl Fn(&str) -> bool,
    ) -> CredentialRemoval {
        let Settings { session_cookie, token_sources, forward_credential, .. } = &self.settings;
        if *forward_credential {
            return CredentialRemoval::default();
        }
        // Also of a session that is over, or where nobody has looked.
        let verifier = Verifier::new(&self.tokens);
        let is_ours =
            |text: &str| (credentials.contains(text) || verifier.may_be_ours(text)) && !go_on(text);
        let own = OwnTokens {
            is_signed: &is_ours,
            is_signed_or_claimed: &|text| is_ours(text) || self.tokens.claims_our_issuer(text),
        };
        token_sources.withhold(head, &own, session_cookie)
    }

    /// What stays at the guard of a request whose session is not known to be live. The application would take a
    /// provider's token for good, whatever became of its session.
    pub(super) fn remove_all_credentials(&self, head: &impl Head) -> CredentialRemoval {
        let sent = self.presented(head);
        self.remove_credentials(head, &self.credentials(&sent, head), |_| false)
    }

    /// Is this a provider's token, as it says itself, which the application gets, too, where nobody asks for a
    /// session?
    pub(super) fn goes_on(&self, text: &str) -> bool {
        let issuer = self.tokens.provider_of(text);
        issuer.is_some_and(|it| it.trusted.access_tokens.as_ref().is_some_and(|it| it.forward))
    }

    /// Is there a body where a token may be, that nobody has read yet?
    pub(super) fn needs_body(&self, head: &impl Head) -> bool {
        head.body() == Body::Unread && self.settings.token_sources.body_of(head).is_some()
    }
}
