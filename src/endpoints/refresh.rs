//! `POST refresh`: a new token for the same session.

use auth::refusal::Refusal;
use serde::Serialize;
use web_sys::Response;

use crate::app::App;
use crate::request::{self, RequestHead};
use crate::response;
use crate::services::session_view::SessionView;
use crate::services::{current_session, refresh_session};

/// The response to a refresh (RFC 6749, section 5.1).
#[derive(Serialize)]
struct RefreshResponse<'a> {
    access_token: &'a str,
    token_type: &'static str,
    expires_in: u64,
    /// In how many seconds the client should refresh again, if that is of any use.
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_in: Option<u64>,
    session: SessionView,
}

/// `POST refresh`: responds with the token's successor.
pub async fn refresh(app: &App, head: &RequestHead) -> Response {
    match try_refresh(app, head).await {
        Ok(response) => response,
        Err(refusal) => response::refusal(&refusal),
    }
}

async fn try_refresh(app: &App, head: &RequestHead) -> Result<Response, Refusal> {
    let principal = app.guard.authenticate(head, request::now())?;
    let mut principal = current_session::noting_touch(principal, head)?;
    if principal.token().provider().is_some() {
        return Err(Refusal::RefreshAtProvider);
    }
    if principal.has_several_tokens() {
        let session = current_session::check(app, &principal, Some(head)).await?;
        principal = principal.with_current_token(&session, request::now());
    }
    let renewal = refresh_session::refresh(app, &principal).await?;
    let now = request::now();
    let cookie = &app.guard.settings().session_cookie;
    let max_age = renewal.session().cookie_max_age(renewal.lifetime_at(now));
    let renewed = principal.in_cookie().then(|| cookie.renew(renewal.token(), max_age));
    let headers = renewed.as_ref().map_or(Vec::new(), |set| set.headers());
    let body = RefreshResponse {
        access_token: renewal.token(),
        token_type: "Bearer",
        expires_in: renewal.lifetime_at(now).as_secs(),
        refresh_in: renewal.refresh_in(now).map(|span| span.as_secs()),
        session: SessionView::private(renewal.session()),
    };
    Ok(response::json(200, &body, &headers))
}
