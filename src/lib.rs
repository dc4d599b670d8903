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

use auth::http::Head;
use js_sys::Promise;
use wasm_bindgen::prelude::*;
use web_sys::Response;
use worker::Env;

use crate::app::App;
use crate::proxy::request_context::RequestContext;
use crate::proxy::verdict::{self, Verdict};
use crate::request::RequestHead;
use crate::services::watch_session;

#[wasm_bindgen(module = "/src/instance.js")]
extern "C" {
    #[wasm_bindgen(js_name = replaceInstance)]
    fn replace_instance();
}

/// Has a fresh instance made after a panic, when no memory is to be trusted, so that it costs no more
/// than the requests that are under way. `worker` sets a handler of its own when an instance starts,
/// and the last one that is set counts: so this is called afterwards, for each instance.
#[wasm_bindgen(js_name = replaceOnPanic)]
pub fn replace_on_panic() {
    wasm_bindgen::handler::set_on_abort(replace_instance);
}

/// Decides about a request. What every decision reads is passed along: method, URL, `Authorization`, `Cookie`, and the
/// time in milliseconds since the Unix epoch.
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
            proxy::handler::handle(app, head, request::moment(now))
        }
        Err(refusal) => verdict::respond(&response::refusal(&refusal), None),
    }
}

/// Obeys the commands in a response of the origin's. The promise is of the response for the client.
#[wasm_bindgen(js_name = obeyOrigin)]
pub fn obey_origin(context: RequestContext, response: Response) -> Promise {
    promise::of(async move {
        let app = App::loaded().ok_or("the settings were never read")?;
        Ok(proxy::origin_commands::obey(&app, context, response).await.into())
    })
}

/// The response to a request that the origin did not respond to.
#[wasm_bindgen(js_name = originFailure)]
pub fn origin_failure(timed_out: bool, cause: String) -> Response {
    response::refusal(&proxy::origin::failure(timed_out, cause))
}

/// Watches a session for a connection that outlives its request. `session` is that of the token context. The promise
/// is of a `Response` with a WebSocket that is closed when the session ends, or of a text, the refusal's code, if it
/// has ended already. It is rejected if neither can be known.
#[wasm_bindgen(js_name = watchSession)]
pub fn watch_session(session: String) -> Promise {
    promise::of(async move { watch_session::watch_serialized(&session).await })
}

/// Checks the session of a request again, because the origin's response came late. The promise is of `undefined`, or
/// of the refusal that replaces the response.
#[wasm_bindgen(js_name = recheckSession)]
pub fn recheck_session(context: RequestContext, session: String) -> Promise {
    promise::of(async move {
        let refusal = watch_session::refusal_if_ended(context, &session).await;
        Ok(refusal.map_or(JsValue::UNDEFINED, Into::into))
    })
}
