//! The way to the origin: what is forwarded, and what is said when that fails.

use auth::decision::Check;
use auth::identity;
use auth::refusal::Refusal;
use auth::route::Target;
use auth::session::LiveSession;
use js_sys::Array;
use web_sys::Request;

use crate::config::App;

/// What `forward.js` is to do, as one string, because each value that crosses costs: the URL,
/// the milliseconds until the first byte, the session for [`Pending::watch`], which is empty where
/// nobody can listen for its end, then a line for each header to set or to delete. No part can hold
/// a newline: URLs and header values are encoded.
///
/// [`Pending::watch`]: crate::guard::Pending::watch
pub fn plan(app: &App, check: &Check, live: Option<&LiveSession>, request: &Request) -> String {
    let settings = app.guard.settings();
    let timeout = settings.origin_timeout.as_millis();
    let target = check.target();
    let mut plan = match &settings.origin {
        Some(origin) => format!("{origin}{target}\n{timeout}"),
        None => format!("{}{target}\n{timeout}", Target::site_of(&request.url())),
    };
    plan.push('\n');
    if app.objects.is_some() {
        let caller = check.caller();
        let user = serde_json::to_string(caller.user().as_str()).unwrap_or_default();
        plan.extend([caller.sid().as_str(), " ", &user]);
    }
    let names = Array::from(&request.headers().keys()).join("\n").as_string().unwrap_or_default();
    let changes = check.forward(names.split('\n'));
    for name in changes.remove {
        plan.extend(["\n", name]);
    }
    for (name, value) in changes.set {
        plan.extend(["\n", name, ": ", value]);
    }
    if settings.forward_session_data
        && let Some(data) = live.and_then(LiveSession::data)
    {
        plan.extend(["\n", identity::DATA, ": ", &identity::data(data)]);
    }
    plan
}

/// What is said when the origin did not answer.
pub fn failure(timed_out: bool, cause: String) -> Refusal {
    if timed_out { Refusal::OriginTimedOut } else { Refusal::OriginUnavailable(cause) }
}
