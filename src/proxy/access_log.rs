//! What is known of each request, for the log, `Server-Timing` and the Analytics Engine. The line
//! itself is put together in `report.js`, when the request is over.

use wasm_bindgen::prelude::*;
use web_sys::Response;

#[wasm_bindgen(module = "/src/proxy/access_log.js")]
extern "C" {
    /// Says which requests are logged (the setting's text), whether answers carry `Server-Timing`,
    /// and where data points go: the Analytics Engine's binding, or `undefined`.
    #[wasm_bindgen(js_name = setUp)]
    pub fn set_up(log: &str, timing: bool, analytics: &JsValue);

    /// The code of the refusal that a response tells.
    #[wasm_bindgen(js_name = noteCode)]
    pub fn note_code(response: &Response, code: &str);
}
