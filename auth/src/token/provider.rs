//! Access tokens of identity providers, read as if they were the guard's own: `TRUSTED_ISSUERS` says of each issuer
//! which of its claims name the session, the user and their rights.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use super::verified::TokenRecord;
use super::{TokenParts, Tokens};
use crate::device::DeviceClass;
use crate::issuer::{AccessTokenRules, Issuer};
use crate::jwt::{TokenError, UnverifiedJwt, VerifiedJwt};
use crate::keys::PublishedKeys;
use crate::session::{Sid, TokenName};
use crate::time::Timestamp;

/// What a provider's token says beyond what our own do.
#[derive(Debug)]
pub struct ProviderToken {
    /// Who issued it.
    pub issuer: Rc<Issuer>,
    /// The provider's own name of the session.
    pub session: String,
    /// When its user logged in, if it says so, or else when it was issued.
    pub authenticated: Timestamp,
    /// When its user logged in, if it says so.
    pub auth_time: Option<Timestamp>,
    /// How its user logged in (`acr`), if it says so.
    pub acr: Option<String>,
    /// The client that it was issued to, if it says so.
    pub client: Option<String>,
    /// The published keys that have verified it; `None`: its issuer's shared key has.
    keys: RefCell<Option<Rc<PublishedKeys>>>,
}

impl PartialEq for ProviderToken {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.issuer, &other.issuer)
            && self.session == other.session
            && (self.authenticated, self.auth_time) == (other.authenticated, other.auth_time)
            && (&self.acr, &self.client) == (&other.acr, &other.client)
    }
}

/// How long a session of a provider may last whose settings name no `session_ttl`. Its idle deadline comes long before.
const NO_DEADLINE: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

impl ProviderToken {
    /// Does the application get the token, too?
    pub fn is_forwarded(&self) -> bool {
        self.rules().is_some_and(|rules| rules.forward)
    }

    /// How long its session may last.
    pub fn session_ttl(&self) -> Duration {
        self.rules().and_then(|rules| rules.session_ttl).unwrap_or(NO_DEADLINE)
    }

    /// Until when a token of its session may still come, as far as is known now.
    pub fn deny_until(&self, now: Timestamp) -> Timestamp {
        self.rules().map_or(Timestamp::FAR_FUTURE, |rules| rules.deny_until(now))
    }

    /// The class of device that its client is of, if the settings name it.
    pub fn device(&self) -> Option<DeviceClass> {
        self.rules()?.is_agent(self.client.as_deref()).then_some(DeviceClass::Agent)
    }

    fn rules(&self) -> Option<&AccessTokenRules> {
        self.issuer.trusted.access_tokens.as_ref()
    }

    /// Are the keys that have verified it still its issuer's?
    pub(super) fn has_current_keys(&self, now: Timestamp) -> bool {
        let keys = self.keys.borrow();
        keys.as_ref().is_none_or(|keys| self.issuer.keyring.serve(keys, now))
    }

    /// Verifies its signature again if other keys are known by now: the issuer may have taken one back.
    pub(super) fn confirm(&self, text: &str) -> Result<(), TokenError> {
        let known = self.issuer.keyring.known();
        let is_confirmed = match (&*self.keys.borrow(), &known) {
            (None, _) => true,
            (Some(keys), Some(known)) => Rc::ptr_eq(keys, known),
            (Some(_), None) => false,
        };
        if !is_confirmed {
            verify(&self.issuer, &UnverifiedJwt::parse_of_provider(text)?)?;
            self.keys.replace(known);
        }
        Ok(())
    }

    /// How many bytes its texts hold.
    pub(super) fn bytes(&self) -> usize {
        let optional = [&self.acr, &self.client].into_iter().flatten();
        self.session.len() + optional.map(String::len).sum::<usize>()
    }
}

impl Tokens {
    /// Are access tokens of providers accepted?
    pub fn accepts_providers(&self) -> bool {
        !self.providers.is_empty()
    }

    /// Forgets keys of providers that could not be fetched again for too long.
    pub fn forget_old_keys(&self, now: Timestamp) {
        self.providers.iter().for_each(|issuer| issuer.keyring.forget_old(now));
    }

    /// The provider that a text names as its issuer. The text is not verified.
    pub fn provider_of(&self, text: &str) -> Option<&Rc<Issuer>> {
        if self.providers.is_empty() {
            return None;
        }
        let token = UnverifiedJwt::parse_of_provider(text).ok()?;
        let name = token.claimed_issuer().ok()?;
        self.providers.iter().find(|issuer| issuer.trusted.accepts_access_tokens_of(name))
    }

    pub(super) fn read_provider(
        &self,
        issuer: &Rc<Issuer>,
        text: &str,
    ) -> Result<TokenRecord, TokenError> {
        let token = UnverifiedJwt::parse_of_provider(text)?;
        let is_shared = issuer.shared_key(token.alg()?).is_some();
        let keys = if is_shared { None } else { issuer.keyring.known() };
        let token = verify(issuer, &token)?;
        let read = issuer.trusted.read_access_token(token)?;
        let sid = Sid::of_provider(&issuer.trusted.issuer, &read.sub, &read.session);
        let name = TokenName { jti: read.jti.unwrap_or_default(), issued: read.period.issued() };
        let provider = ProviderToken {
            issuer: Rc::clone(issuer),
            session: read.session,
            authenticated: read.authenticated,
            auth_time: read.auth_time,
            acr: read.acr,
            client: read.client,
            keys: RefCell::new(keys),
        };
        let (sub, public, period) = (read.sub, read.public, read.period);
        let parts = TokenParts { sub, sid, name, public, period };
        self.record(text, parts, Some(provider))
    }
}

/// Verifies a signature by the keys that are known. Whether new ones are to be fetched is
/// [`Guard::decide`](crate::decision::Guard::decide)'s to say.
fn verify(issuer: &Issuer, token: &UnverifiedJwt<'_>) -> Result<VerifiedJwt, TokenError> {
    let (kid, alg) = (token.kid()?, token.alg()?);
    if let Some(shared) = issuer.shared_key(alg) {
        return token.verify_by_one_of(&shared.candidates(kid, alg));
    }
    if issuer.trusted.jwks_uri.is_none() {
        return Err(TokenError::UnknownKey);
    }
    let keys = issuer.keyring.known().ok_or(TokenError::KeysUnavailable)?;
    token.verify_by_one_of(&keys.candidates(kid, alg))
}
