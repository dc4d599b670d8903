//! `POST login`: verifies the credentials, and creates a session.

use auth::body_format::BodyFormat;
use auth::http::Head;
use auth::login::{AcceptedFields, LoginCredentials, LoginRequest};
use auth::refusal::Refusal;
use web_sys::{Request, Response};

use crate::app::App;
use crate::endpoints::pages;
use crate::endpoints::pages::refused;
use crate::request::{self, RequestHead};
use crate::services::create_session::{self, CookiePolicy, CreatedSession};
use crate::services::login_rate::{self, CountedAttempt};
use crate::services::{federated_login, login_url};

/// `POST login`: responds to JSON with the token, to a form with a redirect. Both set the cookie.
pub async fn log_in(app: &App, request: &Request, head: &RequestHead) -> Response {
    let format = match BodyFormat::of(head.header("content-type").as_deref()) {
        Some(format) => format,
        None => return refused::show(app, head, &UNKNOWN_FORMAT),
    };
    if format == BodyFormat::Form && !app.guard.sets_cookie(head) {
        return refused::show(app, head, &NO_COOKIE);
    }
    let login = match read_request(app, request, head, format).await {
        Ok(login) => login,
        Err(refusal) => return refused::show(app, head, &refusal),
    };
    let outcome = match login_rate::count(app, head, &login.credentials).await {
        Ok(counted) => try_log_in(app, head, format, &login, counted).await,
        Err(refusal) => Err(refusal),
    };
    match (format, outcome) {
        (BodyFormat::Json, Ok(created)) => {
            let clear = app.guard.settings().session_cookie.clear();
            // The browser would otherwise send an older session's cookie beside the new token.
            let headers = match created.cookie.is_none() && app.guard.has_cookie(head) {
                true => clear.headers(),
                false => created.set_cookie(),
            };
            created.json(200, login.credentials.nonce(), &headers)
        }
        (BodyFormat::Form, Ok(created)) => created.redirect(login.redirect),
        (BodyFormat::Form, Err(refusal)) if refusal.is_shown_on_login_page() => {
            pages::login::again(app, head, &login, &refusal)
        }
        (_, Err(refusal)) => refused::show(app, head, &refusal),
    }
}

const UNKNOWN_FORMAT: Refusal = Refusal::BadRequest(
    "Send the login as `application/json` or `application/x-www-form-urlencoded`.",
);

const NO_COOKIE: Refusal =
    Refusal::BadRequest("No cookie is set here; send the login as `application/json`.");

async fn read_request(
    app: &App,
    request: &Request,
    head: &RequestHead,
    format: BodyFormat,
) -> Result<LoginRequest, Refusal> {
    let settings = app.guard.settings();
    let with_issuers = !settings.trusted_issuers.is_empty();
    if settings.login_url.is_none() && !with_issuers {
        return Err(Refusal::NotFound);
    }
    app.guard.refuse_other_origins(head)?;
    let body = request::body(request).await;
    let body = body.map_err(|_| Refusal::BadRequest(request::UNREADABLE_BODY))?;
    let accepted =
        AcceptedFields { id_token: with_issuers, remember: settings.session_ttl_short.is_some() };
    LoginRequest::parse(format, &body, accepted, &settings.site_hosts).map_err(Refusal::BadRequest)
}

async fn try_log_in(
    app: &App,
    head: &RequestHead,
    format: BodyFormat,
    login: &LoginRequest,
    counted: CountedAttempt,
) -> Result<CreatedSession, Refusal> {
    let (mut user, claimed) = match &login.credentials {
        LoginCredentials::Fields(fields) => (login_url::authenticate(app, fields).await?, None),
        LoginCredentials::IdToken { token, nonce } => {
            let (user, claimed) =
                federated_login::authenticate(app, token, nonce.as_deref()).await?;
            (user, Some(claimed))
        }
    };
    // Valid credentials are not a guess, even if the session limit refuses the login.
    let refund = counted.refund(app);
    user.end.extend_from_slice(&login.end);
    let lifetimes = app.guard.lifetimes(&user, login.remember);
    let cookie = match format {
        BodyFormat::Form => CookiePolicy::Required,
        BodyFormat::Json if app.guard.sets_cookie(head) => CookiePolicy::Optional,
        BodyFormat::Json => CookiePolicy::Never,
    };
    let presented = create_session::presented_sessions(app, head);
    let client = request::client(head);
    let created = create_session::create(app, &user, client, lifetimes, cookie, &presented).await;
    if let (Some(claimed), Err(_)) = (&claimed, &created) {
        claimed.release(app).await;
    }
    refund.done().await;
    created
}
