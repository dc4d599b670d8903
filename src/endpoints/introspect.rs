//! Token introspection and revocation, for services with a key.

use auth::admin::{self, Service};
use auth::http::Head;
use auth::refusal::Refusal;
use auth::store::SessionSelector;
use serde_json::{Map, Value, json};
use web_sys::{Request, Response};

use crate::app::App;
use crate::request::{self, RequestHead};
use crate::response::{self, NO_STORE};
use crate::services::{current_session, end_sessions, issuer_keys};

const FORM: Refusal =
    Refusal::BadRequest("Send one `token` as `application/x-www-form-urlencoded`.");

/// `POST introspect` (RFC 7662): the claims of a token whose session is live; for any other only `active: false`.
/// Like every use of a token, this extends the session's idle timeout.
pub async fn show(app: &App, request: &Request, head: &RequestHead) -> Response {
    match try_show(app, request, head).await {
        Ok(claims) => response::json(200, &claims, &[]),
        // A provider's session that is not admitted is not live either.
        Err(
            Refusal::Token(_)
            | Refusal::Session(_)
            | Refusal::UserBlocked(_)
            | Refusal::AdmissionLimit(_),
        ) => response::json(200, &json!({ "active": false }), &[]),
        Err(refusal) => response::refusal(&refusal),
    }
}

/// `POST revoke` (RFC 7009): ends the session of a token, even of an expired one. An invalid token is not an error
/// (section 2.2).
pub async fn revoke(app: &App, request: &Request, head: &RequestHead) -> Response {
    match try_revoke(app, request, head).await {
        Ok(()) | Err(Refusal::Token(_)) => response::response(200, "", &[NO_STORE]),
        Err(refusal) => response::refusal(&refusal),
    }
}

async fn try_show(
    app: &App,
    request: &Request,
    head: &RequestHead,
) -> Result<Map<String, Value>, Refusal> {
    let token = read_token(app, request, head, Service::Introspect).await?;
    issuer_keys::renew_for(app, &token).await;
    let principal = app.guard.principal_of_token(&token, request::now())?;
    let session = current_session::check(app, &principal, None).await?;
    let claims = app.guard.tokens().claims(&token, request::now()).map_err(Refusal::Token)?;
    Ok(admin::introspection(app.guard.claims_with_rights(claims, &session)?))
}

async fn try_revoke(app: &App, request: &Request, head: &RequestHead) -> Result<(), Refusal> {
    let token = read_token(app, request, head, Service::Revoke).await?;
    issuer_keys::renew_for(app, &token).await;
    let token = app.guard.authentic_token(&token)?;
    end_sessions::revoke_by_token(app, &token, SessionSelector::One(token.sid().clone())).await
}

async fn read_token(
    app: &App,
    request: &Request,
    head: &RequestHead,
    service: Service,
) -> Result<String, Refusal> {
    let authorization = head.header("authorization").unwrap_or_default();
    service.admit(app.guard.settings(), &authorization)?;
    request::form_field(request, head, "token", FORM).await
}
