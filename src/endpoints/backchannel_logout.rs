//! OpenID Connect Back-Channel Logout 1.0: an issuer ends the sessions of a user who has logged out there.

use auth::id_token::IssuerSession;
use auth::issuer::Issuer;
use auth::jwt::{TokenError, UnverifiedJwt};
use auth::logout_token::{LogoutSubject, LogoutToken};
use auth::refusal::Refusal;
use auth::session::Subject;
use auth::store::EntryName;
use web_sys::{Request, Response};

use crate::app::App;
use crate::request::{self, RequestHead};
use crate::response::{self, NO_STORE};
use crate::services::{federated_login, issuer_keys, issuer_logout};

const FORM: Refusal =
    Refusal::BadRequest("Send one `logout_token` as `application/x-www-form-urlencoded`.");

/// `POST backchannel-logout`: ends the sessions that a logout token names, if there are any.
pub async fn log_out(app: &App, request: &Request, head: &RequestHead) -> Response {
    match try_log_out(app, request, head).await {
        Ok(()) => response::response(200, "", &[NO_STORE]),
        Err(Refusal::Token(error)) => response::refusal(&Refusal::LogoutToken(error)),
        Err(refusal) => response::refusal(&refusal),
    }
}

async fn try_log_out(app: &App, request: &Request, head: &RequestHead) -> Result<(), Refusal> {
    if app.guard.settings().trusted_issuers.is_empty() {
        return Err(Refusal::NotFound);
    }
    let jwt = request::form_field(request, head, "logout_token", FORM).await?;
    let token = UnverifiedJwt::parse_of_provider(&jwt).map_err(Refusal::Token)?;
    let issuer = federated_login::issuer_of(app, &token).map_err(Refusal::Token)?;
    let token = issuer_keys::verify(issuer, &token).await?;
    let token =
        LogoutToken::read(token, &issuer.trusted, request::now()).map_err(Refusal::Token)?;
    if get_entry(app, &token.used_note()).await?.is_some() {
        return Err(Refusal::Token(TokenError::Used));
    }
    // The logout is recorded before the sessions are looked up: see `federated_login::end_if_logged_out`. A store
    // that is full cannot record it, but can still end sessions.
    let name = match &token.whose {
        LogoutSubject::Session { sid, .. } => IssuerSession::sid_end_note(&token.issuer, sid),
        LogoutSubject::User(sub) => IssuerSession::sub_end_note(&token.issuer, sub),
    };
    let recorded = issuer_logout::record(app, issuer, &name, token.issued).await;
    if let Some(user) = user_of(app, issuer, &token).await? {
        issuer_logout::end(app, issuer, &user, token.whose.sid().as_deref()).await?;
    }
    recorded?;
    // The token is marked as used last, so that a logout that failed half-way may be repeated. Of two concurrent
    // requests, both end the sessions, and one gets the error that the token is used.
    let is_new = app.store.put_entry_if_absent(&token.used_note(), "", token.over).await;
    match is_new.map_err(Refusal::StoreUnavailable)? {
        true => Ok(()),
        false => Err(Refusal::Token(TokenError::Used)),
    }
}

/// The user whose sessions end; `None` if no login here came from the issuer's session.
async fn user_of(
    app: &App,
    issuer: &Issuer,
    token: &LogoutToken,
) -> Result<Option<Subject>, Refusal> {
    let trusted = &issuer.trusted;
    match &token.whose {
        LogoutSubject::User(sub) => Ok(trusted.subject(sub)),
        LogoutSubject::Session { sub: Some(sub), .. } if trusted.names_users_at_logout() => {
            Ok(trusted.subject(sub))
        }
        LogoutSubject::Session { sid, sub } => {
            let seen = issuer_logout::user_of_session(app, &token.issuer, sid).await?;
            Ok(seen.or_else(|| trusted.subject(sub.as_ref()?)))
        }
    }
}

async fn get_entry(app: &App, name: &EntryName) -> Result<Option<String>, Refusal> {
    app.store.get_entry(name).await.map_err(Refusal::StoreUnavailable)
}
