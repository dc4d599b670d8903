//! OpenID Connect Back-Channel Logout 1.0: an issuer tells that somebody has logged out there.

use auth::id_token::{IssuerSession, MAX_AGE};
use auth::issuer::Issuer;
use auth::jwt::{TokenError, UnverifiedJwt};
use auth::logout_token::{LogoutSubject, LogoutToken};
use auth::refusal::Refusal;
use auth::session::{SessionEnd, Subject};
use auth::store::{Command, EntryName, SessionSelector};
use auth::time::Timestamp;
use web_sys::{Request, Response};

use crate::app::App;
use crate::request::{self, RequestHead};
use crate::response::{self, NO_STORE};
use crate::services::{end_sessions, federated_login};

const FORM: Refusal =
    Refusal::BadRequest("Send one `logout_token` as `application/x-www-form-urlencoded`.");

/// `POST backchannel-logout`: ends the sessions that a logout token names. There may be none.
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
    let sent = request::form_text(request, head, "logout_token", FORM).await?;
    let token = UnverifiedJwt::parse_of_provider(&sent).map_err(Refusal::Token)?;
    let issuer = federated_login::issuer_of(app, &token).map_err(Refusal::Token)?;
    let token = federated_login::verified(issuer, &token).await?;
    let token =
        LogoutToken::read(token, &issuer.trusted, request::now()).map_err(Refusal::Token)?;
    if recall(app, &token.used_note()).await?.is_some() {
        return Err(Refusal::Token(TokenError::Used));
    }
    // The end is noted before the sessions are looked for: see `federated_login::end_if_over`. A store that has
    // no room for the note can end sessions all the same.
    let noted = note_end(app, &token).await;
    if let Some(user) = user_of(app, issuer, &token).await? {
        let which =
            SessionSelector::IssuerSession { issuer: token.issuer.clone(), sid: token.whose.sid() };
        let ending = SessionEnd::Revoked { at: request::now() };
        end_sessions::end_sessions(app, &user, &Command::End { which, ending }).await?;
    }
    noted?;
    // Used only now: a logout that failed half-way may be sent again. Of two that race both end the
    // sessions, and one is told that it was used.
    let kept = app.store.keep_new(&token.used_note(), "", token.over).await;
    match kept.map_err(Refusal::StoreUnavailable)? {
        true => Ok(()),
        false => Err(Refusal::Token(TokenError::Used)),
    }
}

async fn note_end(app: &App, token: &LogoutToken) -> Result<(), Refusal> {
    let note = match &token.whose {
        LogoutSubject::Session { sid, .. } => IssuerSession::sid_end_note(&token.issuer, sid),
        LogoutSubject::User(sub) => IssuerSession::sub_end_note(&token.issuer, sub),
    };
    let moment = token.issued.millis().to_string();
    keep(app, &note, &moment, request::now().plus(MAX_AGE)).await
}

/// Whose sessions they are; `None` if the issuer's session never began one here.
async fn user_of(
    app: &App,
    issuer: &Issuer,
    token: &LogoutToken,
) -> Result<Option<Subject>, Refusal> {
    match &token.whose {
        LogoutSubject::User(sub) | LogoutSubject::Session { sub: Some(sub), .. } => {
            Ok(issuer.trusted.subject(sub))
        }
        LogoutSubject::Session { sid, sub: None } => {
            let user = recall(app, &IssuerSession::user_note(&token.issuer, sid)).await?;
            Ok(user.and_then(|user| Subject::try_from(user).ok()))
        }
    }
}

async fn keep(app: &App, note: &EntryName, text: &str, until: Timestamp) -> Result<(), Refusal> {
    app.store.keep(note, text, until).await.map_err(Refusal::StoreUnavailable)
}

async fn recall(app: &App, note: &EntryName) -> Result<Option<String>, Refusal> {
    app.store.recall(note).await.map_err(Refusal::StoreUnavailable)
}
