//! Session Guard's Worker, around the core in `auth/`: it gives the core requests, the time, random bytes and the
//! stores' answers, and does what the core decides. The functions here are what JavaScript calls.

mod app;
mod body;
mod endpoints;
mod fetch;
mod platform;
mod promise;
mod proxy;
mod request;
mod response;
mod services;
mod startup;
mod stores;

use auth::forward_auth::DescribedRequest;
use auth::http::{Head, Recipient};
use auth::refusal::Refusal;
use js_sys::Promise;
use wasm_bindgen::prelude::*;
use web_sys::Response;
use worker::Env;

use crate::app::App;
use crate::endpoints::pages::refused;
use crate::proxy::request_context::RequestContext;
use crate::proxy::verdict::{self, Verdict};
use crate::request::RequestHead;
use crate::services::watch_session;

#[wasm_bindgen(module = "/src/instance.js")]
extern "C" {
    #[wasm_bindgen(js_name = replaceInstance)]
    fn replace_instance();
}

/// Replaces the wasm instance after a panic, because its memory cannot be trusted. Only the requests in progress
/// fail. `worker` sets a handler of its own when an instance starts, and the last handler wins: JavaScript therefore
/// calls this after the start of each instance.
#[wasm_bindgen(js_name = replaceOnPanic)]
pub fn replace_on_panic() {
    wasm_bindgen::handler::set_on_abort(replace_instance);
}

/// Decides about a request. The arguments are what every decision reads: method, URL, `Authorization`, `Cookie`, and
/// the time in milliseconds since the Unix epoch.
#[wasm_bindgen]
pub fn handle(
    context: RequestContext,
    method: String,
    url: String,
    authorization: Option<String>,
    cookie: Option<String>,
    now: f64,
    env: &Env,
) -> Verdict {
    let head = RequestHead::new(context, method, url, authorization, cookie);
    match startup::load(env) {
        Ok(app) => {
            services::auth_path_check::run_once(&app, head.url());
            proxy::handler::handle(app, head, request::timestamp(now))
        }
        Err(refusal) => verdict::respond(&refused::show_without_app(&head, &refusal), None),
    }
}

/// Decides about a request that another Worker describes. The arguments are those of [`handle`].
#[wasm_bindgen]
pub fn verify(
    context: RequestContext,
    method: String,
    url: String,
    authorization: Option<String>,
    cookie: Option<String>,
    now: f64,
    env: &Env,
) -> Verdict {
    let head = RequestHead::new(context, method, url, authorization, cookie);
    let recipient = Recipient::Proxy { shows_redirects: true };
    let described = DescribedRequest::new(head.method(), head.url(), &head, recipient);
    match startup::load(env).and_then(|app| Ok((app, described?))) {
        Ok((app, described)) => {
            proxy::handler::handle(app, head.described(described), request::timestamp(now))
        }
        Err(refusal) => verdict::respond(&response::refusal(&refusal), None),
    }
}

/// Executes the commands in the origin's response. The promise resolves to the response for the client.
#[wasm_bindgen(js_name = obeyOrigin)]
pub fn obey_origin(context: RequestContext, response: Response) -> Promise {
    promise::of(async move {
        let app = App::loaded().ok_or("the Worker has not been initialized")?;
        Ok(proxy::origin_commands::obey(&app, context, response).await.into())
    })
}

/// The response if the origin has failed or timed out.
#[wasm_bindgen(js_name = originFailure)]
pub fn origin_failure(context: RequestContext, timed_out: bool, cause: String) -> Response {
    failure(context, &proxy::origin::failure(timed_out, cause))
}

/// The response if the guard itself has failed. After a panic, a new instance makes it.
#[wasm_bindgen(js_name = internalError)]
pub fn internal_error(context: RequestContext, cause: String, env: &Env) -> Response {
    // It may be the settings' fault.
    let _ = startup::load(env);
    failure(context, &Refusal::Failed(cause))
}

fn failure(context: RequestContext, refusal: &Refusal) -> Response {
    let head = RequestHead::of(context);
    match App::loaded() {
        Some(app) => refused::show(&app, &head, refusal),
        None => refused::show_without_app(&head, refusal),
    }
}

/// Watches a session for a connection that outlives its request. `session` is the token context's. The promise
/// resolves to a `Response` with a WebSocket that closes when the session ends, or to the refusal's code, a string,
/// if it has ended already. It rejects if the session's state is unknown.
#[wasm_bindgen(js_name = watchSession)]
pub fn watch_session(session: String) -> Promise {
    promise::of(async move { watch_session::watch_serialized(&session).await })
}

/// Checks the session of a request again, because the origin's response came late. The promise resolves to
/// `undefined`, or to the refusal that replaces the response.
#[wasm_bindgen(js_name = recheckSession)]
pub fn recheck_session(context: RequestContext, session: String) -> Promise {
    promise::of(async move {
        let refusal = watch_session::refusal_if_ended(context, &session).await;
        Ok(refusal.map_or(JsValue::UNDEFINED, Into::into))
    })
}
