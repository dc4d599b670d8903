//! Reports ended sessions to this isolate, the user index, listeners and the webhook.

use auth::event::Event;
use auth::session::{Session, Subject};

use crate::app::App;
use crate::services::{session_events, user_index};

/// Reports sessions that a command has ended, and the session that it has created: clears this isolate's cache of
/// them, updates the index, and publishes the events.
pub fn report(app: &App, user: &Subject, created: Option<&Session>, ended: &[Session]) {
    app.guard.forget_recent(ended.iter().map(|session| &session.sid));
    user_index::record_changes(app, user, created, ended);
    session_events::publish(app, user, &ended.iter().flat_map(Event::ended).collect::<Vec<_>>());
    for session in ended {
        app.reported_ends.report_once(&session.sid, || ());
    }
}

/// Reports sessions that were found ended, because the request that ended them may have received no answer. Reports
/// each once per isolate, because a client may repeat its request.
pub fn report_once<'a>(app: &App, user: &Subject, ended: impl IntoIterator<Item = &'a Session>) {
    let new = ended.into_iter().filter(|session| !app.reported_ends.contains(&session.sid));
    let new: Vec<Session> = new.cloned().collect();
    if !new.is_empty() {
        report(app, user, None, &new);
    }
}
