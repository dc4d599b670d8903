//! Finds the session of a request, or of a user, and judges whether it is live.

use crate::app::App;
use crate::request;
use crate::request::RequestHead;
use crate::services::background;
use crate::services::end_sessions;
use crate::services::session_events;
use crate::stores;
use auth::decision::Head;
use auth::decision::Principal;
use auth::refusal::Refusal;
use auth::session::InvalidSession;
use auth::session::LiveSession;
use auth::session::Session;
use auth::session::Sid;
use auth::session::Subject;
use auth::session::judge_token;
use auth::store::Command;
use auth::store::CommandResult;
use auth::store::StoreError;
use auth::token::AuthenticToken;
use std::rc::Rc;

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
    let session = look(app, &caller).await?;
    Ok((caller, session))
}

/// Step 4 for whoever a token was issued to. An old token ends its session.
pub async fn look(app: &App, caller: &Principal) -> Result<Session, Refusal> {
    let answer = stores::apply(&*app.store, caller.user(), &caller.command()).await;
    settle(app, caller, answer.map_err(Refusal::StoreUnavailable)?).await
}

/// The one judgement of a caller's session for all endpoints, whatever the store was asked.
pub async fn settle(
    app: &App,
    caller: &Principal,
    answer: CommandResult,
) -> Result<Session, Refusal> {
    match app.guard.live_session(caller, answer, request::now()) {
        Ok(live) => {
            note_use(app, caller, Some(&live));
            Ok(live.into_inner())
        }
        Err(refusal) => {
            session_events::notice(app, caller.user(), caller.sid(), &refusal);
            if refusal == Refusal::Session(InvalidSession::Outdated) {
                end_sessions::end_reused(app, caller).await?;
            }
            Err(refusal)
        }
    }
}

/// Has the store learn that a token is used, if the answer came from a replica, which does not: once
/// after each refresh. Nobody waits for it.
pub fn note_use(app: &App, caller: &Principal, live: Option<&LiveSession>) {
    if caller.has_unreported_use(live) {
        let (store, user, command) =
            (Rc::clone(&app.store), caller.user().clone(), caller.clone().without_use().command());
        background::later(async move { drop(store.apply_anew(&user, &command).await) });
    }
}

/// Those of several sessions that are over, unless all are, or the store could not be asked.
pub async fn over(app: &App, sessions: &[AuthenticToken]) -> Vec<Sid> {
    let mut over = Vec::new();
    for it in sessions {
        let Ok(found) = find(app, it.sub(), it.sid()).await else { return Vec::new() };
        if judge_token(found, [it.name()], request::now()).is_err() {
            over.push(it.sid().clone());
        }
    }
    // The newest one's end is what the client is told.
    if over.len() == sessions.len() {
        over.remove(0);
    }
    over
}

/// What the store knows of a session. Its idle deadline stays: to look is not to use.
pub async fn find(app: &App, user: &Subject, sid: &Sid) -> Result<Option<Rc<Session>>, StoreError> {
    let (sid, now) = (sid.clone(), request::now());
    let command = Command::Check { sid, jti: None, idle_timeout: None, now };
    match stores::apply(&*app.store, user, &command).await? {
        CommandResult::Found(found) => Ok(found),
        _ => Err(StoreError::other_answer()),
    }
}
