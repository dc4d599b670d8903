//! `POST logout`: ends the caller's session, the user's other sessions, or all of them.

use auth::body_format::BodyFormat;
use auth::cookie::{SessionCookie, SetCookies};
use auth::http::{Head, Target};
use auth::refusal::Refusal;
use web_sys::Response;

use crate::app::App;
use crate::request::{self, RequestHead};
use crate::response;
use crate::services::logout::{self, LogoutScope};

/// `POST logout`: ends the caller's session, the user's other sessions, or all of them. A session that has ended
/// already is not an error.
pub async fn log_out(app: &App, head: &RequestHead) -> Response {
    let scope = match scope_of(app, head) {
        Ok(scope) => scope,
        Err(refusal) => return response::refusal(&refusal),
    };
    match (scope, try_log_out(app, head, scope).await) {
        (LogoutScope::Others, Ok(())) => response::response(204, "", &[response::NO_STORE]),
        (LogoutScope::Others, Err(refusal)) => response::refusal(&refusal),
        (_, Ok(()) | Err(Refusal::TokenMissing | Refusal::Token(_))) => logged_out(app, head),
        (_, Err(refusal)) => response::refusal(&refusal),
    }
}

/// The query's `scope`, or else the setting `LOGOUT_ALL_SESSIONS`.
fn scope_of(app: &App, head: &RequestHead) -> Result<LogoutScope, Refusal> {
    let query = Target::of_url(head.url()).map_or("", |target| target.query());
    match BodyFormat::Form.texts(query, &["scope".into()]).first() {
        Some(text) => LogoutScope::named(text)
            .ok_or(Refusal::BadRequest("`scope` must be `local`, `others` or `global`.")),
        None => Ok(LogoutScope::default_of(app)),
    }
}

async fn try_log_out(app: &App, head: &RequestHead, scope: LogoutScope) -> Result<(), Refusal> {
    // A cross-site form carries no cookie, but the response would clear the browser's.
    app.guard.refuse_other_origins(head)?;
    if scope == LogoutScope::Others {
        let principal = app.guard.authenticate(head, request::now())?;
        let outcome = logout::log_out_others(app, &principal, Some(head)).await;
        if let Err(refusal) = &outcome {
            logout::report_again(app, principal.user(), refusal).await;
        }
        return outcome;
    }
    for token in app.guard.presented_sessions(head, request::now())? {
        logout::log_out(app, &token, scope == LogoutScope::Global).await?;
    }
    Ok(())
}

/// Clears the session cookie, and the site's data by `Clear-Site-Data` if it is set. Leaves the site's other
/// cookies. Redirects a navigation to the login page.
fn logged_out(app: &App, head: &RequestHead) -> Response {
    let settings = app.guard.settings();
    let clear = app.guard.cookie_at(head).map(SessionCookie::clear);
    let mut headers = clear.as_ref().map_or(Vec::new(), SetCookies::headers);
    headers.extend(settings.clear_site_data.as_deref().map(|kinds| ("clear-site-data", kinds)));
    if app.guard.is_navigation(head) {
        let page = format!("{}/login?reason=logged_out", settings.auth_path);
        return response::redirect(303, &page, &headers);
    }
    headers.push(response::NO_STORE);
    response::response(204, "", &headers)
}
