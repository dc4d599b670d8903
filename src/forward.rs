//! The way to the origin: what is forwarded, and what is said when that fails.

use auth::config::Origin;
use auth::decision::{Anonymous, Check, HeaderChanges};
use auth::identity;
use auth::refusal::Refusal;
use auth::route::Target;
use auth::session::LiveSession;
use wasm_bindgen::prelude::*;
use web_sys::Request;

use crate::config::App;

#[wasm_bindgen(module = "/src/forward.js")]
extern "C" {
    /// What [`auth::decision::SentHeaders::read`] reads.
    #[wasm_bindgen(js_name = sentHeaders)]
    fn sent_headers(request: &Request) -> String;
}

/// What `forward.js` is to do, as one string, because each value that crosses costs: the URL,
/// the milliseconds until the first byte, what the log says, the session for [`Pending::watch`],
/// which is empty where nobody can listen for its end, then a line for each header to set or to
/// delete. No part can hold a newline: URLs, JSON and header values are encoded.
///
/// [`Pending::watch`]: crate::guard::Pending::watch
pub fn plan(app: &App, check: &Check, live: Option<&LiveSession>, request: &Request) -> String {
    let settings = app.guard.settings();
    let mut plan = begin(app, check.target(), &check.said(None), request);
    if app.objects.is_some() {
        let caller = check.caller();
        let user = serde_json::to_string(caller.user().as_str()).unwrap_or_default();
        plan.extend([caller.sid().as_str(), " ", &user]);
    }
    add(&mut plan, &check.forward(&app.guard.sent_headers(&sent_headers(request))));
    if settings.forward_session_data
        && let Some(data) = live.and_then(LiveSession::data)
    {
        plan.extend(["\n", identity::DATA, ": ", &identity::data(data)]);
    }
    plan
}

/// The same for a request whose session is not live, and need not be; `refusal` says why.
pub fn plan_without_session(
    app: &App,
    check: &Check,
    refusal: &Refusal,
    request: &Request,
) -> String {
    let mut plan = begin(app, check.target(), &check.said(Some(refusal)), request);
    add(&mut plan, &check.forward_anonymously(&app.guard.sent_headers(&sent_headers(request))));
    plan
}

/// The same for a request that is for everybody.
pub fn plan_anonymously(app: &App, anonymous: &Anonymous, request: &Request) -> String {
    let mut plan = begin(app, anonymous.target(), &anonymous.said(), request);
    add(&mut plan, &anonymous.forward(&app.guard.sent_headers(&sent_headers(request))));
    plan
}

fn begin(app: &App, target: &str, said: &str, request: &Request) -> String {
    let settings = app.guard.settings();
    let timeout = settings.origin_timeout.as_millis();
    match &settings.origin {
        Origin::Url(origin) => format!("{origin}{target}\n{timeout}\n{said}\n"),
        Origin::Zone | Origin::Worker => {
            format!("{}{target}\n{timeout}\n{said}\n", Target::site_of(&request.url()))
        }
    }
}

fn add(plan: &mut String, changes: &HeaderChanges<'_>) {
    for name in &changes.remove {
        plan.extend(["\n", name]);
    }
    for (name, value) in &changes.set {
        plan.extend(["\n", name, ": ", value]);
    }
}

/// What is said when the origin did not answer.
pub fn failure(timed_out: bool, cause: String) -> Refusal {
    if timed_out { Refusal::OriginTimedOut } else { Refusal::OriginUnavailable(cause) }
}
