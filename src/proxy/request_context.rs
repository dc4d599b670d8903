//! A request on its way, as JavaScript has it.

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

    /// Does a body come with it?
    #[wasm_bindgen(method, js_name = hasBody)]
    pub fn has_body(this: &RequestContext) -> bool;

    /// What [`auth::decision::HeaderFilter::read`] reads.
    #[wasm_bindgen(method, js_name = sentHeaders)]
    pub fn sent_headers(this: &RequestContext) -> String;

    /// May a cache stand between the guard and the origin?
    #[wasm_bindgen(method, setter, js_name = isCacheable)]
    pub fn set_cacheable(this: &RequestContext, is_cacheable: bool);

    /// Does the guard itself answer it?
    #[wasm_bindgen(method, setter, js_name = isOwn)]
    pub fn set_own(this: &RequestContext, is_own: bool);

    /// What was decided about it: see [`said`].
    #[wasm_bindgen(method, setter, js_name = said)]
    pub fn set_said(this: &RequestContext, said: &str);
}

impl RequestContext {
    /// Notes that it ended here.
    pub fn ended(&self, outcome: Outcome, route: Option<&str>) {
        self.set_said(&log_fields(outcome, route, ""));
    }
}
