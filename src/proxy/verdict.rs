//! What is to be done with a request, as data: Rust decides, and `carryOut` in `carry_out.js` acts. No function that
//! makes a verdict performs a request.

use js_sys::Promise;
use wasm_bindgen::prelude::*;
use web_sys::Response;

use crate::promise;
use crate::proxy::token_context::JsTokenContext;

#[wasm_bindgen(module = "/src/proxy/verdict.js")]
extern "C" {
    /// What is to be done with a request.
    pub type Verdict;

    /// Answer with this response. `log_fields` are for the access log; `None` where they are set already.
    pub fn respond(response: &Response, log_fields: Option<&str>) -> Verdict;

    #[wasm_bindgen(js_name = waitFor)]
    fn wait_for(verdict: &Promise) -> Verdict;

    /// Forward the request, with the identity headers of `token` if there is one. The target begins at `start` in
    /// the request's URL; `target` replaces it. `removed` is a list of names, `set` of names and values: see
    /// [`header_lines`](super::header_lines). `set` and `log_fields` may be `undefined`.
    pub fn forward(
        token: Option<&JsTokenContext>,
        start: u32,
        target: Option<&str>,
        removed: &JsValue,
        set: &JsValue,
        log_fields: &JsValue,
        is_cacheable: bool,
    ) -> Verdict;
}

/// Answer with what this future comes to. It is an endpoint's, which has set the log fields already.
pub fn respond_later(response: impl Future<Output = Response> + 'static) -> Verdict {
    later(async move { respond(&response.await, None) })
}

/// Do what this future comes to.
pub fn later(verdict: impl Future<Output = Verdict> + 'static) -> Verdict {
    wait_for(&promise::of(async move { Ok(verdict.await.into()) }))
}
