//! Ends sessions.

use auth::decision::Principal;
use auth::refusal::Refusal;
use auth::session::{InvalidSession, Session, SessionEnd, Subject, judge_token};
use auth::store::{Command, CommandResult, SessionSelector, StoreError};
use auth::token::AuthenticToken;

use crate::app::App;
use crate::services::{find_session, report_ends, session_events, unconfirmed_write};
use crate::{request, stores};

/// Sends a command that may end sessions, and says which it has ended, also to whoever listens.
///
/// # Errors
/// [`Refusal::SessionLimit`] for a login that finds no room, among others.
pub async fn end_sessions(
    app: &App,
    user: &Subject,
    command: &Command,
) -> Result<Vec<Session>, Refusal> {
    let begun = match command {
        Command::Open { session, .. } => Some(&**session),
        _ => None,
    };
    match stores::apply(&*app.store, user, command).await {
        Ok(CommandResult::Ended(ended)) => {
            report_ends::report(app, user, begun, &ended);
            Ok(ended)
        }
        Ok(CommandResult::Ends { now, before }) => {
            report_ends::report(app, user, None, &now);
            report_ends::report_once(app, user, &before);
            Ok(now)
        }
        Ok(CommandResult::Full(live)) => Err(Refusal::SessionLimit(Some(live))),
        Ok(_) => Err(Refusal::StoreUnavailable(StoreError::other_answer())),
        Err(error) => {
            unconfirmed_write::follow_up(user, command, &error);
            Err(Refusal::StoreUnavailable(error))
        }
    }
}

/// Ends a session of which an old token was used.
///
/// # Errors
/// [`Refusal::StoreUnavailable`]: it is not known to be ended.
pub async fn end_after_reuse(app: &App, principal: &Principal) -> Result<(), Refusal> {
    let which = SessionSelector::One(principal.sid().clone());
    let command = Command::End { which, ending: SessionEnd::Reused { at: request::now() } };
    end_sessions(app, principal.user(), &command).await.map(drop)
}

/// Ends some of a user's sessions because somebody who holds a token of this one wishes so.
pub async fn end_by_token(
    app: &App,
    token: &AuthenticToken,
    which: SessionSelector,
) -> Result<(), Refusal> {
    // An outage must not keep alive what somebody wished to end.
    app.guard.forget_recent([token.sid()]);
    let command = Command::End { which, ending: revoked_now() };
    end_sessions(app, token.sub(), &command).await.map(drop)
}

/// Ends a session; with `everywhere` all of its user's, if token and session are still good. An expired token
/// proves only whose session it was, and one whose session is over ends no other session.
pub async fn log_out(app: &App, token: &AuthenticToken, everywhere: bool) -> Result<(), Refusal> {
    let one = SessionSelector::One(token.sid().clone());
    if !everywhere || token.verify_times(request::now()).is_err() {
        return end_by_token(app, token, one).await;
    }
    let found = find_session::find(app, token.sub(), token.sid())
        .await
        .map_err(Refusal::StoreUnavailable)?;
    match judge_token(found, [token.name()], request::now()) {
        Ok(_) => end_by_token(app, token, SessionSelector::All).await,
        Err(InvalidSession::Outdated) => end_by_token(app, token, one).await,
        Err(gone) => {
            let refusal = Refusal::Session(gone);
            session_events::publish_expiry(app, token.sub(), token.sid(), &refusal);
            report_again(app, token.sub(), &refusal).await;
            Ok(())
        }
    }
}

/// An end that is found already may be that of this very logout, whose answer was lost.
pub async fn report_again(app: &App, user: &Subject, refusal: &Refusal) {
    if let Refusal::Session(InvalidSession::Ended(ending)) = refusal {
        unconfirmed_write::report_again(app, user, ending).await;
    }
}

/// An end that somebody wished, now.
pub fn revoked_now() -> SessionEnd {
    SessionEnd::Revoked { at: request::now() }
}
