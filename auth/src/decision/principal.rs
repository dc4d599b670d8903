//! Whoever makes a request, as far as the token says.

use std::fmt;
use std::time::Duration;

use crate::credential::{CredentialRemoval, Source};
use crate::scopes::AdminScopes;
use crate::session::{LiveSession, Session, Sid, Subject, TokenGeneration, TokenName};
use crate::store::Command;
use crate::time::Timestamp;
use crate::token::Verified;

/// Somebody with a genuine token, whose session is still to be checked.
#[derive(Clone)]
pub struct Principal {
    pub(super) token: Verified,
    /// Other tokens of the same session that came along, at their time.
    pub(super) other_tokens: Vec<Verified>,
    pub(super) in_cookie: bool,
    pub(super) idle_timeout: Option<Duration>,
    /// What a use means, where a replica answers checks, which cannot record it.
    pub(super) on_replica: Option<UseOnReplica>,
    /// Does the request use the session, so that its idle deadline moves?
    pub(super) is_use: bool,
    pub(super) now: Timestamp,
    pub(super) source: Source,
    pub(super) credential_removal: CredentialRemoval,
}

/// A use of a session that the primary must be told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct UseOnReplica {
    /// How long it extends the session, unless that has a timeout of its own.
    pub idle_timeout: Option<Duration>,
}

/// Says who, and nothing that came with them.
impl fmt::Debug for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Principal")
            .field("user", self.user())
            .field("sid", self.sid())
            .finish_non_exhaustive()
    }
}

impl Principal {
    /// Whoever holds a token.
    pub(super) fn from_token(token: Verified, now: Timestamp) -> Self {
        let (others, idle_timeout, source) = (Vec::new(), None, Source::Bearer);
        let (in_cookie, withheld) = (false, CredentialRemoval::default());
        Self {
            token,
            other_tokens: others,
            in_cookie,
            idle_timeout,
            is_use: true,
            on_replica: None,
            now,
            source,
            credential_removal: withheld,
        }
    }

    /// Whose session it is.
    pub fn user(&self) -> &Subject {
        self.token.sub()
    }

    /// The session.
    pub fn sid(&self) -> &Sid {
        self.token.sid()
    }

    /// Its token.
    pub fn token(&self) -> &Verified {
        &self.token
    }

    /// Where a token of the session was found: in the cookie only if nowhere else.
    #[cfg(test)]
    pub fn source(&self) -> Source {
        self.source
    }

    /// Did a token of the session come in another place than the cookie?
    pub fn bears_token(&self) -> bool {
        self.source != Source::Cookie
    }

    /// Did a token of the session come in the cookie?
    pub fn in_cookie(&self) -> bool {
        self.in_cookie
    }

    /// The names of all the session's tokens that came along.
    pub fn token_names(&self) -> impl Iterator<Item = &TokenName> {
        std::iter::once(&self.token).chain(&self.other_tokens).map(Verified::name)
    }

    /// Did more than one come along, of which only the session can tell which is current?
    pub fn has_several_tokens(&self) -> bool {
        !self.other_tokens.is_empty()
    }

    /// The same with the token that is current, if it came along.
    pub fn with_current_token(mut self, session: &Session, now: Timestamp) -> Self {
        let is_current =
            |it: &Verified| session.token_generation(it.name(), now) == TokenGeneration::Current;
        if !is_current(&self.token)
            && let Some(current) = self.other_tokens.iter().find(|it| is_current(it)).cloned()
        {
            self.token = current;
        }
        self
    }

    /// The same with its token's rights changed: see [`Tokens::with_rights`](crate::token::Tokens::with_rights).
    pub(super) fn with_token(self, token: Verified) -> Self {
        Self { token, ..self }
    }

    /// What the token's scopes allow.
    pub fn admin_scopes(&self) -> AdminScopes {
        self.token.admin_scopes()
    }

    /// The same without being used: its idle deadline stays where it is.
    #[must_use]
    pub fn without_use(self) -> Self {
        Self { idle_timeout: None, on_replica: None, is_use: false, ..self }
    }

    /// The question to the store.
    pub fn command(&self) -> Command {
        let Self { idle_timeout, is_use, now, .. } = *self;
        let jti = self.token_to_check().map(str::to_owned);
        Command::Check { sid: self.sid().clone(), jti, idle_timeout, is_use, now }
    }

    /// The `jti` that a check names; `None` for a provider's token, of which the session knows no generations.
    pub fn token_to_check(&self) -> Option<&str> {
        self.token.provider().is_none().then(|| &*self.token.name().jti)
    }

    /// Does the request use the session?
    pub fn is_use(&self) -> bool {
        self.is_use
    }

    /// How long its use extends the session, if it does.
    pub fn idle_timeout(&self) -> Option<Duration> {
        self.idle_timeout
    }

    /// The command by which the primary learns of this use, which a replica cannot record: that the token is used, or
    /// that the session is; `None` if there is nothing to learn.
    pub fn unrecorded_use(&self, live: Option<&LiveSession>, now: Timestamp) -> Option<Command> {
        let live = live?;
        if live.needs_token_use_recorded(self.token.name()) {
            return Some(self.clone().without_use().command());
        }
        let by_settings = self.on_replica?.idle_timeout;
        let idle_timeout = live.session().idle_timeout_or(by_settings);
        let idle_timeout = idle_timeout.filter(|it| live.is_use_due(*it, now))?;
        let sid = self.sid().clone();
        let idle_timeout = Some(idle_timeout);
        Some(Command::Check { sid, jti: None, idle_timeout, is_use: true, now })
    }
}
