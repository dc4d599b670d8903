//! Session Guard's Worker: the shell that brings the core its requests, its clock, its
//! randomness and its stores. Nothing is decided here.

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
mod stores;

use auth::decision::Head;
use wasm_bindgen::prelude::*;
use worker::Env;

use crate::app::App;
use crate::proxy::request_context::RequestContext;
use crate::request::RequestHead;

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

/// Answers one request, with a `Response` or the promise of one. What every request is asked for
/// comes along: method, URL, `Authorization`, `Cookie`, and the present moment, in milliseconds since
/// the Unix epoch.
#[wasm_bindgen]
pub fn fetch(
    passage: RequestContext,
    method: String,
    url: String,
    authorization: Option<String>,
    cookie: Option<String>,
    now: f64,
    env: &Env,
) -> JsValue {
    let head = RequestHead::new(passage, method, url, authorization, cookie);
    match App::load(env) {
        Ok(app) => {
            services::auth_path_check::look_once(&app, head.url());
            proxy::handler::handle(app, head, request::moment(now))
        }
        Err(refusal) => response::refusal(&refusal).into(),
    }
}

/// Does what the origin's answer wishes of the guard. The promise is of the answer for the client.
#[wasm_bindgen(js_name = originSaid)]
pub fn origin_said(passage: RequestContext, answer: web_sys::Response) -> js_sys::Promise {
    promise::of(async move {
        let app = App::loaded().ok_or("there is nobody to ask")?;
        Ok(proxy::origin_commands::carry_out(&app, passage, answer).await.into())
    })
}

/// The answer to a request whose forwarding failed.
#[wasm_bindgen(js_name = originFailed)]
pub fn origin_failed(timed_out: bool, cause: String) -> web_sys::Response {
    response::refusal(&proxy::forward::failure(timed_out, cause))
}
