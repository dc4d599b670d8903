//! Refreshes a session, for `POST refresh` and on the way of ordinary requests.

use auth::decision::{Principal, Renewal};
use auth::event::Event;
use auth::refusal::Refusal;
use auth::session::{InvalidSession, Session, Sid};
use auth::store::{Command, CommandResult, StoreError};
use auth::token::TokenGrant;

use crate::app::App;
use crate::services::{current_session, report_ends, session_events, unconfirmed_write};
use crate::{request, stores};

/// The successor of a principal's token. A repeated request gets the same one: within thirty seconds with either token,
/// and later with the old token while the new one is unused, because the response may have been lost.
///
/// # Errors
/// Why the session is not live, or that the store did not answer.
pub async fn refresh(app: &App, principal: &Principal) -> Result<Renewal, Refusal> {
    let session = refresh_session(app, principal).await?;
    let at = session.refreshed.unwrap_or(request::now());
    let lifetime = app.guard.token_lifetime(&session, at);
    let grant = TokenGrant {
        sub: principal.user(),
        sid: &session.sid,
        jti: &session.jti,
        // Not with the session's rights, which are the session's to keep and to lose.
        public: principal.token().own_claims(),
        // The time of the refresh, so that repeated requests get the same token.
        now: at,
        lifetime,
    };
    let token = app.guard.tokens().issue(&grant);
    let token = token.map_err(|error| Refusal::Failed(error.to_string()))?;
    Ok(Renewal::new(session, token, at, lifetime))
}

async fn refresh_session(app: &App, principal: &Principal) -> Result<Session, Refusal> {
    let (jti, now) = (String::from(Sid::from_random(request::random()?)), request::now());
    let command = Command::Refresh {
        sid: principal.sid().clone(),
        token: principal.token().name().clone(),
        jti: jti.clone(),
        idle_timeout: app.guard.settings().idle_timeout,
        is_use: principal.is_use(),
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
