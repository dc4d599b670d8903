//! Renews the cookie of a request that passes, beside the request to the origin. `renewal.js` adds it to the answer.

use std::rc::Rc;

use auth::decision::{ForwardPlan, Principal, Renewal};
use auth::http::Recipient;
use auth::session::LiveSession;
use auth::time::Timestamp;
use js_sys::Promise;
use wasm_bindgen::prelude::*;

use crate::app::App;
use crate::proxy::request_context::RequestContext;
use crate::request::{self, timestamp};
use crate::services::{find_session, refresh_session};
use crate::{promise, response};

#[wasm_bindgen(module = "/src/proxy/request_context.js")]
extern "C" {
    /// The promise of a [`RenewedCookie`], or of `undefined`.
    #[wasm_bindgen(method, setter, js_name = renewal)]
    fn set_renewal(this: &RequestContext, renewal: &Promise);
}

/// Begins the renewal, if it is due.
pub fn begin_if_due(
    app: &Rc<App>,
    context: &RequestContext,
    plan: &ForwardPlan,
    live: &LiveSession,
    now: Timestamp,
) {
    if let Some(caller) = app.guard.renewal(plan, live, now) {
        let (app, recipient) = (Rc::clone(app), context.answered_to());
        context.set_renewal(&promise::of(async move {
            Ok(renew(app, caller, recipient).await.map_or(JsValue::UNDEFINED, JsValue::from))
        }));
    }
}

/// A failure leaves the request as it is: the token is good for as long again, and the next request tries again.
async fn renew(app: Rc<App>, caller: Principal, recipient: Recipient) -> Option<RenewedCookie> {
    match refresh_session::refresh(&app, &caller).await {
        Ok(renewal) => Some(RenewedCookie { app, caller: Rc::new(caller), renewal, recipient }),
        Err(refusal) => {
            response::log_cause(&refusal);
            None
        }
    }
}

/// A renewed cookie, on its way into the answer.
#[wasm_bindgen]
pub struct RenewedCookie {
    app: Rc<App>,
    caller: Rc<Principal>,
    renewal: Renewal,
    recipient: Recipient,
}

#[wasm_bindgen]
impl RenewedCookie {
    /// The `Set-Cookie` lines for an answer that `has` these already: a promise of a list, which may be empty.
    pub fn lines(&self, has: Vec<String>, now: f64) -> Promise {
        let Self { app, caller, renewal, recipient } = self;
        let (app, caller, renewal) = (Rc::clone(app), Rc::clone(caller), renewal.clone());
        let recipient = *recipient;
        promise::of(async move {
            let mut now = timestamp(now);
            if !renewal.is_newest(now) {
                let found = find_session::find(&app, caller.user(), caller.sid()).await;
                now = request::now();
                if !renewal.is_still_newest(found.ok().flatten().as_deref(), now) {
                    return Ok(JsValue::from(Vec::<String>::new()));
                }
            }
            let cookie = &app.guard.settings().session_cookie;
            Ok(renewal.lines(cookie, has.iter().map(String::as_str), recipient, now).into())
        })
    }
}
