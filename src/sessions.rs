//! The caller's own session: shown, and ended.

use auth::cookie;
use auth::decision::Head;
use auth::event::Event;
use auth::refusal::Refusal;
use auth::session::{Ending, Session, Subject};
use auth::store::{Answer, Command, StoreError, Which};
use serde::Serialize;
use serde_json::value::RawValue;
use web_sys::Response;

use crate::config::App;
use crate::events;
use crate::request::{self, RequestHead};
use crate::response;
use crate::store;

/// A session as its user sees it. Times are RFC 3339.
#[derive(Serialize)]
pub struct SessionView {
    sid: String,
    created_at: String,
    last_seen_at: String,
    expires_at: String,
    device: auth::device::DeviceClass,
    #[serde(skip_serializing_if = "String::is_empty")]
    user_agent: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Box<RawValue>>,
}

impl SessionView {
    /// The session without its private data.
    pub fn public(session: &Session) -> Self {
        Self {
            sid: session.sid.to_string(),
            created_at: session.created.to_string(),
            last_seen_at: session.seen.to_string(),
            expires_at: session.deadline().to_string(),
            device: session.device,
            user_agent: session.user_agent.clone(),
            place: session.place.clone(),
            data: None,
        }
    }

    /// The session with its private data, for its own user alone.
    pub fn private(session: &Session) -> Self {
        let data = session.data.clone().and_then(|data| RawValue::from_string(data).ok());
        Self { data, ..Self::public(session) }
    }
}

/// `GET session`: the caller's session with its private data.
pub async fn show(app: &App, head: &RequestHead) -> Response {
    match current(app, head).await {
        Ok(session) => response::json(200, &SessionView::private(&session), &[]),
        Err(refusal) => response::refusal(&refusal),
    }
}

/// `POST logout`: ends the caller's session, or all of the user's by `LOGOUT_ALL_SESSIONS`.
/// A session that is gone already is no error: the caller is logged out either way.
pub async fn log_out(app: &App, head: &RequestHead) -> Response {
    match end(app, head).await {
        Ok(()) | Err(Refusal::TokenMissing | Refusal::Token(_)) => logged_out(app, head),
        Err(refusal) => response::refusal(&refusal),
    }
}

/// Steps 2 to 4 for an endpoint of the guard's own.
async fn current(app: &App, head: &RequestHead) -> Result<Session, Refusal> {
    let caller = app.guard.authenticate(head, request::now())?;
    let answer = store::apply(&*app.store, caller.user(), caller.command()).await;
    let answer = answer.map_err(Refusal::StoreUnavailable)?;
    let live = app.guard.live(&caller, answer, request::now());
    let notice = |refusal: &_| events::notice(app, caller.user(), caller.sid(), refusal);
    Ok(live.inspect_err(notice)?.into_inner())
}

async fn end(app: &App, head: &RequestHead) -> Result<(), Refusal> {
    // Another site's form carries no cookie, but would have the browser drop its own.
    app.guard.refuse_other_origins(head)?;
    let caller = app.guard.authenticate(head, request::now())?;
    app.guard.forget([caller.sid()]);
    let which = match app.guard.settings().logout_all {
        true => Which::All,
        false => Which::One(caller.sid().clone()),
    };
    let command = Command::End { which, ending: Ending::Revoked { at: request::now() } };
    end_sessions(app, caller.user(), &command).await.map(drop)
}

/// Sends a command that may end sessions, and says which it has ended, also to whoever listens.
pub async fn end_sessions(
    app: &App,
    user: &Subject,
    command: &Command,
) -> Result<Vec<Session>, Refusal> {
    match store::apply(&*app.store, user, command).await.map_err(Refusal::StoreUnavailable)? {
        Answer::Ended(ended) => {
            app.guard.forget(ended.iter().map(|session| &session.sid));
            events::emit(app, user, &ended.iter().filter_map(Event::ended).collect::<Vec<_>>());
            Ok(ended)
        }
        _ => {
            let error = StoreError::Unreadable("the answer to another command".into());
            Err(Refusal::StoreUnavailable(error))
        }
    }
}

/// Takes the cookie and what the site keeps in the browser. Other cookies of the site are not
/// the guard's to take. A form is sent on to the login page.
fn logged_out(app: &App, head: &RequestHead) -> Response {
    let settings = app.guard.settings();
    let clear = cookie::clear(&settings.cookie_name);
    let headers = [("set-cookie", clear.as_str()), ("clear-site-data", r#""cache", "storage""#)];
    if head.header("sec-fetch-mode").is_some_and(|mode| mode == "navigate") {
        return response::redirect(
            303,
            &format!("{}/login?reason=logged_out", settings.auth_path),
            &headers,
        );
    }
    let headers = [&headers[..], &[response::NO_STORE]].concat();
    response::response(204, "", &headers)
}
