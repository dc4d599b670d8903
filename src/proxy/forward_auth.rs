//! Configures the answers to proxies that ask: see `forward_auth.js`.

use auth::config::Settings;
use auth::identity;
use wasm_bindgen::prelude::*;

use super::header_lines::names_of;

#[wasm_bindgen(module = "/src/proxy/forward_auth.js")]
extern "C" {
    #[wasm_bindgen(js_name = configureForwardAuth)]
    fn configure_forward_auth(identity: &JsValue);
}

/// Names the identity headers that each answer has.
pub fn configure(settings: &Settings) {
    if settings.forward_auth_key.is_some() {
        let names = identity::names(settings.identity_headers, settings.forward_session_data);
        configure_forward_auth(&names_of(&names.join("\n")));
    }
}
