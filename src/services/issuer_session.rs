//! Whose a provider's session is: a back-channel logout may name the session only.

use std::rc::Rc;

use auth::id_token::IssuerSession;
use auth::session::{Session, SessionEnd, Subject};
use auth::store::{Command, CommandResult, EntryName, SessionSelector, StoreError};

use crate::app::App;
use crate::promise::LocalBoxFuture;
use crate::services::{background, report_ends};
use crate::{request, stores};

/// Records whose session it is, and ends it if it was logged out already: that logout did not find it yet. Tries again
/// if the store does not answer.
pub fn record(user: &Subject, session: &Session) {
    let (Some(issuer), Some(name)) = (&session.issuer, &session.issuer_sid) else { return };
    let mine = Rc::new(IssuerSession::user_note(issuer, name));
    let ended = Rc::new(IssuerSession::sid_end_note(issuer, name));
    let (user, session) = (Rc::new(user.clone()), Rc::new(session.clone()));
    background::run_after_response(async move {
        let attempt = || -> LocalBoxFuture<'_, Result<(), String>> {
            let (mine, ended) = (Rc::clone(&mine), Rc::clone(&ended));
            let (user, session) = (Rc::clone(&user), Rc::clone(&session));
            Box::pin(async move {
                let Some(app) = App::loaded() else { return Ok(()) };
                let recorded = try_record(&app, &user, &session, &mine, &ended).await;
                recorded.map_err(|error| error.to_string())
            })
        };
        let _ = background::retry(&attempt).await;
    });
}

async fn try_record(
    app: &App,
    user: &Subject,
    session: &Session,
    mine: &EntryName,
    ended: &EntryName,
) -> Result<(), StoreError> {
    app.store.put_entry(mine, user.as_str(), session.expires).await?;
    if app.store.get_entry(ended).await?.is_none() {
        return Ok(());
    }
    let which = SessionSelector::One(session.sid.clone());
    let command = Command::end(which, SessionEnd::Revoked { at: request::now() });
    match stores::apply(&*app.store, user, &command).await? {
        CommandResult::Ends { now, .. } => {
            report_ends::report(app, user, None, &now);
            Ok(())
        }
        _ => Err(StoreError::other_answer()),
    }
}
