//! What happens to sessions is told: each event in one line of the log, to the webhook, and its end to those
//! who listen for it.

use crate::app::App;
use crate::services::background;
use crate::services::push;
use crate::services::webhook;
use auth::event::Event;
use auth::refusal::Refusal;
use auth::session::InvalidSession;
use auth::session::Sid;
use auth::session::Subject;

/// Tells what happened to sessions of one user. Nobody waits for it: webhook and listeners are
/// called after the answer.
pub fn emit(app: &App, user: &Subject, events: &[Event]) {
    let mut ends = Vec::new();
    for event in events {
        let line = event.line(user, app.guard.tokens().log_names());
        web_sys::console::log_1(&line.into());
        let json = event.json(user);
        if let Some(webhook) = app.guard.settings().webhook.clone() {
            let event = event.clone();
            let json = json.clone();
            background::later(async move { webhook::deliver(&webhook, &event, &json).await });
        }
        if event.is_end() {
            ends.push(json);
        }
    }
    if let Some(objects) = app.objects.clone().filter(|_| !ends.is_empty()) {
        let (user, timeout) = (user.clone(), app.guard.settings().store_timeout);
        background::later(async move {
            let notify = || push::notify(&objects, &user, &ends, timeout);
            let told = background::retry(&notify).await;
            told.unwrap_or_else(|why| webhook::undelivered(&format!("USER_SESSIONS: {why}")));
        });
    }
}

/// Tells that a session was found past its deadline, if that is why its caller is refused. Once
/// an isolate: the client may go on asking.
pub fn notice(app: &App, user: &Subject, sid: &Sid, refusal: &Refusal) {
    if let Refusal::Session(InvalidSession::Expired { at }) = refusal {
        app.reported_ends.report_once(sid, || emit(app, user, &[Event::expired(sid, *at)]));
    }
}
