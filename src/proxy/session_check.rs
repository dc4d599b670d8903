//! Configures the session check, which JavaScript sends: see `session_check.js`.

use wasm_bindgen::prelude::*;

#[wasm_bindgen(module = "/src/proxy/session_check.js")]
extern "C" {
    /// Sends checks to the REST endpoint of Redis, with `init` as the options of each `fetch`. `timeout` is in
    /// milliseconds, until the whole reply.
    #[wasm_bindgen(js_name = configureRedis)]
    pub fn configure_redis(init: &JsValue, timeout: u32);

    /// Sends checks to the Durable Objects of this namespace. `timeout` is in milliseconds.
    #[wasm_bindgen(js_name = configureObjects)]
    pub fn configure_objects(objects: &JsValue, timeout: u32);

    /// A reply to a check that Rust has sent. A negative status says that there was none: see
    /// [`reply_from_js`](crate::stores::reply_from_js).
    #[wasm_bindgen(js_name = makeReply)]
    pub fn make_reply(status: i32, body: &str) -> JsValue;

    /// Was this thrown because an object was restarted or moved, so that a new stub reaches it?
    #[wasm_bindgen(js_name = wasReset)]
    pub fn was_reset(error: &JsValue) -> bool;
}
