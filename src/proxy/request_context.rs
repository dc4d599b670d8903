//! One request on its way through the guard. JavaScript holds it and has read its headers.

use auth::request_log::{Outcome, log_fields};
use wasm_bindgen::prelude::*;
use web_sys::Request;

#[wasm_bindgen(module = "/src/proxy/request_context.js")]
extern "C" {
    /// One request on its way through the guard.
    #[derive(Clone)]
    pub type RequestContext;

    /// The request itself.
    #[wasm_bindgen(method, getter)]
    pub fn request(this: &RequestContext) -> Request;

    /// Its method, as sent.
    #[wasm_bindgen(method, getter)]
    pub fn method(this: &RequestContext) -> String;

    /// Its absolute URL, as received.
    #[wasm_bindgen(method, getter)]
    pub fn url(this: &RequestContext) -> String;

    /// The value of a header.
    #[wasm_bindgen(method)]
    pub fn header(this: &RequestContext, name: &str) -> Option<String>;

    /// Does it have a body?
    #[wasm_bindgen(method, js_name = hasBody)]
    pub fn has_body(this: &RequestContext) -> bool;

    /// What [`auth::http::HeaderFilter::read`] reads.
    #[wasm_bindgen(method, js_name = headerNames)]
    pub fn header_names(this: &RequestContext) -> String;

    /// Does an endpoint of the guard answer?
    #[wasm_bindgen(method, setter, js_name = isOwnEndpoint)]
    pub fn set_own_endpoint(this: &RequestContext, is_own: bool);

    /// When the token expires of which the client is told, in milliseconds since the Unix epoch.
    #[wasm_bindgen(method, setter, js_name = tokenExpiresAt)]
    pub fn set_token_expires_at(this: &RequestContext, at: f64);

    /// The decision and the user, for the access log: see [`log_fields`].
    #[wasm_bindgen(method, setter, js_name = logFields)]
    pub fn set_log_fields(this: &RequestContext, fields: &str);
}

impl RequestContext {
    /// Notes that an endpoint of the guard answers it.
    pub fn set_endpoint(&self, name: &str) {
        self.set_log_fields(&log_fields(Outcome::Answered, Some(name), ""));
        self.set_own_endpoint(true);
    }
}
