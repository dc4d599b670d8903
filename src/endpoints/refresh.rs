//! `POST refresh`: a new token for the same session.

use std::time::Duration;

use auth::cookie::SetCookies;
use auth::decision::Principal;
use auth::event::Event;
use auth::refusal::Refusal;
use auth::session::{InvalidSession, Session, Sid};
use auth::store::{Command, CommandResult, StoreError};
use auth::token::TokenGrant;
use serde::Serialize;
use web_sys::Response;

use crate::app::App;
use crate::request::{self, RequestHead};
use crate::services::session_view::SessionView;
use crate::services::{current_session, report_ends, session_events, unconfirmed_write};
use crate::{response, stores};

/// The response to a refresh (RFC 6749, section 5.1).
#[derive(Serialize)]
struct RefreshResponse<'a> {
    access_token: &'a str,
    token_type: &'static str,
    expires_in: u64,
    session: SessionView,
}

/// `POST refresh`: responds with the token's successor. A repeated request gets the same successor: within thirty
/// seconds with either token, and later with the old token while the new one is unused, because the response may
/// have been lost.
pub async fn refresh(app: &App, head: &RequestHead) -> Response {
    match try_refresh(app, head).await {
        Ok(response) => response,
        Err(refusal) => response::refusal(&refusal),
    }
}

async fn try_refresh(app: &App, head: &RequestHead) -> Result<Response, Refusal> {
    let mut principal = app.guard.authenticate(head, request::now())?;
    if principal.token().provider().is_some() {
        return Err(Refusal::RefreshAtProvider);
    }
    if principal.has_several_tokens() {
        let session = current_session::check(app, &principal, Some(head)).await?;
        principal = principal.with_current_token(&session, request::now());
    }
    let session = refresh_session(app, &principal).await?;
    let (token, lifetime) = issue_token(app, &principal, &session)?;
    let cookie = &app.guard.settings().session_cookie;
    let renewed = principal.in_cookie().then(|| cookie.renew(&token, lifetime));
    let headers = renewed.as_ref().map_or(Vec::new(), SetCookies::headers);
    let body = RefreshResponse {
        access_token: &token,
        token_type: "Bearer",
        expires_in: lifetime.as_secs(),
        session: SessionView::private(&session),
    };
    Ok(response::json(200, &body, &headers))
}

async fn refresh_session(app: &App, principal: &Principal) -> Result<Session, Refusal> {
    let (jti, now) = (String::from(Sid::from_random(request::random()?)), request::now());
    let command = Command::Refresh {
        sid: principal.sid().clone(),
        token: principal.token().name().clone(),
        jti: jti.clone(),
        idle_timeout: app.guard.settings().idle_timeout,
        now,
    };
    match stores::apply(&*app.store, principal.user(), &command).await {
        Ok(CommandResult::Changed(session)) => {
            // No event if an earlier request refreshed it.
            if session.jti == jti {
                session_events::publish(app, principal.user(), &[Event::refreshed(&session, now)]);
            }
            Ok(*session)
        }
        Ok(CommandResult::Ended(ended)) => {
            report_ends::report(app, principal.user(), None, &ended);
            Err(Refusal::Session(InvalidSession::Outdated))
        }
        Ok(answer) => {
            current_session::judge(app, principal, answer).await?;
            let error = StoreError::Unreadable(
                "the store found a live session, but did not refresh it".into(),
            );
            Err(Refusal::StoreUnavailable(error))
        }
        Err(error) => {
            unconfirmed_write::follow_up(principal.user(), &command, &error);
            Err(Refusal::StoreUnavailable(error))
        }
    }
}

/// Issues the session's current token, with the claims of the previous one. Its `iat` is the time of the refresh, so
/// that repeated requests get the same token.
fn issue_token(
    app: &App,
    principal: &Principal,
    session: &Session,
) -> Result<(String, Duration), Refusal> {
    let at = session.refreshed.unwrap_or(request::now());
    let lifetime = app.guard.token_lifetime(session, at);
    let grant = TokenGrant {
        sub: principal.user(),
        sid: &session.sid,
        jti: &session.jti,
        // Not with the session's rights, which are the session's to keep and to lose.
        public: principal.token().own_claims(),
        now: at,
        lifetime,
    };
    let token =
        app.guard.tokens().issue(&grant).map_err(|error| Refusal::Failed(error.to_string()));
    Ok((token?, at.plus(lifetime).since(request::now())))
}
