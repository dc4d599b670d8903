//! Patches a session's private data: the client's by `PATCH session`, the origin's by its response headers or the
//! admin API.

use auth::http::Head;
use auth::refusal::Refusal;
use auth::session::{DataKind, LiveSession, Session, Subject, judge_session};
use auth::session_data::Patch;
use auth::store::{Command, CommandResult, StoreError};
use web_sys::Request;

use crate::app::App;
use crate::request::{self, RequestHead};
use crate::stores;

/// How often a patch is retried because another one came first: far more than the concurrent patches of a session.
const MAX_ATTEMPTS: usize = 500;

/// Reads the merge patch in a request's body.
///
/// # Errors
/// [`Refusal::BadRequest`].
pub async fn read_patch(request: &Request) -> Result<Patch, Refusal> {
    Patch::parse(&read_body(request).await?).map_err(Refusal::BadRequest)
}

/// Reads a request's body.
///
/// # Errors
/// [`Refusal::BadRequest`].
pub async fn read_body(request: &Request) -> Result<String, Refusal> {
    let body = request::body(request).await;
    body.map_err(|_| Refusal::BadRequest(request::UNREADABLE_BODY))
}

/// Merges a patch into the data of a live session, by compare-and-swap: concurrent patches are all merged.
///
/// # Errors
/// [`Refusal::BadRequest`] if the data would be too large, [`Refusal::Session`] if the session has ended, or
/// [`Refusal::StoreUnavailable`].
pub async fn apply_patch(
    app: &App,
    user: &Subject,
    mut session: Session,
    kind: DataKind,
    patch: &Patch,
) -> Result<Session, Refusal> {
    for _ in 0..MAX_ATTEMPTS {
        let old = session.data_of(kind).map(str::to_owned);
        let new = patch.apply(old.as_deref()).map_err(Refusal::BadRequest)?;
        let (sid, now) = (session.sid, request::now());
        let command = Command::SetData { sid, kind, old, new: Some(new), now };
        match stores::apply(&*app.store, user, &command).await {
            Ok(CommandResult::Changed(session)) => return Ok(*session),
            Ok(CommandResult::Found(found)) => {
                let live = judge_session(found, request::now()).map_err(Refusal::Session);
                session = live.map(LiveSession::into_inner)?;
            }
            Ok(_) => return Err(Refusal::StoreUnavailable(StoreError::other_answer())),
            Err(error) => return Err(Refusal::StoreUnavailable(error)),
        }
    }
    let error = StoreError::Unreadable(
        "the session's data was changed by other requests at every attempt".into(),
    );
    Err(Refusal::StoreUnavailable(error))
}

/// Requires a `Content-Type` of `application/merge-patch+json` or `application/json`.
///
/// # Errors
/// [`Refusal::BadRequest`].
pub fn require_patch_type(head: &RequestHead) -> Result<(), Refusal> {
    let content_type = head.header("content-type");
    let essence = content_type.as_deref().and_then(|it| it.split(';').next()).map(str::trim);
    let is_patch = essence.is_some_and(|it| {
        it.eq_ignore_ascii_case("application/merge-patch+json")
            || it.eq_ignore_ascii_case("application/json")
    });
    match is_patch {
        true => Ok(()),
        false => Err(Refusal::BadRequest("Send the patch as `application/merge-patch+json`.")),
    }
}
