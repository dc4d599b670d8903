//! Changes what a user may do, at once, and the origin's private data of a session.

use auth::admin::{SessionPatch, user_patch};
use auth::refusal::Refusal;
use auth::session::{DataKind, RightsChange, RightsOf, Session, Sid, Subject, judge_session};
use auth::session_data::Patch;
use auth::store::{Command, CommandResult, StoreError};
use web_sys::{Request, Response};

use super::{bad_body, show_user};
use crate::app::App;
use crate::request::{self, RequestHead};
use crate::services::session_view::SessionView;
use crate::services::{find_session, session_data, user_index};
use crate::{response, stores};

/// `PATCH admin/users/{sub}`: changes the rights of all sessions of a user, and of those that begin later.
pub async fn patch_user(
    app: &App,
    request: &Request,
    head: &RequestHead,
    user: &Subject,
) -> Result<Response, Refusal> {
    session_data::require_patch_type(head)?;
    let body = session_data::read_body(request).await?;
    let change = user_patch(&body).map_err(|error| bad_body(&error))?;
    app.guard.check_rights_change(user, &change)?;
    let command = Command::SetRights { whose: RightsOf::User, change, now: request::now() };
    match apply(app, user, &command).await? {
        CommandResult::User { record, live, .. } => {
            app.guard.forget_recent(live.iter().map(|session| &session.sid));
            user_index::keep(app, user);
            Ok(show_user(user, &record, &live))
        }
        _ => Err(Refusal::StoreUnavailable(StoreError::other_answer())),
    }
}

/// `PATCH admin/users/{sub}/sessions/{sid}`: changes the rights of one session, or merges a patch into its private
/// data.
pub async fn patch_session(
    app: &App,
    request: &Request,
    head: &RequestHead,
    user: &Subject,
    sid: Sid,
) -> Result<Response, Refusal> {
    session_data::require_patch_type(head)?;
    let body = session_data::read_body(request).await?;
    let session = match SessionPatch::parse(&body).map_err(|error| bad_body(&error))? {
        SessionPatch::Rights(change) => set_rights(app, user, sid, change).await,
        SessionPatch::Data(patch) => patch_data(app, user, &sid, &patch).await,
    };
    match session {
        Ok(session) => Ok(response::json(200, &SessionView::private(&session), &[])),
        Err(Refusal::Session(_)) => Err(Refusal::NotFound),
        Err(refusal) => Err(refusal),
    }
}

async fn patch_data(
    app: &App,
    user: &Subject,
    sid: &Sid,
    patch: &Patch,
) -> Result<Session, Refusal> {
    let found = find_session::find(app, user, sid).await.map_err(Refusal::StoreUnavailable)?;
    let live = judge_session(found, request::now()).map_err(Refusal::Session)?;
    session_data::apply_patch(app, user, live.into_inner(), DataKind::Data, patch).await
}

async fn set_rights(
    app: &App,
    user: &Subject,
    sid: Sid,
    change: RightsChange,
) -> Result<Session, Refusal> {
    app.guard.check_rights_change(user, &change)?;
    // The change may be applied though no reply comes: an outage must not keep the rights that were to be lost.
    app.guard.forget_recent([&sid]);
    let whose = RightsOf::Session(sid);
    let command = Command::SetRights { whose, change, now: request::now() };
    match apply(app, user, &command).await? {
        CommandResult::Changed(session) => Ok(*session),
        CommandResult::Found(_) => Err(Refusal::NotFound),
        _ => Err(Refusal::StoreUnavailable(StoreError::other_answer())),
    }
}

async fn apply(app: &App, user: &Subject, command: &Command) -> Result<CommandResult, Refusal> {
    stores::apply(&*app.store, user, command).await.map_err(Refusal::StoreUnavailable)
}
