//! Verified tokens: with a verified signature ([`AuthenticToken`]), and within their times, too
//! ([`Verified`]).

use std::cell::RefCell;
use std::fmt;
use std::ops::Range;
use std::rc::Rc;

use serde_json::{Map, Value};

use super::context::TokenContext;
use super::effective_claims::EffectiveClaims;
use super::{ProviderToken, json_bytes};
use crate::assertion::Assertions;
use crate::identity;
use crate::jwt::{LEEWAY, TokenError, Validity};
use crate::scopes::AdminScopes;
use crate::session::{Sid, Subject, TokenName, due_from};
use crate::store::UnseenSession;
use crate::str_eq::str_eq;
use crate::time::Timestamp;

/// A token that was verified at a time within its validity. Only [`AuthenticToken::verify_times`] makes one. The second
/// field is what it says with the rights of its session, if that has any: see
/// [`Tokens::with_rights`](super::Tokens::with_rights).
#[derive(Clone, PartialEq)]
pub struct Verified(pub(super) Rc<TokenRecord>, pub(super) Option<Rc<EffectiveClaims>>);

/// Shows the user and the session, not the claims.
impl fmt::Debug for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verified")
            .field("sub", self.sub())
            .field("sid", self.sid())
            .finish_non_exhaustive()
    }
}

impl Verified {
    /// Whose session it is.
    pub fn sub(&self) -> &Subject {
        &self.0.sub
    }

    /// The session.
    pub fn sid(&self) -> &Sid {
        &self.0.sid
    }

    /// The token as it was sent.
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// How many bytes it holds, its context included.
    pub fn bytes(&self) -> usize {
        self.0.bytes()
    }

    /// Which of the session's tokens it is.
    pub fn name(&self) -> &TokenName {
        &self.0.name
    }

    /// The claims beside the registered ones, with the session's rights.
    pub fn public_claims(&self) -> &Map<String, Value> {
        self.1.as_ref().map_or(&self.0.public, |effective| &effective.public)
    }

    /// The claims beside the registered ones as the token itself has them, for its successor.
    pub fn own_claims(&self) -> &Map<String, Value> {
        &self.0.public
    }

    /// What a provider's token says beyond what our own do; `None` if it is our own.
    pub fn provider(&self) -> Option<&ProviderToken> {
        self.0.provider.as_ref()
    }

    /// When its user logged in, if it says so (OpenID Connect Core 1.0, section 2). What lies after its own issue
    /// says nothing, such as milliseconds.
    pub fn auth_time(&self) -> Option<Timestamp> {
        let said = match &self.0.provider {
            Some(provider) => provider.auth_time?,
            None => {
                let seconds = self.0.public.get("auth_time")?.as_u64()?;
                Timestamp::from_millis(seconds.saturating_mul(1000))
            }
        };
        let is_past = said.seconds() <= self.0.name.issued.seconds() + LEEWAY;
        is_past.then_some(said)
    }

    /// How strong its user's login was, if it says so (OpenID Connect Core 1.0, section 2).
    pub fn acr(&self) -> Option<&str> {
        match &self.0.provider {
            Some(provider) => provider.acr.as_deref(),
            None => self.0.public.get("acr")?.as_str(),
        }
    }

    /// The session's rights that it has, as JSON text.
    pub fn rights(&self) -> Option<&str> {
        self.1.as_ref().map(|effective| &*effective.rights)
    }

    /// Are these the rights that it has? Every request asks, mostly for none.
    pub(crate) fn has_rights(&self, rights: Option<&str>) -> bool {
        match (&self.1, rights) {
            (None, None) => true,
            (Some(effective), Some(rights)) => str_eq(&effective.rights, rights),
            _ => false,
        }
    }

    /// The rights that it had last.
    pub fn last_rights(&self) -> Option<Rc<str>> {
        self.0.effective.borrow().as_ref().map(|effective| Rc::clone(&effective.rights))
    }

    /// The admin scopes that it has.
    pub fn admin_scopes(&self) -> AdminScopes {
        self.1.as_ref().map_or(self.0.admin_scopes, |effective| effective.admin_scopes)
    }

    /// The log fields that name its user and session: see [`LogNames::members`](crate::request_log::LogNames::members).
    pub fn log_members(&self) -> &str {
        &self.0.log_members
    }

    /// The identity headers for the origin.
    pub fn identity(&self) -> &[identity::Header] {
        self.1.as_ref().map_or(&self.0.identity, |effective| &effective.identity)
    }

    /// When it expires, without leeway.
    pub fn expires(&self) -> Timestamp {
        self.0.period.expires()
    }

    /// From when on its successor should be there.
    pub fn due_from(&self) -> Timestamp {
        due_from(self.0.name.issued, self.expires())
    }

    /// Is it within its times, and is its provider's key still good? The rest of a token is verified once.
    pub fn is_valid_at(&self, now: Timestamp) -> bool {
        let provider = self.0.provider.as_ref();
        self.0.range.contains(&now) && provider.is_none_or(|it| it.has_current_keys(now))
    }

    /// Is this its cached assertion, and still fresh enough to be sent?
    pub fn has_cached_assertion(&self, text: &Rc<str>, now: Timestamp) -> bool {
        self.assertions().holds(text, now)
    }

    /// What was signed for it.
    pub(super) fn assertions(&self) -> &Assertions {
        self.1.as_ref().map_or(&self.0.assertions, |effective| &effective.assertions)
    }

    /// See [`TokenContext`].
    pub(super) fn token_context(&self) -> &TokenContext {
        self.1.as_ref().map_or(&self.0.context, |effective| &effective.context)
    }

    /// The platform's value for this token with its rights, cached with it. There is room for one value, of one type;
    /// [`Tokens::set_context_bytes`](super::Tokens::set_context_bytes) counts its bytes.
    pub fn context<T: 'static>(&self, make: impl Fn() -> T) -> Rc<T> {
        let made = self.token_context().made.get_or_init(|| Rc::new(make()));
        Rc::clone(made).downcast().unwrap_or_else(|_| Rc::new(make()))
    }
}

/// A token that one of our keys has signed, expired or not: enough to know its session, and to end it.
/// [`AuthenticToken::verify_times`] makes it a [`Verified`] one.
#[derive(Clone)]
pub struct AuthenticToken(pub(super) Rc<TokenRecord>);

/// Shows the user and the session, not the claims.
impl fmt::Debug for AuthenticToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthenticToken")
            .field("sub", self.sub())
            .field("sid", self.sid())
            .finish_non_exhaustive()
    }
}

impl AuthenticToken {
    /// Whose session it is.
    pub fn sub(&self) -> &Subject {
        &self.0.sub
    }

    /// The session.
    pub fn sid(&self) -> &Sid {
        &self.0.sid
    }

    /// Which of the session's tokens it is.
    pub fn name(&self) -> &TokenName {
        &self.0.name
    }

    /// The token as it was sent.
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// What a provider's token says beyond what our own do; `None` if it is our own.
    pub fn provider(&self) -> Option<&ProviderToken> {
        self.0.provider.as_ref()
    }

    /// The session as one that the store may never have heard of; `None` if only a login begins such sessions.
    pub fn unseen(&self, now: Timestamp) -> Option<UnseenSession> {
        let provider = self.provider()?;
        provider.issuer.trusted.unseen_session(self.sub(), &provider.session, now)
    }

    /// The token, if it is within its times.
    ///
    /// # Errors
    /// [`TokenError::NotYet`], [`TokenError::Expired`] or [`TokenError::TooOld`].
    pub fn verify_times(&self, now: Timestamp) -> Result<Verified, TokenError> {
        self.0.period.judge(now)?;
        Ok(Verified(Rc::clone(&self.0), None))
    }
}

/// What was read of a token that one of our keys has signed. Its times are checked on each use.
#[derive(PartialEq)]
pub(super) struct TokenRecord {
    pub text: Box<str>,
    pub sub: Subject,
    pub sid: Sid,
    pub name: TokenName,
    pub public: Map<String, Value>,
    pub identity: Vec<identity::Header>,
    pub log_members: String,
    pub admin_scopes: AdminScopes,
    pub period: Validity,
    /// The same as moments, because each request asks.
    pub range: Range<Timestamp>,
    pub provider: Option<ProviderToken>,
    pub assertions: Assertions,
    pub context: TokenContext,
    /// What it says with its session's rights, if that had any the last time.
    pub effective: RefCell<Option<Rc<EffectiveClaims>>>,
}

impl TokenRecord {
    /// How many bytes it holds, at most.
    pub fn bytes(&self) -> usize {
        let Self { text, sub, sid, name, public, identity, log_members, .. } = self;
        let provider = self.provider.as_ref().map_or(0, ProviderToken::bytes);
        let texts = [text, sub.as_str(), sid.as_str(), &name.jti, log_members];
        let texts = texts
            .into_iter()
            .chain(identity.iter().flat_map(|(name, value)| [name, value.as_str()]));
        let texts: usize = texts.map(|text| text.len() + 2 * size_of::<String>()).sum();
        size_of::<Self>()
            + texts
            + provider
            + json_bytes::bytes_of(public)
            + self.bytes_since().max(self.context.counted.get())
    }

    /// How many of them were added after it was verified.
    pub fn bytes_since(&self) -> usize {
        let effective = self.effective.borrow();
        let effective = effective.as_ref().map_or(0, |effective| effective.bytes());
        self.assertions.bytes() + self.context.bytes.get() + effective
    }
}
