//! `PATCH session`: the private data of the caller's session.

use auth::data::Patch;
use auth::decision::Head;
use auth::refusal::Refusal;
use auth::session::Session;
use auth::store::{Answer, Command, StoreError};
use web_sys::{Request, Response};

use crate::config::App;
use crate::request::{self, RequestHead};
use crate::sessions::{self, SessionView};
use crate::{response, store};

/// How often a patch is merged anew because another one came first. Far more than there are at once.
const MOST_TRIES: usize = 500;

/// Merges a patch (RFC 7396) into the data, and shows the session. Patches that race are all merged:
/// each is applied to the data as it is when it is written.
pub async fn patch(app: &App, request: &Request, head: &RequestHead) -> Response {
    match try_patch(app, request, head).await {
        Ok(session) => response::json(200, &SessionView::private(&session), &[]),
        Err(refusal) => response::refusal(&refusal),
    }
}

async fn try_patch(app: &App, request: &Request, head: &RequestHead) -> Result<Session, Refusal> {
    if !is_patch(head.header("content-type").as_deref()) {
        return Err(Refusal::BadRequest("Send the patch as `application/merge-patch+json`."));
    }
    let (caller, mut session) = sessions::current(app, head).await?;
    let body = request::body(request).await;
    let body = body.map_err(|_| Refusal::BadRequest(request::UNREADABLE))?;
    let patch = Patch::parse(&body).map_err(Refusal::BadRequest)?;
    for _ in 0..MOST_TRIES {
        let new = patch.apply(session.data.as_deref()).map_err(Refusal::BadRequest)?;
        let command = Command::SetData {
            sid: session.sid.clone(),
            old: session.data,
            new: Some(new),
            now: request::now(),
        };
        match store::apply(&*app.store, caller.user(), &command).await {
            Ok(Answer::Changed(session)) => return Ok(*session),
            Ok(answer) => session = sessions::settle(app, &caller, answer).await?,
            Err(error) => return Err(Refusal::StoreUnavailable(error)),
        }
    }
    let error = StoreError::Unreadable("the data changes too fast to be changed".into());
    Err(Refusal::StoreUnavailable(error))
}

fn is_patch(content_type: Option<&str>) -> bool {
    let essence = content_type.and_then(|it| it.split(';').next()).map(str::trim);
    essence.is_some_and(|it| {
        it.eq_ignore_ascii_case("application/merge-patch+json")
            || it.eq_ignore_ascii_case("application/json")
    })
}
