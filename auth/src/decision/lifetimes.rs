//! How long a new session lives, and its cookie in the browser.

use super::Guard;
use crate::login::{AuthenticatedUser, SessionLifetimes};

impl Guard {
    /// The lifetimes of the session that a login begins. `remember`: does the user wish to stay signed in?
    pub fn lifetimes(&self, _user: &AuthenticatedUser, _remember: bool) -> SessionLifetimes {
        let settings = &self.settings;
        SessionLifetimes {
            session: settings.session_ttl,
            idle: settings.idle_timeout,
            persistent: true,
        }
    }
}
