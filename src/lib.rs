//! Session Guard's Worker: the shell that brings the core its requests, its clock, its
//! randomness and its stores. Nothing is decided here.

mod admin;
mod backchannel;
mod config;
mod events;
mod forward;
mod guard;
mod health;
mod index;
mod introspect;
mod issuers;
mod keys;
mod login;
mod login_rate;
mod pages;
mod push;
mod refresh;
mod request;
mod response;
mod session_data;
mod sessions;
mod store;

use wasm_bindgen::prelude::*;

use crate::config::App;

/// Answers one request, with a `Response` or the promise of one.
#[wasm_bindgen]
pub fn fetch(request: web_sys::Request, env: &JsValue) -> JsValue {
    match App::load(env) {
        Ok(app) => guard::handle(app, request),
        Err(refusal) => response::refusal(&refusal).into(),
    }
}

/// The answer to a request whose forwarding failed.
#[wasm_bindgen(js_name = originFailed)]
pub fn origin_failed(timed_out: bool, cause: String) -> web_sys::Response {
    response::refusal(&forward::failure(timed_out, cause))
}
