//! One request's way, step by step, as the design numbers it.

use std::rc::Rc;

use auth::decision::{Check, Decision};
use auth::refusal::Refusal;
use auth::request_log::{Outcome, said};
use auth::route::Endpoint;
use auth::session::Gone;
use js_sys::Promise;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Request, Response};

use crate::config::App;
use crate::request::{self, RequestHead};
use crate::store::{Answering, Reply};
use crate::{
    admin, backchannel, events, forward, health, introspect, keys, login, pages, promise, push,
    refresh, report, response, session_data, sessions,
};

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
/// [`Pending::judge`] for the verdict.
pub fn handle(app: Rc<App>, request: Request) -> JsValue {
    let head = RequestHead::of(&request);
    decide(app, request, head)
}

fn decide(app: Rc<App>, request: Request, head: RequestHead) -> JsValue {
    // 1. to 3.
    match app.guard.decide(&head, request::now()) {
        Decision::Own(endpoint) => {
            report::note(&request, &said(Outcome::Answered, Some(endpoint.name()), ""));
            own(app, endpoint, request, head)
        }
        Decision::Refuse(refused) => {
            report::note(&request, &said(Outcome::Refused, refused.route.as_deref(), ""));
            response::refused(&refused).into()
        }
        Decision::Forward(anonymous) => {
            let plan = forward::plan_anonymously(&app, &anonymous, &request);
            forward_anonymously(&request, &plan)
        }
        Decision::ReadBody => promise::of(async move {
            let head = head.with_body(&request).await;
            JsFuture::from(Promise::resolve(&decide(app, request, head))).await
        })
        .into(),
        Decision::Check(check) => {
            // 4.
            let reply = app.store.ask(check.caller().user(), check.caller().command());
            let ahead = check.is_ahead().then(|| forward::plan(&app, &check, None, &request));
            check_and_forward(&request, reply, Pending { app, check }, ahead.as_deref())
        }
    }
}

fn own(app: Rc<App>, endpoint: Endpoint, request: Request, head: RequestHead) -> JsValue {
    match endpoint {
        Endpoint::LoginPage => pages::login(&app, &head).into(),
        Endpoint::StyleSheet => pages::style_sheet().into(),
        Endpoint::Client => pages::client(&head).into(),
        Endpoint::KeySet => keys::show(&app).into(),
        Endpoint::Login => answer(async move { login::log_in(&app, &request, &head).await }),
        Endpoint::Logout => answer(async move { sessions::log_out(&app, &head).await }),
        Endpoint::Refresh => answer(async move { refresh::refresh(&app, &head).await }),
        Endpoint::BackchannelLogout => {
            answer(async move { backchannel::log_out(&app, &request, &head).await })
        }
        Endpoint::Introspect => {
            answer(async move { introspect::show(&app, &request, &head).await })
        }
        Endpoint::Revoke => answer(async move { introspect::revoke(&app, &request, &head).await }),
        Endpoint::Admin => answer(async move { admin::serve(&app, &request, &head).await }),
        Endpoint::Session => answer(async move { sessions::show(&app, &head).await }),
        Endpoint::SessionData => {
            answer(async move { session_data::patch(&app, &request, &head).await })
        }
        Endpoint::Sessions => answer(async move { sessions::list(&app, &head).await }),
        Endpoint::EndSession => answer(async move { sessions::end_one(&app, &head).await }),
        Endpoint::Events => answer(async move { push::open(&app, &head).await }),
        Endpoint::Health => answer(async move { health::show(&app).await }),
    }
}

/// The promise of an answer. The future is boxed, so that what waits for it is compiled once.
fn answer(response: impl Future<Output = Response> + 'static) -> JsValue {
    let response: Answering<'static, Response> = Box::pin(response);
    promise::of(async move { Ok(response.await.into()) }).into()
}

#[wasm_bindgen(module = "/src/forward.js")]
extern "C" {
    /// Waits for the store's reply, and ends the request or forwards it; by the plan `ahead`, if
    /// there is one, at once, and the answer is held back until then.
    #[wasm_bindgen(js_name = checkAndForward)]
    fn check_and_forward(
        request: &Request,
        reply: Promise,
        pending: Pending,
        ahead: Option<&str>,
    ) -> JsValue;

    /// Forwards a request that is for everybody.
    #[wasm_bindgen(js_name = forwardAnonymously)]
    fn forward_anonymously(request: &Request, plan: &str) -> JsValue;
}

/// A request that waits for the store's reply.
#[wasm_bindgen]
pub struct Pending {
    app: Rc<App>,
    check: Box<Check>,
}

#[wasm_bindgen]
impl Pending {
    /// Listens for the end of a session, on behalf of a connection that outlives its request.
    /// `session` is the line of [`forward::plan`]. The promise is of a `Response` with a WebSocket,
    /// or of a string, the refusal's code, if the session is over; it is rejected if neither is
    /// known.
    pub fn watch(session: String) -> Promise {
        promise::of(async move { push::watch_line(&session).await })
    }

    /// Takes the store's reply. Returns a `Response` if the request ends here, a string if it is
    /// to be forwarded (see [`forward::plan`]), or the promise of either when the store must be
    /// asked once more.
    pub fn judge(self, request: &Request, status: i32, body: String) -> JsValue {
        let reply = Reply { status, body };
        match self.app.store.read(self.check.caller().command(), &reply) {
            Some(answer) => self.verdict(request, answer),
            None => {
                let request = Clone::clone(request);
                let again = async move {
                    let caller = self.check.caller();
                    let answer = self.app.store.apply_anew(caller.user(), caller.command()).await;
                    JsFuture::from(Promise::resolve(&self.verdict(&request, answer))).await
                };
                promise::of(again).into()
            }
        }
    }
}

impl Pending {
    fn verdict(self, request: &Request, answer: crate::store::Outcome) -> JsValue {
        match self.app.guard.judge(&self.check, answer, request::now()) {
            // 6.
            Ok(live) => forward::plan(&self.app, &self.check, live.as_ref(), request).into(),
            Err(refusal) => {
                let caller = self.check.caller();
                events::notice(&self.app, caller.user(), caller.sid(), &refusal);
                let outcome = match self.check.goes_on() {
                    true => {
                        response::log_cause(&refusal);
                        forward::plan_without_session(&self.app, &self.check, &refusal, request)
                            .into()
                    }
                    false => {
                        report::note(request, &self.check.said(Some(&refusal)));
                        let (head, route) = (RequestHead::of(request), self.check.route());
                        let refused = self.app.guard.refused(refusal.clone(), &head, Some(route));
                        response::refused(&refused).into()
                    }
                };
                match refusal {
                    Refusal::Session(Gone::Outdated) => self.end_reused(outcome),
                    _ => outcome,
                }
            }
        }
    }

    /// Ends the session of which an old token was used, before the request goes its way.
    fn end_reused(self, outcome: JsValue) -> JsValue {
        promise::of(async move {
            match sessions::end_reused(&self.app, self.check.caller()).await {
                Ok(()) => Ok(outcome),
                Err(refusal) => Ok(response::refusal(&refusal).into()),
            }
        })
        .into()
    }
}
