//! Verdicts that forward a request: what changes on its way to the origin.

use std::rc::Rc;

use auth::decision::{AnonymousPlan, ForwardPlan, ForwardTarget, HeaderChanges, HeaderFilter};
use auth::identity;
use auth::refusal::Refusal;
use auth::session::LiveSession;
use wasm_bindgen::prelude::*;

use crate::app::App;
use crate::proxy::header_lines::{headers_of, names_of};
use crate::proxy::request_context::RequestContext;
use crate::proxy::token_context::TokenContext;
use crate::proxy::verdict::{self, Verdict};

/// A request to the origin.
struct OutgoingRequest<'a> {
    token: Option<&'a TokenContext>,
    target: &'a ForwardTarget,
    changes: HeaderChanges<'a>,
    /// The session's private data, encoded for a header.
    data: Option<String>,
    log_fields: Rc<JsValue>,
    is_cacheable: bool,
}

impl OutgoingRequest<'_> {
    fn verdict(&self, app: &App) -> Verdict {
        verdict::forward(
            self.token.map(|token| &token.js),
            u32::try_from(self.target.start).unwrap_or_default(),
            self.target.instead.as_deref(),
            &app.removed_headers.of(self.changes.remove.join("\n"), names_of),
            &self.set(),
            &self.log_fields,
            self.is_cacheable,
        )
    }

    /// The headers that are set beside the identity; `undefined` if there are none.
    fn set(&self) -> Rc<JsValue> {
        let data = self.data.as_deref().map(|data| (identity::DATA, data));
        let headers = self.changes.set.iter().copied().chain(data);
        let lines: Vec<_> = headers.map(|(name, value)| [name, value].join(": ")).collect();
        match (lines.is_empty(), self.token) {
            (true, _) => Rc::new(JsValue::UNDEFINED),
            (false, Some(token)) => token.set_headers.of(lines.join("\n"), headers_of),
            (false, None) => Rc::new(headers_of(&lines.join("\n"))),
        }
    }
}

/// A request whose session is live, with its user's identity. With overlap, it is not known yet that it is.
pub fn with_identity(
    app: &App,
    plan: &ForwardPlan,
    token: &TokenContext,
    live: Option<&LiveSession>,
    sent: &HeaderFilter,
) -> Verdict {
    let settings = app.guard.settings();
    let data = live.filter(|_| settings.forward_session_data).and_then(LiveSession::data);
    OutgoingRequest {
        token: Some(token),
        target: plan.target(),
        changes: plan.header_changes(sent),
        data: data.map(|json| settings.identity_encoding.value(json)),
        log_fields: log_fields(app, || {
            token.log_fields.of(plan.log_fields(None), JsValue::from_str)
        }),
        is_cacheable: false,
    }
    .verdict(app)
}

/// A request that may go on although its session is not live; `refusal` says why it is not.
pub fn without_session(
    app: &App,
    plan: &ForwardPlan,
    refusal: &Refusal,
    sent: &HeaderFilter,
) -> Verdict {
    OutgoingRequest {
        token: None,
        target: plan.target(),
        changes: plan.header_changes_without_identity(sent),
        data: None,
        log_fields: log_fields(app, || JsValue::from(plan.log_fields(Some(refusal))).into()),
        is_cacheable: false,
    }
    .verdict(app)
}

/// A request that needs no session.
pub fn anonymously(app: &App, plan: &AnonymousPlan, context: &RequestContext) -> Verdict {
    let sent = app.guard.header_filter(&context.header_names());
    OutgoingRequest {
        token: None,
        target: plan.target(),
        changes: plan.header_changes(&sent),
        data: None,
        log_fields: log_fields(app, || JsValue::from(plan.log_fields()).into()),
        is_cacheable: plan.is_cacheable(),
    }
    .verdict(app)
}

fn log_fields(app: &App, make: impl FnOnce() -> Rc<JsValue>) -> Rc<JsValue> {
    if app.reports { make() } else { Rc::new(JsValue::UNDEFINED) }
}
