//! The session of a request to one of the guard's own endpoints: step 4, and the reaction to the reuse of an old
//! token.

use std::rc::Rc;

use auth::decision::Principal;
use auth::http::Head;
use auth::refusal::Refusal;
use auth::session::{InvalidSession, LiveSession, Session, judge_token};
use auth::store::CommandResult;
use auth::time::Timestamp;

use crate::app::App;
use crate::request::{self, RequestHead};
use crate::services::{admission, background, end_sessions, find_session, session_events};

/// The header by which a client says, with `false`, that its request must not extend the session's idle timeout.
const TOUCH: &str = "x-guard-touch";

/// Steps 2 to 4 for an endpoint of the guard's own: who calls, with the rights of the session.
pub async fn current(app: &App, head: &RequestHead) -> Result<(Principal, Session), Refusal> {
    let principal = app.guard.authenticate(head, request::now())?;
    let principal = noting_touch(principal, head)?;
    let session = check(app, &principal, Some(head)).await?;
    Ok((app.guard.principal_with_rights(principal, &session)?, session))
}

/// The principal, as one who does not use the session if the request says so.
pub fn noting_touch(principal: Principal, head: &RequestHead) -> Result<Principal, Refusal> {
    match head.header(TOUCH).as_deref() {
        None | Some("true") => Ok(principal),
        Some("false") => Ok(principal.without_use()),
        Some(_) => Err(Refusal::BadRequest("`X-Guard-Touch` must be `true` or `false`.")),
    }
}

/// The live session whose token the request carries, and its user. Does not count as use. `None`, too, if the store does
/// not answer.
pub async fn find_live(app: &App, head: &RequestHead) -> Option<(Principal, LiveSession)> {
    let now = request::now();
    let principal = app.guard.principal_of(head, now)?;
    let found = find_session::find(app, principal.user(), principal.sid()).await.ok()?;
    let live = judge_token(found, principal.token_names(), now).ok()?;
    Some((principal, live))
}

/// Step 4: checks a principal's session in the store. Reuse of an old token ends the session. `head` is the client's
/// request; `None` if it is not known.
pub async fn check(
    app: &App,
    principal: &Principal,
    head: Option<&RequestHead>,
) -> Result<Session, Refusal> {
    let answer = admission::check_or_admit(app, principal, head).await;
    judge(app, principal, answer.map_err(Refusal::StoreUnavailable)?).await
}

/// Judges a principal's session by the store's answer to any command, for all endpoints.
pub async fn judge(
    app: &App,
    principal: &Principal,
    answer: CommandResult,
) -> Result<Session, Refusal> {
    match app.guard.live_session(principal, answer, request::now()) {
        Ok(live) => {
            record_use(app, principal, Some(&live), request::now());
            Ok(live.into_inner())
        }
        Err(refusal) => {
            session_events::publish_expiry(app, principal.user(), principal.sid(), &refusal);
            if refusal == Refusal::Session(InvalidSession::Outdated) {
                end_sessions::end_after_reuse(app, principal).await?;
            }
            Err(refusal)
        }
    }
}

/// Reports a use to the store in the background, if a replica answered the check, which cannot record it.
pub fn record_use(app: &App, principal: &Principal, live: Option<&LiveSession>, now: Timestamp) {
    if let Some(command) = principal.unrecorded_use(live, now) {
        let (store, user) = (Rc::clone(&app.store), principal.user().clone());
        background::run_after_response(async move {
            drop(store.apply_on_primary(&user, &command).await)
        });
    }
}
