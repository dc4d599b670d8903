//! Scripts of other origins that `ALLOWED_ORIGINS` names: see [`auth::allowed_origins`].

use wasm_bindgen::prelude::*;
use web_sys::Response;

use crate::app::App;
use crate::proxy::request_context::RequestContext;
use crate::request::RequestHead;
use crate::response;

#[wasm_bindgen(module = "/src/proxy/cors.js")]
extern "C" {
    /// Says whether `ALLOWED_ORIGINS` names any.
    #[wasm_bindgen(js_name = configureCors)]
    pub fn configure(on: bool);
}

/// Lets a script of an allowed origin read a response of the guard's own.
#[wasm_bindgen(js_name = setCorsHeaders)]
pub fn set_cors_headers(context: RequestContext, response: &Response) {
    let Some(app) = App::loaded() else { return };
    for (name, value) in app.guard.cors(&RequestHead::of(context)) {
        // Neither fails: the settings admit only origins that are header values.
        let _ = match name {
            // A page varies by its language, too.
            "vary" => response.headers().append(name, value),
            name => response.headers().set(name, value),
        };
    }
}

/// The answer to a preflight of an allowed origin for one of the guard's endpoints.
pub fn preflight(app: &App) -> Response {
    response::response(204, "", &app.guard.preflight())
}
