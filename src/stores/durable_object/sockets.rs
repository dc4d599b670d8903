//! The WebSockets in a user's object that watch a session. They hibernate: the object does not run while it waits.
//! Each has the `sid` as its tag, and `{ user, until, doubts }` as its attachment (see [`Recheck`]).
//!
//! The methods of `worker::State` panic if the runtime refuses, for example beyond the limit of WebSockets; those of
//! `as_raw` return the error.

use auth::body_format::BodyFormat;
use auth::event::Recheck;
use auth::session::{Sid, Subject};
use auth::time::Timestamp;
use js_sys::{Array, JSON};
use web_sys::WebSocket;
use worker::worker_sys::ext::WebSocketExt;
use worker::{Env, Request, Response, State, WebSocketPair, WebSocketRequestResponsePair};

use super::storage::{Members, Result, alarm, failure, js_millis, object, set_alarm};
use crate::platform::thrown;
use crate::services::watch_session::{self, WatchedSession};
use crate::startup;

/// The close code for an ended session (RFC 6455, section 7.4.2: a private-use code). `watch_session.js` and
/// `client.js` use the same.
const SESSION_OVER: u16 = 4001;

/// Accepts a WebSocket that watches a session, and sets the alarm to the session's deadline if it is earlier.
pub async fn accept(state: &State, request: &Request) -> Result<Response> {
    let url = request.inner().url();
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let text = |name: &str| BodyFormat::Form.texts(query, &[name.into()]).pop().unwrap_or_default();
    let until =
        text("until").parse().map_err(|_| failure("`until` is not a number of milliseconds"))?;
    let until = Timestamp::from_millis(until);
    let WebSocketPair { client, server } = WebSocketPair::new().map_err(thrown)?;
    state.as_raw().accept_websocket_with_tags(server.as_ref(), vec![text("sid").into()])?;
    attach(server.as_ref(), &text("user"), Recheck::at(until))?;
    // Pings are answered without waking the object.
    let pong = WebSocketRequestResponsePair::new("ping", "pong")?;
    state.as_raw().set_websocket_auto_response(&pong)?;
    let storage = state.storage();
    if alarm(&storage).await?.is_none_or(|alarm| until < alarm) {
        set_alarm(&storage, until).await?;
    }
    Response::from_websocket(client).map_err(thrown)
}

/// Sends the events of ended sessions, a JSON list, to the WebSockets that watch them, and closes these.
pub fn notify_ended(state: &State, events: &str) -> Result<()> {
    for event in Array::from(&JSON::parse(events)?).iter() {
        let json = String::from(JSON::stringify(&event)?);
        let sid = Members::of(Members::of(event).get("data")).text("sid");
        for socket in state.as_raw().get_websockets_with_tag(&sid)? {
            close(&socket, &json)?;
        }
    }
    Ok(())
}

/// Marks every watched session for rechecks, from the next alarm on: one may have ended without an event. Returns
/// whether there are any.
pub fn schedule_recheck(state: &State) -> Result<bool> {
    let sockets = open_sockets(state)?;
    for socket in &sockets {
        let (user, _) = attachment(socket)?;
        attach(socket, &user, Recheck::doubtful())?;
    }
    Ok(!sockets.is_empty())
}

/// Checks the sessions that are due, and notifies those that have ended. Returns when the others are due.
pub async fn recheck(state: &State, env: &Env, now: Timestamp) -> Result<Vec<Timestamp>> {
    for socket in open_sockets(state)? {
        let (user, _) = attachment(&socket)?;
        if !is_due(&socket, now)? {
            continue;
        }
        let sid = state.as_raw().get_tags(&socket)?.pop().unwrap_or_default();
        let check = check(env, user, sid.clone()).await;
        // All WebSockets of this session that are due get the same result, so that it is checked once.
        for socket in state.as_raw().get_websockets_with_tag(&sid)? {
            if is_due(&socket, now)? {
                apply_check(&socket, &check, now)?;
            }
        }
    }
    // More may have opened meanwhile.
    open_sockets(state)?.iter().map(|socket| Ok(attachment(socket)?.1.due)).collect()
}

async fn check(
    env: &Env,
    user: String,
    sid: String,
) -> std::result::Result<WatchedSession, String> {
    let app = startup::load(env).map_err(|refusal| refusal.code())?;
    watch_session::check_watched(&app, &Subject::try_from(user)?, &Sid::try_from(sid)?).await
}

/// Applies a check's result to a WebSocket: closes it, or sets when the next check is due.
fn apply_check(
    socket: &WebSocket,
    check: &std::result::Result<WatchedSession, String>,
    now: Timestamp,
) -> Result<()> {
    let (user, recheck) = attachment(socket)?;
    match check {
        Ok(WatchedSession::Live(until)) => attach(socket, &user, recheck.found_live(*until, now)),
        Ok(WatchedSession::Ended(event)) => close(socket, event),
        Err(_) => attach(socket, &user, recheck.unanswered(now)),
    }
}

/// Sends an event, as JSON, and closes with its name as the reason: `session_revoked`.
fn close(socket: &WebSocket, event: &str) -> Result<()> {
    let reason = Members::of(JSON::parse(event)?).text("type").replacen('.', "_", 1);
    let sent = socket.send_with_str(event);
    // This fails if the client has closed it already.
    let _ = sent.and_then(|()| socket.close_with_code_and_reason(SESSION_OVER, &reason));
    Ok(())
}

fn open_sockets(state: &State) -> Result<Vec<WebSocket>> {
    let mut sockets = state.as_raw().get_websockets()?;
    sockets.retain(|socket| socket.ready_state() == WebSocket::OPEN);
    Ok(sockets)
}

fn is_due(socket: &WebSocket, now: Timestamp) -> Result<bool> {
    Ok(socket.ready_state() == WebSocket::OPEN && attachment(socket)?.1.is_due(now))
}

fn attachment(socket: &WebSocket) -> Result<(String, Recheck)> {
    let members = Members::of(socket.deserialize_attachment()?);
    let recheck = Recheck { due: members.until(), doubts: members.number("doubts") as u32 };
    Ok((members.text("user"), recheck))
}

fn attach(socket: &WebSocket, user: &str, Recheck { due, doubts }: Recheck) -> Result<()> {
    let members = [("user", user.into()), ("until", js_millis(due)), ("doubts", doubts.into())];
    socket.serialize_attachment(object(&members)?)
}
