//! The access log, `Server-Timing` and Analytics Engine: see `access_log.js`, which reports each request when it is over.

use wasm_bindgen::prelude::*;
use web_sys::Response;

#[wasm_bindgen(module = "/src/proxy/access_log.js")]
extern "C" {
    /// Says which requests are logged (the setting's text), whether responses carry `Server-Timing`, and where data
    /// points go: the Analytics Engine binding, or `undefined`.
    #[wasm_bindgen(js_name = configureAccessLog)]
    pub fn configure(log: &str, timing: bool, analytics: &JsValue);

    /// Marks a response as a refusal with this code.
    #[wasm_bindgen(js_name = setRefusalCode)]
    pub fn set_refusal_code(response: &Response, code: &str);
}
