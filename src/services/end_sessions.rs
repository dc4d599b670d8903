//! Ends sessions, and tells of it: this isolate, the user index, listeners and the webhook.

use crate::app::App;
use crate::request;
use crate::services::find_session;
use crate::services::session_events;
use crate::services::unconfirmed_write;
use crate::services::user_index;
use crate::stores;
use auth::decision::Principal;
use auth::event::Event;
use auth::refusal::Refusal;
use auth::session::InvalidSession;
use auth::session::Session;
use auth::session::SessionEnd;
use auth::session::Subject;
use auth::session::judge_token;
use auth::store::Command;
use auth::store::CommandResult;
use auth::store::SessionSelector;
use auth::store::StoreError;
use auth::token::AuthenticToken;

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
            tell_ended(app, user, begun, &ended);
            Ok(ended)
        }
        Ok(CommandResult::Ends { now, before }) => {
            tell_ended(app, user, None, &now);
            tell_once(app, user, &before);
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
pub async fn end_reused(app: &App, caller: &Principal) -> Result<(), Refusal> {
    let which = SessionSelector::One(caller.sid().clone());
    let command = Command::End { which, ending: SessionEnd::Reused { at: request::now() } };
    end_sessions(app, caller.user(), &command).await.map(drop)
}

/// Ends some of a user's sessions because somebody who holds a token of this one wishes so.
pub async fn end_held(
    app: &App,
    held: &AuthenticToken,
    which: SessionSelector,
) -> Result<(), Refusal> {
    // An outage must not keep alive what somebody wished to end.
    app.guard.forget_recent([held.sid()]);
    let command = Command::End { which, ending: revoked() };
    end_sessions(app, held.sub(), &command).await.map(drop)
}

/// Ends a session; with `everywhere` all of its user's, if token and session are still good. An expired token
/// proves only whose session it was, and one whose session is over ends no other session.
pub async fn log_out_of(app: &App, held: &AuthenticToken, everywhere: bool) -> Result<(), Refusal> {
    let one = SessionSelector::One(held.sid().clone());
    if !everywhere || held.verify_times(request::now()).is_err() {
        return end_held(app, held, one).await;
    }
    let found =
        find_session::find(app, held.sub(), held.sid()).await.map_err(Refusal::StoreUnavailable)?;
    match judge_token(found, [held.name()], request::now()) {
        Ok(_) => end_held(app, held, SessionSelector::All).await,
        Err(InvalidSession::Outdated) => end_held(app, held, one).await,
        Err(gone) => {
            let refusal = Refusal::Session(gone);
            session_events::notice(app, held.sub(), held.sid(), &refusal);
            tell_again(app, held.sub(), &refusal).await;
            Ok(())
        }
    }
}

/// An end that is found already may be that of this very logout, whose answer was lost.
pub async fn tell_again(app: &App, user: &Subject, refusal: &Refusal) {
    if let Refusal::Session(InvalidSession::Ended(ending)) = refusal {
        unconfirmed_write::tell_again(app, user, ending).await;
    }
}

/// Tells what was ended, and what began with that: to this isolate, the index, and whoever listens.
pub fn tell_ended(app: &App, user: &Subject, begun: Option<&Session>, ended: &[Session]) {
    app.guard.forget_recent(ended.iter().map(|session| &session.sid));
    user_index::note(app, user, begun, ended);
    session_events::emit(app, user, &ended.iter().flat_map(Event::ended).collect::<Vec<_>>());
    for session in ended {
        app.reported_ends.report_once(&session.sid, || ());
    }
}

/// Tells of sessions that were found ended: whoever ended them may not have heard that they did. Once
/// an isolate, because a client may go on ending what is over.
pub fn tell_once<'a>(app: &App, user: &Subject, ended: impl IntoIterator<Item = &'a Session>) {
    let new = ended.into_iter().filter(|session| !app.reported_ends.contains(&session.sid));
    let new: Vec<Session> = new.cloned().collect();
    if !new.is_empty() {
        tell_ended(app, user, None, &new);
    }
}

/// An end that somebody wished, now.
pub fn revoked() -> SessionEnd {
    SessionEnd::Revoked { at: request::now() }
}
