//! Ends sessions and reports their end.

use auth::decision::Principal;
use auth::refusal::Refusal;
use auth::session::{Session, SessionEnd, Subject};
use auth::store::{Command, CommandResult, SessionSelector, StoreError, UnseenSession};
use auth::token::AuthenticToken;

use crate::app::App;
use crate::services::{report_ends, unconfirmed_write, user_index};
use crate::{request, stores};

/// Sends a command that may end sessions. Reports the ended sessions and returns them.
///
/// # Errors
/// [`Refusal::SessionLimit`] if a login exceeds the limit; [`Refusal::UserBlocked`]; [`Refusal::StoreUnavailable`].
pub async fn end_sessions(
    app: &App,
    user: &Subject,
    command: &Command,
) -> Result<Vec<Session>, Refusal> {
    let created = match command {
        Command::Open { session, .. } => Some(&**session),
        _ => None,
    };
    match stores::apply(&*app.store, user, command).await {
        Ok(CommandResult::Ended(ended)) => {
            report_ends::report(app, user, created, &ended);
            Ok(ended)
        }
        Ok(CommandResult::Ends { now, before }) => {
            if leaves_something(command, &now) {
                user_index::keep(app, user);
            }
            report_ends::report(app, user, None, &now);
            report_ends::report_once(app, user, &before);
            Ok(now)
        }
        Ok(CommandResult::Full(live)) => Err(Refusal::SessionLimit { live, may_end: true }),
        Ok(CommandResult::Blocked(block)) => Err(Refusal::UserBlocked(Box::new(block))),
        Ok(_) => Err(Refusal::StoreUnavailable(StoreError::other_answer())),
        Err(error) => {
            unconfirmed_write::follow_up(user, command, &error);
            Err(Refusal::StoreUnavailable(error))
        }
    }
}

/// Does it leave something that outlasts the sessions: a block, or what keeps out sessions of providers?
fn leaves_something(command: &Command, ended: &[Session]) -> bool {
    let is_asked = match command {
        Command::Block { block, .. } => block.is_some(),
        Command::End { unseen, admits_unseen, .. } => unseen.is_some() || *admits_unseen,
        _ => false,
    };
    is_asked || ended.iter().any(Session::is_of_provider)
}

/// Ends a session whose old token was reused.
///
/// # Errors
/// [`Refusal::StoreUnavailable`] if the end is unconfirmed.
pub async fn end_after_reuse(app: &App, principal: &Principal) -> Result<(), Refusal> {
    let which = SessionSelector::One(principal.sid().clone());
    let command = Command::end(which, SessionEnd::Reused { at: request::now() });
    end_sessions(app, principal.user(), &command).await.map(drop)
}

/// Revokes some of a user's sessions, and returns them.
///
/// # Errors
/// [`Refusal::StoreUnavailable`] if the end is unconfirmed.
pub async fn revoke(
    app: &App,
    user: &Subject,
    which: SessionSelector,
) -> Result<Vec<Session>, Refusal> {
    revoke_or_deny(app, user, which, None).await
}

/// The same. If the store has never heard of the `unseen` session, its tokens are denied from now on.
pub async fn revoke_or_deny(
    app: &App,
    user: &Subject,
    which: SessionSelector,
    unseen: Option<UnseenSession>,
) -> Result<Vec<Session>, Refusal> {
    let ending = SessionEnd::Revoked { at: request::now() };
    let admits_unseen = app.guard.tokens().accepts_providers();
    let command = Command::End { which, ending, unseen, admits_unseen };
    end_sessions(app, user, &command).await
}

/// Revokes some of a user's sessions at the request of a client that has this token.
pub async fn revoke_by_token(
    app: &App,
    token: &AuthenticToken,
    which: SessionSelector,
) -> Result<(), Refusal> {
    // A store outage must not keep a session alive that its user has tried to end.
    app.guard.forget_recent([token.sid()]);
    let unseen = token.unseen(request::now());
    revoke_or_deny(app, token.sub(), which, unseen).await.map(drop)
}
