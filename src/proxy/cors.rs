//! Scripts of other origins, as far as the settings name them: see [`auth::origins`].

use wasm_bindgen::prelude::*;
use web_sys::Response;

use crate::app::App;
use crate::proxy::request_context::RequestContext;
use crate::request::RequestHead;
use crate::response;

#[wasm_bindgen(module = "/src/proxy/cors.js")]
extern "C" {
    /// Does the operator name any?
    #[wasm_bindgen(js_name = setUp)]
    pub fn set_up(on: bool);
}

/// Lets a named origin's script read an answer of the guard's own.
#[wasm_bindgen(js_name = originMayRead)]
pub fn origin_may_read(passage: RequestContext, answer: &Response) {
    let Some(app) = App::loaded() else { return };
    for (name, value) in app.guard.cors(&RequestHead::of(passage)) {
        // Names and origins are headers: the latter were checked with the settings.
        let _ = answer.headers().set(name, value);
    }
}

/// The answer to a preflight of a named origin about one of the guard's endpoints.
pub fn preflight(app: &App) -> Response {
    response::response(204, "", &app.guard.preflight())
}
