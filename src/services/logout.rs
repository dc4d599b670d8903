//! Which sessions a logout ends, by `POST logout` and by `X-Guard-Logout` alike.

use auth::decision::Principal;
use auth::refusal::Refusal;
use auth::session::{InvalidSession, Subject, judge_token};
use auth::store::SessionSelector;
use auth::token::AuthenticToken;

use crate::app::App;
use crate::request::{self, RequestHead};
use crate::services::{
    current_session, end_sessions, find_session, session_events, unconfirmed_write,
};

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

/// Ends the token's session; with `everywhere`, all sessions of its user if token and session are valid. An expired
/// token ends only its own session, and a token whose session has ended ends no other.
pub async fn log_out(app: &App, token: &AuthenticToken, everywhere: bool) -> Result<(), Refusal> {
    let one = SessionSelector::One(token.sid().clone());
    if !everywhere || token.verify_times(request::now()).is_err() {
        return end_sessions::revoke_by_token(app, token, one).await;
    }
    if token.provider().is_some() {
        return log_out_of_provider(app, token).await;
    }
    let found = find_session::find(app, token.sub(), token.sid())
        .await
        .map_err(Refusal::StoreUnavailable)?;
    match judge_token(found, [token.name()], request::now()) {
        Ok(_) => end_sessions::revoke_by_token(app, token, SessionSelector::All).await,
        Err(InvalidSession::Outdated) => end_sessions::revoke_by_token(app, token, one).await,
        Err(invalid) => {
            let refusal = Refusal::Session(invalid);
            session_events::publish_expiry(app, token.sub(), token.sid(), &refusal);
            report_again(app, token.sub(), &refusal).await;
            Ok(())
        }
    }
}

/// Ends all sessions of the user of a provider's token. Its own begins first, if the store has never heard of it: one
/// that has ended, or is denied, must not end others.
async fn log_out_of_provider(app: &App, token: &AuthenticToken) -> Result<(), Refusal> {
    let principal = app.guard.principal_of_token(token.text(), request::now())?;
    match current_session::check(app, &principal, None).await {
        Ok(_) => end_sessions::revoke_by_token(app, token, SessionSelector::All).await,
        Err(Refusal::AdmissionLimit(_)) if app.guard.lets_newcomers_end_sessions() => {
            end_sessions::revoke_by_token(app, token, SessionSelector::All).await
        }
        Err(Refusal::AdmissionLimit(_)) => {
            end_sessions::revoke_by_token(app, token, SessionSelector::One(token.sid().clone()))
                .await
        }
        Err(Refusal::Session(_)) => Ok(()),
        Err(refusal) => Err(refusal),
    }
}

/// Reports the end of a session that a logout found ended: an earlier attempt of the same logout may have ended it
/// without receiving the store's answer.
pub async fn report_again(app: &App, user: &Subject, refusal: &Refusal) {
    if let Refusal::Session(InvalidSession::Ended(ending)) = refusal {
        unconfirmed_write::report_again(app, user, ending).await;
    }
}
