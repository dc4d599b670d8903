//! How long a new session lives, and its cookie in the browser.

use super::Guard;
use crate::login::{AuthenticatedUser, LoginTerms, SessionLifetimes};

impl Guard {
    /// The lifetimes of the session that a login begins. `remember`: does the user wish to stay signed in? The answer to
    /// the login may overrule that. Without `SESSION_TTL_SHORT`, everybody stays signed in, unless the answer says
    /// otherwise.
    pub fn lifetimes(&self, user: &AuthenticatedUser, remember: bool) -> SessionLifetimes {
        let settings = &self.settings;
        let short = settings.session_ttl_short;
        let persistent = user.remember.unwrap_or(remember || short.is_none());
        let longest = user.session_ttl.unwrap_or(settings.session_ttl);
        SessionLifetimes {
            session: short.filter(|_| !persistent).map_or(longest, |short| short.min(longest)),
            idle: user.idle_timeout.or(settings.idle_timeout),
            has_own_idle: user.idle_timeout.is_some(),
            persistent,
        }
    }

    /// The limits within which the answer to a login may decide.
    pub fn login_terms(&self) -> LoginTerms<'_> {
        let settings = &self.settings;
        LoginTerms { longest: settings.session_ttl, issuers: &settings.trusted_issuers }
    }
}
