//! The request's way, step by step.

use std::rc::Rc;

use auth::decision::{Decision, ForwardPlan};
use auth::request_log::{Outcome, log_fields};
use auth::route::Endpoint;
use auth::time::Timestamp;
use js_sys::Promise;
use wasm_bindgen::prelude::*;

use crate::app::App;
use crate::endpoints::pages::refused;
use crate::proxy::forward;
use crate::proxy::pending_check::PendingCheck;
use crate::proxy::token_context::{JsTokenContext, TokenContext};
use crate::proxy::verdict::{self, Verdict};
use crate::request::{self, RequestHead};
use crate::services::{find_session, issuer_keys};
use crate::{endpoints, promise, response, stores};

/// Decides about a request:
///
/// 1. classify the path,
/// 2. find the credential,
/// 3. verify its token (1 to 3 are [`auth::decision::Guard::decide`]),
/// 4. check the session in the store, in one round trip,
/// 5. apply the rule of the path ([`PendingCheck::judge`] does 4 and 5),
/// 6. forward the request to the origin.
pub fn handle(app: Rc<App>, head: RequestHead, now: Timestamp) -> Verdict {
    match app.guard.decide(&head, now) {
        Decision::Own(Endpoint::Verify) => {
            head.context().set_endpoint(Endpoint::Verify.name());
            match app.guard.described(&head) {
                Ok(described) => handle(app, head.described(described), now),
                Err(refused) => verdict::respond(&refused::respond(&app, &head, &refused), None),
            }
        }
        Decision::Own(endpoint) => {
            head.context().set_endpoint(endpoint.name());
            match app.guard.proxied(&head) {
                Ok(None) => endpoints::answer(app, endpoint, head),
                // Everything is decided about the site that the proxy's client has asked.
                Ok(Some(proxied)) => handle(app, head.proxied(proxied), now),
                Err(refusal) => verdict::respond(&response::refusal(&refusal), None),
            }
        }
        Decision::Refuse(refused) => {
            let fields = log_fields(Outcome::Refused, refused.route.as_deref(), "");
            verdict::respond(&refused::respond(&app, &head, &refused), Some(&fields))
        }
        Decision::Forward(plan) => forward::anonymously(&app, &plan, head.context()),
        Decision::ConflictingTokens(sessions) => verdict::later(async move {
            let over = find_session::ended_sessions(&app, &sessions).await;
            handle(app, head.with_ended_sessions(over), request::now())
        }),
        Decision::FetchKeys(issuer) => verdict::later(async move {
            issuer_keys::renew(&issuer).await;
            handle(app, head, request::now())
        }),
        Decision::ReadBody => verdict::later(async move {
            let head = head.with_body().await;
            handle(app, head, request::now())
        }),
        Decision::CheckSession(plan) => check(app, Rc::from(plan), &head, now),
    }
}

/// 4. The check itself is sent by JavaScript.
fn check(app: Rc<App>, plan: Rc<ForwardPlan>, head: &RequestHead, now: Timestamp) -> Verdict {
    let token = TokenContext::of(&app, plan.principal());
    if let Some(provider) = plan.principal().token().provider() {
        issuer_keys::refresh_if_stale(&provider.issuer);
        if !token.is_known.get() {
            return admit(app, plan, token, head, now);
        }
    }
    let is_ahead = plan.overlaps_store() && !token.has_rights();
    let overlapped = is_ahead.then(|| {
        let sent = app.guard.header_filter(&head.context().header_names());
        forward::with_identity(&app, &plan, &token, None, &sent)
    });
    let pending = PendingCheck::new(app, plan, Rc::clone(&token), head.is_cacheable());
    check_session(&token.js, now.millis() as f64, pending, overlapped, None)
}

/// Step 4 for a provider's session that this isolate has not seen live yet: it begins if the store has never heard of
/// it. Rust sends this command, which is longer than a check, and rare.
fn admit(
    app: Rc<App>,
    plan: Rc<ForwardPlan>,
    token: Rc<TokenContext>,
    head: &RequestHead,
    now: Timestamp,
) -> Verdict {
    let is_cacheable = head.is_cacheable();
    let command = app.guard.admission(plan.principal(), request::client(head)).map(Rc::new);
    let reply = command.clone().map(|command| {
        let (app, user) = (Rc::clone(&app), plan.principal().user().clone());
        promise::of(async move {
            let reply = app.store.send_command(&user, &command).await;
            Ok(stores::reply_to_js(reply))
        })
    });
    let pending = PendingCheck::new(app, plan, Rc::clone(&token), is_cacheable).admitting(command);
    check_session(&token.js, now.millis() as f64, pending, None, reply.as_ref())
}

#[wasm_bindgen(module = "/src/proxy/verdict.js")]
extern "C" {
    /// Check the session, and have `pending` judge the store's reply. `overlapped` runs in parallel. The check was sent
    /// already if there is the promise of a `reply`.
    #[wasm_bindgen(js_name = checkSession)]
    fn check_session(
        token: &JsTokenContext,
        now: f64,
        pending: PendingCheck,
        overlapped: Option<Verdict>,
        reply: Option<&Promise>,
    ) -> Verdict;
}
