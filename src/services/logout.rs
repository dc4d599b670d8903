//! Which sessions a logout ends, by `POST logout` and by `X-Guard-Logout` alike.

use auth::decision::Principal;
use auth::refusal::Refusal;
use auth::store::SessionSelector;

use crate::app::App;
use crate::request::RequestHead;
use crate::services::{current_session, end_sessions};

/// Which of a user's sessions a logout ends.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum LogoutScope {
    /// The request's own.
    Local,
    /// The user's other sessions.
    Others,
    /// All of the user's.
    Global,
}

impl LogoutScope {
    /// The scope of this name; `None` if there is none.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "local" => Some(Self::Local),
            "others" => Some(Self::Others),
            "global" => Some(Self::Global),
            _ => None,
        }
    }

    /// The scope of a logout that names none: see `LOGOUT_ALL_SESSIONS`.
    pub fn default_of(app: &App) -> Self {
        if app.guard.settings().logout_all { Self::Global } else { Self::Local }
    }
}

/// Ends the user's other sessions, if the request's own is live: one that has ended must not end others.
///
/// # Errors
/// Why the session is not live, or that the store did not answer.
pub async fn log_out_others(
    app: &App,
    principal: &Principal,
    head: Option<&RequestHead>,
) -> Result<(), Refusal> {
    current_session::check(app, principal, head).await?;
    let which = SessionSelector::Others(principal.sid().clone());
    end_sessions::revoke(app, principal.user(), which).await.map(drop)
}
