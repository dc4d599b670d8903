//! `GET sessions` and `DELETE sessions/{sid}`: the caller's live sessions.

use auth::http::{Head, Target};
use auth::refusal::Refusal;
use auth::session::{Session, Sid};
use auth::store::{Command, CommandResult, SessionSelector, StoreError};
use serde_json::json;
use web_sys::Response;

use crate::app::App;
use crate::request::{self, RequestHead};
use crate::services::session_view::SessionView;
use crate::services::{current_session, end_sessions};
use crate::{response, stores};

/// `GET sessions`: the caller's live sessions, oldest first.
pub async fn list(app: &App, head: &RequestHead) -> Response {
    match try_list(app, head).await {
        Ok(sessions) => response::json(200, &json!({ "sessions": sessions }), &[]),
        Err(refusal) => response::refusal(&refusal),
    }
}

async fn try_list(app: &App, head: &RequestHead) -> Result<Vec<SessionView>, Refusal> {
    let (principal, _) = current_session::current(app, head).await?;
    let command = Command::List { now: request::now() };
    match stores::apply(&*app.store, principal.user(), &command).await {
        Ok(CommandResult::Listed(sessions)) => {
            // The caller's session may have ended since it was checked.
            if !sessions.iter().any(|it| it.sid == *principal.sid()) {
                current_session::check(app, &principal, Some(head)).await?;
            }
            let is_current = |it: &Session| it.sid == *principal.sid();
            let view = |it| SessionView::public(it).with_current(is_current(it));
            Ok(sessions.iter().map(view).collect())
        }
        Ok(_) => Err(Refusal::StoreUnavailable(StoreError::other_answer())),
        Err(error) => Err(Refusal::StoreUnavailable(error)),
    }
}

/// `DELETE sessions/{sid}`: ends one of the caller's sessions.
pub async fn end_one(app: &App, head: &RequestHead) -> Response {
    match try_end_one(app, head).await {
        Ok(()) => response::response(204, "", &[response::NO_STORE]),
        Err(refusal) => response::refusal(&refusal),
    }
}

async fn try_end_one(app: &App, head: &RequestHead) -> Result<(), Refusal> {
    let principal = match current_session::current(app, head).await {
        Ok((principal, _)) => principal,
        // A provider's session that waits for room may make it, as a login may.
        Err(Refusal::AdmissionLimit(_)) if app.guard.lets_newcomers_end_sessions() => {
            app.guard.authenticate(head, request::now())?
        }
        Err(refusal) => return Err(refusal),
    };
    let path = Target::of_url(head.url()).map_or("", |target| target.path());
    let sid = path.rsplit('/').next().unwrap_or_default().to_owned();
    let sid = Sid::try_from(sid).map_err(|_| Refusal::NotFound)?;
    app.guard.forget_recent([&sid]);
    let which = SessionSelector::One(sid);
    match end_sessions::revoke(app, principal.user(), which).await?.is_empty() {
        true => Err(Refusal::NotFound),
        false => Ok(()),
    }
}
