//! Admission: the first request of a provider's session begins it, in the step that checks it.

use auth::decision::Principal;
use auth::event::Event;
use auth::session::{Session, SessionEnd, Subject};
use auth::store::{Command, CommandResult};

use crate::app::App;
use crate::request::{self, RequestHead};
use crate::services::{
    background, issuer_session, report_ends, session_events, unconfirmed_write, user_index,
};
use crate::stores::{self, StoreResult};

/// Checks a principal's session in one round trip. A provider's session that the store has never heard of begins.
/// `head` is the client's request; `None` if it is not known.
pub async fn check_or_admit(
    app: &App,
    principal: &Principal,
    head: Option<&RequestHead>,
) -> StoreResult {
    let client = || head.map(request::client).unwrap_or_default();
    let is_provider = principal.token().provider().is_some();
    let admission = is_provider.then(|| app.guard.admission(principal, client())).flatten();
    let command = admission.unwrap_or_else(|| principal.command());
    let answer = stores::apply(&*app.store, principal.user(), &command).await;
    report(app, principal, &command, &answer);
    answer
}

/// Reports what an admission has begun and ended. Other commands' answers are left alone.
pub fn report(app: &App, principal: &Principal, command: &Command, answer: &StoreResult) {
    let Command::Admit { now, .. } = command else { return };
    match answer {
        Ok(CommandResult::Admitted { session, ended }) => {
            let user = principal.user();
            report_ends::report(app, user, Some(session), ended);
            session_events::publish(app, user, &[Event::created(session)]);
            issuer_session::record(user, session);
        }
        // It began in this very step: the command was sent twice, and the first answer was lost.
        Ok(CommandResult::Found(Some(session))) if session.created == *now => {
            report_lost_ends(app, principal.user(), session);
        }
        Ok(_) => {}
        Err(error) => unconfirmed_write::follow_up(principal.user(), command, error),
    }
}

/// Reports the sessions that a new one has superseded, of which the answer was lost.
fn report_lost_ends(app: &App, user: &Subject, session: &Session) {
    user_index::record_changes(app, user, Some(session), &[]);
    issuer_session::record(user, session);
    let ending = SessionEnd::Superseded { at: session.created, by: session.device };
    let user = user.clone();
    background::run_after_response(async move {
        if let Some(app) = App::loaded() {
            unconfirmed_write::report_again(&app, &user, &ending).await;
        }
    });
}
