//! The way to the origin: what is forwarded, and what is said when that fails.

use std::rc::Rc;

use auth::config::{Origin, Settings};
use auth::decision::{AnonymousPlan, ForwardPlan, ForwardTarget, HeaderChanges, HeaderFilter};
use auth::identity;
use auth::refusal::Refusal;
use auth::session::LiveSession;
use wasm_bindgen::prelude::*;

use crate::app::App;
use crate::proxy::request_context::RequestContext;
use crate::proxy::token_context::{JsTokenContext, TokenContext, headers_of};

#[wasm_bindgen(module = "/src/proxy/origin.js")]
extern "C" {
    #[wasm_bindgen(js_name = setUp)]
    fn set_up_origin(site: Option<&str>, timeout: u32);
}

#[wasm_bindgen(module = "/src/proxy/relay.js")]
extern "C" {
    #[wasm_bindgen(js_name = setUp)]
    fn set_up_relay(watches: bool);
}

#[wasm_bindgen(module = "/src/proxy/forward.js")]
extern "C" {
    #[wasm_bindgen(js_name = linesOf)]
    fn lines_of(text: &str) -> JsValue;

    /// Sends a request to the origin, with the identity of `bearer`, if there is one. `start` is where
    /// the target begins in the request's URL, `target` what stands there if that is something else.
    /// `removed` is a list of names, `set` what [`headers_of`] makes, `said` for the log; the latter two
    /// may be `undefined`. Returns the promise of the answer.
    fn forward(
        passage: &RequestContext,
        bearer: Option<&JsTokenContext>,
        start: u32,
        target: Option<&str>,
        removed: &JsValue,
        set: &JsValue,
        said: &JsValue,
    ) -> JsValue;

    /// The same before it is known whether the request may pass. The answer is held back until
    /// [`forward`] is called, and dropped if it is not.
    #[wasm_bindgen(js_name = forwardAhead)]
    fn forward_ahead(
        passage: &RequestContext,
        bearer: Option<&JsTokenContext>,
        start: u32,
        target: Option<&str>,
        removed: &JsValue,
        set: &JsValue,
        said: &JsValue,
    ) -> JsValue;
}

/// Tells JavaScript where the origin is, unless it is where requests go anyway, how long it may take until
/// the first byte of an answer, and whether anybody can listen for the end of a session.
pub fn set_up(settings: &Settings, watches: bool) {
    set_up_relay(watches);
    let timeout = u32::try_from(settings.origin_timeout.as_millis()).unwrap_or(u32::MAX);
    match &settings.origin {
        Origin::Url(site) => set_up_origin(Some(site), timeout),
        Origin::Zone | Origin::Worker => set_up_origin(None, timeout),
    }
}

/// What one request takes to the origin.
struct OutgoingRequest<'a> {
    kept: Option<&'a TokenContext>,
    target: &'a ForwardTarget,
    changes: HeaderChanges<'a>,
    data: Option<String>,
    said: Rc<JsValue>,
}

impl OutgoingRequest<'_> {
    fn send(&self, app: &App, passage: &RequestContext, is_ahead: bool) -> JsValue {
        let send = if is_ahead { forward_ahead } else { forward };
        let removed = app.removed.of(self.changes.remove.join("\n"), lines_of);
        send(
            passage,
            self.kept.map(|kept| &kept.bearer),
            u32::try_from(self.target.start).unwrap_or_default(),
            self.target.instead.as_deref(),
            &removed,
            &self.set(),
            &self.said,
        )
    }

    /// The headers that are set, as JavaScript takes them; `undefined` if there are none.
    fn set(&self) -> Rc<JsValue> {
        let data = self.data.as_deref().map(|data| (identity::DATA, data));
        let headers = self.changes.set.iter().copied().chain(data);
        let lines: Vec<_> = headers.map(|(name, value)| [name, value].join(": ")).collect();
        match (lines.is_empty(), self.kept) {
            (true, _) => Rc::new(JsValue::UNDEFINED),
            (false, Some(kept)) => kept.set.of(lines.join("\n"), headers_of),
            (false, None) => Rc::new(headers_of(&lines.join("\n"))),
        }
    }
}

/// Forwards a request whose session is live, with the identity of its caller.
pub fn with_identity(
    app: &App,
    check: &ForwardPlan,
    kept: &TokenContext,
    live: Option<&LiveSession>,
    passage: &RequestContext,
    sent: &HeaderFilter,
) -> JsValue {
    identified(app, check, kept, live, passage, sent, false)
}

/// The same at once, while the store is asked whether the session is live.
pub fn ahead(app: &App, check: &ForwardPlan, kept: &TokenContext, passage: &RequestContext) {
    let sent = app.guard.header_filter(&passage.sent_headers());
    identified(app, check, kept, None, passage, &sent, true);
}

fn identified(
    app: &App,
    check: &ForwardPlan,
    kept: &TokenContext,
    live: Option<&LiveSession>,
    passage: &RequestContext,
    sent: &HeaderFilter,
    is_ahead: bool,
) -> JsValue {
    let settings = app.guard.settings();
    let data = live.filter(|_| settings.forward_session_data).and_then(LiveSession::data);
    let data = data.map(|json| settings.identity_encoding.value(json));
    let said = said(app, || kept.said.of(check.log_fields(None), JsValue::from_str));
    let (changes, target) = (check.header_changes(sent), check.target());
    OutgoingRequest { kept: Some(kept), target, changes, data, said }.send(app, passage, is_ahead)
}

/// Forwards a request whose session is not live, and need not be; `refusal` says why.
pub fn without_session(
    app: &App,
    check: &ForwardPlan,
    refusal: &Refusal,
    passage: &RequestContext,
    sent: &HeaderFilter,
) -> JsValue {
    let said = said(app, || JsValue::from(check.log_fields(Some(refusal))).into());
    let (changes, target) = (check.header_changes_without_identity(sent), check.target());
    OutgoingRequest { kept: None, target, changes, data: None, said }.send(app, passage, false)
}

/// Forwards a request that is for everybody.
pub fn anonymously(app: &App, anonymous: &AnonymousPlan, passage: &RequestContext) -> JsValue {
    let sent = app.guard.header_filter(&passage.sent_headers());
    let said = said(app, || JsValue::from(anonymous.log_fields()).into());
    if anonymous.is_cacheable() {
        passage.set_cacheable(true);
    }
    let (changes, target) = (anonymous.header_changes(&sent), anonymous.target());
    OutgoingRequest { kept: None, target, changes, data: None, said }.send(app, passage, false)
}

fn said(app: &App, say: impl FnOnce() -> Rc<JsValue>) -> Rc<JsValue> {
    if app.reports { say() } else { Rc::new(JsValue::UNDEFINED) }
}

/// What is said when the origin did not answer.
pub fn failure(timed_out: bool, cause: String) -> Refusal {
    if timed_out { Refusal::OriginTimedOut } else { Refusal::OriginUnavailable(cause) }
}
