//! `GET session` and `PATCH session`: the caller's own session and its private data.

use auth::refusal::Refusal;
use auth::session::{DataKind, Session};
use web_sys::{Request, Response};

use crate::app::App;
use crate::request::RequestHead;
use crate::response;
use crate::services::session_view::SessionView;
use crate::services::{current_session, session_data};

/// `GET session`: the caller's session with its private data.
pub async fn show(app: &App, head: &RequestHead) -> Response {
    match current_session::current(app, head).await {
        Ok((caller, session)) => {
            let view = SessionView::private(&session).with_token(app, &caller, &session);
            response::json(200, &view, &[])
        }
        Err(refusal) => response::refusal(&refusal),
    }
}

/// `PATCH session`: merges a patch (RFC 7396) into the client's data, and shows the session.
pub async fn patch(app: &App, request: &Request, head: &RequestHead) -> Response {
    match try_patch(app, request, head).await {
        Ok(session) => response::json(200, &SessionView::private(&session), &[]),
        Err(refusal) => response::refusal(&refusal),
    }
}

async fn try_patch(app: &App, request: &Request, head: &RequestHead) -> Result<Session, Refusal> {
    session_data::require_patch_type(head)?;
    let (principal, session) = current_session::current(app, head).await?;
    let patch = session_data::read_patch(request).await?;
    session_data::apply_patch(app, principal.user(), session, DataKind::ClientData, &patch).await
}
