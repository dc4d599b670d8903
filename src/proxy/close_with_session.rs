//! Responses that end with their session: see `close_with_session.js`.

use wasm_bindgen::prelude::*;

#[wasm_bindgen(module = "/src/proxy/close_with_session.js")]
extern "C" {
    /// Says whether there are Durable Objects, which tell when a session ends.
    #[wasm_bindgen(js_name = configureWatching)]
    pub fn configure(has_objects: bool);
}
