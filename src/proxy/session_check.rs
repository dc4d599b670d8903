//! The session check: the one round trip to the session store that a request with a token waits for.

use js_sys::Promise;
use wasm_bindgen::prelude::*;

use crate::proxy::request_context::RequestContext;
use crate::proxy::token_context::JsTokenContext;

#[wasm_bindgen(module = "/src/proxy/session_check.js")]
extern "C" {
    /// Has [`check_session`] ask the REST endpoint of Redis, with `init` as the options of each `fetch`.
    /// `timeout` is in milliseconds, until the whole reply.
    #[wasm_bindgen(js_name = configureRedis)]
    pub fn configure_redis(init: &JsValue, timeout: u32);

    /// Has [`check_session`] ask the Durable Objects of this namespace. `timeout` is in milliseconds.
    #[wasm_bindgen(js_name = configureObjects)]
    pub fn configure_objects(objects: &JsValue, timeout: u32);

    /// Sends the check of a session to the configured store. `now` is in milliseconds since the Unix epoch.
    /// The promise is of what [`SessionStore::read`](crate::stores::SessionStore::read) reads, and is never
    /// rejected.
    #[wasm_bindgen(js_name = checkSession)]
    pub fn check_session(context: &RequestContext, token: &JsTokenContext, now: f64) -> Promise;

    /// Was this thrown because an object was restarted or moved, so that a new stub reaches it?
    #[wasm_bindgen(js_name = wasReset)]
    pub fn was_reset(error: &JsValue) -> bool;
}
