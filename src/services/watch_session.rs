//! Watches a live session for connections that outlive a request: `GET events`, WebSockets and streams of the
//! origin. The user's Durable Object has the WebSockets that watch, whichever store has the sessions.

use std::time::Duration;

use auth::event::Event;
use auth::refusal::Refusal;
use auth::session::{InvalidSession, LiveSession, Sid, Subject, judge_session};
use auth::store::StoreError;
use auth::time::Timestamp;
use js_sys::{Promise, Reflect, encode_uri_component};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{Headers, RequestInit, Response};
use worker::{ObjectNamespace, WebSocket};

use crate::app::App;
use crate::endpoints::pages::refused;
use crate::proxy::request_context::RequestContext;
use crate::request::{self, RequestHead};
use crate::services::{find_session, report_ends, session_events};
use crate::stores::durable_object::{self, object_name};
use crate::{platform, promise, response};

/// Opens a WebSocket that receives the end of a live session. `until` is the session's deadline.
///
/// # Errors
/// [`Refusal::PushUnavailable`] without Durable Objects; [`Refusal::Session`] if the session has ended;
/// [`Refusal::StoreUnavailable`].
pub async fn watch(
    app: &App,
    user: &Subject,
    sid: &Sid,
    until: Timestamp,
) -> Result<Response, Refusal> {
    let objects = app.objects.as_ref().ok_or(Refusal::PushUnavailable)?;
    let opened =
        open_within_timeout(objects, user, sid, until, app.guard.settings().store_timeout).await;
    let opened = opened.map_err(Refusal::StoreUnavailable)?;
    // The session may have ended before the WebSocket was open, which then gets no event.
    match find_live(app, user, sid).await {
        Ok(_) => Ok(opened),
        Err(refusal) => {
            close(&opened);
            Err(refusal)
        }
    }
}

/// Opens a WebSocket to the user's object. Closes one that opens after the timeout.
async fn open_within_timeout(
    objects: &ObjectNamespace,
    user: &Subject,
    sid: &Sid,
    until: Timestamp,
    timeout: Duration,
) -> Result<Response, StoreError> {
    let unreachable = |error: JsValue| StoreError::Unreachable(platform::message_of(&error));
    let opening = open(objects, user, sid, until).map_err(unreachable)?;
    match promise::within(timeout, Box::pin(JsFuture::from(opening.clone()))).await {
        Some(opened) => {
            let opened: Response = opened.map_err(unreachable)?.unchecked_into();
            let refused = || {
                format!("the Durable Object responded {} instead of a WebSocket", opened.status())
            };
            web_socket(&opened).ok_or_else(|| StoreError::Unreachable(refused()))?;
            Ok(opened)
        }
        None => {
            spawn_local(async move {
                if let Ok(late) = JsFuture::from(opening).await {
                    close(late.unchecked_ref());
                }
            });
            Err(StoreError::TimedOut(timeout))
        }
    }
}

fn open(
    objects: &ObjectNamespace,
    user: &Subject,
    sid: &Sid,
    until: Timestamp,
) -> Result<Promise, JsValue> {
    let name = encode_uri_component(user.as_str());
    let (sid, until) = (sid.as_str(), until.millis());
    let url = format!("https://object/?user={name}&sid={sid}&until={until}");
    let headers = Headers::new()?;
    headers.set("upgrade", "websocket")?;
    let init = RequestInit::new();
    init.set_headers(&headers);
    durable_object::stub(objects, &object_name(user))?.fetch(&url, &init)
}

/// A response's WebSocket, not accepted yet.
fn web_socket(response: &Response) -> Option<WebSocket> {
    let socket = Reflect::get(response, &"webSocket".into()).ok()?;
    socket.is_object().then(|| socket.unchecked_into::<web_sys::WebSocket>().into())
}

/// Closes a response's WebSocket, which nobody uses.
fn close(response: &Response) {
    if let Some(socket) = web_socket(response) {
        let _ = socket.accept();
        let _ = socket.close(Some(1001), None::<&str>);
    }
}

/// Watches the session that a token context has as text: see [`crate::watch_session`].
///
/// # Errors
/// Why the session's state is unknown.
pub async fn watch_serialized(session: &str) -> Result<JsValue, JsValue> {
    let (Some(app), Some((user, sid))) = (App::loaded(), parse_session(session)) else {
        return Err("the session to watch cannot be read".into());
    };
    let opened = match find_live(&app, &user, &sid).await {
        Ok(live) => watch(&app, &user, &sid, live.deadline()).await,
        Err(refusal) => Err(refusal),
    };
    match opened {
        Ok(opened) => Ok(opened.into()),
        Err(invalid @ Refusal::Session(_)) => Ok(invalid.code().into()),
        Err(refusal) => Err(refusal.cause().unwrap_or_default().into()),
    }
}

/// Checks the session of a late response again. Returns the refusal that replaces the response, or `None` if the
/// client may have it. The idle deadline does not change: waiting is not use.
pub async fn refusal_if_ended(context: RequestContext, session: &str) -> Option<Response> {
    let (Some(app), Some((user, sid))) = (App::loaded(), parse_session(session)) else {
        return Some(response::refusal(&Refusal::StoreUnavailable(StoreError::other_answer())));
    };
    let found = find_session::find(&app, &user, &sid).await;
    let refusal = app.guard.recheck(&sid, found, request::now()).err()?;
    session_events::publish_expiry(&app, &user, &sid, &refusal);
    let head = RequestHead::of(context);
    Some(refused::respond(&app, &head, &app.guard.refused(refusal, &head, None)))
}

/// Parses a token context's session: `sid`, a space, and the user as JSON.
fn parse_session(session: &str) -> Option<(Subject, Sid)> {
    let (sid, user) = session.split_once(' ')?;
    Some((serde_json::from_str(user).ok()?, Sid::try_from(sid.to_owned()).ok()?))
}

async fn find_live(app: &App, user: &Subject, sid: &Sid) -> Result<LiveSession, Refusal> {
    let found = find_session::find(app, user, sid).await;
    let live = judge_session(found.map_err(Refusal::StoreUnavailable)?, request::now());
    let live = live.map_err(Refusal::Session);
    live.inspect_err(|refusal| session_events::publish_expiry(app, user, sid, refusal))
}

/// The state of a session that a WebSocket watches.
pub enum WatchedSession {
    /// It is live, and does not expire before this moment.
    Live(Timestamp),
    /// It has ended: the event of its end, as JSON.
    Ended(String),
}

/// Checks a session that may have expired, for the object of its user.
///
/// # Errors
/// Why the session's state is unknown.
pub async fn check_watched(app: &App, user: &Subject, sid: &Sid) -> Result<WatchedSession, String> {
    let found = find_session::find(app, user, sid).await.map_err(|error| error.to_string())?;
    let now = request::now();
    let ended = found.clone().filter(|session| session.ended.is_some());
    match judge_session(found, now) {
        Ok(live) => Ok(WatchedSession::Live(live.deadline())),
        Err(invalid) => {
            let at = if let InvalidSession::Expired { at } = invalid { at } else { now };
            let event = ended.as_deref().and_then(|session| Event::ended(session).pop());
            let event = event.unwrap_or(Event::expired(sid, at));
            session_events::publish_expiry(app, user, sid, &Refusal::Session(invalid));
            // No event was sent yet: it would have closed the WebSocket.
            report_ends::report_once(app, user, ended.as_deref());
            Ok(WatchedSession::Ended(event.json(user)))
        }
    }
}
