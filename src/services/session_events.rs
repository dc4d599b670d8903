//! Publishes session events: to the log, to the webhook, and, if a session ends, to the WebSockets that watch it.

use auth::event::Event;
use auth::refusal::Refusal;
use auth::session::{InvalidSession, Sid, Subject};

use crate::app::App;
use crate::services::{background, listeners, webhook};

/// Publishes events of one user's sessions. The webhook and the WebSockets get them after the response.
pub fn publish(app: &App, user: &Subject, events: &[Event]) {
    let mut ends = Vec::new();
    for event in events {
        let line = event.line(user, app.guard.tokens().log_names());
        web_sys::console::log_1(&line.into());
        let json = event.json(user);
        if let Some(webhook) = app.guard.settings().webhook.clone() {
            let event = event.clone();
            let json = json.clone();
            background::run_after_response(async move {
                webhook::deliver(&webhook, &event, &json).await
            });
        }
        if event.is_end() {
            ends.push(json);
        }
    }
    if let Some(objects) = app.objects.clone().filter(|_| !ends.is_empty()) {
        let (user, timeout) = (user.clone(), app.guard.settings().store_timeout);
        background::run_after_response(async move {
            let notify = || listeners::push_ends(&objects, &user, &ends, timeout);
            let notified = background::retry(&notify).await;
            notified.unwrap_or_else(|why| {
                webhook::log_undelivered(&format!(
                    "USER_SESSIONS: WebSockets of ended sessions: {why}"
                ))
            });
        });
    }
}

/// Publishes a session's expiry, if that is why the request is refused. Once per isolate, because the client may
/// retry.
pub fn publish_expiry(app: &App, user: &Subject, sid: &Sid, refusal: &Refusal) {
    if let Refusal::Session(InvalidSession::Expired { at }) = refusal {
        app.reported_ends.report_once(sid, || publish(app, user, &[Event::expired(sid, *at)]));
    }
}
