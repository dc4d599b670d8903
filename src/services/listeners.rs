//! RPC to the user's Durable Object, which has the WebSockets of clients that wait for the end of a session.

use std::time::Duration;

use auth::session::Subject;
use worker::ObjectNamespace;

use crate::app::App;
use crate::platform::UserSessionsStub;
use crate::promise::LocalBoxFuture;
use crate::stores::durable_object::{Call, call_object, object_name};

/// Sends the events of ended sessions to the WebSockets that watch them.
///
/// # Errors
/// Why the user's object did not respond in time.
pub fn push_ends<'a>(
    objects: &'a ObjectNamespace,
    user: &'a Subject,
    events: &'a [String],
    timeout: Duration,
) -> LocalBoxFuture<'a, Result<(), String>> {
    Box::pin(async move {
        let events = format!("[{}]", events.join(","));
        let notify: Call = &|object| object.notify_ended(&events);
        let notified = call_object(objects, &object_name(user), timeout, false, notify).await;
        notified.map(drop).map_err(|error| error.to_string())
    })
}

/// Makes the user's object recheck its watched sessions, because one of them may have ended. The object retries
/// until the store answers.
pub async fn recheck_sessions(app: &App, user: &Subject) {
    if let Some(objects) = &app.objects {
        let timeout = app.guard.settings().store_timeout;
        let recheck: Call = &UserSessionsStub::recheck_watched;
        let _ = call_object(objects, &object_name(user), timeout, false, recheck).await;
    }
}
