//! One request's way, step by step, as the design numbers it.

use std::rc::Rc;

use auth::decision::{Decision, ForwardPlan, Head, HeaderFilter};
use auth::refusal::Refusal;
use auth::request_log::Outcome;
use auth::route::Endpoint;
use auth::session::InvalidSession;
use auth::time::Timestamp;
use js_sys::Promise;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::Response;

use crate::app::App;
use crate::endpoints::admin;
use crate::endpoints::backchannel_logout;
use crate::endpoints::health;
use crate::endpoints::introspect;
use crate::endpoints::jwks;
use crate::endpoints::login;
use crate::endpoints::pages;
use crate::endpoints::refresh;
use crate::endpoints::sessions;
use crate::endpoints::{events, logout, session};
use crate::promise;
use crate::proxy::cors;
use crate::proxy::decision_cache::CachedPlan;
use crate::proxy::forward;
use crate::proxy::request_context::RequestContext;
use crate::proxy::session_check;
use crate::proxy::token_context::{JsTokenContext, TokenContext};
use crate::request::{self, RequestHead};
use crate::response;
use crate::services::end_sessions;
use crate::services::find_session;
use crate::services::push;
use crate::services::session_events;
use crate::stores::{self, Answering, Reply};

/// Answers a request, with a `Response` or the promise of one:
///
/// 1. classify the path,
/// 2. find the credential,
/// 3. verify its token (these three in [`auth::decision::Guard::decide`]),
/// 4. ask the store about the session, in one round trip,
/// 5. the path's rule, with the verdict,
/// 6. forward to the origin.
///
/// Up to the store's question all is synchronous. From there on one small JavaScript function
/// waits (`forward.js`), because a Rust future costs more than all the rest; it comes back to
/// [`PendingCheck::judge`] for the verdict.
pub fn handle(app: Rc<App>, head: RequestHead, now: Timestamp) -> JsValue {
    let passage = head.passage();
    // 1. to 3.
    match app.guard.decide(&head, now) {
        Decision::Own(endpoint) => {
            passage.ended(Outcome::Answered, Some(endpoint.name()));
            passage.set_own(true);
            own(app, endpoint, head)
        }
        Decision::Refuse(refused) => {
            passage.ended(Outcome::Refused, refused.route.as_deref());
            response::refused(&refused, head.method()).into()
        }
        Decision::Forward(anonymous) => forward::anonymously(&app, &anonymous, passage),
        Decision::Contested(sessions) => promise::of(async move {
            let over = find_session::over(&app, &sessions).await;
            let answer = handle(app, head.with_over(over), request::now());
            JsFuture::from(Promise::resolve(&answer)).await
        })
        .into(),
        Decision::ReadBody => promise::of(async move {
            let head = head.with_body().await;
            JsFuture::from(Promise::resolve(&handle(app, head, request::now()))).await
        })
        .into(),
        Decision::CheckSession(check) => {
            // 4.
            let kept = TokenContext::of(&app, check.principal());
            let reply = session_check::check_session(passage, &kept.bearer, now.millis() as f64);
            if check.overlaps_store() {
                forward::ahead(&app, &check, &kept, passage);
            }
            let (check, repeats) = (Rc::from(check), !head.says_more());
            let pending = PendingCheck { app, check, kept: Rc::clone(&kept), repeats };
            check_and_forward(passage, &kept.bearer, reply, pending)
        }
    }
}

fn own(app: Rc<App>, endpoint: Endpoint, head: RequestHead) -> JsValue {
    let request = head.passage().request();
    match endpoint {
        Endpoint::LoginPage => answer(async move { pages::login(&app, &head).await }),
        Endpoint::StyleSheet => pages::style_sheet().into(),
        Endpoint::Client => pages::client(&head).into(),
        Endpoint::KeySet => jwks::show(&app).into(),
        Endpoint::Preflight => cors::preflight(&app).into(),
        Endpoint::Login => answer(async move { login::log_in(&app, &request, &head).await }),
        Endpoint::Logout => answer(async move { logout::log_out(&app, &head).await }),
        Endpoint::Refresh => answer(async move { refresh::refresh(&app, &head).await }),
        Endpoint::BackchannelLogout => {
            answer(async move { backchannel_logout::log_out(&app, &request, &head).await })
        }
        Endpoint::Introspect => {
            answer(async move { introspect::show(&app, &request, &head).await })
        }
        Endpoint::Revoke => answer(async move { introspect::revoke(&app, &request, &head).await }),
        Endpoint::Admin => answer(async move { admin::serve(&app, &request, &head).await }),
        Endpoint::Session => answer(async move { session::show(&app, &head).await }),
        Endpoint::SessionData => answer(async move { session::patch(&app, &request, &head).await }),
        Endpoint::Sessions => answer(async move { sessions::list(&app, &head).await }),
        Endpoint::EndSession => answer(async move { sessions::end_one(&app, &head).await }),
        Endpoint::Events => answer(async move { events::open(&app, &head).await }),
        Endpoint::Health => answer(async move { health::show(&app).await }),
    }
}

/// The promise of an answer. The future is boxed, so that what waits for it is compiled once.
fn answer(response: impl Future<Output = Response> + 'static) -> JsValue {
    let response: Answering<'static, Response> = Box::pin(response);
    promise::of(async move { Ok(response.await.into()) }).into()
}

#[wasm_bindgen(module = "/src/proxy/forward.js")]
extern "C" {
    /// Waits for the store's reply, and ends the request or forwards it.
    #[wasm_bindgen(js_name = checkAndForward)]
    fn check_and_forward(
        passage: &RequestContext,
        bearer: &JsTokenContext,
        reply: Promise,
        pending: PendingCheck,
    ) -> JsValue;
}

/// A request that waits for the store's reply.
#[wasm_bindgen]
pub struct PendingCheck {
    app: Rc<App>,
    check: Rc<ForwardPlan>,
    kept: Rc<TokenContext>,
    /// Can another request say the same?
    repeats: bool,
}

#[wasm_bindgen]
impl PendingCheck {
    /// Listens for the end of a session, on behalf of a connection that outlives its request.
    /// `session` is that of the passage. The promise is of a `Response` with a WebSocket, or of a
    /// string, the refusal's code, if the session is over; it is rejected if neither is known.
    pub fn watch(session: String) -> Promise {
        promise::of(async move { push::watch_line(&session).await })
    }

    /// Asks about the session of a passage once more, because the origin's answer came late. The promise
    /// is of `undefined`, or of the `Response` that goes out instead.
    pub fn recheck(passage: RequestContext, session: String) -> Promise {
        promise::of(async move {
            let refusal = push::recheck(passage, &session).await;
            Ok(refusal.map_or(JsValue::UNDEFINED, Into::into))
        })
    }

    /// What is to be remembered for requests that say the same; `undefined` if none can.
    pub fn precedent(&self) -> Option<CachedPlan> {
        let Self { app, check, kept, repeats } = self;
        repeats.then(|| CachedPlan::new(Rc::clone(app), Rc::clone(check), Rc::clone(kept)))
    }

    /// Takes the store's reply. Returns the `Response` or the promise of one: the refusal, or the
    /// origin's answer. `body` is the reply's, `names` what [`RequestContext::sent_headers`] says; where they
    /// are what the bearer remembers they are left out. `now` is the present moment in milliseconds
    /// since the Unix epoch.
    pub fn judge(
        self,
        passage: &RequestContext,
        status: i32,
        body: Option<String>,
        names: Option<String>,
        now: f64,
    ) -> JsValue {
        let (sent, now) = (self.kept.sent(&self.app, passage, names), request::moment(now));
        let read = |reply: &Reply| self.app.store.read(&self.check.principal().command(), reply);
        match self.kept.answer(status, body, read) {
            Some(answer) => self.verdict(passage, answer, &sent, now),
            None => {
                let passage = passage.clone();
                let again = async move {
                    let caller = self.check.principal();
                    let command = caller.command();
                    let answer = self.app.store.apply_anew(caller.user(), &command).await;
                    let verdict = self.verdict(&passage, answer, &sent, request::now());
                    JsFuture::from(Promise::resolve(&verdict)).await
                };
                promise::of(again).into()
            }
        }
    }
}

impl PendingCheck {
    /// A request that says what an earlier one said.
    pub fn again(app: Rc<App>, check: ForwardPlan, kept: Rc<TokenContext>) -> Self {
        Self { app, check: Rc::new(check), kept, repeats: true }
    }

    fn verdict(
        self,
        passage: &RequestContext,
        answer: stores::Outcome,
        sent: &Rc<HeaderFilter>,
        now: Timestamp,
    ) -> JsValue {
        let Self { app, check, kept, .. } = &self;
        match app.guard.judge(check, answer, now) {
            // 6.
            Ok(live) => {
                find_session::note_use(app, check.principal(), live.as_ref());
                let answer = forward::with_identity(app, check, kept, live.as_ref(), passage, sent);
                kept.count(app, check.principal());
                answer
            }
            Err(refusal) => {
                kept.count(app, check.principal());
                self.refuse(passage, refusal, sent)
            }
        }
    }

    fn refuse(
        self,
        passage: &RequestContext,
        refusal: Refusal,
        sent: &Rc<HeaderFilter>,
    ) -> JsValue {
        let caller = self.check.principal();
        session_events::notice(&self.app, caller.user(), caller.sid(), &refusal);
        if refusal != Refusal::Session(InvalidSession::Outdated) {
            return self.end(passage, &refusal, sent);
        }
        // The session of which an old token was used is ended before the request goes its way.
        let (passage, sent) = (passage.clone(), Rc::clone(sent));
        promise::of(async move {
            match end_sessions::end_reused(&self.app, self.check.principal()).await {
                Ok(()) => {
                    let end = self.end(&passage, &refusal, &sent);
                    JsFuture::from(Promise::resolve(&end)).await
                }
                Err(failure) => {
                    if !self.check.forwards_without_identity() {
                        passage.set_said(&self.check.log_fields(Some(&refusal)));
                    }
                    Ok(response::refusal(&failure).into())
                }
            }
        })
        .into()
    }

    /// The end of a request that was refused, unless it goes on without an identity.
    fn end(&self, passage: &RequestContext, refusal: &Refusal, sent: &HeaderFilter) -> JsValue {
        let (app, check) = (&self.app, &self.check);
        if check.forwards_without_identity() {
            response::log_cause(refusal);
            return forward::without_session(app, check, refusal, passage, sent);
        }
        passage.set_said(&check.log_fields(Some(refusal)));
        let (head, route) = (RequestHead::of(passage.clone()), check.route());
        let refused = app.guard.refused(refusal.clone(), &head, Some(route));
        response::refused(&refused, head.method()).into()
    }
}
