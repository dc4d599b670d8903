//! Whoever makes a request, as far as the token says.

use std::fmt;
use std::time::Duration;

use super::onward::Withheld;
use crate::admin::Rights;
use crate::credential::Source;
use crate::session::{Sid, Subject};
use crate::store::Command;
use crate::time::Timestamp;
use crate::token::Verified;

/// Somebody with a genuine token, whose session is still to be checked.
#[derive(Clone)]
pub struct Caller {
    pub(super) token: Verified,
    pub(super) idle_timeout: Option<Duration>,
    pub(super) now: Timestamp,
    pub(super) source: Source,
    pub(super) withheld: Withheld,
}

/// Says who, and nothing that came with them.
impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Caller")
            .field("user", self.user())
            .field("sid", self.sid())
            .finish_non_exhaustive()
    }
}

impl Caller {
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

    /// Where the token was found.
    pub fn source(&self) -> Source {
        self.source
    }

    /// What the token's scopes allow.
    pub fn rights(&self) -> Rights {
        self.token.rights()
    }

    /// The same without being used: its idle deadline stays where it is.
    #[must_use]
    pub fn unused(self) -> Self {
        Self { idle_timeout: None, ..self }
    }

    /// The question to the store.
    pub fn command(&self) -> Command {
        let Self { idle_timeout, now, .. } = *self;
        Command::Check { sid: self.sid().clone(), idle_timeout, now }
    }
}
