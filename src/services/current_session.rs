//! The session of a request to one of the guard's own endpoints: step 4, and what follows if an old token was used.

use std::rc::Rc;

use auth::decision::Principal;
use auth::http::Head;
use auth::refusal::Refusal;
use auth::session::{InvalidSession, LiveSession, Session};
use auth::store::CommandResult;

use crate::app::App;
use crate::request::{self, RequestHead};
use crate::services::{background, end_sessions, session_events};
use crate::stores;

/// The header by which a client says `false`: its question is not to count as a use of the session.
const TOUCH: &str = "x-guard-touch";

/// Steps 2 to 4 for an endpoint of the guard's own.
pub async fn current(app: &App, head: &RequestHead) -> Result<(Principal, Session), Refusal> {
    let caller = app.guard.authenticate(head, request::now())?;
    let caller = match head.header(TOUCH).as_deref() {
        None | Some("true") => caller,
        Some("false") => caller.without_use(),
        Some(_) => return Err(Refusal::BadRequest("`X-Guard-Touch` must be `true` or `false`.")),
    };
    let session = check(app, &caller).await?;
    Ok((caller, session))
}

/// Step 4 for whoever a token was issued to. An old token ends its session.
pub async fn check(app: &App, caller: &Principal) -> Result<Session, Refusal> {
    let answer = stores::apply(&*app.store, caller.user(), &caller.command()).await;
    judge(app, caller, answer.map_err(Refusal::StoreUnavailable)?).await
}

/// The one judgement of a caller's session for all endpoints, whatever the store was asked.
pub async fn judge(
    app: &App,
    caller: &Principal,
    answer: CommandResult,
) -> Result<Session, Refusal> {
    match app.guard.live_session(caller, answer, request::now()) {
        Ok(live) => {
            record_use(app, caller, Some(&live));
            Ok(live.into_inner())
        }
        Err(refusal) => {
            session_events::publish_expiry(app, caller.user(), caller.sid(), &refusal);
            if refusal == Refusal::Session(InvalidSession::Outdated) {
                end_sessions::end_after_reuse(app, caller).await?;
            }
            Err(refusal)
        }
    }
}

/// Has the store learn that a token is used, if the answer came from a replica, which does not: once
/// after each refresh. Nobody waits for it.
pub fn record_use(app: &App, caller: &Principal, live: Option<&LiveSession>) {
    if caller.has_unreported_use(live) {
        let (store, user, command) =
            (Rc::clone(&app.store), caller.user().clone(), caller.clone().without_use().command());
        background::run_after_response(
            async move { drop(store.apply_anew(&user, &command).await) },
        );
    }
}
