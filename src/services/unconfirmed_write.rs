//! Writes without an answer, by a timeout for example. The store may have applied them all the same, or may do so
//! later. The guard looks for their effects and reports them as if the store had answered.

use auth::event::Event;
use auth::session::{Session, SessionEnd, Subject};
use auth::store::{Command, CommandResult, SessionSelector, StoreError};
use auth::time::Timestamp;
use worker::Delay;

use crate::app::App;
use crate::services::{background, issuer_session, listeners, report_ends, session_events};
use crate::{request, stores};

/// After the response, looks for the effects of a command that failed with this error.
pub fn follow_up(user: &Subject, command: &Command, error: &StoreError) {
    let (Some(app), Some(at)) = (App::loaded(), command.changed_at()) else { return };
    if !error.may_have_applied() {
        return;
    }
    let (user, command) = (user.clone(), command.clone());
    background::run_after_response(async move {
        for pause in background::PAUSES {
            Delay::from(pause).await;
            if let Ok(changed) = changed_at(&app, &user, at).await
                && report_changes(&app, &user, &command, changed).await
            {
                return;
            }
            // The store may apply the command after the last lookup; the object with the WebSockets goes on
            // checking.
            listeners::recheck_sessions(&app, &user).await;
        }
    });
}

/// Reports the end of a session that was found ended, and of the sessions that ended with it, because the request
/// that ended them may have received no answer.
pub async fn report_again(app: &App, user: &Subject, ending: &SessionEnd) {
    if let Ok(changed) = changed_at(app, user, ending.at()).await {
        let ended = changed.iter().filter(|it| it.ended.as_ref() == Some(ending));
        report_ends::report_once(app, user, ended);
    }
}

async fn changed_at(app: &App, user: &Subject, at: Timestamp) -> Result<Vec<Session>, StoreError> {
    match stores::apply(&*app.store, user, &Command::ChangedAt { at }).await? {
        CommandResult::Listed(changed) => Ok(changed),
        _ => Err(StoreError::other_answer()),
    }
}

/// Reports the effects of a command. Returns whether there are any.
async fn report_changes(
    app: &App,
    user: &Subject,
    command: &Command,
    changed: Vec<Session>,
) -> bool {
    let at = command.changed_at();
    let is_ended = |it: &&Session| it.ended.as_ref().map(SessionEnd::at) == at;
    report_ends::report_once(app, user, changed.iter().filter(is_ended));
    match command {
        Command::Open { session, .. } => {
            let created = changed.iter().find(|it| it.sid == session.sid);
            if let Some(created) = created {
                end_abandoned_session(app, user, created).await;
            }
            created.is_some()
        }
        // The client has its token, and its next request finds the session.
        Command::Admit { session, .. } => {
            let admitted =
                changed.iter().find(|it| it.sid == session.sid && Some(it.created) == at);
            if let Some(admitted) = admitted {
                report_ends::report(app, user, Some(admitted), &[]);
                session_events::publish(app, user, &[Event::created(admitted)]);
                issuer_session::record(user, admitted);
            }
            admitted.is_some()
        }
        Command::Refresh { sid, jti, now, .. } => {
            let refreshed = changed.iter().find(|it| it.sid == *sid && it.jti == *jti);
            if let Some(refreshed) = refreshed {
                session_events::publish(app, user, &[Event::refreshed(refreshed, *now)]);
            }
            changed.iter().any(|it| it.sid == *sid)
        }
        _ => changed.iter().any(|it| is_ended(&it)),
    }
}

/// Ends a session whose login got no answer: no client has its token, and it would count towards the limit.
async fn end_abandoned_session(app: &App, user: &Subject, created: &Session) {
    session_events::publish(app, user, &[Event::created(created)]);
    let which = SessionSelector::One(created.sid.clone());
    let command = Command::end(which, SessionEnd::Revoked { at: request::now() });
    if let Ok(CommandResult::Ends { now, .. }) = stores::apply(&*app.store, user, &command).await {
        report_ends::report(app, user, None, &now);
    }
}
