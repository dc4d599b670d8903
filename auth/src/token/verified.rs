//! Tokens whose signature was verified: whenever they are good, and at a moment at which they are.

use std::any::Any;
use std::cell::{Cell, OnceCell};
use std::fmt;
use std::rc::Rc;

use serde_json::{Map, Value};

use super::json_bytes;
use crate::assertion::Assertions;
use crate::identity;
use crate::jwt::{TokenError, Validity};
use crate::scopes::AdminScopes;
use crate::session::{Sid, Subject, TokenName};
use crate::time::Timestamp;

/// The claims of a token that was verified, at a moment within its times. Nothing else makes one.
#[derive(Clone, PartialEq)]
pub struct Verified(pub(super) Rc<TokenRecord>);

/// Says who, and nothing that rides with it.
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

    /// How many bytes it holds, with what is kept beside it.
    pub fn bytes(&self) -> usize {
        self.0.bytes()
    }

    /// Which of the session's tokens it is.
    pub fn name(&self) -> &TokenName {
        &self.0.name
    }

    /// The claims beside the registered ones.
    pub fn public_claims(&self) -> &Map<String, Value> {
        &self.0.public
    }

    /// What its scopes allow.
    pub fn admin_scopes(&self) -> AdminScopes {
        self.0.rights
    }

    /// Whose it is, as the log says it: see [`LogNames::members`].
    pub fn log_members(&self) -> &str {
        &self.0.logged
    }

    /// The headers that tell the origin who it is.
    pub fn identity(&self) -> &[identity::Header] {
        &self.0.identity
    }

    /// Is this still its time? The rest of a token is judged once.
    pub fn is_valid_at(&self, now: Timestamp) -> bool {
        self.0.period.judge(now).is_ok()
    }

    /// Is this an assertion of [`Tokens::assertion`] for it, still to be sent?
    pub fn has_cached_assertion(&self, text: &Rc<str>, now: Timestamp) -> bool {
        self.0.assertions.holds(text, now)
    }

    /// What a platform makes of this token, kept for as long as the token is remembered. There is
    /// room for one thing, of one type. [`Tokens::keeps`] is told how many bytes it holds.
    pub fn context<T: 'static>(&self, make: impl Fn() -> T) -> Rc<T> {
        let kept = self.0.kept.made.get_or_init(|| Rc::new(make()));
        Rc::clone(kept).downcast().unwrap_or_else(|_| Rc::new(make()))
    }
}

/// A token that one of our keys has signed, whenever it is or was good: enough to know whose session it
/// is of, and to end that. [`AuthenticToken::at`] lets it do more.
#[derive(Clone)]
pub struct AuthenticToken(pub(super) Rc<TokenRecord>);

/// Says who, and nothing that rides with it.
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

    /// The token, if this is its time.
    ///
    /// # Errors
    /// [`TokenError::NotYet`] or [`TokenError::Expired`].
    pub fn verify_times(&self, now: Timestamp) -> Result<Verified, TokenError> {
        self.0.period.judge(now)?;
        Ok(Verified(Rc::clone(&self.0)))
    }
}

/// The claims of a token that one of our keys has signed. Whether this is its time is still to be
/// judged, on each use.
#[derive(PartialEq)]
pub(super) struct TokenRecord {
    pub text: Box<str>,
    pub sub: Subject,
    pub sid: Sid,
    pub name: TokenName,
    pub public: Map<String, Value>,
    pub identity: Vec<identity::Header>,
    pub logged: String,
    pub rights: AdminScopes,
    pub period: Validity,
    pub assertions: Assertions,
    pub kept: TokenContext,
}

impl TokenRecord {
    /// How many bytes it holds, at most.
    pub fn bytes(&self) -> usize {
        let Self { text, sub, sid, name, public, identity, logged, .. } = self;
        let texts = [text, sub.as_str(), sid.as_str(), &name.jti, logged];
        let texts = texts
            .into_iter()
            .chain(identity.iter().flat_map(|(name, value)| [name, value.as_str()]));
        let texts: usize = texts.map(|text| text.len() + 2 * size_of::<String>()).sum();
        size_of::<Self>()
            + texts
            + json_bytes::bytes_of(public)
            + self.bytes_since().max(self.kept.counted.get())
    }

    /// How many of them have come since it was verified.
    pub fn bytes_since(&self) -> usize {
        self.assertions.bytes() + self.kept.bytes.get()
    }
}

/// See [`Verified::kept`].
#[derive(Default)]
pub(super) struct TokenContext {
    pub made: OnceCell<Rc<dyn Any>>,
    pub bytes: Cell<usize>,
    /// How many bytes the memory was told of.
    pub counted: Cell<usize>,
}

/// It follows from the rest.
impl PartialEq for TokenContext {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
