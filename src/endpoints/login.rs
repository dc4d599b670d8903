//! `POST login`: verifies the credentials, and begins a session.

use auth::body_format::BodyFormat;
use auth::cookie;
use auth::http::Head;
use auth::login::{LoginCredentials, LoginRequest, SessionLifetimes};
use auth::refusal::Refusal;
use web_sys::{Request, Response};

use crate::app::App;
use crate::endpoints::pages;
use crate::request::{self, RequestHead};
use crate::response;
use crate::services::create_session::{self, Cookie, Entry};
use crate::services::login_rate::{self, CountedAttempt};
use crate::services::session_view::SessionView;
use crate::services::{federated_login, login_url};

/// `POST login`: JSON is answered with the token, a form with a redirect; both set the cookie.
pub async fn log_in(app: &App, request: &Request, head: &RequestHead) -> Response {
    let form = match BodyFormat::of(head.header("content-type").as_deref()) {
        Some(form) => form,
        None => return response::refusal(&UNKNOWN_FORM),
    };
    if form == BodyFormat::Page && !app.guard.settings().token_sources.cookie {
        return response::refusal(&NO_COOKIE);
    }
    let attempt = match attempt(app, request, head, form).await {
        Ok(attempt) => attempt,
        Err(refusal) => return response::refusal(&refusal),
    };
    let outcome = match login_rate::count(app, head, &attempt.proof).await {
        Ok(counted) => try_log_in(app, request, head, form, &attempt, counted).await,
        Err(refusal) => Err(refusal),
    };
    match (form, outcome) {
        (BodyFormat::Json, Ok(entry)) => {
            let clear = cookie::clear(&app.guard.settings().cookie_name);
            // An older session's would be sent beside the new token.
            let headers = match entry.cookie.is_none() && app.guard.has_cookie(head) {
                true => vec![("set-cookie", clear.as_str())],
                false => entry.set_cookie(),
            };
            entry.json(200, attempt.proof.nonce(), &headers)
        }
        (BodyFormat::Page, Ok(entry)) => entry.redirect(attempt.redirect),
        (
            BodyFormat::Page,
            Err(
                refusal @ (Refusal::CredentialsInvalid
                | Refusal::SessionLimit(_)
                | Refusal::TooManyAttempts { .. }),
            ),
        ) => pages::login_again(app, &attempt, &refusal),
        (_, Err(refusal)) => refuse(&refusal),
    }
}

/// A refusal; where a client is asked which sessions to end, with them.
pub fn refuse(refusal: &Refusal) -> Response {
    match refusal {
        Refusal::SessionLimit(Some(live)) => {
            let sessions: Vec<_> = live.iter().map(SessionView::public).collect();
            response::refusal_with(refusal, "sessions", &sessions)
        }
        refusal => response::refusal(refusal),
    }
}

const UNKNOWN_FORM: Refusal = Refusal::BadRequest(
    "Send the login as `application/json` or `application/x-www-form-urlencoded`.",
);

const NO_COOKIE: Refusal =
    Refusal::BadRequest("No cookie is set here; send the login as `application/json`.");

async fn attempt(
    app: &App,
    request: &Request,
    head: &RequestHead,
    form: BodyFormat,
) -> Result<LoginRequest, Refusal> {
    let settings = app.guard.settings();
    let with_issuers = !settings.trusted_issuers.is_empty();
    if settings.login_url.is_none() && !with_issuers {
        return Err(Refusal::NotFound);
    }
    app.guard.refuse_other_origins(head)?;
    let body = request::body(request).await;
    let body = body.map_err(|_| Refusal::BadRequest(request::UNREADABLE))?;
    LoginRequest::parse(form, &body, with_issuers).map_err(Refusal::BadRequest)
}

async fn try_log_in(
    app: &App,
    request: &Request,
    head: &RequestHead,
    form: BodyFormat,
    attempt: &LoginRequest,
    counted: CountedAttempt,
) -> Result<Entry, Refusal> {
    let (mut approval, claimed) = match &attempt.proof {
        LoginCredentials::Credentials(fields) => (login_url::approve(app, fields).await?, None),
        LoginCredentials::IdToken { token, nonce } => {
            let (approval, claimed) =
                federated_login::approve(app, token, nonce.as_deref()).await?;
            (approval, Some(claimed))
        }
    };
    // Whoever is approved has guessed nothing, even if there is no room for another session.
    let taken_back = counted.take_back(app);
    approval.end.extend_from_slice(&attempt.end);
    let settings = app.guard.settings();
    let lifetimes = SessionLifetimes { session: settings.session_ttl, idle: settings.idle_timeout };
    let cookie = if form == BodyFormat::Page { Cookie::Needed } else { Cookie::Wanted };
    let held = create_session::held(app, head);
    let client = request::client(request, head);
    let entry = create_session::enter(app, &approval, client, lifetimes, cookie, &held).await;
    if let (Some(claimed), Err(_)) = (&claimed, &entry) {
        claimed.withdraw(app).await;
    }
    taken_back.done().await;
    entry
}
