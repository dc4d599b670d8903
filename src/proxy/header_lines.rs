//! Header names and headers, which cross to JavaScript as one text: a text crosses faster than a list.

use wasm_bindgen::prelude::*;

#[wasm_bindgen(module = "/src/proxy/header_lines.js")]
extern "C" {
    /// A list of names, of a text with a line each.
    #[wasm_bindgen(js_name = namesOf)]
    pub fn names_of(lines: &str) -> JsValue;

    /// A list of name, value, name, value, of a text with a line each, `Name: value`.
    #[wasm_bindgen(js_name = headersOf)]
    pub fn headers_of(lines: &str) -> JsValue;
}
