//! `POST logout`: ends the caller's session, the user's other sessions, or all of them.

use auth::body_format::BodyFormat;
use auth::cookie::{SessionCookie, SetCookies};
use auth::http::{Head, Target};
use auth::refusal::Refusal;
use auth::sign_in::ReturnCount;
use auth::token::AuthenticToken;
use serde::Serialize;
use web_sys::Response;

use crate::app::App;
use crate::endpoints::pages::refused;
use crate::request::{self, RequestHead};
use crate::response;
use crate::services::logout::{self, LogoutScope};
use crate::services::provider_logout;

/// What a logout asks for.
struct Asked {
    scope: LogoutScope,
    /// Whether the browser goes on to the provider, to log out there, too.
    at_provider: bool,
}

/// `POST logout`: ends the caller's session, the user's other sessions, or all of them. A session that has ended
/// already is not an error.
pub async fn log_out(app: &App, head: &RequestHead) -> Response {
    let asked = match read_query(app, head) {
        Ok(asked) => asked,
        Err(refusal) => return refused::show(app, head, &refusal),
    };
    match (asked.scope, try_log_out(app, head, asked.scope).await) {
        (LogoutScope::Others, Ok(_)) => response::response(204, "", &[response::NO_STORE]),
        (LogoutScope::Others, Err(refusal)) => refused::show(app, head, &refusal),
        (_, Ok(tokens)) if asked.at_provider => logged_out_at_provider(app, head, &tokens).await,
        (_, Err(Refusal::TokenMissing | Refusal::Token(_))) if asked.at_provider => {
            logged_out_at_provider(app, head, &[]).await
        }
        (_, Ok(_) | Err(Refusal::TokenMissing | Refusal::Token(_))) => logged_out(app, head),
        (_, Err(refusal)) => refused::show(app, head, &refusal),
    }
}

const AT: Refusal =
    Refusal::BadRequest("`at` must be `provider`, and not with the scope `others`.");

/// The query's `scope`, or else the setting `LOGOUT_ALL_SESSIONS`; and its `at`.
fn read_query(app: &App, head: &RequestHead) -> Result<Asked, Refusal> {
    let query = Target::of_url(head.url()).map_or("", |target| target.query());
    let first = |name: &str| BodyFormat::Form.texts(query, &[name.into()]).into_iter().next();
    let scope = match first("scope") {
        Some(text) => LogoutScope::named(&text)
            .ok_or(Refusal::BadRequest("`scope` must be `local`, `others` or `global`."))?,
        None => LogoutScope::default_of(app),
    };
    match first("at").as_deref() {
        None => Ok(Asked { scope, at_provider: false }),
        Some("provider") if scope != LogoutScope::Others => Ok(Asked { scope, at_provider: true }),
        Some(_) => Err(AT),
    }
}

/// Returns the tokens whose sessions were to end.
async fn try_log_out(
    app: &App,
    head: &RequestHead,
    scope: LogoutScope,
) -> Result<Vec<AuthenticToken>, Refusal> {
    // A cross-site form carries no cookie, but the response would clear the browser's.
    app.guard.refuse_other_origins(head)?;
    if scope == LogoutScope::Others {
        let principal = app.guard.authenticate(head, request::now())?;
        let outcome = logout::log_out_others(app, &principal, Some(head)).await;
        if let Err(refusal) = &outcome {
            logout::report_again(app, principal.user(), refusal).await;
        }
        return outcome.map(|()| Vec::new());
    }
    let tokens = app.guard.presented_sessions(head, request::now())?;
    for token in &tokens {
        logout::log_out(app, token, scope == LogoutScope::Global).await?;
    }
    Ok(tokens)
}

/// Clears the cookie, and redirects a navigation to the login page.
pub fn logged_out(app: &App, head: &RequestHead) -> Response {
    if app.guard.is_navigation(head) {
        let page = format!("{}/login?reason=logged_out", app.guard.settings().auth_path);
        return cleared(app, head, |headers| response::redirect(303, &page, headers));
    }
    cleared(app, head, |headers| {
        response::response(204, "", &[&[response::NO_STORE], headers].concat())
    })
}

/// Where the browser goes on to.
#[derive(Serialize)]
struct LogoutUrl<'a> {
    logout_url: &'a str,
}

/// Redirects a navigation to the provider, which sends the browser back; tells a script the URL.
async fn logged_out_at_provider(
    app: &App,
    head: &RequestHead,
    tokens: &[AuthenticToken],
) -> Response {
    let site = Target::site_of(head.url());
    let logout_url = provider_logout::url(app, site, tokens).await;
    if app.guard.is_navigation(head) {
        return cleared(app, head, |headers| response::redirect(303, &logout_url, headers));
    }
    cleared(app, head, |headers| {
        response::json(200, &LogoutUrl { logout_url: &logout_url }, headers)
    })
}

/// Clears the session cookie, and the site's data by `Clear-Site-Data` if it is set. Leaves the site's other
/// cookies.
fn cleared(
    app: &App,
    head: &RequestHead,
    response: impl FnOnce(&[(&str, &str)]) -> Response,
) -> Response {
    let settings = app.guard.settings();
    let clear = app.guard.cookie_at(head).map(SessionCookie::clear);
    let mut headers = clear.as_ref().map_or(Vec::new(), SetCookies::headers);
    let returns = ReturnCount::clear_cookie();
    if app.guard.sign_in_providers().next().is_some() {
        headers.push(("set-cookie", &returns));
    }
    headers.extend(settings.clear_site_data.as_deref().map(|kinds| ("clear-site-data", kinds)));
    response(&headers)
}
